#include "qheat/model/thermodynamics.hpp"

#include <algorithm>
#include <cmath>

namespace qheat {

std::vector<double> gibbs_probabilities(std::span<const double> energies, double temperature) {
  const double lowest = *std::min_element(energies.begin(), energies.end());
  std::vector<double> probabilities;
  double sum = 0.0;
  for (const double energy : energies) {
    probabilities.push_back(std::exp(-(energy - lowest) / temperature));
    sum += probabilities.back();
  }
  for (double& p : probabilities) p /= sum;
  return probabilities;
}

}  // namespace qheat
