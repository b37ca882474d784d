#pragma once

#include "qheat/model/model.hpp"

namespace qheat {

/// Rates that a steady state is made of, inverse time.
struct RateScales {
  double slowest = 0.0;  ///< of the reservoirs and of what each bond carries under them and dephasing
  double fastest = 0.0;  ///< of the reservoirs
};

/// Sum of the rates of the jumps up and down between levels n and n+1.
double loss_rate(const Model& model, const Reservoir& reservoir, int n);
/// Largest element of lambda J_b V_b that changes levels, energy; 0 for a bond that joins nothing.
double bond_strength(const Model& model, int bond);
/// A bond of strength s between sites that lose coherence at the rate G carries s where G < s, s^2/G beyond.
RateScales rate_scales(const Model& model);

}  // namespace qheat
