#include "qheat/basis/model_sectors.hpp"

#include <numeric>

namespace qheat {
namespace {

void all_counts(int sites_left, std::size_t bands_left, std::vector<int>& counts,
                std::vector<std::vector<int>>& all) {
  if (bands_left == 1) {
    counts.push_back(sites_left);
    all.push_back(counts);
    counts.pop_back();
    return;
  }
  for (int here = 0; here <= sites_left; ++here) {
    counts.push_back(here);
    all_counts(sites_left - here, bands_left - 1, counts, all);
    counts.pop_back();
  }
}

std::vector<Level> every_band_its_own(int bands) {
  std::vector<Level> labels(static_cast<std::size_t>(bands));
  std::iota(labels.begin(), labels.end(), Level{0});
  return labels;
}

}  // namespace

std::vector<std::vector<int>> sector_counts(const Model& model, const InitialState& initial) {
  if (!model.conserves_bands()) return {{}};
  if (auto sharp = sharp_band_counts(model, initial); !sharp.empty()) return {sharp};
  std::vector<std::vector<int>> all;
  std::vector<int> counts;
  all_counts(model.sites(), static_cast<std::size_t>(model.site.bands()), counts, all);
  return all;
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
