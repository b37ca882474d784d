#pragma once

#include <span>
#include <vector>

namespace qheat {

/// d ln y/d ln x at each of the points, from the parabola through it and its neighbours in ln x (the straight
/// line with two points): [P]. `x` in any order, each once; NaN where x or y is not a positive number.
std::vector<double> local_exponent(std::span<const double> x, std::span<const double> y);

}  // namespace qheat
