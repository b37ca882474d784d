#include "qheat/operators/currents.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

TermSum<Complex> outflow(const Model& model, int bond, BondEnd end) {
  const Bond& b = at(model.lattice.bonds(), bond);
  const int site = end == BondEnd::first ? b.first : b.second;
  const LocalTerm<Complex> v = bond_term(model, bond);
  const std::size_t position = v.sites[0] == site ? 0 : 1;
  LocalTerm<Complex> current{.sites = v.sites, .elements = {}};
  for (const auto& e : v.elements) {
    // <to| V h_p - h_p V |from> = V (eps_from - eps_to)
    const double gain = model.energy(site, code_digit(e.from, model.levels(), 2, position)) -
                        model.energy(site, code_digit(e.to, model.levels(), 2, position));
    if (gain != 0.0) current.elements.push_back({e.to, e.from, Complex(0.0, -1.0) * e.value * gain});
  }
  TermSum<Complex> sum{.levels = model.levels(), .terms = {std::move(current)}};
  canonicalize(sum);
  return sum;
}

bool bond_keeps_level_energy(const Model& model, int b) {
  const Bond& bond = at(model.lattice.bonds(), b);
  const double scale =
      std::abs(model.energies_of(bond.first).back()) + std::abs(model.energies_of(bond.second).back());
  return std::all_of(model.interaction(b).elements().begin(), model.interaction(b).elements().end(),
                     [&](const PairElement& e) {
                       const double change = model.energy(bond.first, e.a) + model.energy(bond.second, e.b) -
                                             model.energy(bond.first, e.c) - model.energy(bond.second, e.d);
                       return std::abs(change) <= 1e-12 * scale;
                     });
}

bool bonds_keep_level_energy(const Model& model) {
  for (int b = 0; b < model.lattice.bond_count(); ++b)
    if (!bond_keeps_level_energy(model, b)) return false;
  return true;
}

}  // namespace qheat
