#include "qheat/transport/chain_resistance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "parallel/unknown.hpp"
#include "qheat/transport/planes.hpp"
#include "transport/state_error.hpp"

namespace qheat {
namespace {

constexpr double kSameOccupation = 1e-12;
constexpr double kTold = 5.0;  // current over its error

/// The reservoir at a site, if there is one and no other.
std::optional<std::size_t> only_reservoir_at(const Model& model, int site) {
  std::optional<std::size_t> found;
  for (std::size_t r = 0; r < model.bath.reservoirs.size(); ++r) {
    if (model.bath.reservoirs[r].site != site) continue;
    if (found) return {};
    found = r;
  }
  return found;
}

JumpRates rates_of(const Model& model, const Reservoir& reservoir) {
  return jump_rates(reservoir, model.energies_of(reservoir.site)).front();
}

double occupation(const Model& model, std::size_t number) {
  const JumpRates rates = rates_of(model, model.bath.reservoirs[number]);
  return rates.up / (rates.up + rates.down);
}

/// Particles, 1/time.
double inflow(const Model& model, const SteadyState& state, std::size_t number) {
  const Reservoir& reservoir = model.bath.reservoirs[number];
  const JumpRates rates = rates_of(model, reservoir);
  const double* p = state.populations.data() + 2 * static_cast<std::ptrdiff_t>(reservoir.site);
  return rates.up * p[0] - rates.down * p[1];
}

/// Each V and U keeps the number of excited sites.
bool keeps_excitations(const Model& model) {
  const std::vector<Level> levels = {0, 1};
  return std::all_of(model.interactions.begin(), model.interactions.end(),
                     [&](const PairInteraction& v) { return v.conserves(levels); }) &&
         std::all_of(model.onsite.begin(), model.onsite.end(),
                     [](const OnsiteElement& u) { return u.a == u.b || u.value == Complex{}; });
}

/// What a model of another kind lacks; empty for chains between two reservoirs.
std::string kind_obstacle(const Model& model) {
  if (model.levels() != 2) return fmt::format("sites have {} levels, and particles take two", model.levels());
  if (!is_open_chain(model.lattice)) return "the lattice is no open chain";
  const auto left = only_reservoir_at(model, 0);
  const auto right = only_reservoir_at(model, model.sites() - 1);
  if (model.bath.reservoirs.size() != 2 || !left || !right || *left == *right)
    return "the chain is not between one reservoir at its first site and one at its last";
  if (!model.bath.jumps.empty()) return "jumps take part beside the reservoirs";
  if (!keeps_excitations(model)) return "the interaction does not keep the number of excited sites";
  return {};
}

}  // namespace

std::string resistance_obstacle(const Model& model) {
  std::string obstacle = kind_obstacle(model);
  if (!obstacle.empty()) return obstacle;
  const double left = occupation(model, *only_reservoir_at(model, 0));
  const double right = occupation(model, *only_reservoir_at(model, model.sites() - 1));
  if (std::abs(left - right) >= kSameOccupation) return {};
  return fmt::format("both reservoirs occupy their levels alike (f = {:.6g}), so nothing drives a current",
                     left);
}

ChainResistance chain_resistance(const Model& model, const SteadyState& state) {
  ChainResistance found{kUnknown, kUnknown, kUnknown};
  if (!kind_obstacle(model).empty()) return found;
  const auto left = *only_reservoir_at(model, 0);
  const auto right = *only_reservoir_at(model, model.sites() - 1);
  found.current = inflow(model, state, left);
  const double lost = std::abs(found.current + inflow(model, state, right));
  const double error = lost + StateError(model, state).source();
  const double bias = occupation(model, left) - occupation(model, right);
  if (std::abs(bias) < kSameOccupation || !(std::abs(found.current) > kTold * error)) return found;
  found.resistance = bias / found.current;
  found.error = std::abs(found.resistance) * error / std::abs(found.current);
  return found;
}

}  // namespace qheat
