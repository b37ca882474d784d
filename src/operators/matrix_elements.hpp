#pragma once

#include <algorithm>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// Calls visit(column, value) for every stored element of row `state`, by configurations alone: no tables,
/// the slow and obvious way. The same column may come more than once. `terms` must be canonical.
template <class T, class Visit>
void visit_row(const Sector& sector, const TermSum<T>& terms, Index state, const Visit& visit) {
  std::vector<Level> configuration(as_size(sector.sites()));
  sector.configuration(state, configuration);
  for (const auto& term : terms.terms) {
    const LocalCode to = code_on(configuration, term.sites, terms.levels);
    auto e =
        std::lower_bound(term.elements.begin(), term.elements.end(), to,
                         [](const LocalElement<T>& element, LocalCode code) { return element.to < code; });
    for (; e != term.elements.end() && e->to == to; ++e) {
      if (e->from == to) {
        visit(state, e->value);
        continue;
      }
      write_code(e->from, term.sites, terms.levels, configuration);
      const Index column = sector.index(configuration);
      write_code(to, term.sites, terms.levels, configuration);
      QHEAT_ASSERT(column >= 0);  // otherwise the operator leaves the sector
      visit(column, e->value);
    }
  }
}

}  // namespace qheat
