#include "qheat/transport/equilibrium_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "kernel/site_inverse.hpp"
#include "parallel/unknown.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/transport/cumulative_integral.hpp"

namespace qheat {
namespace {

constexpr double kNothing = 1e-12;  // of C(q,0): rounding
constexpr double kLinear = 0.3;     // relative error of what is divided by, up to which a jackknife holds

GreenKubo green_kubo(const SiteCorrelations& found, double susceptibility) {
  GreenKubo result{.correlation = found.current, .diffusion = {}, .quadrature = {}, .exponent = {}};
  const double spacing = found.times.size() > 1 ? found.times[1] - found.times[0] : 0.0;
  const CumulativeIntegral integral = cumulative_integral(found.current, spacing, found.even);
  for (const double value : integral.values) result.diffusion.push_back(value / susceptibility);
  for (const double value : integral.error) result.quadrature.push_back(value / susceptibility);
  for (std::size_t t = 0; t < found.times.size(); ++t)
    result.exponent.push_back(
        t == 0 ? kUnknown : 1.0 + found.times[t] * found.current[t] / (susceptibility * result.diffusion[t]));
  return result;
}

/// a^2 w(q) of the longest wave of each axis, and how far it is from q -> 0: w is a function of the
/// eigenvalue, linear there.
struct LongWaves {
  double longest = 0.0;
  double correction = 0.0;  ///< to q -> 0
};
LongWaves long_waves(const Lattice& lattice, std::span<const LatticeMode> modes, std::span<const double> w) {
  LongWaves result;
  const auto waves = longest_waves(lattice, modes);
  const double scale = lattice.spacing() * lattice.spacing() / static_cast<double>(waves.size());
  for (const auto& [first, second] : waves) {
    const double near = modes[first].eigenvalue;
    const double far = modes[second].eigenvalue;
    result.longest += scale * w[first];
    if (first != second) result.correction += scale * (w[first] - w[second]) * near / (far - near);
  }
  return result;
}

ModeDecay mode_decay(const Lattice& lattice, const SiteCorrelations& found,
                     std::span<const LatticeMode> modes) {
  ModeDecay result;
  std::vector<double> start;
  for (const auto& mode : modes) start.push_back(mode_value(mode, found.energy_at(0)));
  const double largest = *std::max_element(start.begin(), start.end());
  for (std::size_t time = 0; time < found.times.size(); ++time) {
    std::vector<double> rates, w;
    for (std::size_t q = 0; q < modes.size(); ++q) {
      const double value = mode_value(modes[q], found.energy_at(time));
      const bool fluctuates = start[q] > kNothing * largest;
      const bool known = fluctuates && std::abs(value) > kNothing * start[q];
      rates.push_back(known ? -mode_value(modes[q], found.change_at(time)) / value : kUnknown);
      result.amplitude.push_back(fluctuates ? value / start[q] : kUnknown);
      w.push_back(rates.back() / modes[q].eigenvalue);
    }
    const LongWaves waves = long_waves(lattice, modes, w);
    result.diffusion.push_back(waves.longest);
    result.finite_wave.push_back(std::abs(waves.correction));
    result.rate.insert(result.rate.end(), rates.begin(), rates.end());
  }
  return result;
}

double distance(const Lattice& lattice, int i, int j) {
  double square = 0.0;
  for (std::size_t axis = 0; axis < lattice.shape().size(); ++axis)
    square += std::pow(lattice.displacement(j, i, static_cast<int>(axis)), 2);
  return lattice.spacing() * std::sqrt(square);
}

/// Pairs of sites by their distance.
std::map<double, std::vector<std::size_t>> pairs_by_distance(const Lattice& lattice) {
  constexpr double kSameDistance = 1e-9;
  std::map<double, std::vector<std::size_t>> pairs;
  const int n = lattice.sites();
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      if (i == j) continue;
      const double r = distance(lattice, i, j);
      const auto near = pairs.lower_bound(r * (1.0 - kSameDistance));
      const bool known = near != pairs.end() && near->first <= r * (1.0 + kSameDistance);
      (known ? near->second : pairs[r]).push_back(as_size(i) * as_size(n) + as_size(j));
    }
  }
  return pairs;
}

