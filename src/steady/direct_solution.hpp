#pragma once

#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/model/model.hpp"
#include "steady/double_double.hpp"

namespace qheat {

/// L rho = 0, tr rho = 1 by MUMPS, corrected with residuals of 32 digits.
struct DirectSolution {
  std::vector<PreciseComplex> rho;
  double correction = 0.0;  ///< the last one over the norm of rho
  bool determined = false;  ///< false if the state is not unique or its slowest motion is lost in rounding
};

/// On one rank: `pairs` (density_space) is laid out over the communicator of this rank alone. In this way the
/// factors do not depend on how ranks happen to meet. `rate`: that of the fastest reservoir. Throws Error if
/// memory is short.
DirectSolution solve_directly(const Model& model, const DistributedSector& pairs, double rate);

}  // namespace qheat
