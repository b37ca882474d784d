#pragma once

#include <memory>
#include <span>

#include "qheat/basis/sector.hpp"
#include "qheat/steady/steady.hpp"

namespace qheat {

/// Measures site energies with the interaction, what flows of them along bonds and what the bath does to
/// them. Throws Error unless they balance to `accuracy` of what flows at each site; `resolution`: of the
/// slowest rate, where less flows, what does is rounding. Collective.
void measure_full_energy(const Model& model, const std::shared_ptr<const DistributedSector>& space,
                         std::span<const Complex> rho, double resolution, double accuracy,
                         SteadyState& state);

}  // namespace qheat
