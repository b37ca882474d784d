#pragma once

#include <array>
#include <complex>
#include <span>
#include <vector>

#include "qheat/model/lattice.hpp"

namespace qheat {

/// A wave on a lattice: e^{i q x} along periodic axes, cos(q (x + 1/2)) along open ones, the eigenvectors of
/// the lattice's Laplacian.
struct LatticeMode {
  std::vector<double> q;                     ///< one an axis, phase per site
  double eigenvalue;                         ///< sum over the axes of 2 (1 - cos q)
  std::vector<std::complex<double>> values;  ///< [N], of norm 1
};

/// All modes but the uniform one, of each pair q, -q one; ascending in the eigenvalue.
std::vector<LatticeMode> lattice_modes(const Lattice& lattice);

/// Re v^dagger A v of a real matrix, [N][N].
double mode_value(const LatticeMode& mode, std::span<const double> matrix);

/// Axes along which energy can be seen to spread: those longer than two sites.
std::vector<int> transport_axes(const Lattice& lattice);
/// The modes of the longest and the second longest wave along each of these axes, constant across it: numbers
/// in lattice_modes. On short axes both are the same.
struct LongestWaves {
  std::size_t first, second;
};
std::vector<LongestWaves> longest_waves(const Lattice& lattice, std::span<const LatticeMode> modes);

}  // namespace qheat
