#include "qheat/transport/kernel_diffusion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "parallel/unknown.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// Of all rates of a kernel at a time, inverse time.
double rate_error(const KernelSeries& series, std::size_t time) {
  const double sampling = series.sampling.empty() || !series.plain_mean ? 0.0 : at(series.sampling, time);
  return (series.deciding_error(time) + sampling) * at(series.fastest, time);
}

std::string obstacle_of(const KernelDiffusion& found, std::size_t known, std::span<const double> times) {
  const bool all_zero = std::all_of(found.diffusion.begin(), found.diffusion.end(),
                                    [](double d) { return d == 0.0 || std::isnan(d); });
  if (known == 0) return "the kernel is not known at any output";
  if (times.size() == 1 && times.front() == 0.0) return "there is no output after t = 0";
  if (all_zero) return "it swaps no levels of neighbouring sites";
  const std::string none = "D(t) is not one number within 5 % over any [t1, t2] with t2 >= 2 t1";
  if (known < times.size()) {
    return fmt::format("{}, and the kernel is known until t = {:g} only (it diverges, or has no digits)",
                       none, times[known - 1]);
  }
  return none + "; a later time.end or more outputs may show one, dephasing makes one";
}

}  // namespace

KernelDiffusion kernel_diffusion(const KernelSeries& series, std::span<const double> times,
                                 const Lattice& lattice, double uncertainty) {
  KernelDiffusion found;
  if (lattice.bond_count() == 0 || lattice.explicit_graph()) {
    found.obstacle = lattice.explicit_graph() ? "bonds listed by hand have no length" : "there is no bond";
    found.diffusion.assign(times.size(), kUnknown);
    found.error.assign(times.size(), kUnknown);
    return found;
  }
  const std::size_t known = series.known({times.begin(), times.end()});
  const double area = lattice.spacing() * lattice.spacing();
  for (std::size_t t = 0; t < times.size(); ++t) {
    const auto& rates = series.scores[t].bond_rate;
    const bool told = t < known && !rates.empty();
    const double mean =
        told ? std::accumulate(rates.begin(), rates.end(), 0.0) / static_cast<double>(rates.size())
             : kUnknown;
    double distance = 0.0;
    for (const double rate : rates) distance = std::max(distance, std::abs(rate - mean));
    found.diffusion.push_back(area * mean);
    found.error.push_back(told ? area * (distance + rate_error(series, t) + uncertainty * std::abs(mean))
                               : kUnknown);
  }
  found.window = longest_window(times, found.diffusion);
  if (!found.window) {
    found.obstacle = obstacle_of(found, known, times);
    return found;
  }
  for (std::size_t t = 0; t < times.size(); ++t) {
    const bool inside = times[t] >= found.window->begin && times[t] <= found.window->end;
    if (inside) found.window_error = std::max(found.window_error, found.error[t]);
  }
  found.window_error += found.window->deviation;
  return found;
}

}  // namespace qheat
