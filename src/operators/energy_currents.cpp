#include "qheat/operators/energy_currents.hpp"

#include <set>

#include "qheat/operators/commutator.hpp"
#include "qheat/operators/currents.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/heisenberg.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

LocalTerm<Complex> level_term(const Model& model, int site) {
  LocalTerm<Complex> term{.sites = {site}, .elements = {}};
  for (int n = 0; n < model.levels(); ++n) {
    const auto level = static_cast<LocalCode>(n);
    if (model.energy(site, n) != 0.0) term.elements.push_back({level, level, model.energy(site, n)});
  }
  return term;
}

LocalTerm<Complex> half_bond(const Model& model, int bond) {
  LocalTerm<Complex> half = bond_term(model, bond);
  for (auto& e : half.elements) e.value *= 0.5;
  return half;
}

}  // namespace

TermSum<Complex> site_energy(const Model& model, SiteEnergy kind, int site) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {level_term(model, site)}};
  if (kind == SiteEnergy::levels) return merged(sum);
  if (!model.onsite.empty()) sum.terms.push_back(onsite_term(model, site));
  for (const int bond : model.lattice.bonds_of(site)) {
    sum.terms.push_back(half_bond(model, bond));
  }
  return merged(sum);
}

TermSum<Complex> energy_change(const Model& model, SiteEnergy kind, int site) {
  return commutator(hamiltonian(model), site_energy(model, kind, site));
}

TermSum<Complex> energy_current(const Model& model, SiteEnergy kind, int from, int to) {
  if (kind == SiteEnergy::full)
    return commutator(site_energy(model, kind, from), site_energy(model, kind, to));
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  for (const int bond : model.lattice.bonds_of(from)) {
    if (model.lattice.other_end(bond, from) != to) continue;
    const bool forward = at(model.lattice.bonds(), bond).first == from;
    add_terms(sum, outflow(model, bond, BondEnd::first), forward ? 0.5 : -0.5);
    add_terms(sum, outflow(model, bond, BondEnd::second), forward ? -0.5 : 0.5);
  }
  return sum;
}

std::vector<std::pair<int, int>> current_pairs(const Model& model, SiteEnergy kind) {
  std::set<std::pair<int, int>> pairs;
  const auto add = [&](int x, int y) {
    if (x < y) pairs.insert({x, y});
  };
  for (int x = 0; x < model.sites(); ++x) {
    for (const int bond : model.lattice.bonds_of(x)) {
      const int y = model.lattice.other_end(bond, x);
      add(x, y);
      if (kind == SiteEnergy::levels) continue;
      for (const int next : model.lattice.bonds_of(y)) add(x, model.lattice.other_end(next, y));
    }
  }
  return {pairs.begin(), pairs.end()};
}

namespace {

/// -1 where the bond leads to `from`.
double direction(const Model& model, int bond, int from) {
  return at(model.lattice.bonds(), bond).first == from ? 1.0 : -1.0;
}

}  // namespace

std::vector<TermSum<Complex>> full_bond_currents(const Model& model) {
  const TermSum<Complex> nothing{.levels = model.levels(), .terms = {}};
  std::vector<TermSum<Complex>> currents(as_size(model.lattice.bond_count()), nothing);
  for (const auto& [x, y] : current_pairs(model, SiteEnergy::full)) {
    const int direct = model.lattice.bond_between(x, y);
    if (direct >= 0) {
      add_terms(at(currents, direct), energy_current(model, SiteEnergy::full, x, y),
                direction(model, direct, x));
      continue;
    }
    for (const int first : model.lattice.bonds_of(x)) {
      const int w = model.lattice.other_end(first, x);
      for (const int second : model.lattice.bonds_of(w)) {
        if (model.lattice.other_end(second, w) != y) continue;
        const auto flow = commutator({.levels = model.levels(), .terms = {half_bond(model, first)}},
                                     {.levels = model.levels(), .terms = {half_bond(model, second)}});
        add_terms(at(currents, first), flow, direction(model, first, x));
        add_terms(at(currents, second), flow, direction(model, second, w));
      }
    }
  }
  return currents;
}

std::vector<TermSum<Complex>> full_energy_observables(const Model& model) {
  std::vector<TermSum<Complex>> observables;
  for (int x = 0; x < model.sites(); ++x) observables.push_back(site_energy(model, SiteEnergy::full, x));
  for (auto& current : full_bond_currents(model)) observables.push_back(std::move(current));
  if (model.bath.closed()) return observables;
  for (int x = 0; x < model.sites(); ++x)
    observables.push_back(bath_change(model, site_energy(model, SiteEnergy::full, x)));
  return observables;
}

int shortest_ring(SiteEnergy kind) {
  return kind == SiteEnergy::levels ? 3 : 5;  // the reach of a current, once forwards and once backwards
}

TermSum<Complex> total_current(const Model& model, SiteEnergy kind, int axis) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  for (const auto& [x, y] : current_pairs(model, kind)) {
    const int steps = model.lattice.displacement(x, y, axis);
    if (steps == 0) continue;
    const double distance = model.lattice.spacing() * steps;
    for (auto& term : energy_current(model, kind, x, y).terms) {
      for (auto& e : term.elements) e.value *= distance;
      sum.terms.push_back(std::move(term));
    }
  }
  return merged(sum);
}

}  // namespace qheat
