#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <variant>

#include "io/job_names.hpp"
#include "io/job_sections.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::jobfile {
namespace {

using Statistics = Reservoir::Statistics;

/// Sites of a reservoir table, which names one or a face; none if that is wrong or cannot be known.
std::vector<int> read_sites(CheckedTable& table, const Draft& draft) {
  const auto& lattice = draft.job.lattice;
  int site = 0;
  std::string face;
  const int highest = lattice ? lattice->sites() - 1 : kMaxSites - 1;
  const bool site_good = table.integer("site", site, {0, highest});
  const bool face_good = table.text("face", face);
  if (table.has("site") == table.has("face")) {
    table.problem(table.has("site") ? "both site and face are given; keep one"
                                    : "does not say where it is; add for example site = 0 or face = \"x-\"");
    return {};
  }
  if (site_good) return {site};
  if (!face_good) return {};
  const auto named = face_named(face, lattice, table, "face");
  if (!named || !lattice) return {};
  return sites_of_face(*lattice, *named);
}

/// Bosons exchange the energy of neighbouring levels: it must be positive.
void check_bose(const CheckedTable& table, const Draft& draft, const std::vector<int>& sites) {
  if (draft.energies.empty()) return;
  const auto levels = as_size(draft.site->levels());
  for (const int site : sites) {
    const double* energies = draft.energies.data() + as_size(site) * levels;
    for (std::size_t n = 0; n + 1 < levels; ++n) {
      if (energies[n + 1] > energies[n]) continue;
      table.problem("statistics",
                    fmt::format("bose needs ascending levels, but level {} of site {} does not lie above "
                                "level {}; use fermi or change the levels",
                                n + 1, site, n));
      return;
    }
  }
}

/// up or down: one number for all gaps, or one a gap.
std::vector<double> read_gap_rates(CheckedTable& table, const Draft& draft, const std::string& key) {
  if (!table.require(key, key + " = 0.3")) return {};
  const auto gaps = draft.site ? as_size(draft.site->levels() - 1) : 0;
  const TomlEntry* entry = table.toml().find(key);
  std::vector<double> rates;
  if (std::holds_alternative<TomlArray>(entry->value.data)) {
    const Length length = draft.site ? Length{gaps, gaps, "one a gap between levels"} : Length{};
    table.numbers(key, rates, NumberRule::not_negative(), length);
    return rates;
  }
  double rate = 0.0;
  if (table.number(key, rate, NumberRule::not_negative())) rates.assign(gaps, rate);
  return rates;
}

/// The rates of the jumps themselves.
void read_given_rates(CheckedTable& table, const Draft& draft, Reservoir& reservoir) {
  for (const std::string key : {"temperature", "rate", "statistics"})
    table.only(key, false, "a reservoir without up and down, which are the rates of its jumps");
  const auto up = read_gap_rates(table, draft, "up");
  const auto down = read_gap_rates(table, draft, "down");
  if (up.size() != down.size()) return;  // one of them is wrong, or levels are
  for (std::size_t n = 0; n < up.size(); ++n) reservoir.given.push_back({up[n], down[n]});
  const auto idle = [](const JumpRates& rates) { return rates.up == 0.0 && rates.down == 0.0; };
  if (!up.empty() && std::all_of(reservoir.given.begin(), reservoir.given.end(), idle))
    table.problem("up", "both up and down are 0, so that this reservoir does nothing; raise one of them");
}

void read_temperature(CheckedTable& table, const Draft& draft, const std::vector<int>& sites,
                      Reservoir& reservoir) {
  for (const std::string key : {"up", "down"}) table.only(key, true, "");  // known, though not there
  if (table.require("temperature", "temperature = 2.0")) {
    table.number("temperature", reservoir.temperature, NumberRule::temperature());
  }
  if (table.require("rate", "rate = 1.0")) table.number("rate", reservoir.rate, NumberRule::positive());
  table.choice("statistics", reservoir.statistics, kStatisticsNames);
  if (reservoir.statistics != Statistics::bose) return;
  check_bose(table, draft, sites);
  if (std::isinf(reservoir.temperature)) {
    table.problem("temperature", "bosons have no infinite temperature; give a finite one or use fermi");
  }
}

void read_reservoir(CheckedTable& table, Draft& draft) {
  Reservoir reservoir;
  const auto sites = read_sites(table, draft);
  if (table.has("up") || table.has("down")) {
    read_given_rates(table, draft, reservoir);
  } else {
    read_temperature(table, draft, sites, reservoir);
  }
  table.report_unknown_keys();
  for (const int site : sites) {
    reservoir.site = site;
    draft.bath.reservoirs.push_back(reservoir);
  }
}

BathCorrelation read_correlation(CheckedTable& table) {
  using Kind = BathCorrelation::Kind;
  BathCorrelation correlation;
  const bool kind_known = table.require("kind", "kind = \"exponential\"") &&
                          table.choice("kind", correlation.kind, kCorrelationNames);
  table.number("rate", correlation.rate, NumberRule::positive());
  table.number("alpha", correlation.alpha, NumberRule::positive());
  table.number("cutoff", correlation.cutoff, NumberRule::positive());
  table.number("temperature", correlation.temperature, NumberRule::not_negative());
  if (kind_known) {
    const bool bosons = correlation.kind == Kind::bosons;
    table.only("rate", !bosons, "kind = \"exponential\" or \"gaussian\"");
    for (const std::string key : {"alpha", "cutoff", "temperature"}) {
      table.only(key, bosons, "kind = \"bosons\"");
      if (bosons) table.require(key, key + " = 0.5");
    }
    if (!bosons) table.require("rate", "rate = 0.25");
  }
  table.report_unknown_keys();
  return correlation;
}

void check_correlation(const CheckedTable& table, const Draft& draft) {
  if (!draft.bath.correlation) return;
  const std::string remedy = "[bath.correlation] is a bath of its own; keep one of the two";
  if (draft.bath.dephasing > 0.0) table.problem("dephasing", remedy);
  if (draft.reservoirs_listed) table.problem("reservoir", remedy);
  if (draft.jumps_listed) table.problem("jump", remedy);
}

}  // namespace

void read_bath(CheckedTable& root, Draft& draft) {
  auto table = root.table("bath");
  if (!table) return;
  table->number("dephasing", draft.bath.dephasing, NumberRule::not_negative());
  draft.reservoirs_listed = table->has("reservoir");
  for (auto& reservoir : table->tables("reservoir")) read_reservoir(reservoir, draft);
  draft.jumps_listed = table->has("jump");
  const bool kernels = root.has("kernel") || root.has("rates");
  for (auto& jump : table->tables("jump")) read_jump(jump, kernels, draft);
  if (auto correlation = table->table("correlation")) draft.bath.correlation = read_correlation(*correlation);
  check_correlation(*table, draft);
  table->report_unknown_keys();
}

}  // namespace qheat::jobfile
