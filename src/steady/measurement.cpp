#include "steady/measurement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "qheat/evolution/density_observer.hpp"
#include "qheat/model/thermodynamics.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "steady/rate_scales.hpp"

namespace qheat {
namespace {

/// Power into a site, tr(O rho) with O_{to,from} = flow (after - before_1/2 - before_2/2): of what a local
/// operator does at its sites. Flows in 1/time are those of L, energies those of levels, and all of their
/// products are summed in 32 digits: differences of doubles would not balance what flows elsewhere.
class Power {
 public:
  /// `sites`: those of the local operator, of which `site` is one.
  Power(const Model& model, std::vector<int> sites, int site)
      : levels_(model.levels()),
        energies_(model.energies_of(site)),
        sites_(std::move(sites)),
        position_(as_size(std::find(sites_.begin(), sites_.end(), site) - sites_.begin())) {}

  /// Of the site's level in a code.
  double energy(LocalCode code) const {
    return energies_[code_digit(code, levels_, sites_.size(), position_)];
  }
  void add(LocalCode to, LocalCode from, Complex flow, double after, double before_1, double before_2) {
    if (after == before_1 && after == before_2) return;
    elements_.push_back({to, from, flow, after, before_1, before_2});
  }

  /// By the kets of this rank, whose diagonal elements are at `places`.
  template <class Number>
  double of(const DistributedSector& pairs, const std::vector<Index>& places, std::span<const Number> rho) {
    if (elements_.empty()) return 0.0;
    const auto less = [](const Element& l, const Element& r) { return l.to < r.to; };
    std::stable_sort(elements_.begin(), elements_.end(), less);
    const HalfSpace& kets = pairs.sector().prefix();
    DoubleDouble power;
    std::vector<Level> other;
    for (std::size_t k = 0; k < places.size(); ++k) {
      const Index row = pairs.first_row() + static_cast<Index>(k);
      const auto ket = kets.configuration(row);
      const LocalCode to = code_on(ket, sites_, levels_);
      auto e = std::lower_bound(elements_.begin(), elements_.end(), Element{to, 0, 0.0, 0.0, 0.0, 0.0}, less);
      for (; e != elements_.end() && e->to == to; ++e) {
        other.assign(ket.begin(), ket.end());
        write_code(e->from, sites_, levels_, std::span(other));
        const Index place = places[k] + kets.rank_in_class(other) - kets.rank_in_class(ket);
        // Re(flow rho_{from,to}), and rho_{from,to} is the conjugate of the ket's own element
        const PreciseComplex element = at(rho, place);
        DoubleDouble flow;
        flow.add_product(e->flow.real(), element.real).add_product(e->flow.imag(), element.imag);
        power.add_product(e->after, flow);
        power.add_product(-0.5 * e->before_1, flow).add_product(-0.5 * e->before_2, flow);
      }
    }
    return power.value();
  }

 private:
  struct Element {
    LocalCode to, from;
    Complex flow;
    double after, before_1, before_2;
  };

