#include "qheat/operators/currents.hpp"

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

}  // namespace qheat