SiteKernelSeries site_kernels(const Lattice& lattice, const SiteCorrelations& found,
                              std::span<const LatticeMode> modes) {
  SiteKernelSeries result;
  const auto pairs = pairs_by_distance(lattice);
  for (const auto& [r, list] : pairs) result.distances.push_back(r);
  for (std::size_t time = 0; time < found.times.size(); ++time) {
    result.kernels.push_back(site_kernel(lattice, found.energy_at(time), found.change_at(time)));
    const SiteKernel& kernel = result.kernels.back();
    std::vector<double> w;
    for (const auto& mode : modes) w.push_back(-mode_value(mode, kernel.generator) / mode.eigenvalue);
    result.dispersion.insert(result.dispersion.end(), w.begin(), w.end());
    const LongWaves waves = long_waves(lattice, modes, w);
    result.diffusion.push_back(waves.longest + waves.correction);
    result.finite_wave.push_back(std::abs(waves.correction));
    for (const auto& [r, list] : pairs) {
      double sum = 0.0;
      for (const std::size_t place : list) sum += kernel.generator[place];
      result.rate_by_distance.push_back(sum / static_cast<double>(list.size()));
    }
  }
  return result;
}

}  // namespace

std::string spreading_obstacle(const Lattice& lattice) {
  if (lattice.explicit_graph())
    return "bonds listed by hand have no length; give lattice.shape and lattice.periodic";
  if (transport_axes(lattice).empty()) return "no axis of the lattice is longer than two sites";
  return "";
}

std::string green_kubo_obstacle(const Lattice& lattice, SiteEnergy energy) {
  if (auto obstacle = spreading_obstacle(lattice); !obstacle.empty()) return obstacle;
  for (const int axis : transport_axes(lattice)) {
    if (!lattice.periodic()[as_size(axis)])
      return "the total current feels an open edge from the start; set lattice.periodic to true along axis " +
             std::to_string(axis);
    const int length = at(lattice.shape(), axis);
    if (length < shortest_ring(energy))
      return fmt::format(
          "a periodic axis of {} sites is too short for its currents to have a direction; use "
          "at least {}",
          length, shortest_ring(energy));
  }
  return "";
}

std::string matrix_obstacle(const Lattice& lattice, bool complete) {
  if (auto obstacle = spreading_obstacle(lattice); !obstacle.empty()) return obstacle;
  return complete ? "" : "it takes all sites as sources here; set transport.source = \"all\"";
}

std::string independence_obstacle(const Model& model, const Equilibrium& equilibrium, SiteEnergy energy) {
  constexpr int kMostSites = 64;  // more are not followed
  if (energy == SiteEnergy::levels || model.sites() > kMostSites) return "";
  const std::size_t n = as_size(model.sites());
  std::vector<TermSum<Complex>> energies;
  for (int i = 0; i < model.sites(); ++i) energies.push_back(site_energy(model, energy, i));
  std::vector<double> start(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      start[i * n + j] = start[j * n + i] =
          equilibrium_covariance(model, equilibrium, energies[i], energies[j]);
  }
  if (independent_sites(n, start) == n) return "";
  return "the energies of the sites depend on each other (of a bipartite lattice whose levels have one "
         "energy the "
         "alternating sum is nothing): a kernel between them is not the only one; give levels a spacing, or "
         "leave "
         "out \"site-kernel\"";
}

EquilibriumAnalysis analyse(const Lattice& lattice, const SiteCorrelations& found, double susceptibility,
                            std::span<const LatticeMode> modes, const EquilibriumRoutes& routes) {
  EquilibriumAnalysis result;
  if (routes.spreading) result.spread = spreading(lattice, found);
  if (routes.green_kubo) result.green_kubo = green_kubo(found, susceptibility);
  if (routes.modes) result.modes = mode_decay(lattice, found, modes);
  if (routes.site_kernel) result.site_kernel = site_kernels(lattice, found, modes);
  if (routes.memory) {
    const double step = found.times.size() > 1 ? found.times[1] - found.times[0] : 0.0;
    result.memory = site_memory(found.energy_at(0), found.change, found.curvature, found.sites, step);
  }
  return result;
}

