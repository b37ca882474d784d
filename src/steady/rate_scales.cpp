#include "steady/rate_scales.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <tuple>

#include "qheat/model/dissipator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

std::vector<TwoWayRate> two_way_rates(const Model& model) {
  std::map<std::tuple<std::vector<int>, std::uint64_t, std::uint64_t>, double> found;
  for (const Dissipator& d : dissipation(model).others)
    for (const JumpElement& e : d.elements)
      if (e.to != e.from)
        found[{d.sites, std::min(e.to, e.from), std::max(e.to, e.from)}] += d.weight(e, e).real();
  std::vector<TwoWayRate> rates;
  for (const auto& [between, rate] : found) rates.push_back({std::get<0>(between), rate});
  return rates;
}

double bond_strength(const Model& model, int bond) {
  double largest = 0.0;
  for (const PairElement& e : model.interaction(bond).elements())
    if (e.a != e.c || e.b != e.d) largest = std::max(largest, std::abs(e.value));
  return largest * std::abs(model.strength * at(model.couplings, bond));
}

RateScales rate_scales(const Model& model) {
  RateScales scales{.slowest = std::numeric_limits<double>::infinity(), .fastest = 0.0};
  std::map<std::vector<int>, double> fastest;  // on the same sites
  for (const auto& [sites, rate] : two_way_rates(model)) {
    fastest[sites] = std::max(fastest[sites], rate);
    scales.slowest = std::min(scales.slowest, rate);
    scales.fastest = std::max(scales.fastest, rate);
  }
  std::vector<double> loss(as_size(model.sites()), 0.0);
  for (const auto& [sites, rate] : fastest)
    for (const int site : sites) at(loss, site) += rate;
  const double dephasing = dissipation(model).dephasing;
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const double strength = bond_strength(model, b);
    if (strength == 0.0) continue;
    const Bond& bond = at(model.lattice.bonds(), b);
    const double decay = 2.0 * dephasing + 0.5 * (at(loss, bond.first) + at(loss, bond.second));
    scales.slowest = std::min(scales.slowest, strength * std::min(1.0, strength / decay));
  }
  return scales;
}

}  // namespace qheat
