#pragma once

#include <span>
#include <vector>

namespace qheat {

/// int_0^t f of a function at equally spaced times from 0: polynomials of degree 7 through the points around
/// each interval. `even`: f(-t) = f(t), smooth at 0, so that there are points before 0 too.
struct CumulativeIntegral {
  std::vector<double> values;  ///< at each time
  std::vector<double> error;   ///< distance from polynomials of degree 5, summed over the intervals
};
CumulativeIntegral cumulative_integral(std::span<const double> f, double spacing, bool even);

}  // namespace qheat
