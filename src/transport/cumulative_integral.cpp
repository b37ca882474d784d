#include "qheat/transport/cumulative_integral.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// int_begin^{begin + 1} of the polynomial with these values at 0, 1, ..., points - 1.
double integral(std::span<const double> f, double begin) {
  // Gauss-Legendre rule of four nodes: exact up to degree 7
  constexpr std::array<double, 2> kNodes = {0.33998104358485626480, 0.86113631159405257522};
  constexpr std::array<double, 2> kWeights = {0.65214515486254614263, 0.34785484513745385737};
  double sum = 0.0;
  for (std::size_t g = 0; g < 4; ++g) {
    const double x = begin + 0.5 * (1.0 + (g % 2 == 0 ? 1.0 : -1.0) * kNodes[g / 2]);
    double value = 0.0;
    for (std::size_t j = 0; j < f.size(); ++j) {
      double factor = f[j];
      for (std::size_t k = 0; k < f.size(); ++k) {
        if (k != j)
          factor *= (x - static_cast<double>(k)) / (static_cast<double>(j) - static_cast<double>(k));
      }
      value += factor;
    }
    sum += 0.5 * kWeights[g / 2] * value;
  }
  return sum;
}

/// Over [k, k + 1], by the `points` values around it; before 0 they are those after it, if f is even.
double interval(std::span<const double> f, std::size_t k, int points, bool even) {
  const auto last = static_cast<int>(f.size()) - 1;
  points = std::min(points, even ? 2 * last + 1 : last + 1);
  const int around_k = std::min(static_cast<int>(k) + 1 - points / 2, last + 1 - points);
  const int first = even ? around_k : std::max(0, around_k);
  std::vector<double> around;
  for (int i = first; i < first + points; ++i) around.push_back(f[as_size(std::abs(i))]);
  return integral(around, static_cast<double>(static_cast<int>(k) - first));
}

}  // namespace

CumulativeIntegral cumulative_integral(std::span<const double> f, double spacing, bool even) {
  const auto values_of = [&](std::span<const double> g, double step) {
    std::vector<double> values = {0.0};
    for (std::size_t k = 0; k + 1 < g.size(); ++k)
      values.push_back(values.back() + step * interval(g, k, 8, even));
    return values;
  };
  CumulativeIntegral result{values_of(f, spacing), std::vector<double>(f.size(), 0.0)};
  std::vector<double> every_other;
  for (std::size_t k = 0; k < f.size(); k += 2) every_other.push_back(f[k]);
  const auto coarse = values_of(every_other, 2.0 * spacing);
  const auto distance = [&](std::size_t k) { return std::abs(result.values[2 * k] - coarse[k]); };
  for (std::size_t k = 1; k < f.size(); ++k) {
    const std::size_t before = k / 2;
    const std::size_t after = std::min((k + 1) / 2, coarse.size() - 1);
    const double here = after == 0 ? std::abs(result.values[k])  // two values tell nothing of what is between
                                   : std::max(distance(before), distance(after));
    result.error[k] = std::max(result.error[k - 1], here);
  }
  return result;
}

}  // namespace qheat
