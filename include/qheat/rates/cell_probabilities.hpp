#pragma once

#include <span>
#include <vector>

#include "qheat/basis/cell_space.hpp"

namespace qheat {

/// Probabilities of all cells when every site is independent: the product over the sites i of
/// band_probabilities[i][band of i], [N][L]. Returns [C].
std::vector<double> cell_probabilities(const CellSpace& cells, std::span<const double> band_probabilities);

/// P_n(i) = sum over the cells with band n on site i of their probabilities [C]. Returns [N][L].
std::vector<double> site_populations(const CellSpace& cells, std::span<const double> probabilities);

}  // namespace qheat
