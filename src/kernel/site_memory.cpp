#include "qheat/kernel/site_memory.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel/site_inverse.hpp"
#include "kernel/volterra.hpp"
#include "parallel/small_matrix.hpp"
#include "qheat/kernel/convolution_quadrature.hpp"
#include "qheat/kernel/kernel_interpolant.hpp"
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
    const auto product = small_product(n, series.subspan(at, n * n), inverse.values);
    result.insert(result.end(), product.begin(), product.end());
  }
  return result;
}

/// -N of every `stride`-th time, [..][N][N].
std::vector<double> solved(const Propagator& g, std::size_t n, double step, std::size_t stride) {
  const CellColumnLayout layout(MirrorPairs(static_cast<Index>(n)), Communicator::self());
  double at_once = 0.0;  // C'(0)
  for (std::size_t e = 0; e < n * n; ++e) at_once = std::max(at_once, std::abs(g.first[e]));
  constexpr double kAtOnce = 1e-12;
  double largest = 0.0;
  for (const double value : g.first) largest = std::max(largest, std::abs(value));
  Volterra volterra(layout, true, at_once > kAtOnce * largest);
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

/// Largest difference at the times of the coarser of two grids; infinity if unknown.
double difference(const std::vector<double>& finer, const std::vector<double>& coarser, std::size_t size) {
  double largest = 0.0;
  for (std::size_t e = 0; e < coarser.size(); ++e) {
    const double one = std::abs(finer[e / size * 2 * size + e % size] - coarser[e]);
    if (!std::isfinite(one)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, one);
  }
  return largest;
}

/// Of an element, from the differences of three grids.
double quadrature_error(double fine, double coarse, bool three) {
  constexpr double kConverges = 4.0;  // each grid is at least so much better than the one before
  if (!three || !(coarse >= kConverges * fine)) return fine;
  constexpr double kMost = 16.0;  // is believed; times that the coarser grids lack may be worse
  return 4.0 * fine / std::min(coarse / fine - 1.0, kMost);
}

}  // namespace

SiteMemory site_memory(std::span<const double> start, std::span<const double> change,
                       std::span<const double> curvature, std::size_t sites, double step) {
  constexpr std::size_t kLeastTimes = ConvolutionQuadrature::kOrder + 1;
  const std::size_t size = sites * sites;
  const std::size_t times = change.size() / size;
  const SiteInverse inverse = site_inverse(sites, start);
  const Propagator g{times_inverse(change, inverse, sites), times_inverse(curvature, inverse, sites)};
  SiteMemory result{.frequency = {g.first.begin(), g.first.begin() + static_cast<std::ptrdiff_t>(size)},
                    .kernel = std::vector<double>(change.size(), std::numeric_limits<double>::quiet_NaN()),
                    .error = std::numeric_limits<double>::infinity()};
  if (times < kLeastTimes || inverse.determinant_sign == 0.0) return result;
  auto kernel = solved(g, sites, step, 1);
  const auto coarser = solved(g, sites, step, 2);
  const bool three = times > 2 * ConvolutionQuadrature::kOrder;
  const double fine = difference(kernel, coarser, size);
  const double coarse = three ? difference(coarser, solved(g, sites, step, 4), size) : 0.0;
  double largest = 0.0;
  for (const double value : kernel) largest = std::max(largest, std::abs(value));
  result.error = largest > 0.0 ? quadrature_error(fine, coarse, three) / largest : 0.0;
  if (result.error <= kLargestKernelError) result.kernel = std::move(kernel);
  return result;
}

}  // namespace qheat
