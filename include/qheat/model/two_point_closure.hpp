#pragma once

#include <string>
#include <vector>

#include "qheat/model/model.hpp"

namespace qheat {

/// Why the two-point functions <c_k^+ c_i> of a model do not obey equations of their own, each a phrase with
/// its remedy; empty if they do. They do for two levels a site that hop along an open chain, sites numbered
/// in its order (Jordan-Wigner: free fermions), with any couplings, levels and diagonal on-site terms,
/// dephasing, and jumps of single sites up and down (reservoirs, sources, sinks) at the ends; also inside the
/// chain if they jump up and down equally often (T = inf): the string through such a site then decays and
/// turns into nothing else (Znidaric, J. Stat. Mech. L05002 (2010); derivation: docs/physics.md).
std::vector<std::string> two_point_obstacles(const Model& model);

/// lambda J_b <1 0|V_b|0 1> of each pair of neighbouring sites, from the site of the lower number seen: the
/// element h_{i,i+1} of the one-particle Hamiltonian, [N - 1]; 0 where no bond is. Only for a model without
/// obstacles.
std::vector<Complex> chain_hopping(const Model& model);

/// Rates of the bath's jumps at a site, each by itself, inverse time.
struct ParticleRates {
  std::vector<double> up, down;
};
/// [N]. Only for a model without obstacles.
std::vector<ParticleRates> particle_rates(const Model& model);

}  // namespace qheat
