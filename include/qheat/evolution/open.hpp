#pragma once

#include <vector>

#include "qheat/evolution/exact.hpp"

namespace qheat {

/// How the density matrix of an open system will be propagated.
struct OpenPlan {
  std::vector<std::vector<int>> counts;  ///< its blocks, sites in each band; one empty entry: the full space
  Index elements = 0;
  ExactMethod method = ExactMethod::chebyshev;  ///< Faber polynomials, krylov, runge_kutta, implicit
  double bytes_per_rank = 0.0;                  ///< vectors and tables at the peak
  Work work{};
};

/// What propagate_exact does with an open system on `ranks` ranks; needs next to no memory or time itself.
/// Throws Error if it does not fit `free_bytes` a rank (0: no limit), or for method diagonalize.
OpenPlan plan_open(const Model& model, const InitialState& initial, const std::vector<double>& times,
                   const ExactOptions& options, int ranks, double free_bytes);

/// propagate_exact for a system with dephasing or reservoirs: d rho/dt = L rho from a diagonal product state,
/// the whole mixture at once. Saves its state through `control`.
ExactResult propagate_open(const Model& model, const InitialState& initial, const std::vector<double>& times,
                           const ExactOptions& options, const Communicator& comm, RunControl& control,
                           Timings& timings);

}  // namespace qheat
