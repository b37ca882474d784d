#pragma once

#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// A rectangle that holds the numerical range of a generator: real parts in [low, high], imaginary parts up
/// to
/// +- imaginary; inverse time.
struct GeneratorRange {
  double low = 0.0;
  double high = 0.0;
  double imaginary = 0.0;
};

/// An ellipse in the complex plane with its axes along the coordinates, z = centre + r (w + q/w), |w| = 1.
struct Ellipse {
  double centre = 0.0;
  double real_axis = 0.0;       ///< half axis
  double imaginary_axis = 0.0;  ///< half axis

  double radius() const { return (real_axis + imaginary_axis) / 2; }  ///< r
  /// q in [-1, 1]: -1 an interval on the imaginary axis, 1 on the real one (Chebyshev), 0 a circle (Taylor).
  double ratio() const {
    return radius() == 0.0 ? 0.0 : (real_axis - imaginary_axis) / (real_axis + imaginary_axis);
  }
};

/// e^{tz} = sum_k values[k] F_k(z) on an ellipse, F_k its Faber polynomials: F_0 = 1, F_1 = u, F_2 = u F_1 -
/// 2q, F_{k+1} = u F_k - q F_{k-1} with u = (z - centre)/r.
struct FaberSeries {
  std::vector<double> values;
  double
      tail;  ///< 2 sum of the |values| left out: |F_k(L)| <= 2 if the ellipse holds the numerical range of L
};
/// As many terms as make tail < tolerance; t >= 0.
FaberSeries faber_series(const Ellipse& ellipse, double t, double tolerance);

/// The first `terms` coefficients of e^{tz} and of its time derivatives z^d e^{tz}, [1 + derivatives][terms].
std::vector<std::vector<double>> faber_derivatives(const Ellipse& ellipse, double t, std::size_t terms,
                                                   int derivatives);

/// How e^{L end} is computed: equal steps, each by one series.
struct FaberPlan {
  Ellipse ellipse;
  Index steps = 1;
  Index terms = 1;  ///< of a step: one less is the number of products
  double step_tolerance = 0.0;
};
/// The ellipse around the range and the number of steps with the fewest products. A step is short enough for
/// safe points to come often, and for the terms to stay small: rounding costs at most two digits.
FaberPlan plan_faber(const GeneratorRange& range, double end, double tolerance, Index least_steps = 1);

}  // namespace qheat
