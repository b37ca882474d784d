#pragma once

#include <memory>

#include "qheat/propagator/cell_moments.hpp"
#include "qheat/propagator/population_propagator.hpp"
#include "qheat/propagator/propagator_orders.hpp"

namespace qheat {

/// G(t) of a system with dephasing or reservoirs for t in [0, end], from density matrices that start in the
/// cells (CellMoments); several levels a band start evenly filled. `options.order` is not used. Collective.
/// Throws Error if it does not fit.
std::unique_ptr<const PopulationPropagator> open_population_propagator(const Model& model,
                                                                       const CellSector& sector, double end,
                                                                       const Communicator& comm,
                                                                       RunControl& control,
                                                                       CellMomentsOptions options = {});

/// The orders 0 ... `order` of G in the interaction from the moments of as many orders or more, which may be
/// shared: R_k' = L_0 R_k + L_1 R_{k-1}. With reservoirs G_0 and K_0 are products and sums of small matrices
/// of single sites, with its inverse, and come from these.
std::unique_ptr<PropagatorOrders> open_propagator_orders(const Model& model, const CellSector& sector,
                                                         std::shared_ptr<const CellMoments> moments,
                                                         int order);

}  // namespace qheat
