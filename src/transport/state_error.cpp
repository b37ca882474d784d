#include "transport/state_error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "parallel/unknown.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kRounding = 2e-10;  // of an energy: half the digits of what a solver holds, and some
constexpr double kTold = 5.0;        // step over its error

double level_range(const Model& model, int site) {
  const auto e = model.energies_of(site);
  const auto [low, high] = std::minmax_element(e.begin(), e.end());
  return *high - *low;
}

double largest_rate(const Model& model) {
  double rate = 0.0;
  for (const Reservoir& r : model.bath.reservoirs) {
    if (r.given.empty()) rate = std::max(rate, r.rate);
    for (const auto& [up, down] : r.given) rate = std::max(rate, up + down);
  }
  for (const Jump& jump : model.bath.jumps)
    for (const JumpElement& e : jump.elements) rate = std::max(rate, jump.rate * std::norm(e.value));
  return rate;
}

/// |rho| over that of the even mixture, as if sites were independent; of two-point functions |C|.
double relative_norm(const Model& model, const SteadyState& state) {
  const auto levels = as_size(model.levels());
  double product = 1.0;
  double sum = 0.0;
  for (std::size_t start = 0; start < state.populations.size(); start += levels) {
    double square = 0.0;
    for (std::size_t n = 0; n < levels; ++n) square += std::pow(state.populations[start + n], 2);
    product *= static_cast<double>(levels) * square;
    sum += std::pow(state.populations[start + levels - 1], 2);
  }
  return std::sqrt(std::max(1.0, state.method == "two-point" ? sum : product));
}

/// What all sites together gain or lose through bonds and reservoirs, power.
double imbalance(const Model& model, const SteadyState& state) {
  for (const OnsiteElement& u : model.onsite)
    if (u.a != u.b && u.value != Complex{}) return 0.0;  // moves levels as well, which no current shows
  std::vector<double> gain(as_size(model.sites()), 0.0);
  visit_heats(model, state, [&](int site, double heat) { at(gain, site) += heat; });
  for (std::size_t b = 0; b < state.current.size(); ++b) {
    at(gain, model.lattice.bonds()[b].first) -= state.outflow[2 * b];
    at(gain, model.lattice.bonds()[b].second) -= state.outflow[2 * b + 1];
  }
  return std::accumulate(gain.begin(), gain.end(), 0.0,
                         [](double sum, double g) { return sum + std::abs(g); });
}

}  // namespace

StateError::StateError(const Model& model, const SteadyState& state) : model_(model), state_(state) {
  source_ = state.residual * largest_rate(model) * relative_norm(model, state);
  double range = 0.0;
  for (int i = 0; i < model.sites(); ++i) range = std::max(range, level_range(model, i));
  current_ = imbalance(model, state) + range * source_;
}

double StateError::step(int bond) const {
  const Bond& ends = at(model_.lattice.bonds(), bond);
  double hopping = 0.0;
  for (const PairElement& e : model_.interaction(bond).elements())
    if (e.a != e.c || e.b != e.d) hopping = std::max(hopping, std::abs(e.value));
  hopping *= std::abs(model_.strength * at(model_.couplings, bond));
  return std::max(level_range(model_, ends.first), level_range(model_, ends.second)) * source_ / hopping;
}

double StateError::offset(double u_p, double u_q) const {
  const double size = std::max(std::abs(u_p), std::abs(u_q));
  const double starts = std::isnan(state_.difference_of_starts) ? 0.0 : state_.difference_of_starts;
  return (kRounding + 2.0 * starts) * size;
}

Estimate coefficient(double spacing, Estimate current, Estimate step) {
  const bool told = std::isfinite(step.value) && std::abs(step.value) > kTold * step.error;
  if (!told || !std::isfinite(current.value)) return {kUnknown, kUnknown};
  const double square = spacing * spacing;
  const double relative = step.error / std::abs(step.value);
  return {-square * current.value / step.value,
          square * (current.error + std::abs(current.value) * relative) / std::abs(step.value)};
}

}  // namespace qheat
