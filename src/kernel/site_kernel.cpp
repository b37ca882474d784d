#include "qheat/kernel/site_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "parallel/lapack.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
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

bool neighbours(const Lattice& lattice, int i, int j) {
  const auto& bonds = lattice.bonds_of(i);
  return std::any_of(bonds.begin(), bonds.end(), [&](int b) {
    const Bond& bond = at(lattice.bonds(), b);
    return bond.first == j || bond.second == j;
  });
}

void add_scores(const Lattice& lattice, std::size_t n, SiteKernel& kernel) {
  double all = 0.0;
  double local = 0.0;
  double negative = 0.0;
  double square = 0.0;
  double difference = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const double rate = kernel.generator[i * n + j];
      all += std::abs(rate);
      if (neighbours(lattice, static_cast<int>(i), static_cast<int>(j))) local += std::abs(rate);
      negative -= std::min(rate, 0.0);
      square += rate * rate;
      difference += std::pow(rate - kernel.generator[j * n + i], 2);
    }
  }
  const bool tested = all > 0.0;
  kernel.locality = tested ? local / all : kNaN;
  kernel.negativity = tested ? negative / all : kNaN;
  kernel.symmetry = tested ? 1.0 - std::sqrt(difference) / (2.0 * std::sqrt(square)) : kNaN;
}

}  // namespace

SiteKernel site_kernel(const Lattice& lattice, std::span<const double> correlation,
                       std::span<const double> change) {
  const std::size_t n = as_size(lattice.sites());
  std::vector<double> inverse(correlation.begin(), correlation.end());
  double total = 0.0;
  double largest = 0.0;
  for (const double value : inverse) {
    total += value;
    largest = std::max(largest, std::abs(value));
  }
  const bool fixed = std::abs(total) <= kNothing * largest * static_cast<double>(n);
  if (fixed) {  // C + s 11^T/N is regular, and 11^T adds nothing to C' C^{-1}
    for (double& value : inverse) value += largest / static_cast<double>(n);
  }
  const double norm = one_norm(inverse, n);
  SiteKernel kernel{.generator = std::vector<double>(n * n, kNaN)};
  kernel.determinant_sign = invert(inverse, n);
  if (kernel.determinant_sign == 0.0) {
    kernel.condition = std::numeric_limits<double>::infinity();
    kernel.locality = kernel.symmetry = kernel.negativity = kNaN;
    return kernel;
  }
  kernel.condition = norm * one_norm(inverse, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::size_t k = 0; k < n; ++k) sum += change[i * n + k] * inverse[k * n + j];
      kernel.generator[i * n + j] = sum;
    }
  }
  add_scores(lattice, n, kernel);
  return kernel;
}

}  // namespace qheat
