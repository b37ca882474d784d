#pragma once

#include <memory>
#include <vector>

#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// The generator of d rho/dt = L rho = -i[H, rho] + dissipators(model), as a sum of local terms on a lattice
/// of twice the sites: sites 0 .. N-1 are those of the ket, N .. 2N-1 those of the bra, and <ket|rho|bra> is
/// the amplitude of the configuration (ket, bra). In units of inverse time. The terms of each dissipator but
/// dephasing are its own: sums of their elements would not keep the trace to the last digit.
TermSum<Complex> liouvillian(const Model& model);

/// L on pairs of states (Sector::pairs, density_space). `dense` needs a communicator of one rank;
/// matrix-free, the elements of dephasing, -gamma (number of sites on which ket and bra differ), are
/// computed, not stored.
std::unique_ptr<Operator> make_liouvillian(std::shared_ptr<const DistributedSector> space, const Model& model,
                                           Backend backend = Backend::matrix_free);

/// L = L_0 + L_1, matrix-free: L_0 is L without lambda H_I, L_1 = -i[lambda H_I, .].
std::unique_ptr<Operator> make_unperturbed_liouvillian(std::shared_ptr<const DistributedSector> space,
                                                       const Model& model);
std::unique_ptr<Operator> make_interaction_liouvillian(std::shared_ptr<const DistributedSector> space,
                                                       const Model& model);

/// Bounds of the numerical range of the dissipators in the Frobenius norm, inverse time.
struct DissipatorRange {
  double low, high;  ///< real parts
  double imaginary;  ///< of either sign
};
/// For blocks with these counts (density_counts) of ket and bra.
DissipatorRange dissipator_range(const Model& model, const std::vector<std::vector<int>>& counts);

}  // namespace qheat
