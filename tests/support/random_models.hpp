#pragma once

#include <string>
#include <vector>

#include "qheat/model/initial_state.hpp"
#include "qheat/model/model.hpp"
#include "support/brute_force.hpp"

namespace qheat_test {

/// The same physical system for the program and for the dense reference.
struct RandomCase {
  std::string name;
  qheat::Model model;
  brute::System reference;
};

/// Reference system -> Model. lambda and J_b, folded into the reference's V, are drawn at random and divided
/// out.
qheat::Model model_of(const brute::System& reference, qheat::Lattice lattice, std::uint64_t seed);

/// Model -> reference system, lambda and J_b folded in.
brute::System reference_of(const qheat::Model& model);

/// Random models on chain, ring, 2 x 3, 2 x 2 x 2 and an explicit graph; M = 2, 3, 4; real and complex V;
/// conserving and not; with on-site terms and detunings; small enough for the dense reference.
std::vector<RandomCase> random_cases();

/// The same with dephasing, with reservoirs (cold at the first site, bosons in the middle, infinitely hot at
/// the last), and with both; up to this dimension of the full space.
std::vector<RandomCase> random_open_cases(int largest_dimension);

/// The same with jumps, and with dephasing and reservoirs beside some of them: dense complex ones on a site
/// and on a bond, collective, correlated, weighted, mixing what they do to the bands, and incoherent hopping.
std::vector<RandomCase> random_jump_cases(int largest_dimension);

/// The reference's dephasing, reservoirs and jumps.
void copy_bath(const brute::System& reference, qheat::Model& model);

/// A sharp product state and a mixture for a model: levels of each site, seeded.
std::vector<int> random_levels(const qheat::Model& model, std::uint64_t seed);

/// p_n(i) as the reference wants it, [N][M].
std::vector<std::vector<double>> local_probabilities(const qheat::Model& model,
                                                     const qheat::InitialState& state);

}  // namespace qheat_test
