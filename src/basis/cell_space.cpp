#include "qheat/basis/cell_space.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

Sector band_sector(const Model& model, const std::vector<int>& counts) {
  if (counts.empty()) return Sector::full(model.sites(), model.site.bands());
  std::vector<Level> every_band_its_own(as_size(model.site.bands()));
  std::iota(every_band_its_own.begin(), every_band_its_own.end(), Level{0});
  return {model.sites(), every_band_its_own, counts};
}

}  // namespace

CellSpace::CellSpace(const Model& model, const InitialState& initial)
    : sites_(model.sites()), bands_(model.site.bands()) {
  for (const auto& counts : sector_counts(model, initial)) {
    sectors_.push_back({counts, band_sector(model, counts), dimension_});
    dimension_ = checked_sum(dimension_, sectors_.back().cells.dimension(), "the number of cells");
  }
}

std::vector<std::vector<int>> CellSpace::band_counts() const {
  std::vector<std::vector<int>> counts;
  for (const auto& sector : sectors_) counts.push_back(sector.band_counts);
  return counts;
}

std::size_t CellSpace::sector_of(Index cell) const {
  const auto after = std::upper_bound(sectors_.begin(), sectors_.end(), cell,
                                      [](Index c, const CellSector& sector) { return c < sector.first; });
  return as_size(after - sectors_.begin()) - 1;
}

void CellSpace::configuration(Index cell, std::span<Level> bands) const {
  const CellSector& sector = sectors_[sector_of(cell)];
  sector.cells.configuration(cell - sector.first, bands);
}

std::vector<double> CellSpace::energies(const Model& model) const {
  const auto of_band = band_energies(model);
  std::vector<double> energies(as_size(dimension_), 0.0);
  std::vector<Level> configuration(as_size(sites_));
  for (Index cell = 0; cell < dimension_; ++cell) {
    this->configuration(cell, configuration);
    for (std::size_t i = 0; i < configuration.size(); ++i) {
      at(energies, cell) += of_band[i * as_size(bands_) + configuration[i]];
    }
  }
  return energies;
}

std::vector<Index> cell_of_states(const Model& model, const Sector& states, const Sector& cells) {
  std::vector<Index> result(as_size(states.dimension()));
  if (model.site.bands() == model.levels()) {
    std::iota(result.begin(), result.end(), Index{0});
    return result;
  }
  std::vector<Level> configuration(as_size(states.sites()));
  for (Index state = 0; state < states.dimension(); ++state) {
    states.configuration(state, configuration);
    for (Level& level : configuration) level = model.site.band_of_level()[level];
    at(result, state) = cells.index(configuration);
  }
  return result;
}

std::vector<double> band_energies(const Model& model) {
  const auto bands = as_size(model.site.bands());
  std::vector<double> energies(as_size(model.sites()) * bands, 0.0);
  for (int i = 0; i < model.sites(); ++i) {
    for (int n = 0; n < model.levels(); ++n) {
      const std::size_t band = at(model.site.band_of_level(), n);
      energies[as_size(i) * bands + band] += model.energy(i, n) / model.site.band_sizes()[band];
    }
  }
  return energies;
}

std::vector<double> band_widths(const Model& model) {
  const auto bands = as_size(model.site.bands());
  std::vector<double> widths;
  for (int i = 0; i < model.sites(); ++i) {
    std::vector<double> lowest(bands, std::numeric_limits<double>::infinity());
    std::vector<double> highest(bands, -std::numeric_limits<double>::infinity());
    for (int n = 0; n < model.levels(); ++n) {
      const std::size_t band = at(model.site.band_of_level(), n);
      lowest[band] = std::min(lowest[band], model.energy(i, n));
      highest[band] = std::max(highest[band], model.energy(i, n));
    }
    for (std::size_t band = 0; band < bands; ++band) widths.push_back(highest[band] - lowest[band]);
  }
  return widths;
}

}  // namespace qheat
