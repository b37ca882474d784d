#pragma once

#include <span>
#include <vector>

namespace qheat {

/// d ln y/d ln x at each of the points, from the parabola through it and its two neighbours in ln x: [P]. NaN
/// at the ends, where it would be extrapolated, and where x or y is not a positive number. `x` in any order,
/// each once.
std::vector<double> local_exponent(std::span<const double> x, std::span<const double> y);

}  // namespace qheat
