#pragma once

#include <vector>

#include "qheat/model/model.hpp"

namespace qheat {

/// The classical generator of the reservoirs at a site between its levels, [M][M]: element (a, b) at a M + b
/// is the rate b -> a, losses on the diagonal; zero without reservoirs there. Inverse time.
std::vector<double> level_jumps(const Model& model, int site);

/// The same between the bands of a site whose levels are evenly filled inside each band, [L][L]: the site's
/// part of K_0 = P L_0 P. Inverse time.
std::vector<double> band_jumps(const Model& model, int site);

/// True if reversing the order of the sites leaves the reservoirs as they are, to rounding.
bool has_mirrored_reservoirs(const Model& model);

}  // namespace qheat
