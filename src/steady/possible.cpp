#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "qheat/model/two_point_closure.hpp"
#include "qheat/parallel/error.hpp"
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

/// Fastest jumps of a reservoir; out of range if any are.
double rate_of(const Model& model, const Reservoir& reservoir) {
  double fastest = 0.0;
  for (int n = 0; n + 1 < model.levels(); ++n) {
    const double rate = loss_rate(model, reservoir, n);
    if (!in_range(rate)) return rate;
    fastest = std::max(fastest, rate);
  }
  return fastest;
}

void check_reservoirs(const Model& model, Sentences& problems) {
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    const double rate = rate_of(model, reservoir);
    if (in_range(rate)) continue;
    problems.push_back(
        fmt::format("the jumps of the reservoir at site {} (rate {:g}, temperature {:g}) have the rate {:g}, "
                    "which is not "
                    "between {:g} and {:g}; change its rate{}",
                    reservoir.site, reservoir.rate, reservoir.temperature, rate, kLeast, kMost,
                    reservoir.statistics == Reservoir::Statistics::bose
                        ? ", or its temperature: bosons jump at the rate times T over the gap"
                        : ""));
  }
}

/// Sites that bonds join to each other bear the number of the lowest of them.
std::vector<int> pieces(const Model& model) {
  std::vector<int> piece(static_cast<std::size_t>(model.sites()));
  std::iota(piece.begin(), piece.end(), 0);
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    if (bond_strength(model, b) == 0.0) continue;
    const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
    const auto [low, high] = std::minmax(piece[static_cast<std::size_t>(bond.first)],
                                         piece[static_cast<std::size_t>(bond.second)]);
    const int kept = low;
    const int gone = high;
    std::replace(piece.begin(), piece.end(), gone, kept);
  }
  return piece;
}

void check_reach(const Model& model, Sentences& problems) {
  if (!model.hamiltonian_conserves_bands()) return;  // then dephasing alone may lead to one state
  const auto piece = pieces(model);
  std::vector<bool> reached(piece.size(), false);
  for (const Reservoir& reservoir : model.bath.reservoirs)
    reached[static_cast<std::size_t>(piece[static_cast<std::size_t>(reservoir.site)])] = true;
  for (int i = 0; i < model.sites(); ++i) {
    if (reached[static_cast<std::size_t>(piece[static_cast<std::size_t>(i)])]) continue;
    problems.push_back(fmt::format(
        "no bond joins site {} to a reservoir{}, so that the steady state is not unique; add bonds or a "
        "reservoir",
        i, model.strength == 0.0 ? " (interaction.strength = 0)" : ""));
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
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    const double rate = rate_of(model, reservoir);
    if (in_range(rate)) compare(fmt::format("the reservoir at site {}", reservoir.site), rate);
  }
  const double dephasing = model.bath.dephasing;
  if (dephasing > kWidest * weakest) compare("dephasing", dephasing);
}

}  // namespace

void require_possible_steady_state(const Model& model, const SteadyOptions& options) {
  if (model.bath.reservoirs.empty()) {
    throw InputError(
        "no reservoir: dephasing alone leaves every mixture of the sectors stationary, and the steady state "
        "is not unique; add a [[bath.reservoir]]");
  }
  Sentences problems;
  check_reservoirs(model, problems);
  check_reach(model, problems);
  check_spread(model, problems);
  if (options.method == SteadyMethod::two_point)
    for (const std::string& text : two_point_obstacles(model))
      problems.push_back("the two-point functions do not close: " + text);
  if (!problems.empty()) throw InputError(problems);
}

}  // namespace qheat
