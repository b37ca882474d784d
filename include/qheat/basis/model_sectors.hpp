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

/// The blocks of the density matrix that a diagonal initial state reaches: the same counts in ket and bra,
/// which H and dephasing keep and most jumps change alike. One block for a state with sharp band counts where
/// nothing changes them, all of them otherwise; the full space if H mixes bands or a jump mixes what changes
/// counts in different ways (empty counts).
std::vector<std::vector<int>> density_counts(const Model& model, const InitialState& initial);
/// The same from the cells of one sector (CellSector::band_counts).
std::vector<std::vector<int>> density_counts(const Model& model, const std::vector<int>& band_counts);
/// The elements of these blocks. Block k holds the kets of the k-th class, bras in the same order.
Sector density_space(const Model& model, const std::vector<std::vector<int>>& counts);
/// Elements <ket|rho|bra> whose counts differ by ket - bra = `difference`, one a band (H keeps the bands).
Sector density_space_of_difference(const Model& model, const std::vector<int>& difference);
/// Number of elements of the blocks, without building them.
Index density_dimension(const Model& model, const std::vector<std::vector<int>>& counts);

/// Band counts of the cells if they are sharp and conserved; empty: all cells.
std::vector<int> cell_counts(const Model& model, const InitialState& initial);
/// The cells of a job, band configurations as states of a lattice whose levels are the bands: those of the
/// initial state's sector if its band counts are sharp and conserved, otherwise all.
Sector cell_sector(const Model& model, const InitialState& initial);
/// Its number of cells, without building it.
Index cell_dimension(const Model& model, const InitialState& initial);

}  // namespace qheat
