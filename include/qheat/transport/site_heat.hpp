#pragma once

#include <span>
#include <vector>

#include "qheat/model/model.hpp"
#include "qheat/model/thermodynamics.hpp"

namespace qheat {

/// Thermodynamics of one site, the mean over the sites of `models` (realisations of the detunings), at each
/// temperature, [K]; the exponent is that of the mean C_V.
std::vector<Thermodynamics> site_heat(std::span<const Model> models, std::span<const double> temperatures);

}  // namespace qheat
