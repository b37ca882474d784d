#include "qheat/model/model.hpp"

#include <algorithm>
#include <utility>

#include "qheat/model/dissipator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

bool Model::is_real() const {
  return std::all_of(interactions.begin(), interactions.end(), [](const auto& v) { return v.is_real(); }) &&
         std::all_of(onsite.begin(), onsite.end(), [](const auto& u) { return u.value.imag() == 0.0; });
}

bool Model::conserves_bands() const {
  if (!hamiltonian_conserves_bands()) return false;
  const auto all = dissipators(*this);
  return std::none_of(all.begin(), all.end(), [&](const Dissipator& d) { return changes_counts(*this, d); });
}

bool Model::conserves_band_difference() const {
  const auto all = dissipators(*this);
  return hamiltonian_conserves_bands() && std::all_of(all.begin(), all.end(), [&](const Dissipator& d) {
           return count_changes(*this, d).size() <= 1;
         });
}

bool Model::hamiltonian_conserves_bands() const {
  const auto& band = site.band_of_level();
  return std::all_of(interactions.begin(), interactions.end(),
                     [&](const auto& v) { return v.conserves(band); }) &&
         std::all_of(onsite.begin(), onsite.end(), [&](const auto& u) { return band[u.a] == band[u.b]; });
}

Model uniform_model(Lattice lattice, Site site, PairInteraction interaction, double strength) {
  const auto bonds = as_size(lattice.bond_count());
  auto energies = site_energies(site.energies(), lattice.sites(), {});
  return {.lattice = std::move(lattice),
          .site = std::move(site),
          .energies = std::move(energies),
          .strength = strength,
          .couplings = std::vector<double>(bonds, 1.0),
          .interactions = {std::move(interaction)},
          .interaction_of_bond = std::vector<int>(bonds, 0),
          .onsite = {},
          .bath = {}};
}

Model model_of_realization(Model model, const Detuning& detuning, int realization) {
  model.energies = site_energies(model.site.energies(), model.sites(), detuning, realization);
  return model;
}

}  // namespace qheat
