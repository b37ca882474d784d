#include "qheat/evolution/output_steps.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kPhaseAStep = 60.0;

}  // namespace

OutputSteps next_output_steps(std::span<const double> times, std::size_t time, double elapsed, double radius,
                              int at_once) {
  const double before = time == 0 ? times[0] : times[time] - times[time - 1];
  const double interval = before - elapsed;
  const double now = times[time] - interval;
  const auto steps = std::max<Index>(1, std::llround(std::ceil(radius * interval / kPhaseAStep)));
  OutputSteps result{{interval / static_cast<double>(steps)}, steps == 1};
  if (steps > 1) return result;
  for (std::size_t k = time + 1;
       k < times.size() && radius * (times[k] - now) <= kPhaseAStep && result.dts.size() < as_size(at_once);
       ++k)
    result.dts.push_back(times[k] - now);
  return result;
}

}  // namespace qheat
