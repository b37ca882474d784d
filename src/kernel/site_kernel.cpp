#include "qheat/kernel/site_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel/site_inverse.hpp"
#include "parallel/small_matrix.hpp"
#include "parallel/unknown.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

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
      if (lattice.bond_between(static_cast<int>(i), static_cast<int>(j)) >= 0) local += std::abs(rate);
      negative -= std::min(rate, 0.0);
      square += rate * rate;
      difference += std::pow(rate - kernel.generator[j * n + i], 2);
    }
  }
  const bool tested = all > 0.0;
  kernel.locality = tested ? local / all : kUnknown;
  kernel.negativity = tested ? negative / all : kUnknown;
  kernel.symmetry = tested ? 1.0 - std::sqrt(difference) / (2.0 * std::sqrt(square)) : kUnknown;
}

}  // namespace

SiteKernel site_kernel(const Lattice& lattice, std::span<const double> correlation,
                       std::span<const double> change) {
  const std::size_t n = as_size(lattice.sites());
  const SiteInverse inverse = site_inverse(n, correlation);
  SiteKernel kernel{.generator = std::vector<double>(n * n, kUnknown),
                    .norm = inverse.norm,
                    .condition = inverse.condition,
                    .determinant_sign = inverse.determinant_sign,
                    .negative = inverse.negative};
  if (kernel.determinant_sign == 0.0) {
    kernel.locality = kernel.symmetry = kernel.negativity = kUnknown;
    return kernel;
  }
  kernel.generator = small_product(n, change, inverse.values);
  add_scores(lattice, n, kernel);
  return kernel;
}

std::vector<double> site_bond_rates(const Lattice& lattice, const SiteKernel& kernel) {
  const std::size_t n = as_size(lattice.sites());
  std::vector<double> rates;
  for (const Bond& bond : lattice.bonds()) {
    const std::size_t i = as_size(bond.first);
    const std::size_t j = as_size(bond.second);
    rates.push_back((kernel.generator[i * n + j] + kernel.generator[j * n + i]) / 2.0);
  }
  return rates;
}

}  // namespace qheat
