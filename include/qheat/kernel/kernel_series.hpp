#pragma once

#include <functional>
#include <string>
#include <vector>

#include "qheat/kernel/assumptions.hpp"
#include "qheat/kernel/exact_kernel.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/kernel/tcl_kernel.hpp"
#include "qheat/kernel/time_local_kernel.hpp"
#include "qheat/parallel/run_control.hpp"

namespace qheat {

/// A kernel at the output times: scores, bond rates and errors, the same on all ranks; T times (Markov: one).
struct KernelSeries {
  std::vector<Assumptions> scores;     ///< [T]
  std::vector<double> error;           ///< by rounding and truncation, [T], relative to the largest element
  std::vector<double> sampling;        ///< by a finite number of realisations, [T], likewise; empty: none
  std::vector<double> condition;       ///< cond(G), [T]; empty: not divided by G
  std::vector<double> fastest;         ///< largest |K_cc|, [T], inverse time; of a sum of terms: in a term
  std::vector<double> singular_times;  ///< ascending
  /// This rank's columns at each time, [T]; empty: not kept, or lost when the run was resumed.
  std::vector<KernelValue> generators;

  /// True for the mean of the kernels of realisations, which is one whatever their number: its sampling error
  /// is told, and bounds nothing. That of the average's own kernel is amplified and counts as an error.
  bool plain_mean = false;

  /// The error that decides what a kernel at a time is good for.
  double deciding_error(std::size_t time) const;
  /// Number of output times, from the first on, that a rate equation with this kernel can reach: no singular
  /// time before, and deciding errors of at most 5 %.
  std::size_t known(const std::vector<double>& times) const;
  /// Largest |K_cc| at the first `known` times.
  double fastest_until(std::size_t known) const;

  void save(StateWriter& writer, const std::string& name) const;
  void load(StateReader& reader, const std::string& name, int bonds);
};

/// A second-order kernel at the given times (Markov: one); unknown (NaN) scores and bond rates where its
/// error passes 5 %. Offers its state to `control` after every time; the same on all ranks. `sector_counts`:
/// as of basis/model_sectors.hpp; energies of the scores: those of `model`, without the detunings of a mean.
KernelSeries kernel_series(const SecondOrderKernel& kernel, const Model& model,
                           const std::vector<std::vector<int>>& sector_counts,
                           const std::vector<double>& times, RunControl& control);

/// The exact kernel at all output times; its singular times are tracked. `keep`: generators stay in memory.
/// Offers its state to `control` after every time. Collective.
KernelSeries kernel_series(ExactKernel& kernel, const std::vector<double>& times,
                           const AssumptionScores& scores, int bonds, bool keep, const Communicator& comm,
                           RunControl& control);
/// All orders of `kernels` likewise, [orders]; with safe points on the way to each time.
std::vector<KernelSeries> kernel_series(TclKernels& kernels, const std::vector<double>& times,
                                        const AssumptionScores& scores, int bonds, bool keep,
                                        const Communicator& comm, RunControl& control);

/// All elements on rank 0, (n, m) at n * C + m, zero between sectors; empty on the others. Collective.
std::vector<double> gather_generator(const CellSpace& cells, const KernelValue& kernel,
                                     const Communicator& comm);

}  // namespace qheat
