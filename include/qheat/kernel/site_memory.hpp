#pragma once

#include <span>
#include <vector>

namespace qheat {

/// Mori's memory kernel of the site energies, dC/dt = Omega C(t) - int_0^t M(s) C(t - s) ds, at equally
/// spaced times. Omega = C'(0) C(0)^{-1} is zero where V is real and the same from both ends.
struct SiteMemory {
  std::vector<double> frequency;  ///< Omega, [N][N], 1/time
  std::vector<double> kernel;  ///< M, [T][N][N], 1/time^2; NaN throughout where the times are too far apart
  double error = 0.0;          ///< of an element by the quadrature, over the largest one; infinite: not known
};

/// From C(0), [N][N], and the measured dC/dt and d2C/dt2, [T][N][N]: the Volterra equation of the second kind
/// -M = N with N(t) C(0) = C''(t) - Omega C'(t) - int_0^t N(s) C'(t - s) ds, solved on all times, on every
/// other and on every fourth one, whose differences tell the error; at least 9 times. `step`: between the
/// times. NaN if the error is above 5 %.
SiteMemory site_memory(std::span<const double> start, std::span<const double> change,
                       std::span<const double> curvature, std::size_t sites, double step);

}  // namespace qheat
