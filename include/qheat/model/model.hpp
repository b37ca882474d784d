#pragma once

#include <span>
#include <vector>

#include "qheat/model/bath.hpp"
#include "qheat/model/detuning.hpp"
#include "qheat/model/lattice.hpp"
#include "qheat/model/pair_interaction.hpp"
#include "qheat/model/site.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// A lattice of N sites with M levels each: H = H_0 + lambda (sum_b J_b V_b + sum_i U(i)), and its bath.
/// Plain values; one realisation of the detunings.
struct Model {
  Lattice lattice;
  Site site;
  std::vector<double> energies;               ///< eps_n(i), [N][M], site by site
  double strength = 0.0;                      ///< lambda
  std::vector<double> couplings;              ///< J_b, one a bond
  std::vector<PairInteraction> interactions;  ///< the different V
  std::vector<int> interaction_of_bond;       ///< which V a bond has
  std::vector<OnsiteElement> onsite;          ///< U, the same on every site
  Bath bath;

  int sites() const { return lattice.sites(); }
  int levels() const { return site.levels(); }
  double energy(int i, int n) const { return at(energies_of(i), n); }
  std::span<const double> energies_of(int i) const {
    const auto m = as_size(levels());
    return std::span(energies).subspan(as_size(i) * m, m);
  }
  const PairInteraction& interaction(int bond) const {
    return at(interactions, at(interaction_of_bond, bond));
  }
  bool is_real() const;
  /// All of V and U keep the multiset of bands and so do the jumps of the bath: the number of sites in each
  /// band is conserved.
  bool conserves_bands() const;
  /// H conserves it and every jump changes it alike in all that it does, hence in ket and bra: coherences
  /// between states of different numbers stay apart from the rest.
  bool conserves_band_difference() const;
  /// H alone conserves it: all of V and U keep the multiset of bands.
  bool hamiltonian_conserves_bands() const;
};

/// A model with the same V on every bond, J_b = 1, no detuning, no bath.
Model uniform_model(Lattice lattice, Site site, PairInteraction interaction, double strength);

/// The model with the energies of another realisation of its detunings.
Model model_of_realization(Model model, const Detuning& detuning, int realization);

}  // namespace qheat
