#include "qheat/transport/level_energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/steady/steady.hpp"

namespace qheat {
namespace {

constexpr double kSameLevels = 1e-12;  // of the largest level energy
constexpr double kNotSmall = 0.5;      // interaction over level spacing

/// Smallest distance of two different neighbouring levels of a site; infinite if there is none.
double smallest_spacing(const Model& model) {
  double smallest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < model.sites(); ++i) {
    const auto e = model.energies_of(i);
    for (std::size_t n = 0; n + 1 < e.size(); ++n)
      if (e[n + 1] != e[n]) smallest = std::min(smallest, std::abs(e[n + 1] - e[n]));
  }
  return smallest;
}

/// Largest |lambda J_b V| of an element that moves levels.
double largest_coupling(const Model& model) {
  double largest = 0.0;
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const double factor = std::abs(model.strength * model.couplings[static_cast<std::size_t>(b)]);
    for (const PairElement& e : model.interaction(b).elements())
      if (e.a != e.c || e.b != e.d) largest = std::max(largest, factor * std::abs(e.value));
  }
  return largest;
}

}  // namespace

bool no_level_energy(const Model& model) {
  return smallest_spacing(model) == std::numeric_limits<double>::infinity();
}

bool same_levels(const Model& model, int p, int q) {
  const auto a = model.energies_of(p);
  const auto b = model.energies_of(q);
  const double scale = std::max(std::abs(a.back()), std::abs(b.back()));
  return std::equal(a.begin(), a.end(), b.begin(),
                    [&](double x, double y) { return std::abs(x - y) <= kSameLevels * scale; });
}

bool same_levels(const Model& model) {
  for (int i = 1; i < model.sites(); ++i)
    if (!same_levels(model, 0, i)) return false;
  return true;
}

std::vector<bool> temperatures_known(const Model& model) {
  std::vector<bool> known(static_cast<std::size_t>(model.sites()), false);
  std::vector<int> reached;
  const auto reach = [&](int site) {
    const auto levels = model.energies_of(site);
    if (known[static_cast<std::size_t>(site)] || levels.front() == levels.back()) return;
    known[static_cast<std::size_t>(site)] = true;
    reached.push_back(site);
  };
  for (const Reservoir& reservoir : model.bath.reservoirs) reach(reservoir.site);
  while (!reached.empty()) {
    const int site = reached.back();
    reached.pop_back();
    for (const int b : model.lattice.bonds_of(site)) {
      const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
      if (bond_keeps_level_energy(model, b)) reach(bond.first == site ? bond.second : bond.first);
    }
  }
  return known;
}

std::vector<std::string> level_energy_warnings(const Model& model) {
  std::vector<std::string> warnings;
  if (no_level_energy(model)) {
    warnings.emplace_back(
        "all levels of a site have the same energy: sites carry no level energy, so heat, its currents and "
        "temperatures are zero or undefined, and reservoirs of any temperature occupy the levels evenly");
    return warnings;
  }
  const double coupling = largest_coupling(model);
  const double spacing = smallest_spacing(model);
  if (coupling >= kNotSmall * spacing) {
    warnings.push_back(fmt::format(
        "the interaction (lambda |J V| up to {:g}) is not small against the level spacings (from "
        "{:g}): its own energy is not counted as heat here, and local reservoirs that know single "
        "sites only are then a rough model",
        coupling, spacing));
  }
  if (!bonds_keep_level_energy(model)) {
    warnings.emplace_back(
        "bonds do not keep the sum of level energies, and local reservoirs then break detailed balance: heat "
        "can flow from cold to hot, currents take energy from the interaction, and what is behind such bonds "
        "has no temperature");
  }
  return warnings;
}

}  // namespace qheat
