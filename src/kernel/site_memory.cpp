#include "qheat/kernel/site_memory.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel/site_inverse.hpp"
#include "kernel/volterra.hpp"
#include "qheat/kernel/kernel_interpolant.hpp"
#include "qheat/kernel/memory_kernel.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// G' = C' C(0)^{-1} and G'' at all times, [T][N][N].
struct Propagator {
  std::vector<double> first, second;
};

std::vector<double> times_inverse(std::span<const double> series, const SiteInverse& inverse, std::size_t n) {
  std::vector<double> result;
  for (std::size_t at = 0; at < series.size(); at += n * n) {
    const auto product = site_product(n, series.subspan(at, n * n), inverse.values);
    result.insert(result.end(), product.begin(), product.end());
  }
  return result;
}

/// -N of every `stride`-th time, [..][N][N].
std::vector<double> solved(const Propagator& g, std::size_t n, double step, std::size_t stride) {
  const CellColumnLayout layout(MirrorPairs(static_cast<Index>(n)), Communicator::self());
  Volterra volterra(layout, true, false);
  const std::size_t times = g.first.size() / (n * n);
  std::size_t count = 0;
  const auto set = [&](const std::vector<double>& series, std::size_t time, CellColumns& columns) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        columns.even.block().column(static_cast<Index>(j))[i] = series[(time * n + i) * n + j];
    }
  };
  for (std::size_t time = 0; time < times; time += stride, ++count) {
    std::vector<CellColumns> now(3, layout.zero());
    set(g.first, time, now[1]);
    set(g.second, time, now[2]);
    volterra.append(now);
  }
  volterra.solve(step * static_cast<double>(stride), [](double) {});
  std::vector<double> kernel;
  CellColumns columns = layout.zero();
  for (std::size_t time = 0; time < count; ++time) {
    volterra.write(time, columns);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        kernel.push_back(-columns.even.block().column(static_cast<Index>(j))[i]);
    }
  }
  return kernel;
}

}  // namespace

SiteMemory site_memory(std::span<const double> start, std::span<const double> change,
                       std::span<const double> curvature, std::size_t sites, double step) {
  const SiteInverse inverse = site_inverse(sites, start);
  const Propagator g{times_inverse(change, inverse, sites), times_inverse(curvature, inverse, sites)};
  SiteMemory result{.kernel = solved(g, sites, step, 1)};
  const auto coarser = solved(g, sites, step, 2);
  const std::size_t size = sites * sites;
  double largest = 0.0;
  double difference = 0.0;
  for (std::size_t e = 0; e < coarser.size(); ++e) {
    const double value = result.kernel[e / size * 2 * size + e % size];
    difference =
        std::max(difference, std::isfinite(value - coarser[e]) ? std::abs(value - coarser[e])
                                                               : std::numeric_limits<double>::infinity());
    largest = std::max(largest, std::abs(value));
  }
  if (largest > 0.0) result.error = error_of_finer(difference) / largest;
  if (!(result.error <= kLargestKernelError))
    std::fill(result.kernel.begin(), result.kernel.end(), std::numeric_limits<double>::quiet_NaN());
  return result;
}

}  // namespace qheat
