#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "io/job_sections.hpp"
#include "io/number_range.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/fluctuations/site_correlations.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/transport/equilibrium_routes.hpp"
#include "qheat/transport/level_energy.hpp"

namespace qheat::jobfile {
namespace {

/// Keys that are of equilibrium fluctuations alone.
constexpr std::array<std::string_view, 8> kFluctuationKeys = {"equilibrium", "ensemble", "source",  "samples",
                                                              "accuracy",    "energy",   "smaller", "memory"};

void read_temperatures(CheckedTable& table, const Draft& draft, TransportRequest& transport) {
  const std::string key = "temperatures";
  const std::string example = "temperatures = [0.5, 1.0, 2.0]";
  const auto& well = draft.job.well;
  const auto& bosons = draft.bath.correlation;
  const bool in_bosons = bosons && bosons->kind == BathCorrelation::Kind::bosons && bosons->temperature > 0.0;
  const bool of_well = well && well->by_temperature && well->temperature > 0.0;
  const double given = in_bosons ? bosons->temperature : of_well ? well->temperature : 0.0;
  if (given > 0.0 && !table.has(key)) {
    transport.temperatures = {given};
    return;
  }
  const Length some{1, std::numeric_limits<std::size_t>::max(), "such as " + example};
  numbers_or_range(table, key, transport.temperatures, NumberRule::positive(), some);
  const auto is_other = [&](double t) { return t != given; };
  if (given > 0.0 && std::any_of(transport.temperatures.begin(), transport.temperatures.end(), is_other))
    table.problem(
        key, fmt::format("D belongs to {} = {:g}; sweep that key and leave out {}, or give this one",
                         in_bosons ? "bath.correlation.temperature" : "interaction.well.temperature", given,
                         table.path_of(key)));
}

void read_routes(CheckedTable& table, TransportRequest& transport) {
  std::vector<std::string> names;
  const Length some{1, kTransportRoutes.size(), "such as routes = [\"spreading\", \"green-kubo\"]"};
  if (!table.texts("routes", names, some)) return;
  std::vector<std::string> known;
  for (const auto& [name, route] : kTransportRoutes) known.emplace_back(name);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = std::find(known.begin(), known.end(), names[i]);
    if (found == known.end()) {
      table.problem("routes", i, unknown_word("route", names[i], known));
      continue;
    }
    const TransportRoute route = kTransportRoutes[as_size(found - known.begin())].second;
    if (transport.takes(route))
      table.problem("routes", i, fmt::format("{} is listed twice; remove one", names[i]));
    transport.routes.push_back(route);
  }
}

/// A site number, or "all"; else the default, which the model decides on.
void read_source(CheckedTable& table, const Draft& draft, TransportRequest& transport) {
  const auto* entry = table.toml().find("source");
  if (entry == nullptr) return;
  if (std::holds_alternative<std::string>(entry->value.data)) {
    std::string text;
    table.text("source", text);
    if (text != "all") table.problem("source", fmt::format("\"{}\" is neither a site nor \"all\"", text));
    for (int i = 0; draft.sites && i < *draft.sites; ++i) transport.sources.push_back(i);
    return;
  }
  int site = 0;
  const int last = draft.sites ? *draft.sites - 1 : std::numeric_limits<int>::max();
  if (table.integer("source", site, {0, last})) transport.sources = {site};
}

bool asks_for_fluctuations(const TomlTable& table) {
  return std::any_of(kFluctuationKeys.begin(), kFluctuationKeys.end(),
                     [&](std::string_view key) { return table.find(key) != nullptr; });
}

std::string obstacle_of(TransportRoute route, const Job& job, const TransportRequest& transport) {
  const bool kernels = job.kernel || job.rates;
  if (route == TransportRoute::kernel)
    return kernels ? "" : "needs a kernel; add [kernel], whose bond rates give D";
  if (route == TransportRoute::steady) return job.steady ? "" : "needs steady states; add [steady]";
  if (!job.time) return "needs output times; add [time] with end = 20.0 and outputs = 81";
  if (job.detuning.realizations > 1)
    return "follows one model at a time; use [sweep] over \"site.detuning.seed\" with average in place of "
           "site.detuning.realizations";
  if (auto why = stationarity_obstacle(*job.model, transport.equilibrium); !why.empty()) return why;
  if (!transport.equilibrium.counts.empty()) {
    if (transport.energy == SiteEnergy::full)
      return "in a sector the energy with the interaction has no background to count an excess from; use "
             "ensemble = "
             "\"all\"";
    if (!same_levels(*job.model))
      return "in a sector all sites must have the same levels; use ensemble = \"all\"";
  }
  if (transport.energy == SiteEnergy::full) {
    if (!std::isinf(transport.equilibrium.temperature))
      return "with energy = \"full\" the equilibrium is that of an infinite temperature; use equilibrium = "
             "inf";
    if (job.model->bath.dephasing > 0.0)
      return "dephasing does not keep the energy of the interaction; use energy = \"levels\"";
  }
  const Lattice& lattice = job.model->lattice;
  if (route == TransportRoute::green_kubo) return green_kubo_obstacle(lattice, transport.energy);
  if (route == TransportRoute::spreading) return spreading_obstacle(lattice);
  const bool complete =
      is_homogeneous_torus(*job.model) || as_size(lattice.sites()) == transport.sources.size();
  if (auto why = matrix_obstacle(lattice, complete); !why.empty() || route == TransportRoute::modes)
    return why;
  return independence_obstacle(*job.model, transport.equilibrium, transport.energy);
}

void take_sector(const CheckedTable& table, const Job& job, TransportRequest& transport) {
  if (!job.initial) {
    table.problem("ensemble", "the sector is that of [initial], which is missing; add it, or use \"all\"");
    return;
  }
  const auto counts = sharp_band_counts(*job.model, *job.initial);
  if (counts.empty()) {
    table.problem("ensemble",
                  "[initial] has no definite numbers of sites in each band; give it levels, or use \"all\"");
    return;
  }
  transport.equilibrium.counts = counts;
}

/// The lattice that is shorter by transport.smaller sites along its first long axis, unless that is 0 or, by
/// default, not possible: a list that is one a site or a bond, random shifts, too short.
void add_shorter(const TomlTable& root, const CheckedTable& table, const Draft& draft,
                 TransportRequest& transport) {
  const bool asked = table.has("smaller");
  constexpr int kDefault = 2;
  const int fewer = asked ? draft.transport_smaller : kDefault;
  const auto axes = transport_axes(*draft.job.lattice);
  if (fewer == 0 || axes.empty() || !transport.follows_fluctuations()) return;
  const int axis = axes.front();
  const int length = at(draft.job.lattice->shape(), axis) - fewer;
  const bool random = draft.job.detuning.distribution != Detuning::Distribution::none;
  const int shortest = shortest_ring(transport.energy);
  const bool sector = !transport.equilibrium.counts.empty();
  if (!asked && (random || sector || length < shortest)) return;
  if (sector) {
    table.problem("smaller", "a shorter lattice has other sectors; use smaller = 0, or ensemble = \"all\"");
    return;
  }
  if (length < shortest) {
    table.problem("smaller",
                  fmt::format("leaves {} sites along axis {}, and {} are the fewest; use a smaller number",
                              length, axis, shortest));
    return;
  }
  if (random) {
    table.problem("smaller",
                  "random shifts of a shorter lattice are others; use smaller = 0 and [sweep] over seeds");
    return;
  }
  Problems found(draft.job.name);
  const auto* shape = value_at(root, "lattice.shape");
  transport.shorter = model_with(
      root, {{fmt::format("lattice.shape[{}]", axis), TomlValue{shape->place, std::int64_t{length}}}}, found);
  if (!transport.shorter && asked) {
    for (const auto& sentence : found.sentences())
      table.problem("smaller", fmt::format("the shorter lattice is not possible: {}", sentence));
  }
}

}  // namespace

