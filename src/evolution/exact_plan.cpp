#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "qheat/evolution/chebyshev.hpp"
#include "qheat/evolution/chebyshev_work.hpp"
#include "qheat/evolution/exact.hpp"
#include "qheat/evolution/krylov.hpp"
#include "qheat/evolution/phases.hpp"
#include "qheat/evolution/spectrum.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/product_work.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"

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
        if (initial.probabilities[as_size(i) * as_size(model.levels()) + as_size(n)] == 0.0) continue;
        auto more = used;
        if (!counts.empty()) {
          const std::size_t b = at(band, n);
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

/// Bytes on this rank for the elements of all V: in the model, in H and in the tables of H and observer.
double element_bytes(const Model& model) {
  constexpr double kBytesAnElement = 200.0;
  double elements = 0.0;
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    elements += static_cast<double>(model.interaction(b).elements().size());
  }
  return kBytesAnElement * elements;
}

/// How the output times lie on the way of a stepwise method.
struct Steps {
  double phase;    ///< r t of all
  double outputs;  ///< that take a step, t = 0 not counted
};

/// What it takes to observe a state, beside the propagation.
Work observer_work(const Model& model, const SectorPlan& plan) {
  constexpr double kProducts = 1.8;  // all bonds in one pass: measured with chains of 20 sites
  return kProducts * hamiltonian_work(model, plan.counts, static_cast<double>(plan.dimension));
}

Work chebyshev_work_of(const Model& model, const SectorPlan& plan, const Steps& steps) {
  const ChebyshevCourse course{plan.counts, static_cast<double>(plan.dimension), steps.phase, steps.outputs,
                               plan.outputs_at_once};
  Work column = chebyshev_work(model, course);
  column += (1.0 + steps.outputs) * observer_work(model, plan);
  Work work = spectral_bounds_work(model, course);
  work += static_cast<double>(plan.columns) * column;
  return work;
}

/// SLEPc's Krylov spaces of 30 vectors, orthogonalised twice, each good for a phase.
Work krylov_work(const Model& model, const SectorPlan& plan, const Steps& steps) {
  constexpr double kSubspace = 30.0;
  constexpr double kPhase = 2.5;
  const auto states = static_cast<double>(plan.dimension);
  const double spaces = std::max(1.0, steps.outputs) *
                        std::max(1.0, std::ceil(steps.phase / std::max(1.0, steps.outputs) / kPhase));
  Work space = kSubspace * hamiltonian_work(model, plan.counts, states);
  space += pass_work(states, 2.0 * kSubspace * kSubspace, kSubspace);
  Work column = spaces * space;
  column += (1.0 + steps.outputs) * observer_work(model, plan);
  return static_cast<double>(plan.columns) * column;
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

Work work_of(const SectorPlan& plan, const Model& model, const std::vector<double>& times) {
  constexpr double kSecondsAnOutput = 8e-6;  // sums over ranks, observed values
  const auto outputs = static_cast<double>(times.size());
  const auto columns = static_cast<double>(plan.columns);
  Work work{.products = kSecondsAnOutput * outputs * columns};
  if (plan.method == ExactMethod::diagonalize) {
    const auto dimension = static_cast<double>(plan.dimension);
    work += diagonalization_work(dimension, model.is_real());
    work += dense_work(outputs * columns * (model.is_real() ? 4.0 : 8.0) * dimension * dimension);
    work += columns * outputs * observer_work(model, plan);
    return work;
  }
  const Steps steps{typical_radius(model, plan.counts) * times.back(), outputs - 1.0};
  work += plan.method == ExactMethod::krylov ? krylov_work(model, plan, steps)
                                             : chebyshev_work_of(model, plan, steps);
  return work;
}

/// Fills in method, memory and work; the fastest that fits, or else the smallest.
void choose_method(SectorPlan& plan, const Model& model, const std::vector<double>& times,
                   const ExactOptions& options, int ranks, double free_bytes) {
  const bool real = model.is_real();
  const auto with = [&](ExactMethod method, std::size_t outputs_at_once) {
    SectorPlan one = plan;
    one.method = method;
    one.columns_at_once =
        std::min(plan.columns, method == ExactMethod::diagonalize ? kDenseBlock : kStepwiseBlock);
    if (method == ExactMethod::chebyshev)
      one.outputs_at_once = static_cast<int>(std::min(outputs_at_once, times.size()));
    one.bytes_per_rank = bytes_per_rank(one, model, real, ranks);
    one.work = work_of(one, model, times);
    return one;
  };
  const auto fits = [&](const SectorPlan& one) { return fits_memory(one.bytes_per_rank, free_bytes); };
  std::vector<SectorPlan> ways;  // the one that is wanted first
  const bool stepwise_allowed =
      options.method == ExactMethod::automatic || options.method == ExactMethod::chebyshev;
  if (stepwise_allowed) {
    ways.push_back(with(ExactMethod::chebyshev, kMostOutputsAtOnce));  // slower, but smaller:
    ways.push_back(with(ExactMethod::chebyshev, 1));
  } else {
    ways.push_back(with(options.method, 1));
  }
  if (options.method == ExactMethod::automatic) {
    const SectorPlan dense = with(ExactMethod::diagonalize, 1);
    if (plan.dimension <= kSmallDimension || dense.work.seconds() < ways.front().work.seconds())
      ways.insert(ways.begin(), dense);
  }
  double least = ways.front().bytes_per_rank;
  for (const SectorPlan& way : ways) least = std::min(least, way.bytes_per_rank);
  const auto found = std::find_if(ways.begin(), ways.end(), fits);
  plan = found == ways.end() ? ways.back() : *found;
  plan.least_bytes_per_rank = least;
}

}  // namespace

std::vector<SectorPlan> plan_exact(const Model& model, const InitialState& initial,
                                   const std::vector<double>& times, const ExactOptions& options, int ranks,
                                   double free_bytes) {
  followed_phase(model, times.back(), "exact propagation");
  if (options.method == ExactMethod::runge_kutta || options.method == ExactMethod::implicit) {
    throw Error(
        "Runge-Kutta and implicit steps are for open systems; set exact.method = \"chebyshev\" or "
        "\"krylov\"");
  }
  std::vector<SectorPlan> plans;
  for (const auto& counts : sector_counts(model, initial)) {
    SectorPlan plan{.counts = counts,
                    .dimension = level_sector_dimension(model, counts),
                    .columns = occupied_states(model, initial, counts)};
    if (plan.columns == 0) continue;
    if (options.method == ExactMethod::krylov)
      require_petsc_indices(plan.dimension, "the dimension of a sector for exact.method = \"krylov\"");
    const int samples = options.samples > 0 ? options.samples : kDefaultSamples;
    const bool whole =
        plan.columns <= samples || (options.samples == 0 && plan.dimension <= kLargestWholeMixture);
    if (!whole) {
      plan.sampled = true;
      plan.columns = samples;
    }
    choose_method(plan, model, times, options, ranks, free_bytes);
    if (!fits_memory(plan.bytes_per_rank, free_bytes)) {
      throw Error(
          fmt::format("exact propagation of a sector of {} states needs {:.3g} GB on each of {} ranks, but "
                      "{:.3g} GB are free; use more nodes, fewer sites{}",
                      plan.dimension, plan.bytes_per_rank / 1e9, ranks, free_bytes / 1e9,
                      options.method == ExactMethod::diagonalize ? ", or exact.method = \"chebyshev\""
                                                                 : " or a smaller sector"));
    }
    plans.push_back(plan);
  }
  return plans;
}

}  // namespace qheat
