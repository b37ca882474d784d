#pragma once

#include <limits>
#include <string>
#include <vector>

#include "qheat/model/initial_state.hpp"
#include "qheat/model/model.hpp"
#include "qheat/operators/energy_currents.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// The stationary state whose fluctuations are followed (physics: section Equilibrium fluctuations): the
/// product of local Gibbs states of the level energies over the full space, or all states of one sector
/// alike. Diagonal in the levels in every case.
struct Equilibrium {
  double temperature = std::numeric_limits<double>::infinity();
  std::vector<int> counts;  ///< sites in each band of the sector; empty: the full space
};

/// Why the state does not stay as it is under H and the bath, with the remedy; empty if it does.
std::string stationarity_obstacle(const Model& model, const Equilibrium& equilibrium);

/// p_n(i) of the product, [N][M].
InitialState equilibrium_levels(const Model& model, const Equilibrium& equilibrium);

/// A part of the space that H does not leave, and the probability of its states together.
struct EquilibriumPart {
  std::vector<int> counts;  ///< empty: the full space
  Index dimension = 0;
  double weight = 0.0;
};
/// All parts of nonzero weight.
std::vector<EquilibriumPart> equilibrium_parts(const Model& model, const Equilibrium& equilibrium);

/// True if reversing the levels of all sites, n -> M - 1 - n, takes H to itself but for a constant in each
/// part, and the level energies, counted from their means at infinite temperature, to their negatives. Parts
/// whose numbers of sites in the bands are each other's reverse then have the same fluctuations.
bool has_level_reversal(const Model& model);
/// One of each two parts whose numbers are each other's reverse, with the weight of both.
std::vector<EquilibriumPart> without_reversed(const std::vector<EquilibriumPart>& parts);

/// <A>, exactly, by counting: no state is visited.
Complex equilibrium_mean(const Model& model, const Equilibrium& equilibrium, const TermSum<Complex>& a);
/// Re <(A - <A>)(B - <B>)>, exactly.
double equilibrium_covariance(const Model& model, const Equilibrium& equilibrium, const TermSum<Complex>& a,
                              const TermSum<Complex>& b);

/// Standard deviation of <psi|(A - <A>)^2|psi> over random states psi of the equilibrium.
double typical_scatter(const Model& model, const Equilibrium& equilibrium, const TermSum<Complex>& a);

}  // namespace qheat
