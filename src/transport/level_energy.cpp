#include "qheat/transport/level_energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/model/dissipator.hpp"
#include "qheat/operators/currents.hpp"
#include "qheat/parallel/index.hpp"
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
    const double factor = std::abs(model.strength * at(model.couplings, b));
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

namespace {

/// What the bath feeds a site with, the more doubtful the greater.
enum class Feed { nothing, temperature, other };

/// By the bath on each site itself, [N].
std::vector<Feed> feeds(const Model& model) {
  std::vector<Feed> feeds(as_size(model.sites()), Feed::nothing);
  const auto feed = [&](int site, Feed by) { at(feeds, site) = std::max(at(feeds, site), by); };
  for (const Reservoir& r : model.bath.reservoirs)
    feed(r.site, reservoir_temperature(r, model.energies_of(r.site)) ? Feed::temperature : Feed::other);
  for (const Jump& jump : model.bath.jumps)
    for (const Dissipator& d : dissipators(model, jump))
      for (const int site : d.sites)
        if (moves_levels(d)) feed(site, Feed::other);
  return feeds;
}

/// The same for all sites that bonds which keep level energy join; nothing where sites carry none.
std::vector<Feed> feeds_of_pieces(const Model& model) {
  const auto own = feeds(model);
  std::vector<Feed> of_piece(own.size(), Feed::nothing);
  std::vector<bool> seen(own.size(), false);
  for (int start = 0; start < model.sites(); ++start) {
    std::vector<int> piece;
    const auto reach = [&](int site) {
      const auto levels = model.energies_of(site);
      if (at(seen, site) || levels.front() == levels.back()) return;
      at(seen, site) = true;
      piece.push_back(site);
    };
    reach(start);
    Feed by = Feed::nothing;
    for (std::size_t next = 0; next < piece.size();) {  // which grows on the way
      const int site = piece[next++];
      by = std::max(by, at(own, site));
      for (const int b : model.lattice.bonds_of(site)) {
        const Bond& bond = at(model.lattice.bonds(), b);
        if (bond_keeps_level_energy(model, b)) reach(bond.first == site ? bond.second : bond.first);
      }
    }
    for (const int site : piece) at(of_piece, site) = by;
  }
  return of_piece;
}

}  // namespace

std::vector<bool> temperatures_known(const Model& model) {
  std::vector<bool> known;
  for (const Feed by : feeds_of_pieces(model)) known.push_back(by == Feed::temperature);
  return known;
}

std::vector<bool> temperatures_defined(const Model& model) {
  std::vector<bool> defined;
  for (const Feed by : feeds_of_pieces(model)) defined.push_back(by != Feed::other);
  return defined;
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
