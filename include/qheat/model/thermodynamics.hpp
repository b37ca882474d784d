#pragma once

#include <span>
#include <vector>

namespace qheat {

/// Gibbs probabilities e^{-eps_n/T}/Z of one site. `temperature` > 0 in units of energy, infinity allowed.
std::vector<double> gibbs_probabilities(std::span<const double> energies, double temperature);

/// The temperature at which the Gibbs state of these levels has the mean energy `u`: 0 for the lowest level,
/// infinity for the mean level, NaN outside of both.
double temperature_of(std::span<const double> energies, double u);

}  // namespace qheat
