#include "steady/measurement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/evolution/density_observer.hpp"
#include "qheat/model/thermodynamics.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "steady/rate_scales.hpp"

namespace qheat {
namespace {

/// Sums the outflow -i <[V, h_x]> = -i sum V_{to,from} (eps_from - eps_to) rho_{from,to} of one term's V.
template <class Number>
class Outflow {
 public:
  Outflow(const Model& model, LocalTerm<Complex> term) : model_(model) {
    sum_.levels = model.levels();
    sum_.terms = {std::move(term)};
    canonicalize(sum_);
  }

  /// Power out of `site` by the kets of this rank, whose diagonal elements are at `places`.
  double of(int site, const DistributedSector& pairs, const std::vector<Index>& places,
            std::span<const Number> rho) const {
    const auto& term = sum_.terms.front();
    if (term.elements.empty()) return 0.0;
    const HalfSpace& kets = pairs.sector().prefix();
    const std::size_t position =
        static_cast<std::size_t>(std::find(term.sites.begin(), term.sites.end(), site) - term.sites.begin());
    DoubleDouble power;
    std::vector<Level> other;
    for (std::size_t k = 0; k < places.size(); ++k) {
      const Index row = pairs.first_row() + static_cast<Index>(k);
      const auto ket = kets.configuration(row);
      const LocalCode to = code_on(ket, term.sites, sum_.levels);
      auto e = std::lower_bound(term.elements.begin(), term.elements.end(), to,
                                [](const auto& element, LocalCode code) { return element.to < code; });
      for (; e != term.elements.end() && e->to == to; ++e) {
        const double gain = energy(site, e->from, position) - energy(site, to, position);
        if (gain == 0.0) continue;
        other.assign(ket.begin(), ket.end());
        write_code(e->from, term.sites, sum_.levels, other);
        const Index place = places[k] + kets.rank_in_class(other) - kets.rank_in_class(ket);
        // Re(-i V rho_{from,to}), and rho_{from,to} is the conjugate of the ket's own element
        const PreciseComplex element = rho[static_cast<std::size_t>(place)];
        DoubleDouble flow;
        flow.add_product(e->value.imag(), element.real).add_product(-e->value.real(), element.imag);
        power.add_product(gain, flow);
      }
    }
    return power.value();
  }

 private:
  double energy(int site, LocalCode code, std::size_t position) const {
    return model_.energy(site, code_digit(code, sum_.levels, sum_.terms.front().sites.size(), position));
  }

  const Model& model_;
  TermSum<Complex> sum_;
};

/// The sum over all ranks, which are few digits' difference for what one rank has in full.
void sum_over_ranks(const Communicator& comm, std::vector<DoubleDouble>& values) {
  if (comm.size() == 1) return;
  std::vector<double> high;
  std::vector<double> low;
  for (const DoubleDouble& v : values) {
    high.push_back(v.high);
    low.push_back(v.low);
  }
  comm.sum(high);
  comm.sum(low);
  for (std::size_t k = 0; k < values.size(); ++k) {
    values[k] = high[k];
    values[k] += low[k];
  }
}

/// Heat from each reservoir by its jumps, sum over n of gap (up P_n - down P_{n+1}), and the entropy
/// production.
void set_heat(const Model& model, const std::vector<DoubleDouble>& populations, SteadyState& state) {
  state.heat.clear();
  state.entropy_production = 0.0;
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    const DoubleDouble* p = populations.data() + static_cast<std::ptrdiff_t>(reservoir.site) * model.levels();
    double heat = 0.0;
    for (int n = 0; n + 1 < model.levels(); ++n) {
      const double gap = model.energy(reservoir.site, n + 1) - model.energy(reservoir.site, n);
      const JumpRates rates = jump_rates(reservoir, gap);
      DoubleDouble flow;
      flow.add_product(rates.up, p[n]).add_product(-rates.down, p[n + 1]);
      heat += gap * flow.value();
    }
    state.heat.push_back(heat);
    state.entropy_production -= heat / reservoir.temperature;
  }
}

/// Calls visit(site, power out of it) for everything that flows.
template <class Visit>
void visit_flows(const Model& model, const SteadyState& state, std::span<const double> onsite_outflow,
                 const Visit& visit) {
  for (std::size_t b = 0; b < state.current.size(); ++b) {
    const Bond& bond = model.lattice.bonds()[b];
    visit(bond.first, state.outflow[2 * b]);
    visit(bond.second, state.outflow[2 * b + 1]);
  }
  for (std::size_t r = 0; r < state.heat.size(); ++r) visit(model.bath.reservoirs[r].site, -state.heat[r]);
  for (std::size_t i = 0; i < onsite_outflow.size(); ++i) visit(static_cast<int>(i), onsite_outflow[i]);
}

}  // namespace

