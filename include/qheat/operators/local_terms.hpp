#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// Levels on a few sites as one number in base M, the first site most significant.
using LocalCode = std::uint64_t;

/// <to| A |from> on the sites of a term.
template <class T>
struct LocalElement {
  LocalCode to, from;
  T value;
};

/// A sparse matrix on one, two or three sites; acts as the identity on all others.
template <class T>
struct LocalTerm {
  std::vector<int> sites;  ///< ascending, each once
  std::vector<LocalElement<T>> elements;
};

/// An operator on the lattice as a sum of terms on few sites: the form in which Hamiltonian, currents and
/// rate generators reach every backend. T is double or Complex.
template <class T>
struct TermSum {
  int levels = 0;  ///< M, the base of the codes
  std::vector<LocalTerm<T>> terms;
};

/// Level of the site at `position` among `count` sites of a code.
inline Level code_digit(LocalCode code, int levels, std::size_t count, std::size_t position) {
  for (std::size_t skip = count - 1; skip > position; --skip) code /= static_cast<LocalCode>(levels);
  return static_cast<Level>(code % static_cast<LocalCode>(levels));
}

/// Code of a configuration on `sites`.
template <class Sites>
LocalCode code_on(std::span<const Level> configuration, const Sites& sites, int levels) {
  LocalCode code = 0;
  for (const int site : sites) {
    code = code * static_cast<LocalCode>(levels) + at(configuration, site);
  }
  return code;
}

/// Writes a code's levels into a configuration.
template <class Sites>
void write_code(LocalCode code, const Sites& sites, int levels, std::span<Level> configuration) {
  for (std::size_t position = sites.size(); position-- > 0;) {
    at(configuration, sites[position]) = static_cast<Level>(code % static_cast<LocalCode>(levels));
    code /= static_cast<LocalCode>(levels);
  }
}

/// True if every element is real.
bool is_real(const TermSum<Complex>& sum);
/// The real parts, for a sum that is real.
TermSum<double> real_part(const TermSum<Complex>& sum);

/// Sorts the elements of each term by (to, from) and adds up equal ones; the order that the backends expect.
template <class T>
void canonicalize(TermSum<T>& sum) {
  for (auto& term : sum.terms) {
    auto& elements = term.elements;
    const auto key = [](const LocalElement<T>& e) { return std::pair(e.to, e.from); };
    const auto out_of_order = [&](const auto& left, const auto& right) { return !(key(left) < key(right)); };
    if (std::adjacent_find(elements.begin(), elements.end(), out_of_order) == elements.end()) continue;
    std::stable_sort(elements.begin(), elements.end(),
                     [&](const auto& left, const auto& right) { return key(left) < key(right); });
    std::vector<LocalElement<T>> merged;
    for (const auto& e : elements) {
      if (!merged.empty() && key(merged.back()) == key(e)) {
        merged.back().value += e.value;
      } else {
        merged.push_back(e);
      }
    }
    elements = std::move(merged);
  }
}

}  // namespace qheat
