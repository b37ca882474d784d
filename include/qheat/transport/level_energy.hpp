#pragma once

#include <string>
#include <vector>

#include "qheat/model/model.hpp"

namespace qheat {

/// Heat, in this program, is transport of the level energies h_i = sum_n eps_n(i) |n><n|; the energy of the
/// interaction is left out. What follows says where that means less than it seems to.

/// True if all levels of every site have the same energy: no level energy, hence no heat.
bool no_level_energy(const Model& model);
/// True if all sites have the same level energies, to rounding.
bool same_levels(const Model& model);
/// The same of two sites.
bool same_levels(const Model& model, int p, int q);

/// True if a reservoir has a temperature (reservoir_temperature).
bool has_temperatures(const Model& model);

/// [N]: whether the temperature of a site, from its energy, is one. It is where bonds that keep the sum of
/// level energies join the site to a reservoir with a temperature, and to nothing else of the bath that moves
/// levels. Where they do not, populations even out under dephasing whatever the levels are, and a site of
/// high levels looks hot.
std::vector<bool> temperatures_known(const Model& model);
/// [N]: false where such bonds join a site to a jump or a reservoir without a temperature: then not even the
/// energy of a site is shown as one.
std::vector<bool> temperatures_defined(const Model& model);

/// What a reader must know before heat and temperatures of this model are read, a sentence each: degenerate
/// levels, an interaction that is not small against the level spacings, bonds that do not keep level energy.
std::vector<std::string> level_energy_warnings(const Model& model);

}  // namespace qheat
