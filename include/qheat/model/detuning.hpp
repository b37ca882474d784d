#pragma once

#include <cstdint>
#include <vector>

namespace qheat {

/// Static detuning delta_n(i), added to the levels: explicit offsets, or random draws.
struct Detuning {
  enum class Distribution { none, uniform, gaussian, lorentzian };

  std::vector<double> offsets = {};  ///< explicit: [N][M], site by site; empty: none
  Distribution distribution = Distribution::none;
  double width =
      0.0;  ///< energy: full width (uniform), standard deviation (gaussian), half width (lorentzian)
  std::uint64_t seed = 1;
  int realizations = 1;
};

/// Energies eps_n(i) = eps_n + delta_n(i) of one realisation, [N][M], site by site. Random detunings: one
/// draw a site and level, the ground level is not moved; a pure function of (seed, realization, site, level).
std::vector<double> site_energies(const std::vector<double>& levels, int sites, const Detuning& detuning,
                                  int realization = 0);

}  // namespace qheat
