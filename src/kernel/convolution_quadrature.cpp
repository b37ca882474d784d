#include "qheat/kernel/convolution_quadrature.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace qheat {
namespace {

/// The Lagrange polynomial of `node` on the nodes 0 ... nodes - 1.
double lagrange(std::size_t nodes, std::size_t node, double x) {
  double product = 1.0;
  for (std::size_t k = 0; k < nodes; ++k) {
    if (k == node) continue;
    product *= (x - static_cast<double>(k)) / (static_cast<double>(node) - static_cast<double>(k));
  }
  return product;
}

/// Gauss-Legendre, exact up to degree 15: products of two Lagrange polynomials on 8 nodes have 14.
template <class Function>
double integral(double from, double to, const Function& f) {
  constexpr std::array<double, 4> kPlaces = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267,
                                             0.9602898564975363};
  constexpr std::array<double, 4> kWeights = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745,
                                              0.1012285362903763};
  const double middle = (from + to) / 2.0;
  const double half = (to - from) / 2.0;
  double sum = 0.0;
  for (std::size_t k = 0; k < kPlaces.size(); ++k) {
    sum += kWeights[k] * (f(middle - half * kPlaces[k]) + f(middle + half * kPlaces[k]));
  }
  return half * sum;
}

}  // namespace

ConvolutionQuadrature::ConvolutionQuadrature(std::size_t points) : start_(std::min(points, kOrder)) {
  for (std::size_t n = 0; n < start_; ++n) {
    const auto end = static_cast<double>(n);
    for (std::size_t i = 0; i < start_; ++i) {
      integral_.push_back(integral(0.0, end, [&](double u) { return lagrange(start_, i, u); }));
      for (std::size_t j = 0; j < start_; ++j) {
        convolution_.push_back(integral(
            0.0, end, [&](double u) { return lagrange(start_, i, end - u) * lagrange(start_, j, u); }));
      }
    }
  }
  if (start_ < 2) return;
  for (std::size_t j = 0; j < start_; ++j) {
    last_step_.push_back(integral(static_cast<double>(start_ - 2), static_cast<double>(start_ - 1),
                                  [&](double u) { return lagrange(start_, j, u); }));
  }
}

std::vector<double> ConvolutionQuadrature::weights(std::size_t n) const {
  const std::size_t row = std::min(n, start_ - 1) * start_;
  std::vector<double> weights(std::max(n + 1, start_), 0.0);
  std::copy_n(integral_.begin() + static_cast<std::ptrdiff_t>(row), start_, weights.begin());
  for (std::size_t first = 1; first + start_ <= n + 1; ++first) {
    for (std::size_t j = 0; j < start_; ++j) weights[first + j] += last_step_[j];
  }
  return weights;
}

double largest_difference(std::span<const double> a, std::span<const double> b) {
  double largest = 0.0;
  for (std::size_t e = 0; e < a.size(); ++e) {
    const double difference = std::abs(a[e] - b[e]);
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

}  // namespace qheat
