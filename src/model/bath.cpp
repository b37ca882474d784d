#include "qheat/model/bath.hpp"

#include <cmath>
#include <limits>

namespace qheat {

JumpRates jump_rates(const Reservoir& reservoir, double gap) {
  const double x = gap / reservoir.temperature;  // 0 at infinite temperature
  if (reservoir.statistics == Reservoir::Statistics::fermi)
    return {reservoir.rate / (1.0 + std::exp(x)), reservoir.rate / (1.0 + std::exp(-x))};
  const double occupation = 1.0 / std::expm1(x);
  return {reservoir.rate * occupation, reservoir.rate * (occupation + 1.0)};
}

std::vector<JumpRates> jump_rates(const Reservoir& reservoir, std::span<const double> energies) {
  if (!reservoir.given.empty()) return reservoir.given;
  std::vector<JumpRates> rates;
  for (std::size_t n = 0; n + 1 < energies.size(); ++n)
    rates.push_back(jump_rates(reservoir, energies[n + 1] - energies[n]));
  return rates;
}

std::optional<double> reservoir_temperature(const Reservoir& reservoir, std::span<const double> energies) {
  if (reservoir.given.empty()) return reservoir.temperature;
  constexpr double kSame = 1e-12;
  std::optional<double> inverse;
  for (std::size_t n = 0; n + 1 < energies.size(); ++n) {
    const auto [up, down] = reservoir.given[n];
    if (up == 0.0 && down == 0.0) continue;
    const double gap = energies[n + 1] - energies[n];
    if (gap == 0.0 && up == down) continue;  // as at any temperature
    const double here = (std::log(down) - std::log(up)) / gap;
    const bool near = inverse && std::isfinite(here) && std::abs(here - *inverse) <= kSame * std::abs(here);
    const bool same = !inverse || here == *inverse || near;
    if (gap == 0.0 || !same) return {};
    inverse = here;
  }
  if (!inverse) return {};
  return *inverse == 0.0 ? std::numeric_limits<double>::infinity() : 1.0 / *inverse;
}

}  // namespace qheat
