#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "qheat/evolution/chebyshev.hpp"
#include "qheat/evolution/exact.hpp"
#include "qheat/evolution/krylov.hpp"
#include "qheat/evolution/phases.hpp"
#include "qheat/evolution/spectrum.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

constexpr Index kSmallDimension = 512;        // diagonalised without a second thought
constexpr Index kLargestWholeMixture = 2000;  // beyond, a mixture is sampled unless the job says otherwise
constexpr int kDefaultSamples = 20;
constexpr Index kDenseBlock = 256;  // columns at a time: enough for matrix products at full speed
constexpr Index kStepwiseBlock = 8;
constexpr std::size_t kMostOutputsAtOnce = 8;

/// Number of configurations of a sector that the initial state occupies, by adding site after site.
Index occupied_states(const Model& model, const InitialState& initial, const std::vector<int>& counts) {
  const auto& band = model.site.band_of_level();
  std::map<std::vector<int>, Index> ways = {{std::vector<int>(counts.size(), 0), 1}};
  for (int i = 0; i < model.sites(); ++i) {
    std::map<std::vector<int>, Index> next;
    for (const auto& [used, number] : ways) {
      for (int n = 0; n < model.levels(); ++n) {
        if (initial.probabilities[static_cast<std::size_t>(i) * static_cast<std::size_t>(model.levels()) +
                                  static_cast<std::size_t>(n)] == 0.0)
          continue;
        auto more = used;
        if (!counts.empty()) {
          const std::size_t b = band[static_cast<std::size_t>(n)];
          if (++more[b] > counts[b]) continue;
        }
        Index& total = next[more];
        total = checked_sum(total, number, "the initial mixture");
      }
    }
    ways = std::move(next);
  }
  const auto place = ways.find(counts);
  return place == ways.end() ? 0 : place->second;
}

/// `bound`, that of the spectral radius in the full space, with the level energies of the sector alone.
double sector_radius_bound(const Model& model, double bound, const std::vector<int>& counts) {
  if (counts.empty()) return bound;
  struct Range {
    double low = INFINITY, high = -INFINITY;
  };
  std::vector<Range> bands(counts.size());
  double everywhere = 0.0;
  for (int i = 0; i < model.sites(); ++i) {
    const auto energies = model.energies_of(i);
    const auto [low, high] = std::minmax_element(energies.begin(), energies.end());
    everywhere += (*high - *low) / 2;
    for (std::size_t n = 0; n < energies.size(); ++n) {
      Range& range = bands[model.site.band_of_level()[n]];
      range = {std::min(range.low, energies[n]), std::max(range.high, energies[n])};
    }
  }
  double inside = 0.0;
  for (std::size_t b = 0; b < counts.size(); ++b) inside += counts[b] * (bands[b].high - bands[b].low) / 2;
  return bound - everywhere + std::min(everywhere, inside);
}

/// Elements of all V in a row of H, on average over the sector.
double elements_a_state(const Model& model, const std::vector<int>& counts) {
  const auto& band = model.site.band_of_level();
  const auto& sizes = model.site.band_sizes();
  const double n = model.sites();
  const auto share = [&](const PairElement& e) {  // of the states that have its levels c, d on the bond
    if (counts.empty()) return 1.0 / model.levels() / model.levels();
    const double firsts = counts[band[e.c]];
    const double seconds = counts[band[e.d]] - (band[e.c] == band[e.d] ? 1 : 0);
    return firsts * seconds / (n * (n - 1.0)) / sizes[band[e.c]] / sizes[band[e.d]];
  };
  std::vector<double> elements;
  for (const auto& v : model.interactions) {
    elements.push_back(0.0);
    for (const auto& e : v.elements()) elements.back() += share(e);
  }
  double all = 0.0;
  for (const int v : model.interaction_of_bond) all += elements[static_cast<std::size_t>(v)];
  return all;
}

/// Bytes on this rank for the elements of all V: in the model, in H and in the tables of H and observer.
double element_bytes(const Model& model) {
  constexpr double kBytesAnElement = 200.0;
  double elements = 0.0;
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    elements += static_cast<double>(model.interaction(b).elements().size());
  }
  return kBytesAnElement * elements;
}

/// Seconds on one core, roughly: only their ratio matters.
double diagonalization_cost(double dimension, bool real, double columns, double outputs) {
  const double solver = real ? 1.5e-10 : 1.5e-9;
  const double product = real ? 1e-10 : 2e-10;
  return solver * std::pow(dimension, 3) + outputs * columns * product * dimension * dimension;
}
double chebyshev_cost(const SectorPlan& plan, double radius, double elements, double outputs, double end) {
  const double products = 1.2 * radius * end + 12.0 * outputs;
  const double states = static_cast<double>(plan.columns) * static_cast<double>(plan.dimension);
  return states * products * 1e-9 * (6.0 + elements);
}

