#pragma once

#include <algorithm>
#include <vector>

#include "qheat/basis/half_space.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {

/// Calls visit(place, value) for every stored element <ket|H|m> of a ket of a density matrix: `place` is that
/// of m inside the ket's class. The same place may come more than once. `terms` must be canonical and keep
/// the class.
template <class T, class Visit>
void visit_ket_row(const HalfSpace& kets, const TermSum<T>& terms, Index ket, const Visit& visit) {
  const auto levels = kets.configuration(ket);
  std::vector<Level> source(levels.begin(), levels.end());
  for (const auto& term : terms.terms) {
    const LocalCode to = code_on(levels, term.sites, terms.levels);
    auto e =
        std::lower_bound(term.elements.begin(), term.elements.end(), to,
                         [](const LocalElement<T>& element, LocalCode code) { return element.to < code; });
    for (; e != term.elements.end() && e->to == to; ++e) {
      write_code(e->from, term.sites, terms.levels, source);
      visit(kets.rank_in_class(source), e->value);
    }
    write_code(to, term.sites, terms.levels, source);
  }
}

}  // namespace qheat
