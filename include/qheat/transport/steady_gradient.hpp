#pragma once

#include <string>
#include <vector>

#include "qheat/steady/steady.hpp"
#include "qheat/transport/planes.hpp"

namespace qheat {

/// Currents over gradients of a steady state, a the lattice constant (physics: section Transport, Eqs. 11,
/// 12): diffusion -a^2 J/(u(q) - u(p)), length^2/time, and kappa -a^2 J/(T(q) - T(p)), the same per site,
/// each with the error of its numbers (what the solver left, and rounding). NaN, with its error, wherever the
/// ratio says nothing: the gradient is not told from zero by five times its error, the two ends have
/// different level energies (then energies differ without any gradient) or the bond does not keep their sum;
/// kappa also where a temperature is not finite or is none.
struct Coefficients {
  std::vector<double> diffusion;
  std::vector<double> diffusion_error;
  std::vector<double> kappa;
  std::vector<double> kappa_error;
};
/// Of each bond (p, q), [B].
Coefficients bond_coefficients(const Model& model, const SteadyState& state);
/// Of neighbouring planes across the axis between the reservoirs, from their mean energies and the current
/// per site of a plane, [L - 1]; the contacts are among them. Empty without an axis.
Coefficients plane_coefficients(const Model& model, const SteadyState& state, const PlaneProfile& profile);

/// The same for the inside, as the ratio of mean current and mean gradient: a quarter of the planes (a
/// chain's sites), and at least one, is left out at each end. NaN with fewer than 4 planes, without an axis
/// between the reservoirs, and where any sites' levels differ or any bond does not keep level energy.
struct BulkCoefficients {
  double diffusion = 0.0;
  double diffusion_error = 0.0;   ///< of the numbers
  double diffusion_spread = 0.0;  ///< largest distance of a single step inside from it; NaN with one step
  double kappa = 0.0;
  double kappa_error = 0.0;
  std::string obstacle;  ///< why diffusion is NaN
};
BulkCoefficients bulk_coefficients(const Model& model, const SteadyState& state);

/// [first, last] plane of the inside; first == last with fewer than 4 planes.
std::pair<int, int> inside_planes(int length);

}  // namespace qheat