double bytes_per_rank(const SectorPlan& plan, const Model& model, bool real, int ranks) {
  const double vector = 16.0 * static_cast<double>(plan.dimension) / ranks;
  // Half-lattice tables of the Hamiltonian and of the observer: what acts inside rows is on every rank, what
  // joins rows is split.
  const double rows = std::sqrt(static_cast<double>(plan.dimension)) * 4.0;
  const double bonds = model.lattice.bond_count();
  const double tables = rows * (2.0 * (24.0 + 8.0 * bonds + (50.0 + 8.0 * bonds) / ranks) + model.sites()) +
                        element_bytes(model);
  const auto block = static_cast<double>(plan.columns_at_once);
  if (plan.method == ExactMethod::diagonalize) {
    return Spectrum::bytes_per_rank(plan.dimension, real, ranks) + 6.0 * block * vector + tables;
  }
  const int work = plan.method == ExactMethod::krylov
                       ? KrylovEvolution::kWorkVectors
                       : ChebyshevEvolution::work_vectors(plan.outputs_at_once);
  constexpr double kWeights = 0.5;
  return (work + kWeights + block) * vector + tables;
}

}  // namespace

std::vector<SectorPlan> plan_exact(const Model& model, const InitialState& initial,
                                   const std::vector<double>& times, const ExactOptions& options, int ranks,
                                   double free_bytes) {
  const double radius = spectral_radius_bound(model);
  followed_phase(model, times.back(), "exact propagation");
  const auto fits = [&](double bytes) { return free_bytes == 0.0 || bytes < 0.8 * free_bytes; };
  const bool real = model.is_real();
  std::vector<SectorPlan> plans;
  for (const auto& counts : sector_counts(model, initial)) {
    SectorPlan plan{.counts = counts,
                    .dimension = level_sector_dimension(model, counts),
                    .columns = occupied_states(model, initial, counts)};
    if (plan.columns == 0) continue;
    const int samples = options.samples > 0 ? options.samples : kDefaultSamples;
    const bool whole =
        plan.columns <= samples || (options.samples == 0 && plan.dimension <= kLargestWholeMixture);
    if (!whole) {
      plan.sampled = true;
      plan.columns = samples;
    }
    const auto with = [&](ExactMethod method) {
      plan.method = method;
      plan.columns_at_once =
          std::min(plan.columns, method == ExactMethod::diagonalize ? kDenseBlock : kStepwiseBlock);
      plan.outputs_at_once = method == ExactMethod::chebyshev
                                 ? static_cast<int>(std::min<std::size_t>(kMostOutputsAtOnce, times.size()))
                                 : 1;
      plan.bytes_per_rank = bytes_per_rank(plan, model, real, ranks);
      if (!fits(plan.bytes_per_rank) && plan.outputs_at_once > 1) {  // slower, but smaller
        plan.outputs_at_once = 1;
        plan.bytes_per_rank = bytes_per_rank(plan, model, real, ranks);
      }
      return fits(plan.bytes_per_rank);
    };
    const auto outputs = static_cast<double>(times.size());
    const double dense_seconds = diagonalization_cost(static_cast<double>(plan.dimension), real,
                                                      static_cast<double>(plan.columns), outputs);
    const double stepwise_seconds = chebyshev_cost(plan, sector_radius_bound(model, radius, counts),
                                                   elements_a_state(model, counts), outputs, times.back());
    if (options.method == ExactMethod::runge_kutta) {
      throw Error("Runge-Kutta steps are for open systems; set exact.method = \"chebyshev\" or \"krylov\"");
    }
    if (options.method != ExactMethod::automatic) {
      with(options.method);
    } else {
      const bool dense = plan.dimension <= kSmallDimension || dense_seconds < stepwise_seconds;
      if (!dense || !with(ExactMethod::diagonalize)) with(ExactMethod::chebyshev);
    }
    plan.core_seconds = plan.method == ExactMethod::diagonalize ? dense_seconds : stepwise_seconds;
    if (!fits(plan.bytes_per_rank)) {
      throw Error(
          fmt::format("exact propagation of a sector of {} states needs {:.3g} GB on each of {} ranks, but "
                      "{:.3g} GB are free; use "
                      "more nodes, fewer sites{}",
                      plan.dimension, plan.bytes_per_rank / 1e9, ranks, free_bytes / 1e9,
                      options.method == ExactMethod::diagonalize ? ", or exact.method = \"chebyshev\""
                                                                 : " or a smaller sector"));
    }
    plans.push_back(plan);
  }
  return plans;
}

}  // namespace qheat
