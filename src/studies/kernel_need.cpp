#include "studies/kernel_need.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/kernel/markov.hpp"
#include "qheat/kernel/memory_kernel.hpp"
#include "qheat/operators/bath_rates.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/product_work.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/propagator/cell_moments.hpp"
#include "qheat/propagator/population_propagator.hpp"
#include "qheat/propagator/propagator_orders.hpp"
#include "qheat/rates/solve.hpp"
#include "studies/kernel_requests.hpp"
#include "studies/sensible_ranks.hpp"

namespace qheat {
namespace {

/// Bytes a rank and work of one part.
struct Part {
  double bytes = 0.0;  ///< the least
  double extra = 0.0;  ///< beyond them, likely
  Work work{};

  Part& operator+=(const Part& more) {
    bytes += more.bytes;
    extra += more.extra;
    work += more.work;
    return *this;
  }
};

/// What all kernels of a job have in common.
class Kernels {
 public:
  Kernels(const Job& job, int ranks)
      : job_(job),
        model_(*job.model),
        ranks_(ranks),
        outputs_(job.time->outputs),
        end_(job.time->end),
        averaged_(job.detuning.realizations > 1),
        cells_(cell_dimension(model_, *job.initial)),
        sectors_(sector_counts(model_, *job.initial)) {
    for (const KernelId id : wanted_kernels(job)) {
      exact_ = exact_ || id == KernelId::exact() || id == KernelId::memory();
      if (id == KernelId::exact()) ++evaluated_;
      if (!is_local_kernel(job, id)) highest_ = std::max(highest_, id.order);
    }
    mirrored_ =
        !averaged_ && is_mirror_symmetric(hamiltonian(model_), model_.sites()) && has_mirrored_bath(model_);
  }

  Index cells() const { return cells_; }

  Part propagators() const {
    Part all;
    for (const auto& counts : sectors_) all += model_.bath.closed() ? closed(counts) : open(counts);
    return all;
  }
  /// K at all outputs, with its scores.
  Part evaluation() const {
    Part all;
    if (evaluated_ > 0) all.work += outputs_ * exact_at();
    if (highest_ > 0) all.work += tcl_at(highest_, outputs_, end_ / std::max(1.0, outputs_ - 1.0));
    return all;
  }
  Part memory() const;
  Part local_rates(KernelId id) const;
  Part dense_rates(KernelId id) const;
  /// Generators that wait in memory to be written.
  double kept_generators() const {
    if (!stores_generators(job_)) return 0.0;
    const auto c = static_cast<double>(cells_);
    return sizeof(double) * c * c * outputs_ * static_cast<double>(wanted_kernels(job_).size()) / ranks_;
  }

 private:
  Part closed(const std::vector<int>& counts) const;
  Part open(const std::vector<int>& counts) const;
  Work exact_at() const;
  Work tcl_at(int order, double times, double interval) const;
  double realizations() const { return job_.detuning.realizations; }
  /// Cells of a sector.
  double cells_of(const std::vector<int>& counts) const;
  bool in_blocks() const { return mirrored_ && model_.site.bands() == model_.levels(); }

