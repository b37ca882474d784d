#pragma once

#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/model/initial_state.hpp"
#include "qheat/model/model.hpp"

namespace qheat {

/// The sectors in which a diagonal initial state lives: one for a state with sharp band counts, all of them
/// for a mixture, the full space if the interaction mixes bands. Each entry holds the band counts (empty:
/// full space).
std::vector<std::vector<int>> sector_counts(const Model& model, const InitialState& initial);

/// Level configurations with these band counts (empty: all).
Sector level_sector(const Model& model, const std::vector<int>& band_counts);
Index level_sector_dimension(const Model& model, const std::vector<int>& band_counts);

/// Band counts of the cells if they are sharp and conserved; empty: all cells.
std::vector<int> cell_counts(const Model& model, const InitialState& initial);
/// The cells of a job, band configurations as states of a lattice whose levels are the bands: those of the
/// initial state's sector if its band counts are sharp and conserved, otherwise all.
Sector cell_sector(const Model& model, const InitialState& initial);
/// Its number of cells, without building it.
Index cell_dimension(const Model& model, const InitialState& initial);

}  // namespace qheat
