#include <numeric>
#include <utility>

#include "io/job_sections.hpp"

namespace qheat::jobfile {
namespace {

/// Lattice, levels and bath: what an initial state needs even where this version cannot build the
/// interaction.
Model bare_model(const Draft& draft) {
  return {.lattice = *draft.job.lattice,
          .site = *draft.site,
          .energies = draft.energies,
          .strength = 0.0,
          .couplings = std::vector<double>(draft.job.lattice->bonds().size(), 1.0),
          .interactions = {},
          .interaction_of_bond = std::vector<int>(draft.job.lattice->bonds().size(), 0),
          .onsite = {},
          .bath = draft.bath};
}

InitialState state_of(const InitialDraft& initial, const Model& model) {
  if (initial.kind == InitialDraft::Kind::thermal) return InitialState::thermal(model, initial.temperatures);
  if (initial.pure_in_band) return InitialState::product(model, initial.levels);
  return InitialState::band_mixture(model, initial.levels);
}

/// Takes the interaction of one kind out of the draft, or draws one for each bond.
std::vector<PairInteraction> take_interactions(Draft& draft) {
  std::vector<PairInteraction> interactions;
  if (draft.job.interaction_kind == InteractionKind::random_bands) {
    for (int bond = 0; bond < draft.job.lattice->bond_count(); ++bond) {
      interactions.push_back(
          PairInteraction::random_bands(draft.site->levels(), draft.job.interaction_seed, bond));
    }
  } else if (draft.interaction->pair) {
    interactions.push_back(std::move(*draft.interaction->pair));
  }
  return interactions;
}

}  // namespace

void assemble_model(Draft& draft) {
  if (!draft.job.lattice || !draft.site) return;
  Model model = bare_model(draft);
  if (draft.initial) {
    draft.job.initial = state_of(*draft.initial, model);
    draft.job.initial_temperatures = draft.initial->temperatures;
  }
  const bool random_bands = draft.job.interaction_kind == InteractionKind::random_bands;
  if (!draft.interaction || (!draft.interaction->pair && !random_bands)) return;
  model.strength = draft.interaction->strength;
  if (!draft.interaction->couplings.empty()) model.couplings = draft.interaction->couplings;
  model.interactions = take_interactions(draft);
  if (random_bands) std::iota(model.interaction_of_bond.begin(), model.interaction_of_bond.end(), 0);
  model.onsite = draft.interaction->onsite;
  draft.job.model = std::move(model);
}

}  // namespace qheat::jobfile