  const Job& job_;
  const Model& model_;
  int ranks_;
  double outputs_, end_;
  bool averaged_, mirrored_ = false;
  Index cells_;
  std::vector<std::vector<int>> sectors_;
  bool exact_ = false;
  int evaluated_ = 0;
  int highest_ = 0;
};

double Kernels::cells_of(const std::vector<int>& counts) const {
  if (sectors_.size() == 1) return static_cast<double>(cells_);
  return std::exp(std::log(static_cast<double>(level_sector_dimension(model_, counts))) *
                  std::log(static_cast<double>(cells_)) /
                  (model_.sites() * std::log(static_cast<double>(model_.levels()))));
}

Part Kernels::closed(const std::vector<int>& counts) const {
  const Index states = level_sector_dimension(model_, counts);
  const bool real = model_.is_real();
  // Averages hold the eigenvectors or orders of all realisations, and work on one of them at a time.
  const double copies = averaged_ ? 1.0 + realizations() / 4.0 : 1.0;
  Part part;
  if (exact_) {
    part.bytes += copies * closed_propagator_bytes_per_rank(states, real, ranks_, in_blocks());
    part.work +=
        realizations() * (in_blocks() ? 0.25 : 1.0) * diagonalization_work(static_cast<double>(states), real);
  }
  if (highest_ > 0)
    part.bytes += copies * closed_orders_bytes_per_rank(states, highest_, ranks_, in_blocks());
  return part;
}

Part Kernels::open(const std::vector<int>& counts) const {
  constexpr double kMatrices = 8.0;  // of the kernel's recursion or factorisation, each order
  const auto c = static_cast<double>(cells_);
  const double matrix = sizeof(double) * c * c / ranks_;
  Part part;
  const auto add = [&](std::optional<int> order) {
    const MomentsNeed need = cell_moments_need(model_, counts, cells_, end_, order, ranks_, mirrored_);
    part.bytes += realizations() * need.bytes_per_rank + kMatrices * matrix * (order.value_or(0) + 1);
    part.work += realizations() * need.work;
  };
  if (exact_) add(std::nullopt);
  if (highest_ > 0) add(highest_);
  return part;
}

/// Exact K at one time: G, G', factors, condition, two solutions.
Work Kernels::exact_at() const {
  constexpr double kOperations = 9.0;  // a cube of a block: measured against bare calls, scores included
  Work work{};
  for (const auto& counts : sectors_) {
    const double states = cells_of(counts);
    const double cube = std::pow(states, 3) / (mirrored_ ? 4.0 : 1.0);
    work += dense_work(kOperations * cube);
    if (!model_.bath.closed()) continue;
    const auto all = static_cast<double>(level_sector_dimension(model_, counts));
    work += (realizations() - (states == all ? 1.0 : 0.0)) *
            dense_work(4.0 * std::pow(all, 3) / (in_blocks() ? 4.0 : 1.0));
  }
  return work;
}

/// TCL of all orders up to the highest at so many times, one after the other.
Work Kernels::tcl_at(int order, double times, double interval) const {
  constexpr double kTaylorTerms = 20.0;
  constexpr double kSecondsAnElement = 0.12e-9;  // of sparse rows times columns
  Work work{};
  for (const auto& counts : sectors_) {
    const double c = cells_of(counts);
    const double blocks = mirrored_ ? 0.5 : 1.0;
    work += times * dense_work(2.0 * (order - 1.0) * order / 2.0 * std::pow(c, 3) * blocks * blocks);
    if (!model_.bath.closed()) continue;
    const auto states = static_cast<double>(level_sector_dimension(model_, counts));
    const double steps = std::max(1.0, std::ceil(interval * typical_radius(model_, counts)));
    const double elements = 1.0 + elements_a_state(model_, counts);
    work += Work{.products = realizations() * times * 2.0 * steps * kTaylorTerms * (order + 1.0) * elements *
                             blocks * states * states * kSecondsAnElement};
  }
  return work;
}

Part Kernels::memory() const {
  Part part;
  std::vector<Index> sizes;
  double fastest = 0.0;
  for (const auto& counts : sectors_) {
    sizes.push_back(static_cast<Index>(cells_of(counts)));
    fastest = std::max(fastest, 2.0 * typical_radius(model_, counts));
  }
  const double needed = std::max(8.0, fastest * end_ / std::numbers::pi);
  double steps = std::max(1.0, outputs_ - 1.0);
  while (outputs_ > 1.0 && steps < needed) steps *= 2.0;
  steps *= 4.0;  // two grids at least, mostly three
  constexpr double kInBlocks = 0.8;
  part.bytes = (mirrored_ ? kInBlocks : 1.0) * memory_kernel_bytes_per_rank(sizes, steps, ranks_);
  for (const Index size : sizes) {
    const double cube = std::pow(static_cast<double>(size), 3) / (mirrored_ ? 4.0 : 1.0);
    part.work += dense_work(2.4 * cube * steps * steps);
    part.work += 2.0 * steps * exact_at();
  }
  return part;
}

Part Kernels::local_rates(KernelId id) const {
  constexpr double kStepsAMotion = 0.6;  // steps a motion of a cell, at usual tolerances
  constexpr double kFirstSteps = 8.0;    // from a small one on
  constexpr double kStages = 13.0;
  constexpr double kSecondsABond = 0.11e-9;  // of a product, a cell
  constexpr int kSamples = 16;
  const SecondOrderKernel kernel =
      id == KernelId::markov() ? markov_kernel(model_, job_.kernel ? job_.kernel->broadening : std::nullopt)
                               : SecondOrderKernel(model_);
  std::vector<double> rates(as_size(model_.lattice.bond_count()));
  double motions = 0.0;
  for (int k = 1; k <= kSamples; ++k) {
    kernel.bond_rates(end_ * k / kSamples, cell_counts(model_, *job_.initial), rates);
    for (const double rate : rates) motions += std::abs(rate) * end_ / kSamples;
  }
  const auto c = static_cast<double>(cells_);
  const double steps = kFirstSteps + outputs_ + kStepsAMotion * motions;
  Work stage{.products = kSecondsABond * (1.0 + model_.lattice.bond_count()) * c};
  stage += pass_work(c / 2.0, kStages / 2.0, kStages);
  return {.bytes = many_body_bytes_per_rank(cells_, ranks_), .work = steps * kStages * stage};
}

Part Kernels::dense_rates(KernelId id) const {
  constexpr double kPoints = 11.0;     // of a panel
  constexpr double kPanelPhase = 2.3;  // that a panel resolves, K being smooth
  constexpr double kNearPoles = 0.35;  // the same where K comes near its poles
  constexpr double kTried = 1.7;       // panels evaluated for one that is good
  constexpr double kStages = 26.0;     // some two steps an interval
  double fastest = 0.0;
  for (const auto& counts : sectors_) fastest = std::max(fastest, 2.0 * typical_radius(model_, counts));
  const double interval = end_ / std::max(1.0, outputs_ - 1.0);
  const double least = std::max(1.0, std::ceil(interval * fastest / kPanelPhase));
  const double likely = std::max(1.0, std::ceil(interval * fastest / kNearPoles));
  const double panels = (outputs_ - 1.0) * likely;
  const double evaluated = panels * kPoints * (likely > 1.0 ? kTried : 1.0);
  const auto c = static_cast<double>(cells_);
  Part part{.bytes = dense_many_body_bytes_per_rank(cells_, least, ranks_)};
  part.extra = dense_many_body_bytes_per_rank(cells_, likely, ranks_) - part.bytes;
  const int order = id.order;
  if (order == 0) {
    part.work += evaluated * exact_at();
  } else {
    part.work += tcl_at(order, evaluated, interval / likely / kPoints);
    if (model_.bath.closed()) {
      for (const auto& counts : sectors_)
        part.bytes +=
            closed_orders_bytes_per_rank(level_sector_dimension(model_, counts), order, ranks_, in_blocks());
    }
  }
  part.work += panels * kStages * pass_work(0.5 * c * c, kPoints, kPoints);
  return part;
}

}  // namespace

Need kernel_need(const Job& job, int ranks) {
  const Kernels kernels(job, ranks);
  Part all;
  Part rates;  // the largest: one after the other
  if (wants_dense_kernels(job)) {
    all += kernels.propagators();
    all += kernels.evaluation();
    all.extra += kernels.kept_generators();
  }
  for (const KernelId id : wanted_kernels(job)) {
    if (id == KernelId::memory()) all += kernels.memory();
  }
  for (const KernelId id : kernels_with_rates(job)) {
    if (id == KernelId::memory()) continue;  // a sum over what is there
    const Part part = is_local_kernel(job, id) ? kernels.local_rates(id) : kernels.dense_rates(id);
    all.work += part.work;
    rates.bytes = std::max(rates.bytes, part.bytes);
    rates.extra = std::max(rates.extra, part.extra);
  }
  Need need{.work = all.work};
  need.least_bytes_per_rank = std::max(all.bytes + rates.bytes, generator_bytes(job));
  need.bytes_per_rank = need.least_bytes_per_rank + all.extra + rates.extra;
  return need;
}

}  // namespace qheat
