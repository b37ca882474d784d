#include "steady/rate_scales.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qheat {

double loss_rate(const Model& model, const Reservoir& reservoir, int n) {
  const JumpRates rates =
      jump_rates(reservoir, model.energy(reservoir.site, n + 1) - model.energy(reservoir.site, n));
  return rates.up + rates.down;
}

double bond_strength(const Model& model, int bond) {
  double largest = 0.0;
  for (const PairElement& e : model.interaction(bond).elements())
    if (e.a != e.c || e.b != e.d) largest = std::max(largest, std::abs(e.value));
  return largest * std::abs(model.strength * model.couplings[static_cast<std::size_t>(bond)]);
}

RateScales rate_scales(const Model& model) {
  RateScales scales{.slowest = std::numeric_limits<double>::infinity(), .fastest = 0.0};
  std::vector<double> loss(static_cast<std::size_t>(model.sites()), 0.0);
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    double fastest = 0.0;
    for (int n = 0; n + 1 < model.levels(); ++n) {
      const double rate = loss_rate(model, reservoir, n);
      fastest = std::max(fastest, rate);
      scales.slowest = std::min(scales.slowest, rate);
    }
    loss[static_cast<std::size_t>(reservoir.site)] += fastest;
    scales.fastest = std::max(scales.fastest, fastest);
  }
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const double strength = bond_strength(model, b);
    if (strength == 0.0) continue;
    const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
    const double decay = 2.0 * model.bath.dephasing + 0.5 * (loss[static_cast<std::size_t>(bond.first)] +
                                                             loss[static_cast<std::size_t>(bond.second)]);
    scales.slowest = std::min(scales.slowest, strength * std::min(1.0, strength / decay));
  }
  return scales;
}

}  // namespace qheat
