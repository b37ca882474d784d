#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "io/element_rows.hpp"
#include "io/job_names.hpp"
#include "io/job_sections.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::jobfile {
namespace {

/// The exchange of M levels has M^2 elements on every rank.
constexpr int kMaxExchangedLevels = 1024;
/// Random elements of all bonds, held by every rank.
constexpr double kMaxRandomElements = 1 << 27;

bool read_elements(CheckedTable& table, const std::optional<Site>& site, std::vector<PairElement>& elements) {
  const ElementReader reader(table, site, 4);
  const Length some{1, std::numeric_limits<std::size_t>::max(), "rows [a, b, c, d, re, im?]"};
  return table.list("elements", some, [&](const TomlValue& row, const std::string& path) {
    const auto element = reader.read(row, path);
    if (!element) return false;
    const auto& n = element->levels;
    elements.push_back({n[0], n[1], n[2], n[3], element->value});
    return true;
  });
}

std::vector<OnsiteElement> read_onsite(CheckedTable& table, const std::optional<Site>& site) {
  std::vector<OnsiteElement> elements;
  const ElementReader reader(table, site, 2);
  const bool good = table.list("onsite", {}, [&](const TomlValue& row, const std::string& path) {
    const auto element = reader.read(row, path);
    if (!element) return false;
    elements.push_back({element->levels[0], element->levels[1], element->value});
    return true;
  });
  if (!good || !site) return {};
  auto complete = build_or_tell(table, "onsite", "; correct the list",
                                [&] { return hermitian_onsite(site->levels(), elements); });
  return complete.value_or(std::vector<OnsiteElement>{});
}

void read_couplings(CheckedTable& table, const Draft& draft, std::vector<double>& couplings) {
  const auto& lattice = draft.job.lattice;
  const auto bonds = lattice ? as_size(lattice->bond_count()) : 0;
  const Length length = lattice ? Length{bonds, bonds, "one a bond"} : Length{};
  table.numbers("couplings", couplings, NumberRule::any(), length);
}

/// What the keys of single kinds say.
struct KindKeys {
  double anisotropy = 1.0;
  bool oriented = false;
  bool elements_good = false;
  std::vector<PairElement> elements;
};

/// Reads the keys of all kinds, so that each value is checked even if the kind is wrong.
KindKeys read_kind_keys(CheckedTable& table, Draft& draft) {
  KindKeys keys;
  table.number("anisotropy", keys.anisotropy, NumberRule::any());
  keys.elements_good = read_elements(table, draft.site, keys.elements);
  table.boolean("oriented", keys.oriented);
  table.integer("seed", draft.job.interaction_seed, {.lowest = 0});
  draft.job.anisotropy = keys.anisotropy;
  draft.job.oriented = keys.oriented;
  if (auto well = table.table("well")) draft.job.well = read_well(*well, draft.job.name);
  return keys;
}

void check_kind_keys(CheckedTable& table, InteractionKind kind) {
  const bool matrix = kind == InteractionKind::matrix;
  table.only("anisotropy", kind == InteractionKind::exchange, "kind = \"exchange\"");
  table.only("elements", matrix, "kind = \"matrix\"");
  table.only("oriented", matrix, "kind = \"matrix\"");
  table.only("seed", kind == InteractionKind::random_bands, "kind = \"random-bands\"");
  table.only("well", kind == InteractionKind::well, "kind = \"well\"");
  if (matrix) table.require("elements", "elements = [[0, 1, 1, 0, 1.0]]");
  if (kind == InteractionKind::well && !table.has("well")) {
    table.problem("well", "kind \"well\" needs this table; add [interaction.well]");
  }
}

void check_random_bands(const CheckedTable& root, const CheckedTable& table, const Draft& draft) {
  if (!draft.site) return;
  if (draft.site->bands() != 2 || draft.site->band_sizes()[0] != 1) {
    root.problems().add(
        place_of(root.toml(), "site.bands"), "site.bands",
        "interaction.kind \"random-bands\" needs level 0 alone in band 0 and all other levels in band 1; "
        "set site.bands = [0, 1, 1, ...]");
    return;
  }
  if (!draft.job.lattice) return;
  const double band = draft.site->levels() - 1;
  const double elements = 2.0 * draft.job.lattice->bond_count() * band * band;
  if (elements > kMaxRandomElements) {
    table.problem("kind",
                  fmt::format("the random bands of {} bonds with {} levels have {:.2g} elements; take "
                              "fewer levels or sites, such that there are at most {:.2g}",
                              draft.job.lattice->bond_count(), band, elements, kMaxRandomElements));
  }
}

std::optional<PairInteraction> build_pair(const CheckedTable& table, InteractionKind kind, const Draft& draft,
                                          const KindKeys& keys) {
  const int levels = draft.site->levels();
  const bool all_to_all = kind == InteractionKind::exchange || kind == InteractionKind::xy;
  if (all_to_all && levels > kMaxExchangedLevels) {
    table.problem("kind", fmt::format("the exchange of {} levels is too large; give at most {} levels",
                                      levels, kMaxExchangedLevels));
    return {};
  }
  switch (kind) {
    case InteractionKind::exchange:
      return PairInteraction::exchange(levels, keys.anisotropy);
    case InteractionKind::xy:
      return PairInteraction::xy(levels);
    case InteractionKind::matrix:
      if (!keys.elements_good) return {};
      return build_or_tell(table, "elements", "; correct the list",
                           [&] { return PairInteraction::matrix(levels, keys.elements, keys.oriented); });
    case InteractionKind::well:
      return build_well_interaction(table, levels, draft);
    case InteractionKind::random_bands:
      return {};
  }
  return {};
}

}  // namespace

void read_interaction(CheckedTable& root, Draft& draft) {
  auto table = root.table("interaction");
  if (!table) return;
  auto& kind = draft.job.interaction_kind;
  InteractionDraft interaction;
  const bool kind_known =
      table->require("kind", "kind = \"exchange\"") && table->choice("kind", kind, kInteractionNames);
  if (table->require("strength", "strength = 0.05")) {
    table->number("strength", interaction.strength, NumberRule::any());
  }
  const KindKeys keys = read_kind_keys(*table, draft);
  read_couplings(*table, draft, interaction.couplings);
  interaction.onsite = read_onsite(*table, draft.site);
  if (kind_known) {
    check_kind_keys(*table, kind);
    if (kind == InteractionKind::random_bands) check_random_bands(root, *table, draft);
    if (draft.site) interaction.pair = build_pair(*table, kind, draft, keys);
  }
  table->report_unknown_keys();
  draft.interaction = std::move(interaction);
}

}  // namespace qheat::jobfile
