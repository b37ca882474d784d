#include "kernel/site_inverse.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parallel/lapack.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kNothing = 1e-10;  // of the largest element: a sum over all sites that is fixed

double one_norm(std::span<const double> matrix, std::size_t n) {
  double largest = 0.0;
  for (std::size_t j = 0; j < n; ++j) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += std::abs(matrix[i * n + j]);
    largest = std::max(largest, sum);
  }
  return largest;
}

/// The inverse in the place of a matrix; the sign of its determinant, 0 if it is singular.
double invert(std::vector<double>& matrix, std::size_t size) {
  const int n = static_cast<int>(size);
  std::vector<int> pivots(size);
  int info = 0;
  dgetrf_(&n, &n, matrix.data(), &n, pivots.data(), &info);
  if (info != 0) return 0.0;
  double sign = 1.0;
  for (std::size_t k = 0; k < size; ++k) {
    if (matrix[k * size + k] < 0.0) sign = -sign;
    if (pivots[k] != static_cast<int>(k) + 1) sign = -sign;
  }
  const int work_size = 64 * n;
  std::vector<double> work(as_size(work_size));
  dgetri_(&n, matrix.data(), &n, pivots.data(), work.data(), &work_size, &info);
  return info == 0 ? sign : 0.0;
}

}  // namespace

SiteInverse site_inverse(std::size_t sites, std::span<const double> correlation) {
  SiteInverse result{.values = std::vector<double>(correlation.begin(), correlation.end())};
  double total = 0.0;
  double largest = 0.0;
  for (const double value : correlation) {
    total += value;
    largest = std::max(largest, std::abs(value));
  }
  const bool fixed = std::abs(total) <= kNothing * largest * static_cast<double>(sites);
  if (fixed) {  // C + s 11^T/N is regular, and 11^T adds nothing to C' C^{-1}
    for (double& value : result.values) value += largest / static_cast<double>(sites);
  }
  result.norm = one_norm(result.values, sites);
  result.determinant_sign = invert(result.values, sites);
  result.condition = result.determinant_sign == 0.0 ? std::numeric_limits<double>::infinity()
                                                    : result.norm * one_norm(result.values, sites);
  return result;
}

std::vector<double> site_product(std::size_t sites, std::span<const double> a, std::span<const double> b) {
  std::vector<double> result(sites * sites, 0.0);
  for (std::size_t i = 0; i < sites; ++i) {
    for (std::size_t k = 0; k < sites; ++k) {
      for (std::size_t j = 0; j < sites; ++j) result[i * sites + j] += a[i * sites + k] * b[k * sites + j];
    }
  }
  return result;
}

}  // namespace qheat
