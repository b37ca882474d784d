#pragma once

#include <functional>
#include <string>
#include <vector>

#include "qheat/kernel/assumptions.hpp"
#include "qheat/kernel/exact_kernel.hpp"
#include "qheat/kernel/time_local_kernel.hpp"
#include "qheat/parallel/run_control.hpp"

namespace qheat {

/// A kernel at the output times: scores, bond rates and errors, the same on all ranks; T times (Markov: one).
struct KernelSeries {
  std::vector<Assumptions> scores;     ///< [T]
  std::vector<double> error;           ///< [T], relative to the largest element; empty: none to speak of
  std::vector<double> condition;       ///< cond(G), [T]; empty: not divided by G
  std::vector<double> fastest;         ///< largest |K_cc|, [T], inverse time
  std::vector<double> singular_times;  ///< ascending
  /// This rank's columns at each time, [T]; empty: not kept, or lost when the run was resumed.
  std::vector<KernelValue> generators;

  /// Number of output times, from the first on, that a rate equation with this kernel can reach: no singular
  /// time before, and errors of at most 5 %.
  std::size_t known(const std::vector<double>& times) const;
  /// Largest |K_cc| at the first `known` times.
  double fastest_until(std::size_t known) const;

  void save(StateWriter& writer, const std::string& name) const;
  void load(StateReader& reader, const std::string& name, int bonds);
};

/// Evaluates several kernels at all output times; `evaluate(t)` gives one value for each. With an exact
/// kernel behind `evaluate` (else null) its singular times are tracked. `keep`: generators stay in memory.
/// Offers its state to `control` after every time. Collective.
std::vector<KernelSeries> kernel_series(const std::function<std::vector<KernelValue>(double)>& evaluate,
                                        std::size_t kernels, const ExactKernel* exact,
                                        const std::vector<double>& times, const AssumptionScores& scores,
                                        int bonds, bool keep, const Communicator& comm, RunControl& control);

/// All elements on rank 0, (n, m) at n * C + m, zero between sectors; empty on the others. Collective.
std::vector<double> gather_generator(const CellSpace& cells, const KernelValue& kernel,
                                     const Communicator& comm);

}  // namespace qheat
