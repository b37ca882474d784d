#pragma once

#include <span>
#include <vector>

namespace qheat {

/// int_0^t f of an even function of time, f(-t) = f(t), given at equally spaced times from 0: polynomials of
/// degree 7 through the points around each interval.
struct CumulativeIntegral {
  std::vector<double> values;  ///< at each time
  std::vector<double> error;   ///< distance from polynomials of degree 5, summed over the intervals
};
CumulativeIntegral cumulative_integral(std::span<const double> f, double spacing);

}  // namespace qheat