void read_transport(CheckedTable& root, Draft& draft) {
  auto table = root.table("transport");
  if (!table) return;
  auto& transport = draft.job.transport.emplace();
  read_routes(*table, transport);
  read_temperatures(*table, draft, transport);
  read_source(*table, draft, transport);
  table->number("equilibrium", transport.equilibrium.temperature, NumberRule::temperature());
  table->choice("energy", transport.energy, {{"levels", SiteEnergy::levels}, {"full", SiteEnergy::full}});
  table->choice("ensemble", draft.transport_sector, {{"all", false}, {"sector", true}});
  constexpr int kMostSamples = 100000;
  if (table->integer("samples", transport.samples, {0, kMostSamples}) && transport.samples == 1)
    table->problem("samples",
                   "one random state leaves no error; use at least 2, or 0 for as many as accuracy takes");
  table->integer("smaller", draft.transport_smaller, {0, 1000000});
  table->number("accuracy", transport.accuracy, {.lowest = 1e-6, .highest = 1.0});
  table->boolean("memory", transport.memory);
  table->integer("seed", transport.seed, {0, std::numeric_limits<std::int64_t>::max()});
  table->report_unknown_keys();
}

void complete_transport(const TomlTable& root, Draft& draft, Problems& problems) {
  if (!draft.job.transport || !draft.job.model) return;
  auto& transport = *draft.job.transport;
  const auto* entry = root.find("transport");
  const auto& toml = std::get<TomlTable>(entry->value.data);
  const CheckedTable table(toml, entry->place, "transport", problems);
  if (draft.transport_sector) take_sector(table, draft.job, transport);
  if (transport.sources.empty()) transport.sources = default_sources(*draft.job.model);
  const bool chosen = table.has("routes");
  for (std::size_t i = 0; chosen && i < transport.routes.size(); ++i) {
    const auto why = obstacle_of(transport.routes[i], draft.job, transport);
    if (!why.empty()) table.problem("routes", i, fmt::format("{}: {}", route_name(transport.routes[i]), why));
  }
  const auto check_memory = [&] {
    if (transport.memory && !transport.takes(TransportRoute::site_kernel))
      table.problem("memory",
                    "is the memory kernel of the sites, for which all of them must be sources; add "
                    "\"site-kernel\" to routes");
  };
  if (chosen) {
    check_memory();
    return add_shorter(root, table, draft, transport);
  }
  // kernels and steady states where there are any; correlations where there are none, or they are asked for
  const bool others = obstacle_of(TransportRoute::kernel, draft.job, transport).empty() ||
                      obstacle_of(TransportRoute::steady, draft.job, transport).empty();
  const bool fluctuations = asks_for_fluctuations(toml) || (!others && transport.temperatures.empty());
  std::string first_reason;
  for (const auto& [name, route] : kTransportRoutes) {
    if (from_fluctuations(route) && !fluctuations) continue;
    const auto why = obstacle_of(route, draft.job, transport);
    if (why.empty()) transport.routes.push_back(route);
    if (!why.empty() && from_fluctuations(route)) transport.left_out.emplace_back(route, why);
    if (!why.empty() && first_reason.empty()) first_reason = why;
  }
  const bool none =
      transport.routes.empty() || (asks_for_fluctuations(toml) && !transport.follows_fluctuations());
  if (none && (fluctuations || transport.temperatures.empty()))
    table.problem(first_reason.empty() ? "asks for nothing; add temperatures = [0.5, 1.0, 2.0], or [time]"
                                       : "no route to D is open: " + first_reason);
  if (none) return;
  check_memory();
  add_shorter(root, table, draft, transport);
}

}  // namespace qheat::jobfile
