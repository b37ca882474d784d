#include "steady/refinement.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "qheat/model/counter_random.hpp"

namespace qheat {
namespace {

constexpr int kMostCorrections = 60;
constexpr double kSettled = 1e-26;   // of the norm: the smallest of currents keep their digits
constexpr double kRounding = 1e-18;  // where corrections may end for want of digits
constexpr double kSame = 1e-16;      // of two starts
constexpr double kStart = 10.0;      // of the norm

template <class Number>
double norm(const std::vector<Number>& x) {
  double square = 0.0;
  for (const Number& v : x) {
    if constexpr (std::is_same_v<Number, Complex>) {
      square += std::norm(v);
    } else {
      square += std::norm(v.value());
    }
  }
  return std::sqrt(square);
}

/// The last correction over the norm of x; infinite if they do not end.
double correct(const FactoredEquation& equation, std::vector<PreciseComplex>& x) {
  std::vector<Complex> left(x.size());
  std::vector<Complex> correction(x.size());
  double last = INFINITY;
  for (int k = 0; k < kMostCorrections; ++k) {
    equation.residual(x, left);
    if (!equation.solve(left, correction)) return INFINITY;
    for (std::size_t e = 0; e < x.size(); ++e) x[e] += correction[e];
    const double size = norm(correction) / norm(x);
    if (!std::isfinite(size)) return norm(correction) == 0.0 ? 0.0 : INFINITY;
    if (size <= kSettled) return size;
    const bool ends = k > 0 && size > 0.5 * last;  // the first goes all the way from the start
    if (ends && k > 1) return size <= kRounding ? size : INFINITY;
    last = size;
  }
  return INFINITY;
}

void start_elsewhere(double length, bool real, std::vector<PreciseComplex>& x) {
  const CounterRandom random(1);
  const double scale = length / std::sqrt(static_cast<double>(x.size()));
  for (std::size_t e = 0; e < x.size(); ++e) {
    const auto number = static_cast<std::uint64_t>(e);
    const auto low = static_cast<std::uint32_t>(number);
    const auto high = static_cast<std::uint32_t>(number >> 32);
    x[e] = scale * Complex(random.normal({low, high, 0, 0}), real ? 0.0 : random.normal({low, high, 1, 0}));
  }
}

}  // namespace

Refinement refine(const FactoredEquation& equation, std::vector<PreciseComplex>& x) {
  std::fill(x.begin(), x.end(), PreciseComplex{});
  const double correction = correct(equation, x);
  if (!std::isfinite(correction)) return {false, correction};
  std::vector<PreciseComplex> other(x.size());
  start_elsewhere(kStart * norm(x), equation.is_real(), other);
  const double other_correction = correct(equation, other);
  if (!std::isfinite(other_correction)) return {false, other_correction};
  for (std::size_t e = 0; e < x.size(); ++e) other[e].add_product(-1.0, x[e]);
  return {norm(other) <= kSame * norm(x), std::max(correction, other_correction)};
}

}  // namespace qheat