  int levels_;
  std::span<const double> energies_;
  std::vector<int> sites_;
  std::size_t position_;
  std::vector<Element> elements_;
};

/// -i <[V, h_x]> = -i sum V_{to,from} (eps_from - eps_to) rho_{from,to}: out of the site through V.
Power outflow_of(const Model& model, const LocalTerm<Complex>& v, int site) {
  Power power(model, v.sites, site);
  for (const auto& e : v.elements)
    power.add(e.to, e.from, Complex(0.0, -1.0) * e.value, power.energy(e.from), power.energy(e.to),
              power.energy(e.to));
  return power;
}

/// tr(h_x D rho): h_x(to) - (h_x(c) + h_x(d))/2 for each A_{to,d} rho_{dc} A^+_{c,to}.
Power heat_of(const Model& model, const Dissipator& dissipator, int site) {
  Power power(model, dissipator.sites, site);
  for (const JumpElement& a : dissipator.elements) {
    for (const JumpElement& b : dissipator.elements) {
      if (a.to != b.to) continue;
      power.add(b.from, a.from, dissipator.weight(a, b), power.energy(a.to), power.energy(a.from),
                power.energy(b.from));
    }
  }
  return power;
}

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

/// Heat from each reservoir, and the entropy production, which heat of no temperature has none of.
void set_heat(const Model& model, const std::vector<DoubleDouble>& populations, SteadyState& state) {
  state.heat.clear();
  const bool moved = std::any_of(model.bath.jumps.begin(), model.bath.jumps.end(), [&](const Jump& jump) {
    const auto all = dissipators(model, jump);
    return std::any_of(all.begin(), all.end(), moves_levels);
  });
  state.entropy_production = moved ? std::numeric_limits<double>::quiet_NaN() : 0.0;
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    DoubleDouble heat;
    for (const Dissipator& d : dissipators(model, reservoir))
      heat += heat_by_populations(model, d, populations);
    state.heat.push_back(heat.value());
    const auto temperature = reservoir_temperature(reservoir, model.energies_of(reservoir.site));
    const bool finite = temperature && *temperature != 0.0;
    state.entropy_production -=
        finite ? heat.value() / *temperature : std::numeric_limits<double>::quiet_NaN();
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
  visit_heats(model, state, [&](int site, double heat) { visit(site, -heat); });
  for (std::size_t i = 0; i < onsite_outflow.size(); ++i) visit(static_cast<int>(i), onsite_outflow[i]);
}

}  // namespace

DoubleDouble heat_by_populations(const Model& model, const Dissipator& dissipator,
                                 const std::vector<DoubleDouble>& populations) {
  QHEAT_ASSERT(dissipator.sites.size() == 1 && keeps_populations_apart(dissipator));
  const int site = dissipator.sites.front();
  const DoubleDouble* p = populations.data() + static_cast<std::ptrdiff_t>(site) * model.levels();
  const auto energies = model.energies_of(site);
  DoubleDouble heat;
  for (const JumpElement& e : dissipator.elements) {
    DoubleDouble flow;
    flow.add_product(dissipator.weight(e, e).real(), p[e.from]);
    heat.add_product(energies[e.to], flow).add_product(-energies[e.from], flow);
  }
  return heat;
}

template <class Number>
Measurement measure(const Model& model, const DistributedSector& pairs, std::span<const Number> rho) {
  const auto places = diagonal_places(pairs);
  const auto levels = as_size(model.levels());
  const Communicator& comm = pairs.comm();
  Measurement measured;
  measured.populations.resize(as_size(model.sites()) * levels);
  double smallest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < places.size(); ++k) {
    const PreciseComplex element = at(rho, places[k]);
    const auto ket = pairs.sector().prefix().configuration(pairs.first_row() + static_cast<Index>(k));
    for (std::size_t i = 0; i < ket.size(); ++i) measured.populations[i * levels + ket[i]] += element.real;
    smallest = std::min(smallest, element.real.value());
  }
  sum_over_ranks(comm, measured.populations);
  measured.smallest_population = -comm.max(-smallest);
  const auto of = [&](Power power) { return power.of(pairs, places, rho); };
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const Bond& bond = at(model.lattice.bonds(), b);
    for (const int site : {bond.first, bond.second})
      measured.outflow.push_back(of(outflow_of(model, bond_term(model, b), site)));
  }
  for (int i = 0; i < model.sites(); ++i)
    measured.onsite_outflow.push_back(of(outflow_of(model, onsite_term(model, i), i)));
  for (const Jump& jump : model.bath.jumps) {
    const auto all = dissipators(model, jump);
    for (std::size_t k = 0; k < 2; ++k) {
      const bool acts = !all.empty() && k < jump.sites.size();
      measured.jump_heat.push_back(acts ? of(heat_of(model, all.front(), jump.sites[k])) : 0.0);
    }
  }
  for (auto* powers : {&measured.outflow, &measured.onsite_outflow, &measured.jump_heat}) comm.sum(*powers);
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
  std::vector<double> all(as_size(model_.sites()), 0.0);
  visit_flows(model_, state, onsite_outflow,
              [&](int site, double power) { at(all, site) += std::abs(power); });
  for (double& power : all) power = std::max(power, smallest_);
  return all;
}

double Balance::error(const SteadyState& state, std::span<const double> onsite_outflow) const {
  std::vector<double> out(as_size(model_.sites()), 0.0);
  visit_flows(model_, state, onsite_outflow, [&](int site, double power) { at(out, site) += power; });
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
    const double scale = at(all, site);
    if (left != right) largest = std::max(largest, std::abs(left - right) / scale);
  };
  for (std::size_t e = 0; e < a.outflow.size(); ++e) {
    const Bond& bond = model_.lattice.bonds()[e / 2];
    compare(e % 2 == 0 ? bond.first : bond.second, a.outflow[e], b.outflow[e]);
  }
  for (std::size_t r = 0; r < a.heat.size(); ++r)
    compare(model_.bath.reservoirs[r].site, a.heat[r], b.heat[r]);
  for (std::size_t e = 0; e < a.jump_heat.size(); ++e) {
    const auto& sites = model_.bath.jumps[e / 2].sites;
    compare(sites[std::min(e % 2, sites.size() - 1)], a.jump_heat[e], b.jump_heat[e]);
  }
  return largest;
}

void set_measured(const Model& model, const Measurement& measured, SteadyState& state) {
  state.populations.clear();
  for (const DoubleDouble& p : measured.populations) state.populations.push_back(p.value());
  state.energy.clear();
  state.temperature.clear();
  const auto levels = as_size(model.levels());
  for (int i = 0; i < model.sites(); ++i) {
    const auto site = as_size(i);
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
  state.jump_heat = measured.jump_heat;
  set_heat(model, measured.populations, state);
}

}  // namespace qheat
