#pragma once

#include <memory>
#include <vector>

#include "qheat/evolution/exact_ensemble.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/propagator/population_propagator.hpp"
#include "qheat/propagator/propagator_orders.hpp"

namespace qheat {

/// G(t) averaged over realisations 0 ... realizations - 1, for t in [0, end]. Its error holds the standard
/// error of the mean, |standard errors| / |G| (Frobenius). With at least as many realisations as ranks each
/// rank does whole ones, and holds whole matrices over the cells; else all ranks share each. All spectra
/// (or moments, of open systems) are held at once. A resumed run begins anew. Collective. Throws Error if
/// they do not fit.
std::unique_ptr<const PopulationPropagator> mean_population_propagator(int realizations,
                                                                       const DrawRealization& draw,
                                                                       const CellSector& sector, double end,
                                                                       const Communicator& comm,
                                                                       RunControl& control);

/// The orders of G averaged likewise, without reservoirs; their errors are those of rounding.
std::unique_ptr<PropagatorOrders> mean_propagator_orders(int realizations, const DrawRealization& draw,
                                                         const CellSector& sector, int order,
                                                         const std::vector<double>& anchors,
                                                         const Communicator& comm, RunControl& control);

}  // namespace qheat
