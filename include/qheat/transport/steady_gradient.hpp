#pragma once

#include <vector>

#include "qheat/steady/steady.hpp"

namespace qheat {

/// What a steady state says about each bond (p, q), a the lattice constant (physics: section Transport, Eqs.
/// 11, 12).
struct BondCoefficients {
  std::vector<double> diffusion;  ///< -a^2 J/(u(q) - u(p)), [B], length^2/time
  std::vector<double> kappa;      ///< -a^2 J/(T(q) - T(p)), [B], per site; NaN where a temperature is
};
/// NaN where the gradient is lost in rounding.
BondCoefficients bond_coefficients(const Model& model, const SteadyState& state);

/// The same for the inside of an open chain, as the ratio of mean current and mean gradient: a quarter of the
/// sites, and at least one, is left out at each end. NaN for lattices that are no open chain and chains of
/// fewer than 4 sites.
struct BulkCoefficients {
  double diffusion = 0.0;
  double kappa = 0.0;
};
BulkCoefficients bulk_coefficients(const Model& model, const SteadyState& state);

/// (f_L - f_R)/J of a chain between a reservoir at its first and one at its last site, two levels a site,
/// whose interaction moves excitations and keeps their number.
struct ChainResistance {
  double resistance = 0.0;  ///< time; NaN for other models, equal occupations, or no current
  double error = 0.0;       ///< by the difference of what enters at one end and leaves at the other
  double current = 0.0;     ///< J, particles from the first reservoir, 1/time; NaN for other models
};
ChainResistance chain_resistance(const Model& model, const SteadyState& state);

}  // namespace qheat
