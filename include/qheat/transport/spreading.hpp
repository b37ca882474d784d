#pragma once

#include <span>
#include <vector>

#include "qheat/fluctuations/site_correlations.hpp"
#include "qheat/model/lattice.hpp"

namespace qheat {

/// How an excess of energy at a site spreads (physics: sections Transport, Equilibrium fluctuations). Means
/// over the axes longer than two sites, r along one of them, and over the sources: all on periodic lattices,
/// else the ones in the middle.
struct Spreading {
  std::vector<double> profile;    ///< C_ij of one source over C_jj(0), [T][N]
  std::vector<double> total;      ///< sum_i C_ij of the sources over its value at t = 0, [T]
  std::vector<double> variance;   ///< sum_i r^2 C_ij/sum_i C_ij, [T], length^2
  std::vector<double> diffusion;  ///< (1/2) d variance/dt, from dC/dt, [T], length^2/time
  std::vector<double> kurtosis;   ///< sum r^4 C sum C/(sum r^2 C)^2, [T]; NaN while nothing has spread
  std::vector<double> exponent;   ///< d ln(variance - variance(0))/d ln t, [T]; NaN while nothing has spread
  std::vector<double> edge;       ///< share of the excess where it meets itself, or at the edge, [T]
  int source = 0;                 ///< of the profile
};

/// Needs dC/dt and at least one source that counts; `open_edge` false: all axes are periodic.
Spreading spreading(const Lattice& lattice, const SiteCorrelations& found);

/// Takes away (NaN) exponents and kurtoses of a variance whose growth is not known to 30 %;
/// `variance_error`: [T], of samples.
void forget_unknown_spreading(Spreading& spread, std::span<const double> variance_error);

/// The sources that count, of those that are known.
std::vector<int> spreading_sources(const Lattice& lattice, const std::vector<int>& known);
/// True if an axis longer than two sites is open.
bool has_open_axis(const Lattice& lattice);

}  // namespace qheat
