#include <math.h>  // Boost 1.74 takes isnan from here

#include <algorithm>
#include <boost/math/interpolators/pchip.hpp>
#include <cmath>
#include <limits>
#include <memory>

#include "qheat/parallel/index.hpp"
#include "qheat/wells/pair_potential.hpp"

namespace qheat {
namespace {

using Interpolant = boost::math::interpolators::pchip<std::vector<double>>;

/// The largest distance of the interpolation from straight lines between the points, which a smooth V does
/// not pass, nor any other that rises or falls from point to point.
double distance_of_lines(const Interpolant& curve, const std::vector<double>& r,
                         const std::vector<double>& v) {
  constexpr int kSteps = 16;  // between two points
  double distance = 0.0;
  for (std::size_t k = 0; k + 1 < r.size(); ++k) {
    for (int step = 1; step < kSteps; ++step) {
      const double share = static_cast<double>(step) / kSteps;
      const double line = v[k] + share * (v[k + 1] - v[k]);
      distance = std::max(distance, std::abs(curve(r[k] + share * (r[k + 1] - r[k])) - line));
    }
  }
  return distance;
}

}  // namespace

PairPotential potential_through(const std::vector<double>& r, const std::vector<double>& v) {
  PairPotential potential{.form = PairPotential::Form::given};
  potential.kinks = r;
  const bool even = r.front() >= 0.0;
  if (even) {
    for (const double knot : r) potential.kinks.push_back(-knot);
  }
  const double low = r.front();
  const double high = r.back();
  const auto shared = std::make_shared<const Interpolant>(std::vector<double>(r), std::vector<double>(v));
  potential.value_error = distance_of_lines(*shared, r, v);
  potential.value = [shared, even, low, high](double distance) {
    const double at = even ? std::abs(distance) : distance;
    return at >= low && at <= high ? (*shared)(at) : std::numeric_limits<double>::quiet_NaN();
  };
  return potential;
}

}  // namespace qheat
