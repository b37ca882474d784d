#pragma once

#include <memory>
#include <vector>

#include "qheat/kernel/time_local_kernel.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/propagator/population_propagator.hpp"

namespace qheat {

struct MemoryKernelOptions {
  /// Wanted error of an element over the largest element. Populations become better than that by two or three
  /// digits.
  double tolerance = 1e-6;
  /// Floating-point operations that a rank may spend on one resolution; ends the refinement.
  double most_operations = 2e13;
};

/// The memory kernel N of the Nakajima-Zwanzig equation dP/dt = K_0 P + int_0^t N(t - s) P(s) ds (physics:
/// Memory kernel); K_0 = G'(0) is what the reservoirs do at once, zero without them.
///
/// G obeys the same equation; its derivative is the Volterra equation of the second kind
///     N(t) = G''(t) - K_0 G'(t) - int_0^t N(u) G'(t - u) du,
/// solved on uniform grids that contain the output times, each twice as fine as the one before, until two of
/// them agree. None is coarser than the fastest oscillation in G allows.
class MemoryKernel {
 public:
  /// N on one grid.
  struct Resolution {
    std::size_t steps_per_output;
    double step;                                    ///< time
    std::vector<std::vector<FullColumns>> sectors;  ///< N(j step), rate squared, [sectors][steps + 1]
  };

  /// `propagators`: one a sector, in the order of the cells; `times`: of the outputs, equally spaced from 0.
  /// Collective. Throws Error if the two coarsest grids do not fit into memory. Offers no state for saving: a
  /// resumed run begins anew.
  MemoryKernel(const std::vector<std::unique_ptr<const PopulationPropagator>>& propagators,
               const std::vector<double>& times, const MemoryKernelOptions& options, const Communicator& comm,
               RunControl& control);

  /// N at an output time, rate squared; unknown (NaN) where no element has a digit (both errors >= 1
  /// together). Its asymmetry is not computed: memory kernels have no scores.
  KernelValue at(std::size_t output) const;
  /// Estimate of the error of an element of N, at the worst time, over the largest element.
  double error() const { return error_ + sampling_; }
  /// The part of it that a finite number of realisations leaves, where G is an average; 0 without.
  double sampling_error() const { return sampling_; }
  std::size_t outputs() const { return outputs_; }
  std::size_t sectors() const { return finer_.sectors.size(); }
  /// This rank's columns of K_0 in each sector, inverse time; empty if it is zero.
  const std::vector<FullColumns>& at_once() const { return at_once_; }
  /// The last two grids.
  const Resolution& coarser() const { return coarser_; }
  const Resolution& finer() const { return finer_; }

 private:
  void set_to_zero();

  std::size_t outputs_;
  Resolution coarser_, finer_;
  std::vector<FullColumns> at_once_;
  double error_, sampling_;
};

/// An error of the quadrature on the finer of two grids, from the difference between both: that is some 2^8
/// times too large; a part of it is kept in hand.
double error_of_finer(double difference);

/// Bytes a rank needs for memory kernels on a grid of so many steps; `cells`: of each sector.
double memory_kernel_bytes_per_rank(const std::vector<Index>& cells, double steps, int ranks);

}  // namespace qheat
