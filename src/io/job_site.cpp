#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "io/job_names.hpp"
#include "io/job_sections.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::jobfile {
namespace {

constexpr std::size_t kMaxLevels = std::numeric_limits<Level>::max();

bool is_short_form(const CheckedTable& table) {
  return table.has("band_levels") || table.has("band_energy") || table.has("band_width");
}

bool read_levels(CheckedTable& table, std::vector<double>& levels) {
  const bool read =
      table.require("levels", "levels = [0.0, 1.0]") &&
      table.numbers("levels", levels, NumberRule::any(), {2, kMaxLevels, "the energies of one site"});
  if (!read) return false;
  if (levels.front() != 0.0) {
    table.problem("levels", 0,
                  fmt::format("{} is not 0; energies count from the ground level", levels.front()));
    return false;
  }
  const auto descent = std::is_sorted_until(levels.begin(), levels.end());
  if (descent == levels.end()) return true;
  const auto index = as_size(descent - levels.begin());
  table.problem("levels", index, fmt::format("{} lies below the level before it; sort the levels", *descent));
  return false;
}

/// The short form of a ground level and one band of equally spaced levels, checked even where levels are
/// listed.
bool read_short_band(CheckedTable& table, std::vector<double>& levels, std::vector<int>& bands) {
  int count = 1;
  double energy = 0.0;
  double width = 0.0;
  const bool read[] = {table.integer("band_levels", count, {1, static_cast<int>(kMaxLevels) - 1}),
                       table.number("band_energy", energy, NumberRule::not_negative()),
                       table.number("band_width", width, NumberRule::not_negative())};
  if (!is_short_form(table)) return false;
  table.require("band_levels", "band_levels = 200");
  table.require("band_energy", "band_energy = 1.0");
  table.require("band_width", "band_width = 0.5");
  table.only("levels", false, "a site without band_levels");
  table.only("bands", false, "a site without band_levels");
  if (!read[0] || !read[1] || !read[2]) return false;
  levels.assign(1, 0.0);
  for (int k = 0; k < count; ++k) levels.push_back(energy + width * k / std::max(1, count - 1));
  bands.assign(levels.size(), 1);
  bands.front() = 0;
  return true;
}

/// The levels of the wells of the interaction: e (n^2 - 1), n = 1, 2, ..., of square ones, e n, n = 0, 1,
/// ..., of harmonic ones.
bool read_well_levels(const CheckedTable& root, CheckedTable& table, std::vector<double>& levels) {
  int count = 2;
  double energy = 1.0;
  const bool read[] = {table.integer("well_levels", count, {2, kMaxWellLevels}),
                       table.number("well_energy", energy, NumberRule::positive())};
  if (!table.has("well_levels")) {
    table.only("well_energy", false, "a site with well_levels");
    return false;
  }
  table.only("levels", false, "a site without well_levels");
  const TomlValue* well = value_at(root.toml(), "interaction.well");  // which is read later
  if (well == nullptr) {
    table.problem("well_levels",
                  "takes the levels of [interaction.well], which is missing; add it, or give "
                  "levels = [0.0, 1.0]");
    return false;
  }
  if (!read[0] || (table.has("well_energy") && !read[1])) return false;
  const TomlValue* shape = value_at(root.toml(), "interaction.well.shape");
  const auto* name = shape != nullptr ? std::get_if<std::string>(&shape->data) : nullptr;
  const bool harmonic = name != nullptr && *name == name_of(kWellNames, Well::Shape::harmonic);
  for (int k = 0; k < count; ++k) levels.push_back(energy * (harmonic ? k : (k + 1) * (k + 1) - 1));
  return true;
}

bool read_bands(CheckedTable& table, const std::vector<double>& levels, std::vector<int>& bands) {
  const std::size_t count = levels.size();
  const Length one_a_level = count > 0 ? Length{count, count, "one a level"} : Length{};
  const bool read = table.integers("bands", bands, {0, static_cast<int>(kMaxLevels) - 1}, one_a_level);
  int next = 0;
  for (std::size_t n = 0; n < bands.size(); ++n) {
    if (bands[n] > next) {
      table.problem("bands", n,
                    fmt::format("band {} comes before band {}; number bands 0, 1, ... in order of first "
                                "appearance",
                                bands[n], next));
      return false;
    }
    if (bands[n] == next) ++next;
  }
  return read || !table.has("bands");
}

bool read_listed_levels(const CheckedTable& root, CheckedTable& table, std::vector<double>& levels,
                        std::vector<int>& bands) {
  const bool by_well = read_well_levels(root, table, levels);
  const bool levels_good = table.has("well_levels") ? by_well : read_levels(table, levels);
  const bool bands_good = read_bands(table, levels, bands);
  return levels_good && bands_good;
}

bool read_offsets(CheckedTable& table, const Draft& draft, const std::vector<double>& levels,
                  std::vector<double>& offsets) {
  const std::size_t count = levels.size();
  const Length columns = count > 0 ? Length{count, count, "one a level"} : Length{};
  return table.list("offsets", draft.one_a_site(), [&](const TomlValue& row, const std::string& path) {
    return table.read_list(
        row, row.place, path, columns, [&](const TomlValue& entry, const std::string& entry_path) {
          return table.read_number(entry, entry_path, offsets.emplace_back(), NumberRule::any());
        });
  });
}

void check_random_detuning(CheckedTable& table, const Detuning& detuning) {
  const bool random = table.has("distribution");
  if (random) table.require("width", "width = 0.2");
  if (random) return;
  const std::string_view remedy = "there is no distribution to draw from; add distribution or remove this";
  if (table.has("width")) table.problem("width", remedy);
  if (table.has("seed")) table.problem("seed", remedy);
  if (detuning.realizations > 1) {
    table.problem("realizations",
                  "without a distribution all realizations are the same; add distribution, or set 1");
  }
}

Detuning read_detuning(CheckedTable& site, const Draft& draft, const std::vector<double>& levels) {
  Detuning detuning;
  auto table = site.table("detuning");
  if (!table) return detuning;
  if (!read_offsets(*table, draft, levels, detuning.offsets)) detuning.offsets.clear();
  table->choice("distribution", detuning.distribution, kDistributionNames);
  table->number("width", detuning.width, NumberRule::positive());
  table->integer("seed", detuning.seed, {.lowest = 0});
  table->integer("realizations", detuning.realizations, {1, std::numeric_limits<int>::max()});
  check_random_detuning(*table, detuning);
  table->report_unknown_keys();
  return detuning;
}

/// Energies of realisation 0, once their number is bearable; offsets that do not fit have been told.
void fill_energies(const CheckedTable& table, const std::vector<double>& levels, Draft& draft) {
  const auto count = static_cast<std::int64_t>(levels.size()) * *draft.sites;
  if (count > kMaxSitesTimesLevels) {
    table.problem("levels", fmt::format("{} sites with {} levels are too many; give at most {} levels in all",
                                        *draft.sites, levels.size(), kMaxSitesTimesLevels));
    return;
  }
  draft.energies = site_energies(levels, *draft.sites, draft.job.detuning);
}

}  // namespace

void read_site(CheckedTable& root, Draft& draft) {
  auto table = root.table("site");
  if (!table) return;
  std::vector<double> levels;
  std::vector<int> bands;
  const bool short_form = read_short_band(*table, levels, bands);
  const bool good = is_short_form(*table) ? short_form : read_listed_levels(root, *table, levels, bands);
  draft.job.detuning = read_detuning(*table, draft, levels);
  table->report_unknown_keys();
  if (!good) return;
  draft.site = build_or_tell(*table, "levels", "", [&] { return Site(levels, bands); });
  if (draft.site && draft.sites) fill_energies(*table, levels, draft);
}

}  // namespace qheat::jobfile
