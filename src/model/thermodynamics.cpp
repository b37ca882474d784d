#include "qheat/model/thermodynamics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace qheat {

namespace {

/// A sum of many terms, as exact as one of few.
class CompensatedSum {
 public:
  void add(double term) {
    const double next = sum_ + term;
    lost_ += std::abs(sum_) >= std::abs(term) ? (sum_ - next) + term : (term - next) + sum_;
    sum_ = next;
  }
  double value() const { return sum_ + lost_; }

 private:
  double sum_ = 0.0;
  double lost_ = 0.0;
};

}  // namespace

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

Thermodynamics thermodynamics(std::span<const double> energies, double temperature) {
  const double lowest = *std::min_element(energies.begin(), energies.end());
  CompensatedSum excited;  // Z - ground, in units of e^{-lowest/T}
  CompensatedSum energy;   // times Z, counted from the lowest level
  CompensatedSum scaled;   // the same over T
  double ground = 0.0;
  const auto each_level = [&](const auto& use) {
    for (const double level : energies) {
      const double gap = level - lowest;
      const double weight = std::exp(-gap / temperature);
      if (gap > 0.0 && weight > 0.0) use(gap, gap / temperature, weight);
    }
  };
  for (const double level : energies) ground += level == lowest ? 1.0 : 0.0;
  each_level([&](double gap, double x, double weight) {
    excited.add(weight);
    energy.add(weight * gap);
    scaled.add(weight * x);
  });
  const double sum = ground + excited.value();
  const double mean = scaled.value() / sum;
  CompensatedSum second;
  CompensatedSum third;
  const auto add = [&](double deviation, double weight) {
    second.add(weight * deviation * deviation);
    third.add(weight * deviation * deviation * deviation);
  };
  add(-mean, ground);
  each_level([&](double, double x, double weight) { add(x - mean, weight); });
  const double variance = second.value();
  const double no_exponent = std::numeric_limits<double>::quiet_NaN();
  return {.energy = lowest + energy.value() / sum,
          .specific_heat = variance / sum,
          .entropy = std::log(ground) + std::log1p(excited.value() / ground) + mean,
          .exponent = variance > 0.0 ? third.value() / variance - 2.0 : no_exponent};
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
