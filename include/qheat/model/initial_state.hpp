#pragma once

#include <vector>

#include "qheat/model/model.hpp"

namespace qheat {

/// A diagonal product state: site i holds level n with probability p_n(i). A pure product state, an even
/// mixture over the levels of its bands, and a product of local Gibbs states are all of this form.
struct InitialState {
  std::vector<double> probabilities;  ///< p_n(i), [N][M], site by site; sums to 1 over n

  /// Each site in one level.
  static InitialState product(const Model& model, const std::vector<int>& levels);
  /// Each site spread evenly over the band of its level (the same thing for one level a band).
  static InitialState band_mixture(const Model& model, const std::vector<int>& levels);
  /// Each site in its Gibbs state; temperatures > 0 in units of energy, infinity allowed.
  static InitialState thermal(const Model& model, const std::vector<double>& temperatures);
};

/// True if the state is even inside each cell, P rho(0) = rho(0): then kernels and rate equations describe
/// it.
bool even_in_bands(const Model& model, const InitialState& state);

/// The counts of sites in each band that the state can have, if they are sharp; empty if it is spread over
/// several.
std::vector<int> sharp_band_counts(const Model& model, const InitialState& state);

}  // namespace qheat
