#include "qheat/kernel/memory_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "kernel/volterra.hpp"
#include "parallel/unknown.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {
namespace {

using Propagators = std::vector<std::unique_ptr<const PopulationPropagator>>;
using Resolution = MemoryKernel::Resolution;

/// Called with the share of a grid's work that is done.
using Report = std::function<void(double)>;

/// True where populations move at once, G'(0) != 0. Collective.
bool moves_at_once(const PopulationPropagator& propagator) {
  const auto g = propagator.evaluate(0.0, 1);
  double largest = 0.0;
  for (const auto* part : {&g[1].even, &g[1].odd}) {
    const auto block = part->block();
    for (Index e = 0; e < block.rows() * block.columns(); ++e)
      largest = std::max(largest, std::abs(block.data()[e]));
  }
  return propagator.layout().comm().max(largest) > 0.0;
}

std::vector<FullColumns> solve_sector(const PopulationPropagator& propagator, std::size_t steps, double step,
                                      const Report& report) {
  const bool at_once = moves_at_once(propagator);
  const CellColumnLayout& layout = propagator.layout();
  std::vector<std::unique_ptr<Volterra>> parities;
  parities.push_back(std::make_unique<Volterra>(layout, true, at_once));
  if (layout.mirror().odd_size() > 0) parities.push_back(std::make_unique<Volterra>(layout, false, at_once));
  for (std::size_t n = 0; n <= steps; ++n) {
    const auto g = propagator.evaluate(static_cast<double>(n) * step, 2);
    for (const auto& parity : parities) parity->append(g);
    report(0.0);
  }
  const auto parts = static_cast<double>(parities.size());
  double done = 0.0;
  for (const auto& parity : parities) {
    parity->solve(step, [&](double share) { report((done + share) / parts); });
    done += 1.0;
  }
  std::vector<FullColumns> result;
  for (std::size_t n = 0; n <= steps; ++n) {
    CellColumns columns = layout.zero();
    for (const auto& parity : parities) parity->write(n, columns);
    result.push_back(full_columns(layout, columns));
  }
  return result;
}

class Refinement {
 public:
  Refinement(const Propagators& propagators, const std::vector<double>& times,
             const MemoryKernelOptions& options, const Communicator& comm, RunControl& control)
      : propagators_(propagators), times_(times), options_(options), comm_(comm), control_(control) {
    for (const auto& propagator : propagators) cells_.push_back(propagator->layout().mirror().states());
  }

  std::size_t steps(std::size_t steps_per_output) const { return (times_.size() - 1) * steps_per_output; }

  /// The coarsest grid: no oscillation hides between its points, and the quadrature has its order.
  std::size_t first() const {
    double fastest = 0.0;
    for (const auto& propagator : propagators_) fastest = std::max(fastest, propagator->largest_frequency());
    const double needed = std::max(fastest * times_.back() / std::numbers::pi,
                                   static_cast<double>(ConvolutionQuadrature::kOrder));
    std::size_t steps_per_output = 1;
    while (times_.size() > 1 && static_cast<double>(steps(steps_per_output)) < needed) steps_per_output *= 2;
    return steps_per_output;
  }

  void require(std::size_t steps_per_output) const {
    const auto count = static_cast<double>(steps(steps_per_output));
    require_memory(comm_, memory_kernel_bytes_per_rank(cells_, count, comm_.size()),
                   fmt::format("the memory kernel on {} time steps (a smaller time.outputs or time.end needs "
                               "less)",
                               count));
  }

  bool affords(std::size_t steps_per_output) const {
    const auto count = static_cast<double>(steps(steps_per_output));
    const double free = free_bytes_per_rank(comm_);
    const double bytes = memory_kernel_bytes_per_rank(cells_, count, comm_.size());
    return operations(count) <= options_.most_operations && (free == 0.0 || bytes <= free);
  }

  /// Multiplications and additions of all products, a rank.
  double operations(double count) const {
    double sum = 0.0;
    for (const auto& propagator : propagators_) {
      const MirrorPairs& mirror = propagator->layout().mirror();
      for (const Index size : {mirror.even_size(), mirror.odd_size()}) {
        sum += std::pow(static_cast<double>(size), 3) * count * count;
      }
    }
    return sum / comm_.size();
  }

  Resolution solve(std::size_t steps_per_output) const {
    const std::size_t count = steps(steps_per_output);
    const Stage stage(control_, fmt::format("{} steps", count));
    const double step = count == 0 ? 0.0 : times_.back() / static_cast<double>(count);
    Resolution result{steps_per_output, step, {}};
    for (const auto& propagator : propagators_) {
      const auto sector = static_cast<double>(result.sectors.size());
      result.sectors.push_back(solve_sector(*propagator, count, step, [&](double share) {
        control_.offer((sector + share) / static_cast<double>(propagators_.size()), [](StateWriter&) {});
      }));
    }
    return result;
  }

  /// Largest |element|, all times and ranks.
  double largest(const Resolution& resolution) const {
    double largest = 0.0;
    for (const auto& sector : resolution.sectors) {
      for (const auto& columns : sector) {
        for (Index j = 0; j < columns.values.block().columns(); ++j) {
          for (const double value : columns.values.block().column_span(j)) {
            largest = std::max(largest, std::abs(value));
          }
        }
      }
    }
    return comm_.max(largest);
  }

