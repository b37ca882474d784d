#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qheat/transport/window.hpp"

namespace qheat {

/// Independent ways to D (physics: sections Transport, Equilibrium fluctuations).
enum class TransportRoute { spreading, green_kubo, modes, site_kernel, kernel, steady };

inline constexpr std::array<std::pair<std::string_view, TransportRoute>, 6> kTransportRoutes = {
    {{"spreading", TransportRoute::spreading},
     {"green-kubo", TransportRoute::green_kubo},
     {"modes", TransportRoute::modes},
     {"site-kernel", TransportRoute::site_kernel},
     {"kernel", TransportRoute::kernel},
     {"steady", TransportRoute::steady}}};
/// As the job file calls it.
std::string route_name(TransportRoute route);
/// As the results file calls it: an underscore for the hyphen.
std::string route_group(TransportRoute route);
/// True for those that need the equilibrium correlations.
inline bool from_fluctuations(TransportRoute route) {
  return route != TransportRoute::kernel && route != TransportRoute::steady;
}

/// D(t) by one of them, and the number that it settles at.
struct DiffusionRoute {
  TransportRoute route = TransportRoute::spreading;
  std::vector<double> times;
  std::vector<double> diffusion;  ///< [T], length^2/time
  std::vector<double> error;      ///< standard error of `samples`, [T]; NaN where it is not known
  std::size_t samples = 0;        ///< 0: exact
  /// What does not scatter: of integrals, truncation, and of finite waves, [T].
  std::vector<double> systematic;
  std::optional<Window> window;
  /// The deviation in the window, the largest error of samples there as a 95 % interval, and the median of
  /// what does not scatter.
  double window_error = 0.0;
  std::string obstacle;  ///< why there is no window
};

/// Fills in the window, of the outputs until `until` alone; `end_in_words`: why there and not later, empty if
/// it is the last output.
void find_window(DiffusionRoute& route, double until, const std::string& end_in_words);

}  // namespace qheat
