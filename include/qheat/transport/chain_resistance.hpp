#pragma once

#include <string>

#include "qheat/steady/steady.hpp"

namespace qheat {

/// Why a model has no resistance (f_L - f_R)/J of particles; empty if it has one. It takes an open chain of
/// two levels a site, one reservoir at each end and none elsewhere, an interaction that keeps the number of
/// excited sites, and reservoirs that occupy their levels differently.
std::string resistance_obstacle(const Model& model);

/// (f_L - f_R)/J, f the occupation that a reservoir would give its site.
struct ChainResistance {
  double resistance = 0.0;  ///< time; NaN with an obstacle, or if no current is told from zero
  double error = 0.0;    ///< by what enters at one end and does not leave at the other, and by the residual
  double current = 0.0;  ///< J, particles from the first reservoir, 1/time; NaN for models of another kind
};
ChainResistance chain_resistance(const Model& model, const SteadyState& state);

}  // namespace qheat
