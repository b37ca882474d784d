#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace qheat {

/// A B of small square matrices, element (a, b) at a n + b.
inline std::vector<double> small_product(std::size_t n, std::span<const double> a,
                                         std::span<const double> b) {
  std::vector<double> result(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) result[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return result;
}

/// Largest sum of the sizes in a column.
inline double one_norm(std::size_t n, std::span<const double> matrix) {
  double largest = 0.0;
  for (std::size_t j = 0; j < n; ++j) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += std::abs(matrix[i * n + j]);
    largest = std::max(largest, sum);
  }
  return largest;
}

}  // namespace qheat
