#pragma once

#include <functional>
#include <vector>

#include "qheat/evolution/exact.hpp"

namespace qheat {

/// One realisation of random detunings, and where it starts.
struct Realization {
  Model model;
  InitialState initial;
};
/// The realisation of a number 0, 1, ...: a pure function, the same on all ranks.
using DrawRealization = std::function<Realization(int)>;

/// Groups of ranks that do one realisation each at a time, all of the same size. As many as realisations and
/// ranks allow, unless one realisation does not fit into a group, or would keep it busy for long: then fewer
/// and larger ones, in the end one of all ranks. Judged by realisation 0. Throws Error if that does not fit
/// `free_bytes` a rank (0: no limit) on all ranks.
int ensemble_groups(int realizations, const Realization& first, const std::vector<double>& times,
                    const ExactOptions& options, int ranks, double free_bytes);

/// Exact dynamics averaged over realisations 0 ... realizations - 1, at least 2. `mean`: over all of them;
/// `error`: standard error of the mean, from the spread among them, which holds that of sampled mixtures
/// (realisation r has the phases of the seed options.seed + r); `truncation_error`: the largest of all.
///
/// Between rounds of the groups the sums so far are offered to `control`; one group of all ranks offers the
/// state of its realisation too.
ExactResult propagate_exact_ensemble(int realizations, const DrawRealization& draw,
                                     const std::vector<double>& times, const ExactOptions& options,
                                     const Communicator& comm, RunControl& control, Timings& timings);

}  // namespace qheat
