#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qheat/kernel/kernel_series.hpp"
#include "qheat/model/lattice.hpp"
#include "qheat/transport/window.hpp"

namespace qheat {

/// D(t) = a^2 w(t) of a kernel, w the mean of its bond rates (physics: section Transport; Eq. 12 of Wu and
/// Segal); length^2/time.
struct KernelDiffusion {
  std::vector<double> diffusion;  ///< [T]; NaN beyond a singular time and where the kernel has no digits
  /// [T]: the error of the kernel, sampling included, and the largest distance of a bond from the mean.
  std::vector<double> error;
  std::optional<Window> window;  ///< in which D(t) is one number
  double window_error = 0.0;     ///< of window->value: its deviation there and the largest `error`
  std::string obstacle;          ///< why there is no window
};
/// `times`: of the series, [T]. `uncertainty`: of all rates by that of the interaction, relative. No number
/// without bonds, and where these are listed by hand: they have no length of their own.
KernelDiffusion kernel_diffusion(const KernelSeries& series, std::span<const double> times,
                                 const Lattice& lattice, double uncertainty = 0.0);

}  // namespace qheat