  /// Largest difference between two grids at the times of the coarser one; infinity if unknown.
  double difference(const Resolution& coarser, const Resolution& finer) const {
    double largest = 0.0;
    for (std::size_t s = 0; s < coarser.sectors.size(); ++s) {
      for (std::size_t n = 0; n < coarser.sectors[s].size(); ++n) {
        const auto a = coarser.sectors[s][n].values.block();
        const auto b = finer.sectors[s][2 * n].values.block();
        for (Index j = 0; j < a.columns(); ++j) {
          largest = std::max(largest, largest_difference(a.column_span(j), b.column_span(j)));
        }
      }
    }
    return comm_.max(largest);
  }

  /// Rounding of the largest terms of G'', which the equation passes on.
  double rounding() const {
    double most = 0.0;
    for (const auto& propagator : propagators_) {
      const double frequency = propagator->largest_frequency();
      most = std::max(most, propagator->error(0.0) * frequency * frequency);
    }
    return most;
  }

  /// Relative error of G at the end: phases that lose digits with time.
  double error_of_propagators() const {
    double most = 0.0;
    for (const auto& propagator : propagators_) {
      most = std::max(most, propagator->error(times_.back()) - propagator->sampling_error(times_.back()));
    }
    return most;
  }
  /// The same by a finite number of realisations.
  double sampling_of_propagators() const {
    double most = 0.0;
    for (const auto& propagator : propagators_)
      most = std::max(most, propagator->sampling_error(times_.back()));
    return most;
  }

 private:
  const Propagators& propagators_;
  const std::vector<double>& times_;
  const MemoryKernelOptions& options_;
  Communicator comm_;
  RunControl& control_;
  std::vector<Index> cells_;
};

}  // namespace

MemoryKernel::MemoryKernel(const Propagators& propagators, const std::vector<double>& times,
                           const MemoryKernelOptions& options, const Communicator& comm, RunControl& control)
    : outputs_(times.size()), coarser_{}, finer_{}, error_(0.0), sampling_(0.0) {
  const Refinement refinement(propagators, times, options, comm, control);
  const std::size_t first = refinement.first();
  refinement.require(2 * first);
  if (std::any_of(propagators.begin(), propagators.end(), [](const auto& p) { return moves_at_once(*p); })) {
    for (const auto& p : propagators) at_once_.push_back(full_columns(p->layout(), p->evaluate(0.0, 1)[1]));
  }
  finer_ = refinement.solve(first);
  const double rounding = refinement.rounding();
  const double inherited = refinement.error_of_propagators();
  for (;;) {
    coarser_ = std::move(finer_);
    finer_ = refinement.solve(2 * coarser_.steps_per_output);
    const double largest = refinement.largest(finer_);
    const double quadrature = error_of_finer(refinement.difference(coarser_, finer_));
    error_ = largest > 0.0 ? (quadrature + rounding) / largest + inherited : 0.0;
    sampling_ = largest > 0.0 ? refinement.sampling_of_propagators() : 0.0;
    const bool good = quadrature <= std::max(options.tolerance * largest, rounding);
    if (!good && refinement.affords(2 * finer_.steps_per_output)) continue;
    // Nothing but rounding that moves no probability is no memory.
    constexpr double kNegligible = 1e-10;
    const double moved = std::max(1.0, error_ + sampling_) * largest * times.back() * times.back();
    if (error_ + sampling_ >= 1.0 && moved < kNegligible) set_to_zero();
    return;
  }
}

void MemoryKernel::set_to_zero() {
  for (Resolution* resolution : {&coarser_, &finer_}) {
    for (auto& sector : resolution->sectors) {
      for (auto& columns : sector) {
        const auto all = columns.values.block();
        std::fill_n(all.data(), all.rows() * all.columns(), 0.0);
      }
    }
  }
  error_ = 0.0;
  sampling_ = 0.0;
}

KernelValue MemoryKernel::at(std::size_t output) const {
  KernelValue value;
  for (const auto& sector : finer_.sectors) {
    value.sectors.push_back(sector[output * finer_.steps_per_output]);
  }
  value.asymmetry_squared = kUnknown;
  value.error = error_;
  value.sampling = sampling_;
  if (value.total_error() < 1.0) return value;
  for (auto& sector : value.sectors) {
    const auto all = sector.values.block();
    std::fill_n(all.data(), all.rows() * all.columns(), kUnknown);
  }
  return value;
}

double error_of_finer(double difference) {
  constexpr double kGain = 16.0;
  return difference / kGain;
}

double memory_kernel_bytes_per_rank(const std::vector<Index>& cells, double steps, int ranks) {
  // N on this grid and on the one before; G' of the sector under way, or N once more when G' has gone.
  double kept = 0.0;
  double under_way = 0.0;
  for (const Index size : cells) {
    const double elements = static_cast<double>(size) * static_cast<double>(size);
    kept += 1.5 * elements;
    under_way = std::max(under_way, elements);
  }
  return sizeof(double) * (steps + 1.0) * (kept + under_way) / ranks;
}

}  // namespace qheat
