#pragma once

#include <span>
#include <vector>

namespace qheat {

/// C^{-1} of correlations between sites, on the complement of the uniform vector where C has that as null
/// vector (a sector: the sum of all energies is fixed), as far as a matrix without uniform rows sees it.
struct SiteInverse {
  std::vector<double> values;     ///< [N][N]; without meaning if singular
  double determinant_sign = 0.0;  ///< of C; 0: singular
  int negative = 0;               ///< eigenvalues of the symmetric part of C below 0
  double norm = 0.0;              ///< of C, 1-norm
  double condition = 0.0;         ///< in the 1-norm; infinite if singular
};

/// How many combinations of site energies fluctuate: the rank of C(0). Below N (below N - 1 of a sector) some
/// combination is nothing, and no kernel between sites is the only one.
std::size_t independent_sites(std::size_t sites, std::span<const double> start);

SiteInverse site_inverse(std::size_t sites, std::span<const double> correlation);

}  // namespace qheat
