#include <limits>

#include "io/job_sections.hpp"

namespace qheat::jobfile {
namespace {

bool read_kind(CheckedTable& table, InitialDraft::Kind& kind) {
  using Kind = InitialDraft::Kind;
  return table.require("kind", "kind = \"product\"") &&
         table.choice("kind", kind, {{"product", Kind::product}, {"thermal", Kind::thermal}});
}

}  // namespace

void read_initial(CheckedTable& root, Draft& draft) {
  auto table = root.table("initial");
  if (!table) return;
  InitialDraft initial;
  const bool kind_known = read_kind(*table, initial.kind);

  const int highest = draft.site ? draft.site->levels() - 1 : std::numeric_limits<Level>::max() - 1;
  table->integers("levels", initial.levels, {0, highest}, draft.one_a_site());
  table->choice("within_band", initial.pure_in_band, {{"mixed", false}, {"pure", true}});
  table->numbers("temperatures", initial.temperatures, NumberRule::temperature(), draft.one_a_site());
  if (kind_known) {
    const bool product = initial.kind == InitialDraft::Kind::product;
    table->only("levels", product, "kind = \"product\"");
    table->only("within_band", product, "kind = \"product\"");
    table->only("temperatures", !product, "kind = \"thermal\"");
    if (product) table->require("levels", "levels = [1, 0, 0, 0], the level of each site");
    if (!product) table->require("temperatures", "temperatures = [2.0, 1.0, 1.0, 1.0], one a site");
  }
  table->report_unknown_keys();
  draft.initial = std::move(initial);
}

}  // namespace qheat::jobfile
