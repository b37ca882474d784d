#pragma once

#include <vector>

#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// What the bath alone does to populations, for dissipators that keep them apart from coherences.

/// The classical generator between the levels of a site by the dissipators on this site alone, [M][M]:
/// element (a, b) at a M + b is the rate b -> a, losses on the diagonal. Inverse time.
std::vector<double> level_jumps(const Model& model, int site);

/// The same between the bands of a site whose levels are evenly filled inside each band, [L][L]: the site's
/// part of K_0 = P L_0 P. Inverse time.
std::vector<double> band_jumps(const Model& model, int site);

/// K_0 = P L_0 P as a sum of local terms on the cells, whose levels are the bands: all dissipators. Inverse
/// time.
TermSum<double> band_generator(const Model& model);

/// True if a dissipator on two sites moves levels: populations of single sites then do not obey equations of
/// their own.
bool moves_pairs(const Model& model);

/// True if reversing the order of the sites leaves the bath as it is, to rounding.
bool has_mirrored_bath(const Model& model);

}  // namespace qheat
