#pragma once

#include <functional>
#include <string>
#include <vector>

namespace qheat {

/// V(r) between two particles, r = x1 - x2 (with its sign), times exp(-screening |r|).
struct PairPotential {
  enum class Form {
    delta,      ///< delta(r)
    linear,     ///< |r|
    quadratic,  ///< r^2
    inverse,    ///< 1/(1 + |r|)
    given       ///< `value`
  };
  Form form = Form::linear;
  double screening = 0.0;  ///< alpha f(T) >= 0, in 1/length
  /// Of `given`, known to rounding of a double; the other forms are computed with 100 digits.
  std::function<double(double)> value{};
  std::vector<double> kinks{};  ///< of `given`: where V or a derivative jumps, beside r = 0
  double value_error = 0.0;     ///< of `given`: bound of what `value` is wrong by, beside rounding
};

/// The potential through points (r, V), r ascending, at least 4 of them: monotone cubic pieces, which stay
/// between neighbouring values; V(|r|) if no r is negative, NaN outside of the points. Its `value_error` is
/// the largest distance from straight lines between the points: what lies between is not known any better.
PairPotential potential_through(const std::vector<double>& r, const std::vector<double>& v);

}  // namespace qheat
