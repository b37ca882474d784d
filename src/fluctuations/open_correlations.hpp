#pragma once

#include <vector>

#include "qheat/evolution/open.hpp"
#include "qheat/fluctuations/correlations.hpp"

namespace qheat {

/// How one Hermitian operator will be propagated.
OpenPlan plan_open_correlations(const Model& model, const std::vector<double>& times,
                                const CorrelationOptions& options, int ranks, double free_bytes);

/// Correlations of a system with dephasing, exactly: X = {A, rho}/2, A = h_j - <h_j> or J_a, is propagated as
/// a density matrix, C_ij(t) = tr[h_i e^{Lt} X]; one propagation a source and an axis. Level energies.
CorrelationSeries open_correlations(const Model& model, const std::vector<double>& times,
                                    const CorrelationOptions& options, const Communicator& comm,
                                    RunControl& control, Timings& timings, double& truncation);

}  // namespace qheat
