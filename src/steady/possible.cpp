#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "qheat/model/dissipator.hpp"
#include "qheat/model/two_point_closure.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/steady/steady.hpp"
#include "steady/rate_scales.hpp"

namespace qheat {
namespace {

constexpr double kWidest = 1e14;   // between two rates: beyond, one is rounding of the other
constexpr double kLeast = 1e-100;  // their squares and the squares of their ratios stay within doubles
constexpr double kMost = 1e100;

using Sentences = std::vector<std::string>;

bool in_range(double rate) {
  return rate >= kLeast && rate <= kMost;
}

/// "the reservoir at site 0", "the jumps at sites 0, 1".
std::string name_of(const Model& model, const std::vector<int>& sites) {
  const auto& reservoirs = model.bath.reservoirs;
  const bool fed = sites.size() == 1 && std::any_of(reservoirs.begin(), reservoirs.end(),
                                                    [&](const auto& r) { return r.site == sites.front(); });
  return fmt::format("{} at site{} {}", fed ? "the reservoir" : "the jumps", sites.size() > 1 ? "s" : "",
                     fmt::join(sites, ", "));
}

/// What may have made a rate of a site what it is.
std::string keys_of(const Model& model, const std::vector<int>& sites) {
  for (const Reservoir& r : model.bath.reservoirs) {
    if (sites != std::vector<int>{r.site} || !r.given.empty()) continue;
    return fmt::format(" (rate {:g}, temperature {:g})", r.rate, r.temperature);
  }
  return "";
}

void check_rates(const Model& model, Sentences& problems) {
  std::vector<int> told;
  for (const auto& [sites, rate] : two_way_rates(model)) {
    if (in_range(rate) || sites == told) continue;
    told = sites;
    const int site = sites.front();
    const bool bosons =
        std::any_of(model.bath.reservoirs.begin(), model.bath.reservoirs.end(), [&](const Reservoir& r) {
          return r.given.empty() && r.statistics == Reservoir::Statistics::bose && site == r.site;
        });
    problems.push_back(fmt::format(
        "the jumps of {}{} have the rate {:g}, which is not between {:g} and {:g}; change its rate{}",
        name_of(model, sites), keys_of(model, sites), rate, kLeast, kMost,
        bosons ? ", or its temperature: bosons jump at the rate times T over the gap" : ""));
  }
}

/// Sites that bonds or jumps join to each other bear the number of the lowest of them.
std::vector<int> pieces(const Model& model) {
  std::vector<int> piece(as_size(model.sites()));
  std::iota(piece.begin(), piece.end(), 0);
  const auto join = [&](int first, int second) {
    const auto [low, high] = std::minmax(at(piece, first), at(piece, second));
    const int kept = low;
    const int gone = high;
    std::replace(piece.begin(), piece.end(), gone, kept);
  };
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Bond& bond = at(model.lattice.bonds(), b);
    if (bond_strength(model, b) != 0.0) join(bond.first, bond.second);
  }
  for (const Dissipator& d : dissipation(model).others)
    if (moves_levels(d)) join(d.sites.front(), d.sites.back());
  return piece;
}

void check_reach(const Model& model, Sentences& problems) {
  if (!model.hamiltonian_conserves_bands()) return;  // then dephasing alone may lead to one state
  const auto piece = pieces(model);
  std::vector<bool> reached(piece.size(), false);
  for (const Dissipator& d : dissipation(model).others) {
    if (!changes_counts(model, d)) continue;
    at(reached, at(piece, d.sites.front())) = true;
  }
  for (int i = 0; i < model.sites(); ++i) {
    if (at(reached, at(piece, i))) continue;
    problems.push_back(fmt::format(
        "no bond joins site {} to a {}{}, so that the steady state is not unique; add bonds or a reservoir",
        i, model.bath.jumps.empty() ? "reservoir" : "reservoir or a jump that changes levels",
        model.strength == 0.0 ? " (interaction.strength = 0)" : ""));
    return;
  }
}

void check_spread(const Model& model, Sentences& problems) {
  double weakest = std::numeric_limits<double>::infinity();
  double strongest = 0.0;
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const double strength = bond_strength(model, b);
    if (strength == 0.0) continue;
    weakest = std::min(weakest, strength);
    strongest = std::max(strongest, strength);
  }
  if (strongest == 0.0) return;
  if (!in_range(weakest) || !in_range(strongest)) {
    problems.push_back(fmt::format(
        "bonds have the strength {:g} (interaction.strength times coupling and the largest element that "
        "changes levels), which is not between {:g} and {:g}; take other units",
        in_range(weakest) ? strongest : weakest, kLeast, kMost));
    return;
  }
  const auto compare = [&](const std::string& what, double rate) {
    const bool fast = rate > kWidest * weakest;
    if (!fast && rate * kWidest >= strongest) return;
    problems.push_back(
        fmt::format("{} of rate {:g} is more than {:g} times {} than a bond of strength {:g}: one is lost in "
                    "the rounding "
                    "of the other; bring them closer together",
                    what, rate, kWidest, fast ? "faster" : "slower", fast ? weakest : strongest));
  };
  std::map<std::vector<int>, double> fastest;  // on the same sites
  for (const auto& [sites, rate] : two_way_rates(model))
    if (in_range(rate)) fastest[sites] = std::max(fastest[sites], rate);
  for (const auto& [sites, rate] : fastest) compare(name_of(model, sites), rate);
  const double dephasing = model.bath.dephasing;
  if (dephasing > kWidest * weakest) compare("dephasing", dephasing);
}

}  // namespace

void require_possible_steady_state(const Model& model, const SteadyOptions& options) {
  if (two_way_rates(model).empty()) {
    throw InputError(
        "no reservoir: dephasing alone leaves every mixture of the sectors stationary, and the steady state "
        "is not unique; add a [[bath.reservoir]], or a [[bath.jump]] that changes levels");
  }
  Sentences problems;
  const bool kept = model.conserves_bands() && model.site.bands() > 1;
  if (kept)
    problems.emplace_back(
        "no jump of the bath changes the number of sites in a band, so that every sector keeps its weight "
        "and the steady state is not unique; add a [[bath.reservoir]], or a [[bath.jump]] such as elements = "
        "[[0, 1, 1.0]]");
  check_rates(model, problems);
  if (!kept) check_reach(model, problems);
  check_spread(model, problems);
  if (options.method == SteadyMethod::two_point)
    for (const std::string& text : two_point_obstacles(model))
      problems.push_back("the two-point functions do not close: " + text);
  if (!problems.empty()) throw InputError(problems);
}

}  // namespace qheat
