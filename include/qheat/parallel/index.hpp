#pragma once

#include <complex>
#include <cstdint>

namespace qheat {

/// Sizes and global numbers: 64 bits everywhere in the public headers, whatever PETSc was built with.
using Index = std::int64_t;

/// Level or band number on a site.
using Level = std::uint16_t;

using Complex = std::complex<double>;

/// a * b and a + b of non-negative sizes. Throws qheat::Error naming `what` if the result needs more than 63
/// bits.
Index checked_product(Index a, Index b, const char* what);
Index checked_sum(Index a, Index b, const char* what);

/// Throws qheat::Error naming `what` if PETSc's integers cannot count to n in this build.
void require_petsc_indices(Index n, const char* what);

}  // namespace qheat
