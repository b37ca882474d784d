#pragma once

#include <span>

#include "qheat/basis/sector.hpp"

namespace qheat {

/// Smallest eigenvalue of a density matrix on pairs of states (density_space), of its Hermitian part: not
/// below 0 for a state. Each block goes whole to one rank and is diagonalised there; NaN, and no work, if a
/// block has more than `most_kets` of them. Collective; the same on all ranks.
double smallest_eigenvalue(const DistributedSector& pairs, std::span<const Complex> rho,
                           Index most_kets = 1000);

}  // namespace qheat
