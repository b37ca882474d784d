#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qheat {

/// Quadrature of convolutions int_0^n f(n - u) g(u) du of smooth functions known at 0, 1, 2, ... (a uniform
/// grid with steps of 1), with an error of order h^8 if the steps are h.
///
/// The first points form one system: there f and g are both interpolated through all of them. Later on, the
/// integrand is interpolated through the start points, and through the last points for each step after it
/// (Adams-Moulton), which leaves all weights in the middle at 1.
class ConvolutionQuadrature {
 public:
  static constexpr std::size_t kOrder = 8;

  /// `points`: of the grid.
  explicit ConvolutionQuadrature(std::size_t points);

  /// How many points form the start: the order, or all points of a shorter grid.
  std::size_t start_points() const { return start_; }
  /// Weight of f(i) g(j) at time n; all of them start points.
  double start_weight(std::size_t n, std::size_t i, std::size_t j) const {
    return convolution_[(n * start_ + i) * start_ + j];
  }
  /// Weights of the integrand at 0 ... max(n, start_points() - 1) in its integral from 0 to n.
  std::vector<double> weights(std::size_t n) const;

 private:
  std::size_t start_;
  std::vector<double> convolution_;  ///< [n][i][j]
  std::vector<double> integral_;     ///< of the start points' Lagrange polynomials from 0 to n, [n][j]
  std::vector<double> last_step_;    ///< from the last start point but one to the last, [j]
};

/// Largest |a - b|; infinity if a difference is not a number.
double largest_difference(std::span<const double> a, std::span<const double> b);

}  // namespace qheat
