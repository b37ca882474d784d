#include "qheat/transport/diffusion_route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "parallel/unknown.hpp"
#include "transport/student.hpp"

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
    if (route.times[t] > until || !std::isfinite(route.error[t])) usable[t] = kUnknown;
  }
  route.window = longest_window(route.times, usable);
  if (!route.window) {
    route.obstacle =
        fmt::format("D(t) is not one number within 5 % over any [t1, t2] with t2 >= 2 t1{}",
                    end_in_words.empty() ? " until the last output; a later time.end may show one"
                                         : ", and " + end_in_words);
    return;
  }
  std::vector<double> systematic;
  for (std::size_t t = 0; t < usable.size(); ++t) {
    if (route.times[t] < route.window->begin || route.times[t] > route.window->end) continue;
    route.window_error = std::max(route.window_error, route.error[t]);
    if (std::isfinite(route.systematic[t])) systematic.push_back(route.systematic[t]);
  }
  if (route.samples > 1) route.window_error *= student(route.samples - 1);
  route.window_error += route.window->deviation;
  if (systematic.empty()) return;
  const auto middle = systematic.begin() + static_cast<std::ptrdiff_t>(systematic.size() / 2);
  std::nth_element(systematic.begin(), middle, systematic.end());
  route.window_error += *middle;
}

}  // namespace qheat
