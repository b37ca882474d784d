#include "qheat/operators/reservoir_rates.hpp"

#include <algorithm>
#include <cmath>

namespace qheat {

std::vector<double> level_jumps(const Model& model, int site) {
  const auto m = static_cast<std::size_t>(model.levels());
  std::vector<double> rates(m * m, 0.0);
  const auto add = [&](std::size_t to, std::size_t from, double rate) {
    rates[to * m + from] += rate;
    rates[from * m + from] -= rate;
  };
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    if (reservoir.site != site) continue;
    for (std::size_t n = 0; n + 1 < m; ++n) {
      const auto low = static_cast<int>(n);
      const JumpRates jump = jump_rates(reservoir, model.energy(site, low + 1) - model.energy(site, low));
      add(n + 1, n, jump.up);
      add(n, n + 1, jump.down);
    }
  }
  return rates;
}

std::vector<double> band_jumps(const Model& model, int site) {
  const auto m = static_cast<std::size_t>(model.levels());
  const auto bands = static_cast<std::size_t>(model.site.bands());
  const auto& band = model.site.band_of_level();
  const std::vector<double> levels = level_jumps(model, site);
  std::vector<double> rates(bands * bands, 0.0);
  for (std::size_t to = 0; to < m; ++to) {
    for (std::size_t from = 0; from < m; ++from)
      rates[band[to] * bands + band[from]] += levels[to * m + from] / model.site.band_sizes()[band[from]];
  }
  return rates;
}

bool has_mirrored_reservoirs(const Model& model) {
  constexpr double kRounding = 1e-14;
  for (int i = 0; i < model.sites(); ++i) {
    const auto here = level_jumps(model, i);
    const auto there = level_jumps(model, model.sites() - 1 - i);
    double largest = 0.0;
    for (const double rate : here) largest = std::max(largest, std::abs(rate));
    for (std::size_t e = 0; e < here.size(); ++e) {
      if (!(std::abs(here[e] - there[e]) <= kRounding * largest)) return false;
    }
  }
  return true;
}

}  // namespace qheat
