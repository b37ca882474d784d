#include "steady/full_energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "qheat/evolution/density_observer.hpp"
#include "qheat/operators/energy_currents.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "steady/rate_scales.hpp"

namespace qheat {
namespace {

double largest_element(const Model& model) {
  double largest = 0.0;
  for (int x = 0; x < model.sites(); ++x) {
    for (const auto& term : site_energy(model, SiteEnergy::full, x).terms) {
      for (const auto& e : term.elements) largest = std::max(largest, std::abs(e.value));
    }
  }
  return largest;
}

/// What rounding leaves of sums of these, at the most.
double rounding_of(const std::vector<TermSum<Complex>>& observables) {
  constexpr double kRounding = 1e-15;
  double largest = 0.0;
  for (const auto& sum : observables) {
    double all = 0.0;
    for (const auto& term : sum.terms) {
      for (const auto& e : term.elements) all += std::abs(e.value);
    }
    largest = std::max(largest, all);
  }
  return kRounding * largest;
}

/// Largest |what stays at a site| beyond rounding over what flows there, or over `smallest`.
double imbalance(const Model& model, const SteadyState& state, double smallest, double rounding) {
  std::vector<double> net = state.full_heat;
  std::vector<double> all;
  for (const double heat : state.full_heat) all.push_back(std::abs(heat));
  for (std::size_t b = 0; b < state.full_current.size(); ++b) {
    const Bond& bond = model.lattice.bonds()[b];
    at(net, bond.first) -= state.full_current[b];
    at(net, bond.second) += state.full_current[b];
    for (const int site : {bond.first, bond.second}) at(all, site) += std::abs(state.full_current[b]);
  }
  double largest = 0.0;
  for (std::size_t x = 0; x < net.size(); ++x)
    largest = std::max(largest, (std::abs(net[x]) - rounding) / std::max(all[x], smallest));
  return largest;
}

}  // namespace

void measure_full_energy(const Model& model, const std::shared_ptr<const DistributedSector>& space,
                         std::span<const Complex> rho, double resolution, double accuracy,
                         SteadyState& state) {
  const auto observables = full_energy_observables(model);
  const DensityObserver observer(model, space, observables);
  std::vector<double> measured(observer.measured());
  observer.measure(rho, measured);
  const auto values = observer.report(measured).values;
  auto next = values.begin() + static_cast<std::ptrdiff_t>(observer.layout().others());
  const auto take = [&](int count) {
    std::vector<double> some(next, next + count);
    next += count;
    return some;
  };
  state.full_energy = take(model.sites());
  state.full_current = take(model.lattice.bond_count());
  state.full_heat = take(model.sites());
  const double smallest = resolution * rate_scales(model).slowest * largest_element(model);
  state.full_balance = imbalance(model, state, smallest, rounding_of(observables));
  if (state.full_balance <= accuracy) return;
  throw Error(fmt::format(
      "the currents of the energy with the interaction do not balance what the bath brings: at one site by "
      "{:.1e} of what flows there, and {:.1e} is allowed; lower steady.tolerance, or use steady.energy = "
      "\"levels\"",
      state.full_balance, accuracy));
}

}  // namespace qheat
