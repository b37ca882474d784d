#include <algorithm>
#include <cmath>

#include "fluctuations/open_correlations.hpp"
#include "qheat/evolution/chebyshev.hpp"
#include "qheat/evolution/chebyshev_work.hpp"
#include "qheat/evolution/phases.hpp"
#include "qheat/fluctuations/correlations.hpp"
#include "qheat/operators/product_work.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {
namespace {

constexpr Index kAllStates = 256;       // so few are all taken, whatever they cost
constexpr double kExactSeconds = 1.0;   // of all states, that are spent instead of sampling
constexpr Index kManyStates = 1 << 20;  // of which two samples tell more than many of few
constexpr int kOutputsAtOnce = 8;

struct Course {
  const Model& model;
  const std::vector<double>& times;
  const CorrelationOptions& options;
};

double vectors(const CorrelationOptions& options) {
  return 1.0 + static_cast<double>(options.sources.size() + options.axes.size());
}

/// Of one state and what is measured of it, and once for the part.
std::pair<Work, Work> work_of(const Course& run, const EquilibriumPart& part, int outputs_at_once) {
  constexpr double kPasses = 2.5;  // products that a pass over all elements takes, both partners of each
  const auto states = static_cast<double>(part.dimension);
  const double outputs = static_cast<double>(run.times.size()) - 1.0;
  const ChebyshevCourse course{part.counts, states, typical_radius(run.model, part.counts) * run.times.back(),
                               outputs, outputs_at_once};
  const Work product = hamiltonian_work(run.model, part.counts, states);
  Work one = vectors(run.options) * chebyshev_work(run.model, course);
  one += (vectors(run.options) - 1.0) * (1.0 + outputs) * kPasses * product;
  one += (1.0 + outputs) * pass_work(states, 2.0);
  Work once = spectral_bounds_work(run.model, course);
  return {one, once};
}

double bytes_of(const Course& run, Index dimension, int outputs_at_once, int ranks) {
  const double rows = std::sqrt(static_cast<double>(dimension)) * 4.0;
  const double bonds = run.model.lattice.bond_count();
  const double engines = 2.0 + vectors(run.options);  // H, what is measured, sources and currents
  const double reach = run.options.energy == SiteEnergy::full ? 3.0 : 1.0;
  const double tables = engines * rows * (24.0 + 8.0 * reach * bonds + (50.0 + 8.0 * reach * bonds) / ranks);
  constexpr double kWeights = 0.5;
  const double held =
      vectors(run.options) + ChebyshevEvolution::work_vectors(outputs_at_once) + outputs_at_once + kWeights;
  return 16.0 * static_cast<double>(dimension) / ranks * held + tables;
}

/// All of the parts, `columns` states of each (0: as many as it has).
Work total_work(const Course& run, const CorrelationPlan& plan, double columns) {
  Work work;
  for (const auto& part : plan.parts) {
    const auto [one, once] = work_of(run, part, plan.outputs_at_once);
    work += (columns > 0.0 ? columns : static_cast<double>(part.dimension)) * one;
    work += once;
  }
  return work;
}

}  // namespace

CorrelationPlan plan_correlations(const Model& model, const std::vector<double>& times,
                                  const CorrelationOptions& options, int ranks, double free_bytes) {
  followed_phase(model, times.back(), "the propagation of fluctuations");
  CorrelationPlan plan{.parts = equilibrium_parts(model, options.equilibrium)};
  for (const auto& part : plan.parts) {
    plan.largest_dimension = std::max(plan.largest_dimension, part.dimension);
    plan.states = checked_sum(plan.states, part.dimension, "the states of the equilibrium");
  }
  plan.reversal = std::isinf(options.equilibrium.temperature) && options.energy == SiteEnergy::levels &&
                  plan.parts.size() > 1 && has_level_reversal(model);
  if (plan.reversal) plan.parts = without_reversed(plan.parts);
  const Course run{model, times, options};
  if (!model.bath.closed()) {  // the operators themselves are propagated, all states at once
    const OpenPlan open = plan_open_correlations(model, times, options, ranks, free_bytes);
    plan.exact = true;
    plan.bytes_per_rank = plan.least_bytes_per_rank = open.bytes_per_rank;
    plan.work = (vectors(options) - 1.0) * open.work;
    plan.elements = open.elements;
    return plan;
  }
  const auto most = static_cast<int>(std::min<std::size_t>(kOutputsAtOnce, times.size()));
  plan.least_bytes_per_rank = bytes_of(run, plan.largest_dimension, 1, ranks);
  for (plan.outputs_at_once = most; plan.outputs_at_once > 1; plan.outputs_at_once /= 2) {
    if (fits_memory(bytes_of(run, plan.largest_dimension, plan.outputs_at_once, ranks), free_bytes)) break;
  }
  plan.bytes_per_rank = bytes_of(run, plan.largest_dimension, plan.outputs_at_once, ranks);
  plan.samples = options.samples > 0 ? options.samples : plan.states >= kManyStates ? 2 : 4;
  if (options.samples == 0) {
    const double seconds = total_work(run, plan, 0.0).seconds();
    plan.exact = plan.states <= kAllStates || seconds <= kExactSeconds ||
                 seconds <= total_work(run, plan, plan.samples).seconds();
  }
  plan.work = total_work(run, plan, plan.exact ? 0.0 : plan.samples);
  return plan;
}

}  // namespace qheat
