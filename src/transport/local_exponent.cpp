#include "qheat/transport/local_exponent.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "parallel/unknown.hpp"

namespace qheat {
namespace {

struct LogPoint {
  double x, y;
  std::size_t number;
};

/// Slope at `at` of the parabola through three points.
double slope(const std::array<LogPoint, 3>& p, double at) {
  const double first = (p[1].y - p[0].y) / (p[1].x - p[0].x);
  const double second = (p[2].y - p[1].y) / (p[2].x - p[1].x);
  const double bend = (second - first) / (p[2].x - p[0].x);
  return first + bend * (2.0 * at - p[0].x - p[1].x);
}

}  // namespace

std::vector<double> local_exponent(std::span<const double> x, std::span<const double> y) {
  std::vector<double> exponent(x.size(), kUnknown);
  std::vector<LogPoint> points;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const bool usable = x[k] > 0.0 && y[k] > 0.0 && std::isfinite(x[k]) && std::isfinite(y[k]);
    if (usable) points.push_back({std::log(x[k]), std::log(y[k]), k});
  }
  std::sort(points.begin(), points.end(), [](const LogPoint& p, const LogPoint& q) { return p.x < q.x; });
  const std::size_t count = points.size();
  for (std::size_t k = 1; k + 1 < count; ++k)
    exponent[points[k].number] = slope({points[k - 1], points[k], points[k + 1]}, points[k].x);
  return exponent;
}

}  // namespace qheat
