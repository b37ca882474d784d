#pragma once

#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/propagator/cell_columns.hpp"

namespace qheat {

/// Matrices over the bands of single sites, [L][L] each, element (a, b) at a L + b; empty: the identity (in a
/// product), or zero (in a sum).
using SiteMatrices = std::vector<std::vector<double>>;

/// This rank's columns of the product over all sites, on the cells of a sector: element (c, c') is
/// prod_i m_i(c_i, c'_i).
CellColumns product_of_sites(const CellColumnLayout& layout, const Sector& cells, const SiteMatrices& sites);
/// And of the sum: sum_i m_i(c_i, c'_i) prod_{j != i} delta(c_j, c'_j).
CellColumns sum_of_sites(const CellColumnLayout& layout, const Sector& cells, const SiteMatrices& sites);

}  // namespace qheat