template <class Number>
Measurement measure(const Model& model, const DistributedSector& pairs, std::span<const Number> rho) {
  const auto places = diagonal_places(pairs);
  const auto levels = static_cast<std::size_t>(model.levels());
  const Communicator& comm = pairs.comm();
  Measurement measured;
  measured.populations.resize(static_cast<std::size_t>(model.sites()) * levels);
  double smallest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < places.size(); ++k) {
    const PreciseComplex element = rho[static_cast<std::size_t>(places[k])];
    const auto ket = pairs.sector().prefix().configuration(pairs.first_row() + static_cast<Index>(k));
    for (std::size_t i = 0; i < ket.size(); ++i) measured.populations[i * levels + ket[i]] += element.real;
    smallest = std::min(smallest, element.real.value());
  }
  sum_over_ranks(comm, measured.populations);
  measured.smallest_population = -comm.max(-smallest);
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Outflow<Number> through(model, bond_term(model, b));
    const Bond& bond = model.lattice.bonds()[static_cast<std::size_t>(b)];
    for (const int site : {bond.first, bond.second})
      measured.outflow.push_back(through.of(site, pairs, places, rho));
  }
  for (int i = 0; i < model.sites(); ++i)
    measured.onsite_outflow.push_back(
        Outflow<Number>(model, onsite_term(model, i)).of(i, pairs, places, rho));
  comm.sum(measured.outflow);
  comm.sum(measured.onsite_outflow);
  return measured;
}

template Measurement measure(const Model&, const DistributedSector&, std::span<const Complex>);
template Measurement measure(const Model&, const DistributedSector&, std::span<const PreciseComplex>);

Balance::Balance(const Model& model, double resolution) : model_(model) {
  double span = 0.0;
  for (int i = 0; i < model.sites(); ++i)
    span = std::max(span, model.energies_of(i).back() - model.energies_of(i).front());
  smallest_ = resolution * rate_scales(model).slowest * span;
}

std::vector<double> Balance::scale(const SteadyState& state, std::span<const double> onsite_outflow) const {
  std::vector<double> all(static_cast<std::size_t>(model_.sites()), 0.0);
  visit_flows(model_, state, onsite_outflow,
              [&](int site, double power) { all[static_cast<std::size_t>(site)] += std::abs(power); });
  for (double& power : all) power = std::max(power, smallest_);
  return all;
}

double Balance::error(const SteadyState& state, std::span<const double> onsite_outflow) const {
  std::vector<double> out(static_cast<std::size_t>(model_.sites()), 0.0);
  visit_flows(model_, state, onsite_outflow,
              [&](int site, double power) { out[static_cast<std::size_t>(site)] += power; });
  const auto all = scale(state, onsite_outflow);
  double largest = 0.0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] != 0.0) largest = std::max(largest, std::abs(out[i]) / all[i]);
    if (std::isnan(out[i])) return out[i];
  }
  return largest;
}

double Balance::difference(const SteadyState& a, const SteadyState& b) const {
  double largest = 0.0;
  for (std::size_t e = 0; e < a.populations.size(); ++e)
    largest = std::max(largest, std::abs(a.populations[e] - b.populations[e]));
  const auto all = scale(a, {});
  const auto compare = [&](int site, double left, double right) {
    const double scale = all[static_cast<std::size_t>(site)];
    if (left != right) largest = std::max(largest, std::abs(left - right) / scale);
  };
  for (std::size_t e = 0; e < a.outflow.size(); ++e) {
    const Bond& bond = model_.lattice.bonds()[e / 2];
    compare(e % 2 == 0 ? bond.first : bond.second, a.outflow[e], b.outflow[e]);
  }
  for (std::size_t r = 0; r < a.heat.size(); ++r)
    compare(model_.bath.reservoirs[r].site, a.heat[r], b.heat[r]);
  return largest;
}

void set_measured(const Model& model, const Measurement& measured, SteadyState& state) {
  state.populations.clear();
  for (const DoubleDouble& p : measured.populations) state.populations.push_back(p.value());
  state.energy.clear();
  state.temperature.clear();
  const auto levels = static_cast<std::size_t>(model.levels());
  for (int i = 0; i < model.sites(); ++i) {
    const auto site = static_cast<std::size_t>(i);
    double energy = 0.0;
    for (std::size_t n = 0; n < levels; ++n)
      energy += state.populations[site * levels + n] * model.energies_of(i)[n];
    state.energy.push_back(energy);
    state.temperature.push_back(temperature_of(model.energies_of(i), energy));
  }
  state.outflow = measured.outflow;
  state.current.clear();
  for (std::size_t b = 0; 2 * b < state.outflow.size(); ++b)
    state.current.push_back(0.5 * (state.outflow[2 * b] - state.outflow[2 * b + 1]));
  state.smallest_population = measured.smallest_population;
  set_heat(model, measured.populations, state);
}

}  // namespace qheat
