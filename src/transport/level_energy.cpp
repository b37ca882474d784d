#include "qheat/transport/level_energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/model/dissipator.hpp"
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

bool has_temperatures(const Model& model) {
  return std::any_of(model.bath.reservoirs.begin(), model.bath.reservoirs.end(), [&](const Reservoir& r) {
    return reservoir_temperature(r, model.energies_of(r.site)).has_value();
  });
}

std::vector<bool> temperatures_known(const Model& model) {
  // What feeds a site: 0 nothing, 1 a reservoir with a temperature, 2 anything else that moves levels.
  std::vector<int> fed(static_cast<std::size_t>(model.sites()), 0);
  const auto feed = [&](int site, int by) {
    fed[static_cast<std::size_t>(site)] = std::max(fed[static_cast<std::size_t>(site)], by);
  };
  for (const Reservoir& reservoir : model.bath.reservoirs)
    feed(reservoir.site, reservoir_temperature(reservoir, model.energies_of(reservoir.site)) ? 1 : 2);
  for (const Jump& jump : model.bath.jumps)
    for (const Dissipator& d : dissipators(model, jump))
      for (const int site : d.sites)
        if (moves_levels(d)) feed(site, 2);
  std::vector<bool> known(fed.size(), false);
  std::vector<bool> seen(fed.size(), false);
  const auto has_energy = [&](int site) {
    return model.energies_of(site).front() != model.energies_of(site).back();
  };
  for (int start = 0; start < model.sites(); ++start) {
    std::vector<int> piece;  // that bonds which keep level energy join
    const auto reach = [&](int site) {
      if (seen[static_cast<std::size_t>(site)] || !has_energy(site)) return;
      seen[static_cast<std::size_t>(site)] = true;
      piece.push_back(site);
    };
    reach(start);
    int by = 0;
    for (std::size_t k = 0; k < piece.size(); ++k) {
      by = std::max(by, fed[static_cast<std::size_t>(piece[k])]);
      for (const int b : model.lattice.bonds_of(piece[k])) {
        const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
        if (bond_keeps_level_energy(model, b)) reach(bond.first == piece[k] ? bond.second : bond.first);
      }
    }
    for (const int site : piece) known[static_cast<std::size_t>(site)] = by == 1;
  }
  return known;
}

std::vector<std::string> level_energy_warnings(const Model& model) {
  std::vector<std::string> warnings;
  if (no_level_energy(model)) {
    const std::string what =
        "all levels of a site have the same energy: sites carry no level energy, so heat, its currents and "
        "temperatures are zero or undefined";
    warnings.push_back(has_temperatures(model)
                           ? what + ", and reservoirs of any temperature occupy the levels evenly"
                           : what);
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
        has_temperatures(model)
            ? "bonds do not keep the sum of level energies, and local reservoirs then break detailed "
              "balance: "
              "heat can flow from cold to hot, currents take energy from the interaction, and what is behind "
              "such bonds has no temperature"
            : "bonds do not keep the sum of level energies: currents take energy from the interaction");
  }
  return warnings;
}

}  // namespace qheat
