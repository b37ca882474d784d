#pragma once

#include <span>
#include <vector>

namespace qheat {

/// Gibbs probabilities e^{-eps_n/T}/Z of one site. `temperature` > 0 in units of energy, infinity allowed.
std::vector<double> gibbs_probabilities(std::span<const double> energies, double temperature);

/// Of one site in its Gibbs state.
struct Thermodynamics {
  double energy = 0.0;         ///< u = <eps>
  double specific_heat = 0.0;  ///< C_V = (<eps^2> - <eps>^2)/T^2, in units of k_B
  double entropy = 0.0;        ///< -sum p ln p, in units of k_B
  /// d ln C_V/d ln T = <(eps - u)^3>/(T <(eps - u)^2>) - 2: exponent of C_V(T); -2 at T = infinity. NaN where
  /// C_V is 0.
  double exponent = 0.0;
};
/// To rounding for any levels, in any order, degenerate ones and thousands of them, and any T > 0 that is a
/// number, however small or large, infinity included: nothing overflows or cancels (energies count from the
/// lowest level for this).
Thermodynamics thermodynamics(std::span<const double> energies, double temperature);

/// The temperature at which the Gibbs state of these levels has the mean energy `u`: 0 for the lowest level,
/// infinity for the mean level, NaN outside of both.
double temperature_of(std::span<const double> energies, double u);

}  // namespace qheat
