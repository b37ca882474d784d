#include "kernel/site_inverse.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parallel/lapack.hpp"
#include "parallel/small_matrix.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kNothing = 1e-10;  // of the largest element: a sum over all sites that is fixed

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

/// Of the symmetric part, ascending.
std::vector<double> eigenvalues(std::span<const double> matrix, std::size_t size) {
  std::vector<double> symmetric(size * size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j)
      symmetric[i * size + j] = (matrix[i * size + j] + matrix[j * size + i]) / 2.0;
  }
  const int n = static_cast<int>(size);
  const int work_size = 64 * n;
  std::vector<double> values(size), work(as_size(work_size));
  int info = 0;
  dsyev_("N", "U", &n, symmetric.data(), &n, values.data(), work.data(), &work_size, &info);
  if (info != 0) values.assign(size, std::numeric_limits<double>::quiet_NaN());
  return values;
}

}  // namespace

std::size_t independent_sites(std::size_t sites, std::span<const double> start) {
  const auto values = eigenvalues(start, sites);
  return as_size(std::count_if(values.begin(), values.end(),
                               [&](double value) { return value > kNothing * values.back(); }));
}

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
  result.norm = one_norm(sites, result.values);
  const auto values = eigenvalues(result.values, sites);
  result.negative =
      static_cast<int>(std::count_if(values.begin(), values.end(), [](double v) { return v < 0.0; }));
  result.determinant_sign = invert(result.values, sites);
  if (result.determinant_sign != 0.0) result.condition = result.norm * one_norm(sites, result.values);
  // what rounding leaves of a matrix without an inverse has one, of no meaning
  constexpr double kNoDigits = 1e13;
  if (!(result.condition > 0.0 && result.condition < kNoDigits)) {
    result.determinant_sign = 0.0;
    result.condition = std::numeric_limits<double>::infinity();
  }
  return result;
}

}  // namespace qheat
