#include "qheat/operators/hamiltonian.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace qheat {
namespace {

/// Bound of the norm of a Hermitian matrix: the largest absolute row sum (Gershgorin).
double norm_bound(const LocalTerm<Complex>& term) {
  std::map<LocalCode, double> row_sums;
  auto row_sum = row_sums.end();
  for (const auto& e : term.elements) {  // most follow others of their row
    if (row_sum == row_sums.end() || row_sum->first != e.to) row_sum = row_sums.try_emplace(e.to, 0.0).first;
    row_sum->second += std::abs(e.value);
  }
  double largest = 0.0;
  for (const auto& [row, sum] : row_sums) largest = std::max(largest, sum);
  return largest;
}

}  // namespace

LocalTerm<Complex> bond_term(const Model& model, int bond) {
  const auto& [first, second] = model.lattice.bonds()[static_cast<std::size_t>(bond)];
  const double scale = model.strength * model.couplings[static_cast<std::size_t>(bond)];
  const auto m = static_cast<LocalCode>(model.levels());
  LocalTerm<Complex> term{.sites = {std::min(first, second), std::max(first, second)}, .elements = {}};
  const bool swapped = first > second;  // terms list their sites in ascending order
  for (const auto& e : model.interaction(bond).elements()) {
    const LocalCode to = swapped ? e.b * m + e.a : e.a * m + e.b;
    const LocalCode from = swapped ? e.d * m + e.c : e.c * m + e.d;
    term.elements.push_back({to, from, scale * e.value});
  }
  return term;
}

LocalTerm<Complex> onsite_term(const Model& model, int site) {
  LocalTerm<Complex> term{.sites = {site}, .elements = {}};
  for (const auto& e : model.onsite) term.elements.push_back({e.a, e.b, model.strength * e.value});
  return term;
}

TermSum<Complex> hamiltonian(const Model& model) {
  TermSum<Complex> sum{.levels = model.levels(), .terms = {}};
  for (int i = 0; i < model.sites(); ++i) {
    LocalTerm<Complex> site = onsite_term(model, i);
    for (int n = 0; n < model.levels(); ++n) {
      const auto level = static_cast<LocalCode>(n);
      if (model.energy(i, n) != 0.0) site.elements.push_back({level, level, model.energy(i, n)});
    }
    sum.terms.push_back(std::move(site));
  }
  for (int b = 0; b < model.lattice.bond_count(); ++b) sum.terms.push_back(bond_term(model, b));
  canonicalize(sum);
  return sum;
}

double spectral_radius_bound(const Model& model) {
  double bound = 0.0;
  for (int i = 0; i < model.sites(); ++i) {
    const auto energies = model.energies_of(i);
    const auto [low, high] = std::minmax_element(energies.begin(), energies.end());
    bound += (*high - *low) / 2 + norm_bound(onsite_term(model, i));
  }
  for (int b = 0; b < model.lattice.bond_count(); ++b) bound += norm_bound(bond_term(model, b));
  return bound;
}

}  // namespace qheat
