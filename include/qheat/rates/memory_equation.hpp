#pragma once

#include "qheat/basis/cell_space.hpp"
#include "qheat/kernel/memory_kernel.hpp"
#include "qheat/rates/solve.hpp"

namespace qheat {

struct MemorySolution {
  RateSolution solution;
  /// Estimate of the error of a population, at the worst time; that of the kernel included.
  double error = 0.0;
};

/// The memory equation dP/dt = K_0 P + int_0^t N(t - s) P(s) ds on the cells of the job, at the output times
/// of the kernel (physics: Memory kernel). Integrated, it is the Volterra equation of the second kind
///     P(t) = P(0) + K_0 Q(t) + int_0^t N(t - s) Q(s) ds,   Q(t) = int_0^t P,
/// solved on both grids of the kernel by the quadrature of the kernel; their difference tells the error.
/// `cells`: those of the kernel. Collective. Offers no state for saving: a resumed run begins anew.
MemorySolution solve_memory(const Model& model, const InitialState& initial, const CellSpace& cells,
                            const MemoryKernel& kernel, const Communicator& comm, RunControl& control,
                            Timings& timings);

}  // namespace qheat
