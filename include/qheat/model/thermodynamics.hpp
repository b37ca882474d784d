#pragma once

#include <span>
#include <vector>

namespace qheat {

/// Gibbs probabilities e^{-eps_n/T}/Z of one site. `temperature` > 0 in units of energy, infinity allowed.
std::vector<double> gibbs_probabilities(std::span<const double> energies, double temperature);

}  // namespace qheat
