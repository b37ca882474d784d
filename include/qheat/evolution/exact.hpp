#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/observations.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/parallel/timings.hpp"
#include "qheat/parallel/work.hpp"

namespace qheat {

/// How states are propagated; diagonalize: closed systems only, runge_kutta and implicit: open ones only.
enum class ExactMethod { automatic, diagonalize, krylov, chebyshev, runge_kutta, implicit };

struct ExactOptions {
  ExactMethod method = ExactMethod::automatic;
  double tolerance = 1e-10;  ///< of the state's norm over the whole run (open: the Frobenius norm of rho)
  int samples = 0;  ///< random-phase states a sector instead of a whole mixture; 0: only where it must be
  std::uint64_t seed = 1;  ///< of the random phases
  /// Observations have others, too: energies of sites with the interaction, what flows along bonds of them,
  /// and what a bath does to them (full_energy_observables).
  bool full_energy = false;
};

/// The others that the options ask for.
std::vector<TermSum<Complex>> other_observables(const Model& model, const ExactOptions& options);
ObservationLayout observation_layout(const Model& model, const ExactOptions& options);

/// How one sector will be propagated.
struct SectorPlan {
  std::vector<int> counts;  ///< sites in each band; empty: the full space
  Index dimension = 0;
  Index columns = 0;  ///< state vectors to propagate
  bool sampled = false;
  ExactMethod method = ExactMethod::automatic;
  Index columns_at_once = 0;          ///< propagated together
  int outputs_at_once = 1;            ///< states that one Chebyshev recursion gives
  double bytes_per_rank = 0.0;        ///< vectors, tables and dense matrices at the peak
  double least_bytes_per_rank = 0.0;  ///< the same by the smallest way that the options allow
  Work work{};
};

/// What propagate_exact does on `ranks` ranks, sector by sector; needs next to no memory or time itself.
/// Throws Error if nothing fits `free_bytes` a rank (0: no limit).
std::vector<SectorPlan> plan_exact(const Model& model, const InitialState& initial,
                                   const std::vector<double>& times, const ExactOptions& options, int ranks,
                                   double free_bytes);

/// What a density matrix must keep.
struct DensityWatch {
  std::vector<double> smallest_population;  ///< smallest diagonal element, [T]
  std::vector<double> hermiticity_error;    ///< anti-Hermitian part relative to the whole, estimated, [T]
  /// At the last output time; NaN where a block is too large to be diagonalised (density_spectrum.hpp).
  double smallest_eigenvalue = std::numeric_limits<double>::quiet_NaN();
};

struct ExactResult {
  Observations mean;
  std::optional<Observations> error;     ///< standard errors, if any sector was sampled
  std::vector<double> truncation_error;  ///< bound on the relative error of the states by truncation, [T]
  std::optional<DensityWatch> watch;     ///< open systems only
};

/// Exact dynamics from a diagonal product state; of an open system by propagate_open. Closed: sectors are
/// independent; a mixture is a set of state vectors sqrt(p_m)|m>, or random-phase vectors sum_m sqrt(p_m)
/// e^{i theta_m}|m> whose mean is the mixture. Saves its state through `control`.
ExactResult propagate_exact(const Model& model, const InitialState& initial, const std::vector<double>& times,
                            const ExactOptions& options, const Communicator& comm, RunControl& control,
                            Timings& timings);
/// The same by given plans, of plan_exact for the ranks of `comm`.
ExactResult propagate_exact(const Model& model, const InitialState& initial, const std::vector<double>& times,
                            const ExactOptions& options, const std::vector<SectorPlan>& plans,
                            const Communicator& comm, RunControl& control, Timings& timings);

}  // namespace qheat
