#include "qheat/operators/heisenberg.hpp"

#include <algorithm>

#include "qheat/model/dissipator.hpp"
#include "qheat/operators/commutator.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// A coherence decays with gamma for each site whose level it changes.
void add_dephasing(double gamma, const TermSum<Complex>& a, TermSum<Complex>& change) {
  for (const auto& term : a.terms) {
    LocalTerm<Complex> decay{.sites = term.sites, .elements = {}};
    const std::size_t count = term.sites.size();
    for (const auto& e : term.elements) {
      double moved = 0.0;
      for (std::size_t k = 0; k < count; ++k)
        moved += code_digit(e.to, a.levels, count, k) != code_digit(e.from, a.levels, count, k) ? 1.0 : 0.0;
      if (moved > 0.0) decay.elements.push_back({e.to, e.from, -gamma * moved * e.value});
    }
    change.terms.push_back(std::move(decay));
  }
}

TermSum<Complex> one_element(const Dissipator& d, int levels, LocalCode to, LocalCode from, Complex value) {
  return {.levels = levels, .terms = {{.sites = d.sites, .elements = {{to, from, value}}}}};
}

/// Of the terms that share a site with the dissipator: with the others it commutes.
void add_dissipator(const Dissipator& d, const TermSum<Complex>& a, TermSum<Complex>& change) {
  TermSum<Complex> near{.levels = a.levels, .terms = {}};
  for (const auto& term : a.terms) {
    const bool shared = std::any_of(term.sites.begin(), term.sites.end(), [&](int site) {
      return std::find(d.sites.begin(), d.sites.end(), site) != d.sites.end();
    });
    if (shared) near.terms.push_back(term);
  }
  for (const JumpElement& right : d.elements) {
    for (const JumpElement& left : d.elements) {
      // |left.from><left.to| A |right.to><right.from|
      const Complex weight = d.weight(right, left);
      const auto bra = one_element(d, a.levels, left.from, left.to, weight);
      const auto ket = one_element(d, a.levels, right.to, right.from, 1.0);
      add_terms(change, product(product(bra, near), ket));
      if (left.to != right.to) continue;
      const auto loss = one_element(d, a.levels, left.from, right.from, weight);
      add_terms(change, product(loss, near), -0.5);
      add_terms(change, product(near, loss), -0.5);
    }
  }
}

}  // namespace

TermSum<Complex> bath_change(const Model& model, const TermSum<Complex>& a) {
  TermSum<Complex> change{.levels = a.levels, .terms = {}};
  const Dissipation bath = dissipation(model);
  if (bath.dephasing > 0.0) add_dephasing(bath.dephasing, a, change);
  for (const Dissipator& d : bath.others) add_dissipator(d, a, change);
  return merged(change);
}

TermSum<Complex> rate_of_change(const Model& model, const TermSum<Complex>& a) {
  TermSum<Complex> change = commutator(hamiltonian(model), a);
  add_terms(change, bath_change(model, a));
  return change;
}

}  // namespace qheat
