#pragma once

#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace qheat {

/// Sizes and global numbers: 64 bits everywhere in the public headers, whatever PETSc was built with.
using Index = std::int64_t;

/// Level or band number on a site.
using Level = std::uint16_t;

using Complex = std::complex<double>;

/// A non-negative number as a size of the standard library.
constexpr std::size_t as_size(std::integral auto n) {
  return static_cast<std::size_t>(n);
}

/// values[n] of a vector, span, array or pointer for any non-negative number: sites, bonds and rows are
/// counted with a sign, the standard library counts without. Checked where the container is
/// (QHEAT_ASSERTIONS).
template <class Values>
constexpr decltype(auto) at(Values&& values, std::integral auto n) {
  return std::forward<Values>(values)[as_size(n)];
}

/// a * b and a + b of non-negative sizes. Throws qheat::Error naming `what` if the result needs more than 63
/// bits.
Index checked_product(Index a, Index b, const char* what);
Index checked_sum(Index a, Index b, const char* what);

/// Throws qheat::Error naming `what` if PETSc's integers cannot count to n in this build.
void require_petsc_indices(Index n, const char* what);

}  // namespace qheat
