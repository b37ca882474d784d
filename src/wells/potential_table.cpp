#include <algorithm>
#include <boost/math/interpolators/makima.hpp>
#include <cmath>
#include <limits>
#include <memory>

#include "qheat/parallel/index.hpp"
#include "qheat/wells/pair_potential.hpp"

namespace qheat {
namespace {

using Interpolant = boost::math::interpolators::makima<std::vector<double>>;

/// Every second point, and the last.
std::vector<double> every_second(const std::vector<double>& all) {
  std::vector<double> some;
  for (std::size_t k = 0; k < all.size(); k += 2) some.push_back(all[k]);
  if (all.size() % 2 == 0) some.push_back(all.back());
  return some;
}

/// How far the interpolation through half of the points is from the others.
double distance_of_half(const std::vector<double>& r, const std::vector<double>& v) {
  constexpr std::size_t kLeast = 4;
  auto fewer = every_second(r);
  if (fewer.size() < kLeast) {  // then the whole range of values is open
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    return *high - *low;
  }
  const Interpolant half(std::move(fewer), every_second(v));
  double distance = 0.0;
  for (std::size_t k = 0; k < r.size(); ++k) distance = std::max(distance, std::abs(half(r[k]) - v[k]));
  return distance;
}

}  // namespace

PairPotential potential_through(std::vector<double> r, std::vector<double> v) {
  PairPotential potential{.form = PairPotential::Form::given};
  potential.value_error = distance_of_half(r, v) / 3.0;
  potential.kinks = r;
  const bool even = r.front() >= 0.0;
  if (even) {
    for (const double knot : r) potential.kinks.push_back(-knot);
  }
  const double low = r.front();
  const double high = r.back();
  const auto shared = std::make_shared<const Interpolant>(std::move(r), std::move(v));
  potential.value = [shared, even, low, high](double distance) {
    const double at = even ? std::abs(distance) : distance;
    return at >= low && at <= high ? (*shared)(at) : std::numeric_limits<double>::quiet_NaN();
  };
  return potential;
}

}  // namespace qheat
