#pragma once

#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// H = H_0 + lambda (sum_b J_b V_b + sum_i U(i)) as a sum of local terms, in units of energy.
TermSum<Complex> hamiltonian(const Model& model);

/// H_0, the level energies and nothing else.
TermSum<Complex> level_hamiltonian(const Model& model);

/// lambda H_I = lambda (sum_b J_b V_b + sum_i U(i)), diagonal elements included.
TermSum<Complex> interaction_hamiltonian(const Model& model);

/// lambda J_b V_b alone.
LocalTerm<Complex> bond_term(const Model& model, int bond);

/// lambda U on one site; no elements if the model has none.
LocalTerm<Complex> onsite_term(const Model& model, int site);

/// True if reversing the order of the sites leaves a sum of terms as it is, to rounding. `terms` must be
/// canonical.
bool is_mirror_symmetric(const TermSum<Complex>& terms, int sites);
/// The same of reversing the levels of every site, n -> M - 1 - n.
bool is_level_reversal_symmetric(const TermSum<Complex>& terms);

/// Upper bound of the spectral radius of H - (centre of H_0's spectrum), from the norms of its terms.
double spectral_radius_bound(const Model& model);

}  // namespace qheat
