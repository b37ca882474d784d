#include "qheat/transport/window.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kStandsStill = 0.05;
constexpr std::size_t kLeastTimes = 5;

}  // namespace

std::optional<Window> longest_window(std::span<const double> times, std::span<const double> values) {
  if (times.size() == 1) {
    if (!(values[0] > 0.0)) return {};
    return Window{.begin = times[0], .end = times[0], .value = values[0]};
  }
  std::optional<Window> longest;
  for (std::size_t first = 0; first < times.size(); ++first) {
    if (longest && times.back() - times[first] <= longest->end - longest->begin) break;
    double low = values[first];
    double high = values[first];
    double sum = 0.0;
    for (std::size_t last = first; last < times.size() && std::isfinite(values[last]); ++last) {
      low = std::min(low, values[last]);
      high = std::max(high, values[last]);
      sum += values[last];
      // the mean is between them: no longer window can hold what is this far apart
      if (!(low > 0.0) || low * (1.0 + kStandsStill) < high * (1.0 - kStandsStill)) break;
      const double mean = sum / static_cast<double>(last - first + 1);
      const double deviation = std::max(high - mean, mean - low);
      const bool wide = last - first + 1 >= kLeastTimes && times[last] >= 2.0 * times[first];
      const double length = times[last] - times[first];
      if (!wide || deviation > kStandsStill * mean || (longest && length <= longest->end - longest->begin))
        continue;
      longest = Window{.begin = times[first], .end = times[last], .value = mean, .deviation = deviation};
    }
  }
  return longest;
}

}  // namespace qheat
