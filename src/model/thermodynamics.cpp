#include "qheat/model/thermodynamics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

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

double temperature_of(std::span<const double> energies, double u) {
  const double lowest = *std::min_element(energies.begin(), energies.end());
  const double highest = *std::max_element(energies.begin(), energies.end());
  const double mean =
      std::accumulate(energies.begin(), energies.end(), 0.0) / static_cast<double>(energies.size());
  if (u == lowest && lowest < highest) return 0.0;
  if (u == mean) return std::numeric_limits<double>::infinity();
  if (!(u > lowest && u < mean)) return std::numeric_limits<double>::quiet_NaN();
  const auto energy_at = [&](double beta) {  // falls from the mean to the lowest level
    const auto p = gibbs_probabilities(energies, 1.0 / beta);
    return std::inner_product(p.begin(), p.end(), energies.begin(), 0.0);
  };
  double low = 0.0;
  double high = 1.0 / (highest - lowest);
  while (energy_at(high) > u) high *= 2.0;
  for (int step = 0; step < 200 && low < high; ++step) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (energy_at(middle) > u ? low : high) = middle;
  }
  return 2.0 / (low + high);
}

}  // namespace qheat
