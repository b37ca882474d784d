#include "qheat/basis/model_sectors.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// Sites in each band, in all ways.
std::vector<std::vector<int>> all_counts(int sites, int bands) {
  if (bands == 1) return {{sites}};
  std::vector<std::vector<int>> all;
  for (int here = 0; here <= sites; ++here) {
    for (const auto& others : all_counts(sites - here, bands - 1)) {
      auto& counts = all.emplace_back(1, here);
      counts.insert(counts.end(), others.begin(), others.end());
    }
  }
  return all;
}

std::vector<std::vector<int>> all_counts(const Model& model) {
  return all_counts(model.sites(), model.site.bands());
}

std::size_t levels_of(const Model& model) {
  return as_size(model.levels());
}

Sector::CountPair one_label_for_all(const Model& model) {
  return {{model.sites()}, {model.sites()}};
}

std::vector<Level> every_band_its_own(int bands) {
  std::vector<Level> labels(as_size(bands));
  std::iota(labels.begin(), labels.end(), Level{0});
  return labels;
}

}  // namespace

std::vector<std::vector<int>> sector_counts(const Model& model, const InitialState& initial) {
  if (!model.conserves_bands()) return {{}};
  if (auto sharp = sharp_band_counts(model, initial); !sharp.empty()) return {sharp};
  return all_counts(model);
}

std::vector<std::vector<int>> density_counts(const Model& model, const InitialState& initial) {
  if (!model.conserves_band_difference()) return {{}};
  return model.conserves_bands() ? sector_counts(model, initial) : all_counts(model);
}

std::vector<std::vector<int>> density_counts(const Model& model, const std::vector<int>& band_counts) {
  if (!model.conserves_band_difference()) return {{}};
  if (model.conserves_bands()) return {band_counts};
  return all_counts(model);
}

Sector density_space(const Model& model, const std::vector<std::vector<int>>& counts) {
  const bool full = counts.front().empty();
  std::vector<Sector::CountPair> blocks;
  for (const auto& c : counts) blocks.push_back(full ? one_label_for_all(model) : Sector::CountPair{c, c});
  if (full) return Sector::pairs(model.sites(), std::vector<Level>(levels_of(model), 0), blocks);
  return Sector::pairs(model.sites(), model.site.band_of_level(), blocks);
}

Sector density_space_of_difference(const Model& model, const std::vector<int>& difference) {
  std::vector<Sector::CountPair> blocks;
  for (const auto& ket : all_counts(model)) {
    std::vector<int> bra(ket.size());
    std::transform(ket.begin(), ket.end(), difference.begin(), bra.begin(), std::minus<>());
    const bool possible = std::none_of(bra.begin(), bra.end(), [](int count) { return count < 0; });
    if (possible && std::accumulate(bra.begin(), bra.end(), 0) == model.sites()) blocks.push_back({ket, bra});
  }
  if (blocks.empty()) throw Error("no two states differ by these numbers of sites in the bands");
  return Sector::pairs(model.sites(), model.site.band_of_level(), blocks);
}

Index density_dimension(const Model& model, const std::vector<std::vector<int>>& counts) {
  Index sum = 0;
  for (const auto& c : counts) {
    const Index states = level_sector_dimension(model, c);
    sum = checked_sum(sum, checked_product(states, states, "the density matrix"), "the density matrix");
  }
  return sum;
}

Sector level_sector(const Model& model, const std::vector<int>& band_counts) {
  if (band_counts.empty()) return Sector::full(model.sites(), model.levels());
  return {model.sites(), model.site.band_of_level(), band_counts};
}

Index level_sector_dimension(const Model& model, const std::vector<int>& band_counts) {
  if (band_counts.empty()) {
    return configurations({model.sites()}, {model.levels()});
  }
  return sector_dimension(model.site.band_of_level(), band_counts);
}

std::vector<int> cell_counts(const Model& model, const InitialState& initial) {
  return model.conserves_bands() ? sharp_band_counts(model, initial) : std::vector<int>{};
}

Sector cell_sector(const Model& model, const InitialState& initial) {
  const auto counts = cell_counts(model, initial);
  if (counts.empty()) return Sector::full(model.sites(), model.site.bands());
  return {model.sites(), every_band_its_own(model.site.bands()), counts};
}

Index cell_dimension(const Model& model, const InitialState& initial) {
  const auto counts = cell_counts(model, initial);
  if (counts.empty()) return configurations({model.sites()}, {model.site.bands()});
  return sector_dimension(every_band_its_own(model.site.bands()), counts);
}

}  // namespace qheat
