#pragma once

#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// Which end of a bond: 0 the first site, 1 the second.
enum class BondEnd { first = 0, second = 1 };

/// Outflow of energy from site p = one end of a bond through that bond, J_p = -i [lambda J_b V_b, h_p] with
/// h_p = sum_n eps_n(p) |n><n|_p: a Hermitian operator in units of energy squared (power, as hbar = 1).
/// i[H, h_p] + the sum of J_p over the bonds of p (+ the U term) = 0 for any V.
TermSum<Complex> outflow(const Model& model, int bond, BondEnd end);

/// True if every bond keeps the sum of its sites' level energies. If not, reservoirs of one temperature do
/// not lead to the Gibbs state, and heat can flow from cold to hot.
bool bonds_keep_level_energy(const Model& model);
/// The same of one bond.
bool bond_keeps_level_energy(const Model& model, int bond);

}  // namespace qheat
