#pragma once

#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/model/initial_state.hpp"
#include "qheat/model/model.hpp"

namespace qheat {

/// The cells of a job (band configurations) that one set of conserved band counts holds; kernels do not
/// connect different ones.
struct CellSector {
  std::vector<int> band_counts;  ///< sites in each band; empty: nothing is conserved, all cells
  Sector cells;                  ///< band configurations as states of a lattice whose levels are the bands
  Index first;                   ///< number of its first cell among all cells of the job
};

/// The cells of a job, sector by sector: the order of all kernel matrices. With conserved bands and sharp
/// band counts in the initial state there is one sector; with conserved bands otherwise all of them; without
/// conservation a single one that holds all cells.
class CellSpace {
 public:
  CellSpace(const Model& model, const InitialState& initial);

  const std::vector<CellSector>& sectors() const { return sectors_; }
  /// Of each sector.
  std::vector<std::vector<int>> band_counts() const;
  Index dimension() const { return dimension_; }
  int sites() const { return sites_; }
  int bands() const { return bands_; }
  /// Band of each site in a cell; `cell` counts over all sectors.
  void configuration(Index cell, std::span<Level> bands) const;
  /// Number of the sector that a cell belongs to.
  std::size_t sector_of(Index cell) const;
  /// The sum over the sites of the mean energies of their bands.
  std::vector<double> energies(const Model& model) const;

 private:
  int sites_;
  int bands_;
  Index dimension_ = 0;
  std::vector<CellSector> sectors_;
};

/// Cell of each state of a level sector, by numbers inside `cells`; the identity for one level a band.
std::vector<Index> cell_of_states(const Model& model, const Sector& states, const Sector& cells);

/// Mean energy of each band on each site, [N][L].
std::vector<double> band_energies(const Model& model);

/// Largest minus smallest energy of each band on each site, [N][L].
std::vector<double> band_widths(const Model& model);

}  // namespace qheat
