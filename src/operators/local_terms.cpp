#include "qheat/operators/local_terms.hpp"

namespace qheat {

bool is_real(const TermSum<Complex>& sum) {
  return std::all_of(sum.terms.begin(), sum.terms.end(), [](const auto& term) {
    return std::all_of(term.elements.begin(), term.elements.end(),
                       [](const auto& e) { return e.value.imag() == 0.0; });
  });
}

TermSum<double> real_part(const TermSum<Complex>& sum) {
  TermSum<double> real{.levels = sum.levels, .terms = {}};
  for (const auto& term : sum.terms) {
    auto& copy = real.terms.emplace_back(LocalTerm<double>{.sites = term.sites, .elements = {}});
    for (const auto& e : term.elements) copy.elements.push_back({e.to, e.from, e.value.real()});
  }
  return real;
}

}  // namespace qheat
