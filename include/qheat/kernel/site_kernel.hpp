#pragma once

#include <span>
#include <vector>

#include "qheat/model/lattice.hpp"

namespace qheat {

/// The exact time-local kernel of the site energies at one time, K = C' C^{-1}: du/dt = K u for every small
/// deviation u from equilibrium (physics: section Equilibrium fluctuations).
struct SiteKernel {
  std::vector<double> generator;  ///< K_ij, the rate j -> i off the diagonal, [N][N], 1/time; NaN if singular
  double norm = 0.0;              ///< of C, 1-norm
  double condition = 0.0;         ///< of C, in the 1-norm; infinite if singular
  double determinant_sign = 0.0;  ///< of C; 0: singular
  int negative = 0;               ///< eigenvalues of the symmetric part of C below 0
  double locality = 0.0;          ///< sum of |K_ij| over neighbours, over that of all pairs
  double symmetry = 0.0;          ///< 1 - |K - K^T|/(2|K|), off the diagonal
  double negativity = 0.0;        ///< -sum of min(K_ij, 0) over that of |K_ij|, off the diagonal
};

/// From C and dC/dt, [N][N], rows i. Where C has the uniform vector as null vector (a sector: the sum of all
/// energies is fixed) K is that on its complement. Scores are NaN where K is 0 or not known.
SiteKernel site_kernel(const Lattice& lattice, std::span<const double> correlation,
                       std::span<const double> change);

/// w(b) = (K_ij + K_ji)/2 of each bond, [B], 1/time.
std::vector<double> site_bond_rates(const Lattice& lattice, const SiteKernel& kernel);

}  // namespace qheat
