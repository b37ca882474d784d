#pragma once

#include <vector>

#include "qheat/model/model.hpp"

namespace qheat {

/// Rates that a steady state is made of, inverse time.
struct RateScales {
  double slowest = 0.0;  ///< of the bath's jumps and of what each bond carries under them and dephasing
  double fastest = 0.0;  ///< of the bath's jumps
};

/// What the bath does between two configurations of the same sites: both ways together.
struct TwoWayRate {
  std::vector<int> sites;
  double rate = 0.0;  ///< inverse time
};
/// All of them, of reservoirs and jumps.
std::vector<TwoWayRate> two_way_rates(const Model& model);
/// Largest element of lambda J_b V_b that changes levels, energy; 0 for a bond that joins nothing.
double bond_strength(const Model& model, int bond);
/// A bond of strength s between sites that lose coherence at the rate G carries s where G < s, s^2/G beyond.
RateScales rate_scales(const Model& model);

}  // namespace qheat
