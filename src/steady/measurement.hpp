#pragma once

#include <memory>
#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/steady/steady.hpp"
#include "steady/double_double.hpp"

namespace qheat {

/// What is measured of a state, the same on all ranks. Populations in 32 digits: with a fast reservoir the
/// heat is the difference of two flows that agree in most digits of a double.
struct Measurement {
  std::vector<DoubleDouble> populations;  ///< P_n(i), [N][M]
  std::vector<double> outflow;            ///< J_p, J_q, [B][2], power
  std::vector<double> onsite_outflow;     ///< -i <[lambda U, h_x]>, [N], power
  std::vector<double> jump_heat;          ///< of each jump into its first and second site, [J][2], power
  double smallest_population = 0.0;       ///< of a ket, or of a level of a site
};

/// Heat into the levels of a site by a dissipator that moves nothing but its levels and takes each to one
/// alone, so that the site's populations, [N][M], say all.
DoubleDouble heat_by_populations(const Model& model, const Dissipator& dissipator,
                                 const std::vector<DoubleDouble>& populations);

/// Of a density matrix on pairs of states, this rank's elements. Collective.
template <class Number>
Measurement measure(const Model& model, const DistributedSector& pairs, std::span<const Number> rho);

/// Largest error of populations, and of currents relative to what flows at their sites, that a state may
/// have: 1000 tolerances, as a slow state makes much of what is left, but not more than 1e-3 of itself.
double steady_accuracy(double tolerance);
/// Throws Error if residual, balance or positivity of a state are not within the tolerance.
void require_state(const SteadyState& state, double tolerance);

/// Of the currents that 32 digits resolve, in slowest rates: where less flows, what does is rounding.
constexpr double kResolvedExactly = 1e-10;

/// How far the currents of a state are from balancing its heats: at each site what flows in is what flows
/// out, d<h_x>/dt = heat - sum of outflows = 0.
class Balance {
 public:
  /// `resolution`: of the slowest rate; where less flows, what does is rounding.
  Balance(const Model& model, double resolution);

  /// Power to which an imbalance of site x, and an error of what flows there, compares: what flows in and out
  /// at x.
  std::vector<double> scale(const SteadyState& state, std::span<const double> onsite_outflow) const;
  /// Largest over the sites of |imbalance| over the scale.
  double error(const SteadyState& state, std::span<const double> onsite_outflow) const;
  /// Largest difference of two states: of populations, and of heats and outflows over the scale.
  double difference(const SteadyState& a, const SteadyState& b) const;

 private:
  const Model& model_;
  double smallest_;
};

/// Populations, energies, temperatures, currents, heats, entropy production and smallest population.
void set_measured(const Model& model, const Measurement& measured, SteadyState& state);

}  // namespace qheat
