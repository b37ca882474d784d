#pragma once

#include <utility>
#include <vector>

#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// What the energy of a site is (physics: sections Transport, Equilibrium fluctuations).
enum class SiteEnergy {
  levels,  ///< h_x = sum_n eps_n(x) |n><n|: changed by V unless it keeps level energy
  full     ///< h_x = level energy + lambda U_x + half of lambda J_b V_b on each bond of x; sum_x h_x = H
};

/// h_x, energy.
TermSum<Complex> site_energy(const Model& model, SiteEnergy kind, int site);

/// i[H, h_x] = dh_x/dt, power.
TermSum<Complex> energy_change(const Model& model, SiteEnergy kind, int site);

/// J_{x->y}, the energy that x gives to y in unit time, power; J_{y->x} = -J_{x->y}. `full`: i[h_x, h_y], on
/// up to three sites, between neighbours and their neighbours; then i[H, h_x] = -sum_y J_{x->y} exactly.
/// `levels`: (J_x - J_y)/2 of the outflows through the bonds that join x and y (currents.hpp); their sum is
/// i[H, h_x] where V keeps level energy.
TermSum<Complex> energy_current(const Model& model, SiteEnergy kind, int from, int to);

/// The pairs x < y between which energy can flow.
std::vector<std::pair<int, int>> current_pairs(const Model& model, SiteEnergy kind);

/// Full energy that flows along each bond, [B], power, positive from its first to its second site: J_{x->y}
/// of the sites that it joins; and what goes between other sites, by way of the neighbour w that both share:
/// i[(lambda/2) J_b V_b, (lambda/2) J_c V_c] along both of b = (x, w) and c = (w, y). What flows into a site
/// less what flows out is i[H, h_x].
std::vector<TermSum<Complex>> full_bond_currents(const Model& model);

/// h_x, [N], full_bond_currents, [B], and if there is a bath what it does to h_x, [N], power.
std::vector<TermSum<Complex>> full_energy_observables(const Model& model);

/// Total current along an axis, (1/2) sum_xy (r_y - r_x) J_{x->y}, r by nearest images, power times length.
/// Empty where there is none. A periodic axis must be longer than 2 (levels) or 4 (full) sites: shorter, a
/// pair has no nearest image.
TermSum<Complex> total_current(const Model& model, SiteEnergy kind, int axis);
/// Shortest length of a periodic axis along which displacements of all currents are defined.
int shortest_ring(SiteEnergy kind);

}  // namespace qheat
