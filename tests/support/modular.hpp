#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "qheat/model/detuning.hpp"
#include "qheat/model/model.hpp"

namespace qheat_test {

/// Modular model with random bands: a ground level and the levels `band` on each site.
inline qheat::Model modular_model(qheat::Lattice lattice, std::vector<double> band, double strength,
                                  std::uint64_t seed, const qheat::Detuning& detuning = {}) {
  std::vector<double> levels = {0.0};
  levels.insert(levels.end(), band.begin(), band.end());
  std::vector<int> bands(levels.size(), 1);
  bands[0] = 0;
  const int bonds = lattice.bond_count();
  auto energies = qheat::site_energies(levels, lattice.sites(), detuning);
  qheat::Model model{.lattice = std::move(lattice),
                     .site = qheat::Site(levels, bands),
                     .energies = std::move(energies),
                     .strength = strength,
                     .couplings = {},
                     .interactions = {},
                     .interaction_of_bond = {},
                     .onsite = {},
                     .bath = {}};
  for (int b = 0; b < bonds; ++b) {
    model.couplings.push_back(1.0 - 0.1 * b);
    model.interactions.push_back(
        qheat::PairInteraction::random_bands(static_cast<int>(levels.size()), seed, b));
    model.interaction_of_bond.push_back(b);
  }
  return model;
}

/// `count` levels from 1 to 1 + width, both included.
inline std::vector<double> equally_spaced_band(int count, double width) {
  std::vector<double> band;
  for (int k = 0; k < count; ++k) band.push_back(1.0 + width * k / (count - 1));
  return band;
}

}  // namespace qheat_test
