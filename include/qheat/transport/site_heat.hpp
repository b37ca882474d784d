#pragma once

#include <map>
#include <span>
#include <vector>

#include "qheat/model/thermodynamics.hpp"

namespace qheat {

/// Different level schemes, each with the number of sites that have it.
using LevelSchemes = std::map<std::vector<double>, double>;
/// Counts the sites of `energies`, eps_n(i), [N][M], `levels` a site: of one realisation of the detunings
/// after another.
void count_schemes(std::span<const double> energies, int levels, LevelSchemes& schemes);

/// Thermodynamics of one site, the mean over all sites counted, at each temperature, [K]; the exponent is
/// that of the mean C_V.
std::vector<Thermodynamics> site_heat(const LevelSchemes& schemes, std::span<const double> temperatures);

}  // namespace qheat