std::vector<double> singular_times(std::span<const double> times, std::span<const SiteKernel> kernels,
                                   std::span<const double> relative_error) {
  std::vector<double> found;
  std::size_t last = times.size();  // that is known; none yet
  for (std::size_t t = 0; t < times.size(); ++t) {
    if (!(kernels[t].condition * relative_error[t] < 1.0)) continue;
    // of a ring most eigenvalues come in pairs: the determinant does not see them pass zero
    if (last < t && (kernels[last].negative != kernels[t].negative ||
                     kernels[last].determinant_sign * kernels[t].determinant_sign < 0.0))
      found.push_back((times[last] + times[t]) / 2.0);
    last = t;
  }
  return found;
}

std::vector<double> kernel_errors(const SiteKernelSeries& all,
                                  std::span<const SiteKernelSeries* const> without_one) {
  const auto n = static_cast<double>(without_one.size());
  std::vector<double> errors;
  for (std::size_t t = 0; t < all.kernels.size(); ++t) {
    const auto& k = all.kernels[t].generator;
    double square = 0.0;
    double variance = 0.0;
    for (std::size_t e = 0; e < k.size(); ++e) {
      square += k[e] * k[e];
      double mean = 0.0;
      for (const auto* one : without_one) mean += one->kernels[t].generator[e] / n;
      for (const auto* one : without_one)
        variance += std::pow(one->kernels[t].generator[e] - mean, 2) * (n - 1.0) / n;
    }
    errors.push_back(square > 0.0 ? std::sqrt(variance / square) : kUnknown);
  }
  return errors;
}

std::vector<double> jackknife_errors(std::span<const std::vector<double>> without_one) {
  constexpr std::size_t kNear = 4;  // outputs to each side
  if (without_one.size() < 2) return {};
  const std::size_t n = without_one.size();
  const std::size_t size = without_one.front().size();
  std::vector<double> variance;
  for (std::size_t k = 0; k < size; ++k) {
    double mean = 0.0;
    for (const auto& one : without_one) mean += one[k] / static_cast<double>(n);
    double square = 0.0;
    for (const auto& one : without_one) square += std::pow(one[k] - mean, 2);
    variance.push_back(square * static_cast<double>(n - 1) / static_cast<double>(n));
  }
  std::vector<double> errors;
  for (std::size_t k = 0; k < size; ++k) {
    double sum = 0.0;
    double count = 0.0;
    for (std::size_t i = k < kNear ? 0 : k - kNear; i < std::min(size, k + kNear + 1); ++i) {
      if (!std::isfinite(variance[i])) continue;
      sum += variance[i];
      count += 1.0;
    }
    errors.push_back(std::isfinite(variance[k]) ? std::sqrt(sum / count) : kUnknown);
  }
  return errors;
}

std::vector<bool> known_waves(const Lattice& lattice, std::span<const LatticeMode> modes,
                              const ModeDecay& decay, const std::vector<EquilibriumAnalysis>& without_one) {
  const auto of_wave = [&](const ModeDecay& all, std::size_t wave) {
    std::vector<double> values;
    for (std::size_t k = wave; k < all.amplitude.size(); k += modes.size())
      values.push_back(all.amplitude[k]);
    return values;
  };
  std::vector<bool> known(decay.diffusion.size(), true);
  for (const auto& wave : longest_waves(lattice, modes)) {
    const auto amplitude = of_wave(decay, wave.first);
    const auto errors = jackknife_errors(
        without_one, [&](const EquilibriumAnalysis& one) { return of_wave(*one.modes, wave.first); });
    for (std::size_t t = 0; t < errors.size(); ++t)
      known[t] = known[t] && errors[t] < kLinear * std::abs(amplitude[t]);
  }
  return known;
}

std::vector<bool> known_inverses(const SiteKernelSeries& series, std::span<const double> relative_error) {
  std::vector<bool> known;
  for (std::size_t t = 0; t < series.kernels.size(); ++t)
    known.push_back(series.kernels[t].condition * relative_error[t] < kLinear);
  return known;
}

}  // namespace qheat
