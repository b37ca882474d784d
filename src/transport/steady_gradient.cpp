#include "qheat/transport/steady_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace qheat {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kRounding = 1e-9;  // a relative difference below is none

/// -a^2 J/(x_q - x_p).
double coefficient(double spacing, double current, double at_p, double at_q) {
  const double step = at_q - at_p;
  const bool lost = !(std::abs(step) > kRounding * std::max(std::abs(at_p), std::abs(at_q)));
  return lost ? kNaN : -spacing * spacing * current / step;
}

bool is_open_chain(const Lattice& lattice) {
  if (lattice.bond_count() != lattice.sites() - 1) return false;
  for (int b = 0; b < lattice.bond_count(); ++b)
    if (lattice.bonds()[static_cast<std::size_t>(b)] != Bond{b, b + 1}) return false;
  return true;
}

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

struct Contact {
  double occupation;  ///< of the reservoir's level
  double inflow;      ///< particles, 1/time
};

Contact contact(const Model& model, const SteadyState& state, std::size_t number) {
  const Reservoir& reservoir = model.bath.reservoirs[number];
  const JumpRates rates =
      jump_rates(reservoir, model.energy(reservoir.site, 1) - model.energy(reservoir.site, 0));
  const double* p = state.populations.data() + 2 * static_cast<std::ptrdiff_t>(reservoir.site);
  return {rates.up / (rates.up + rates.down), rates.up * p[0] - rates.down * p[1]};
}

/// Each V and U keeps the number of excited sites.
bool keeps_excitations(const Model& model) {
  const std::vector<Level> levels = {0, 1};
  return std::all_of(model.interactions.begin(), model.interactions.end(),
                     [&](const PairInteraction& v) { return v.conserves(levels); }) &&
         std::all_of(model.onsite.begin(), model.onsite.end(),
                     [](const OnsiteElement& u) { return u.a == u.b || u.value == Complex{}; });
}

}  // namespace

BondCoefficients bond_coefficients(const Model& model, const SteadyState& state) {
  BondCoefficients found;
  const double a = model.lattice.spacing();
  for (std::size_t b = 0; b < state.current.size(); ++b) {
    const auto p = static_cast<std::size_t>(model.lattice.bonds()[b].first);
    const auto q = static_cast<std::size_t>(model.lattice.bonds()[b].second);
    found.diffusion.push_back(coefficient(a, state.current[b], state.energy[p], state.energy[q]));
    found.kappa.push_back(coefficient(a, state.current[b], state.temperature[p], state.temperature[q]));
  }
  return found;
}

BulkCoefficients bulk_coefficients(const Model& model, const SteadyState& state) {
  const int sites = model.sites();
  if (sites < 4 || !is_open_chain(model.lattice)) return {kNaN, kNaN};
  const int left_out = std::max(1, sites / 4);
  const auto first = static_cast<std::size_t>(left_out);
  const auto last = static_cast<std::size_t>(sites - 1 - left_out);
  double current = 0.0;
  for (std::size_t b = first; b < last; ++b) current += state.current[b];
  const double a = model.lattice.spacing();
  return {coefficient(a, current, state.energy[first], state.energy[last]),
          coefficient(a, current, state.temperature[first], state.temperature[last])};
}

ChainResistance chain_resistance(const Model& model, const SteadyState& state) {
  const ChainResistance none{kNaN, kNaN, kNaN};
  if (model.levels() != 2 || !is_open_chain(model.lattice) || !keeps_excitations(model)) return none;
  const auto left = only_reservoir_at(model, 0);
  const auto right = only_reservoir_at(model, model.sites() - 1);
  if (model.bath.reservoirs.size() != 2 || !left || !right || *left == *right) return none;
  const Contact first = contact(model, state, *left);
  const Contact second = contact(model, state, *right);
  const double bias = first.occupation - second.occupation;
  const double rate = std::max(model.bath.reservoirs[0].rate, model.bath.reservoirs[1].rate);
  ChainResistance found{kNaN, kNaN, first.inflow};
  if (std::abs(bias) < 1e-12 || std::abs(first.inflow) < 1e-13 * rate) return found;
  found.resistance = bias / first.inflow;
  found.error = std::abs(found.resistance) * std::abs((first.inflow + second.inflow) / first.inflow);
  return found;
}

}  // namespace qheat
