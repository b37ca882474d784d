#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "qheat/fluctuations/equilibrium.hpp"
#include "qheat/operators/energy_currents.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/parallel/timings.hpp"
#include "qheat/parallel/work.hpp"

namespace qheat {

/// Which equilibrium fluctuations are followed, and how.
struct CorrelationOptions {
  Equilibrium equilibrium;
  SiteEnergy energy = SiteEnergy::levels;
  std::vector<int> sources;  ///< sites j
  std::vector<int> axes;     ///< along which the total current is followed
  bool curvature = false;    ///< d2C/dt2 is measured, too
  int samples = 0;           ///< random states; 0: as many as are wanted, or none where all states are cheap
  std::uint64_t seed = 1;
  double tolerance = 1e-10;  ///< relative error of a state at the last time by truncation
};

/// What one set of states gives at all output times (physics: section Equilibrium fluctuations).
struct CorrelationSeries {
  std::vector<double> energy;     ///< C_ij = Re<(h_i(t) - <h_i>)(h_j - <h_j>)>, [T][S][N], energy^2
  std::vector<double> change;     ///< dC_ij/dt, measured, [T][S][N], energy^2/time
  std::vector<double> curvature;  ///< d2C_ij/dt2, measured, [T][S][N], energy^2/time^2; empty: not asked for
  std::vector<double> current;    ///< Re<J_a(t) J_a>/N, [T][A], (power length)^2

  /// Zero throughout.
  static CorrelationSeries zero(std::size_t times, std::size_t sites, const CorrelationOptions& options);
  /// Calls visit(name, values) for each series.
  template <class Series, class Visit>
  static void visit(Series& series, const Visit& visit) {
    visit("energy", series.energy);
    visit("change", series.change);
    visit("curvature", series.curvature);
    visit("current", series.current);
  }
};

struct Correlations {
  std::vector<double> times;
  std::vector<int> sources;
  std::vector<int> axes;
  bool exact = false;                      ///< all states, no sampling
  std::vector<CorrelationSeries> samples;  ///< one if exact
  double truncation = 0.0;                 ///< bound on the relative error of the states at the last time

  CorrelationSeries mean() const;
  /// The mean of all samples, without one of them: what a jackknife compares.
  CorrelationSeries mean_without(std::size_t sample, const CorrelationSeries& mean) const;
};

/// How they will be computed.
struct CorrelationPlan {
  std::vector<EquilibriumPart> parts;
  bool reversal = false;        ///< of parts that are each other's reverse, only one is followed
  bool exact = false;           ///< by all states, or the whole density matrix where there is dephasing
  int samples = 1;              ///< to begin with
  int outputs_at_once = 1;      ///< of one recursion
  double bytes_per_rank = 0.0;  ///< at the peak
  double least_bytes_per_rank = 0.0;
  Work work{};  ///< of the samples to begin with
  Index largest_dimension = 0;
  Index states = 0;    ///< of the equilibrium, reversed ones included
  Index elements = 0;  ///< of the operators that are propagated where there is dephasing; 0: closed
};

/// What compute_correlations does on `ranks` ranks; needs next to no memory or time itself. `free_bytes` a
/// rank (0: no limit) decides on the outputs at once. Throws Error if a state cannot be followed to the last
/// time.
CorrelationPlan plan_correlations(const Model& model, const std::vector<double>& times,
                                  const CorrelationOptions& options, int ranks, double free_bytes);

/// Asked after each round of samples: how many more are wanted, 0 to end.
using MoreSamples = std::function<int(const Correlations&)>;

/// Equilibrium correlations by typicality: C_ij(t) = Re <psi(t)|h_i - <h_i>|phi_j(t)>/<psi|psi> with
/// |psi> = sum_m sqrt(p_m) c_m |m>, c complex Gaussian, and |phi_j> = (h_j - <h_j>)|psi>; the current's the
/// same with |phi> = J|psi>. Part by part, each normalised by itself (where its states have different
/// weights, by the mean of <psi|psi>, which is known) and weighted by its exact probability. Where the plan
/// says so by all states |m> instead, exactly. The model is closed. Saves its state through `control`.
Correlations compute_correlations(const Model& model, const std::vector<double>& times,
                                  const CorrelationOptions& options, const CorrelationPlan& plan,
                                  const MoreSamples& more, const Communicator& comm, RunControl& control,
                                  Timings& timings);

}  // namespace qheat
