#pragma once

#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"

namespace qheat {

/// Probabilities of this rank's states when every site is independent: the product over the sites i of
/// probabilities[i][level of i], [N][M].
std::vector<double> product_weights(const DistributedSector& space, std::span<const double> probabilities);

}  // namespace qheat
