#pragma once

#include <span>
#include <vector>

namespace qheat {

/// Mori's memory kernel of the site energies, dC/dt = -int_0^t M(s) C(t - s) ds, at equally spaced times.
struct SiteMemory {
  std::vector<double> kernel;  ///< M, [T][N][N], 1/time^2; NaN throughout where the times are too far apart
  double error = 0.0;          ///< of an element by the quadrature, over the largest one
};

/// From C(0), [N][N], and the measured dC/dt and d2C/dt2, [T][N][N]: the Volterra equation of the second kind
/// M(t) C(0) = -C''(t) - int_0^t M(s) C'(t - s) ds, solved on all times and on every other one, whose
/// difference tells the error. `step`: between the times. NaN if the error is above 5 %.
SiteMemory site_memory(std::span<const double> start, std::span<const double> change,
                       std::span<const double> curvature, std::size_t sites, double step);

}  // namespace qheat
