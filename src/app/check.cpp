#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/commands.hpp"
#include "app/job_input.hpp"
#include "app/requests.hpp"
#include "app/steady_study.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/exact.hpp"
#include "qheat/evolution/open.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/rates/solve.hpp"
#include "qheat/steady/steady.hpp"
#include "qheat/steady/two_point.hpp"

namespace qheat::app {
namespace {

// Below so many states a rank, talking costs more than it gains (dense: matrix rows).
constexpr double kStatesARank = 20000.0;
constexpr double kRowsARank = 200.0;
// Initial cells of open systems, which ranks propagate without talking: as many as one does in one pass.
constexpr double kCellsARank = 4.0;

const char* method_name(ExactMethod method) {
  if (method == ExactMethod::diagonalize) return "diagonalisation";
  if (method == ExactMethod::runge_kutta) return "Runge-Kutta steps";
  return method == ExactMethod::krylov ? "Krylov subspaces" : "Chebyshev polynomials";
}

struct Need {
  double bytes_per_rank = 0.0;
  int sensible_ranks = 1;  ///< most ranks that still gain
};

int useful(double size, double share) {
  return static_cast<int>(std::clamp(size / share, 1.0, 1e9));
}

/// The most of all sizes (the factors of a small density matrix may be larger than what a large one takes by
/// iteration) and dephasings.
void add_steady(const Job& job, int ranks, double free_bytes, Need& need) {
  for (const Model* size : steady_models(job)) {
    for (const SteadyVariant& variant : steady_variants(job)) {
      const Model model = varied(*size, variant);
      SteadyOptions options = steady_options(*job.steady);
      if (takes_two_point(model, options, ranks, free_bytes)) {
        options.method = SteadyMethod::two_point;
      } else {
        need.sensible_ranks =
            std::max(need.sensible_ranks, useful(static_cast<double>(steady_elements(model)), kStatesARank));
      }
      need.bytes_per_rank = std::max(need.bytes_per_rank, steady_bytes_per_rank(model, options, ranks));
    }
  }
}

/// `free_bytes`: a rank, which decides methods; 0: no limit.
Need need_of(const Job& job, int ranks, double free_bytes) {
  Need need;
  if (job.exact && !job.model->bath.closed()) {
    const auto plan =
        plan_open(*job.model, *job.initial, job.time->times(), exact_options(*job.exact), ranks, 0.0);
    need.bytes_per_rank = plan.bytes_per_rank;
    need.sensible_ranks = useful(static_cast<double>(plan.elements), kStatesARank);
  } else if (job.exact) {
    const auto times = job.time->times();
    const auto options = exact_options(*job.exact);
    const int realizations = job.detuning.realizations;
    const int groups = realizations > 1 ? ensemble_groups(realizations, {*job.model, *job.initial}, times,
                                                          options, ranks, 0.0)
                                        : 1;
    for (const auto& plan : plan_exact(*job.model, *job.initial, times, options, ranks / groups, 0.0)) {
      need.bytes_per_rank = std::max(need.bytes_per_rank, plan.bytes_per_rank);
      const bool dense = plan.method == ExactMethod::diagonalize;
      const int together = useful(static_cast<double>(plan.dimension), dense ? kRowsARank : kStatesARank);
      need.sensible_ranks = std::max(need.sensible_ranks, useful(1.0 * together * realizations, 1.0));
    }
  }
  if (job.spectrum) {
    need.bytes_per_rank =
        std::max(need.bytes_per_rank,
                 eigenstate_bytes_per_rank(*job.model, *job.initial, job.spectrum->states, ranks));
    for (const auto& counts : sector_counts(*job.model, *job.initial)) {
      const auto dimension = static_cast<double>(level_sector_dimension(*job.model, counts));
      need.sensible_ranks = std::max(need.sensible_ranks, useful(dimension, kStatesARank));
    }
  }
  if (job.steady) add_steady(job, ranks, free_bytes, need);
  need.bytes_per_rank = std::max(need.bytes_per_rank, kernel_bytes_per_rank(job, ranks));
  const bool dense = wants_dense_kernels(job);
  if (dense || !kernels_with_rates(job).empty()) {
    const auto cells = static_cast<double>(cell_dimension(*job.model, *job.initial));
    need.sensible_ranks =
        std::max(need.sensible_ranks, useful(cells, !dense                     ? kStatesARank
                                                    : job.model->bath.closed() ? kRowsARank
                                                                               : kCellsARank));
  }
  need.bytes_per_rank = std::max(need.bytes_per_rank, generator_bytes(job)) + series_bytes(job);
  return need;
}

std::string bath_text(const Bath& bath) {
  if (bath.closed()) return "none";
  if (!bath.correlation) {
    return fmt::format("dephasing gamma = {:g}, {} reservoir(s)", bath.dephasing, bath.reservoirs.size());
  }
  const auto& c = *bath.correlation;
  switch (c.kind) {
    case BathCorrelation::Kind::exponential:
      return fmt::format("correlation exp(-gamma t), gamma = {:g}", c.rate);
    case BathCorrelation::Kind::gaussian:
      return fmt::format("correlation exp(-(gamma t)^2/2), gamma = {:g}", c.rate);
    case BathCorrelation::Kind::bosons:
      break;
  }
  return fmt::format("bosons, alpha = {:g}, cutoff = {:g}, T = {:g}", c.alpha, c.cutoff, c.temperature);
}

void print_model(const Job& job) {
  const Model& model = *job.model;
  fmt::print("{}: valid\n", job.name);
  if (!job.title.empty()) fmt::print("title       {}\n", job.title);
  fmt::print("lattice     {} sites ({}), {} bonds{}\n", model.sites(),
             fmt::join(model.lattice.shape(), " x "), model.lattice.bond_count(),
             model.lattice.explicit_graph() ? " listed by hand" : "");
  fmt::print("sites       {} levels in {} bands\n", model.levels(), model.site.bands());
  fmt::print(
      "interaction lambda = {:g}, {}, {}\n", model.strength, model.is_real() ? "real" : "complex",
      model.hamiltonian_conserves_bands() ? "keeps the number of sites in each band" : "mixes the bands");
  fmt::print("bath        {}\n", bath_text(model.bath));
  if (job.time) fmt::print("time        0 to {:g}, {} outputs\n", job.time->end, job.time->outputs);
}

void print_open(const Job& job) {
  const auto plan = plan_open(*job.model, *job.initial, job.time->times(), exact_options(*job.exact), 1, 0.0);
  const std::string where = plan.counts.front().empty() ? "full space"
                            : plan.counts.size() == 1
                                ? fmt::format("sector [{}]", fmt::join(plan.counts.front(), ", "))
                                : fmt::format("{} blocks of equal counts", plan.counts.size());
  fmt::print("exact       {}: density matrix of {} elements, by {}\n", where, plan.elements,
             plan.method == ExactMethod::chebyshev ? "Faber polynomials" : method_name(plan.method));
}

void print_exact(const Job& job) {
  if (!job.model->bath.closed()) {
    print_open(job);
    return;
  }
  const auto plans =
      plan_exact(*job.model, *job.initial, job.time->times(), exact_options(*job.exact), 1, 0.0);
  if (job.detuning.realizations > 1) {
    fmt::print("average     over {} realizations of the detuning; the first one:\n",
               job.detuning.realizations);
  }
  constexpr std::size_t kMostLines = 12;
  for (std::size_t s = 0; s < std::min(plans.size(), kMostLines); ++s) {
    const auto& plan = plans[s];
    fmt::print("exact       {}: {} states, {} {}, by {}\n",
               plan.counts.empty() ? "full space" : fmt::format("sector [{}]", fmt::join(plan.counts, ", ")),
               plan.dimension, plan.columns, plan.sampled ? "random-phase states" : "state vector(s)",
               method_name(plan.method));
  }
  if (plans.size() > kMostLines)
    fmt::print("            ... and {} more sectors\n", plans.size() - kMostLines);
}

void print_steady(const Job& job, double free_here) {
  const auto models = steady_models(job);
  const Model& largest = *models.back();
  std::string sizes;
  for (const Model* model : models) sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", model->sites());
  const std::size_t rates = std::max<std::size_t>(1, job.steady->rates.size());
  const auto& dephasings = job.steady->dephasings;
  if (!job.steady->sizes.empty() || !dephasings.empty()) {
    fmt::print("steady      {} states: {} of {} sites at {} rate(s) of the reservoirs{}; the longest:\n",
               models.size() * steady_variants(job).size(),
               job.steady->sizes.empty() ? "the lattice" : "chains", sizes, rates,
               dephasings.empty() ? "" : fmt::format(" and dephasings {:g}", fmt::join(dephasings, ", ")));
  }
  if (takes_two_point(largest, steady_options(*job.steady), 1, free_here)) {
    fmt::print(
        "steady      two-point functions of {} sites, on one rank; {:.3g} GB if coherences reach from end "
        "to end\n",
        largest.sites(), two_point_bytes(largest.sites(), largest.sites() - 1) / 1e9);
  } else {
    fmt::print("steady      density matrix of {} elements\n", steady_elements(largest));
  }
}

void print_ranks(const Job& job, double free_here) {
  const int sensible = need_of(job, 1, free_here).sensible_ranks;
  fmt::print("ranks       memory a rank\n");
  for (int ranks = 1;; ranks *= 2) {
    const Need need = need_of(job, ranks, free_here / ranks);
    fmt::print("{:>8}    {:.3g} GB{}\n", ranks, need.bytes_per_rank / 1e9,
               ranks <= sensible ? "" : "   (too many: more talk than work)");
    if (ranks > sensible || ranks >= 1 << 20) break;
  }
  const double one = need_of(job, 1, free_here).bytes_per_rank;
  fmt::print("advice      1 to {} rank(s) make sense; {:.3g} GB in all, {:.3g} GB are free here\n", sensible,
             one / 1e9, free_here / 1e9);
}

}  // namespace

int check(const std::string& name, const Communicator& comm) {
  const Job job = read_job_on_all_ranks(name, comm);
  const double free_here = free_bytes_per_rank(comm) * comm.size();
  require_possible_kernels(job, comm.size(), 0.0);
  if (!comm.is_root()) return 0;
  print_model(job);
  if (job.exact) print_exact(job);
  if (job.spectrum) {
    fmt::print("spectrum    {} {} energies, by Krylov-Schur iteration\n", job.spectrum->states,
               job.spectrum->highest ? "highest" : "lowest");
  }
  if (job.steady) print_steady(job, free_here);
  if (const auto kernels = wanted_kernels(job); !kernels.empty()) {
    const auto cells = cell_count(job);
    const double stored =
        1e-6 * generator_bytes(job) * job.time->outputs * static_cast<double>(kernels.size());
    fmt::print("kernels     {} on {} cells{}\n", fmt::join(kernels, ", "),
               cells ? fmt::to_string(*cells) : "more than 2^63",
               stores_generators(job) ? fmt::format(", generators written: {:.3g} MB", stored) : "");
    if (const double steps = order_steps(job); steps > 0.0)
      fmt::print("            orders beyond 2 in {:.2g} steps of a unit phase\n", steps);
  }
  print_ranks(job, free_here);
  return 0;
}

}  // namespace qheat::app
