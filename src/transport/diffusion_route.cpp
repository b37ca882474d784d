#include "qheat/transport/diffusion_route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "transport/student.hpp"
#include "transport/unknown.hpp"

namespace qheat {

std::string route_name(TransportRoute route) {
  for (const auto& [name, value] : kTransportRoutes) {
    if (value == route) return std::string(name);
  }
  return "";
}

std::string route_group(TransportRoute route) {
  std::string name = route_name(route);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

void find_window(DiffusionRoute& route, double until, const std::string& end_in_words) {
  std::vector<double> usable = route.diffusion;
  for (std::size_t t = 0; t < usable.size(); ++t) {
    if (route.times[t] > until) usable[t] = kNaN;
  }
  route.window = longest_window(route.times, usable);
  if (!route.window) {
    route.obstacle =
        fmt::format("D(t) is not one number within 5 % over any [t1, t2] with t2 >= 2 t1{}",
                    end_in_words.empty() ? " until the last output; a later time.end may show one"
                                         : ", and " + end_in_words);
    return;
  }
  for (std::size_t t = 0; t < usable.size(); ++t) {
    const bool inside = route.times[t] >= route.window->begin && route.times[t] <= route.window->end;
    if (inside && std::isfinite(route.error[t]))
      route.window_error = std::max(route.window_error, route.error[t]);
  }
  if (route.samples > 1) route.window_error *= student(route.samples - 1);
  route.window_error += route.window->deviation;
}

}  // namespace qheat
