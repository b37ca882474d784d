#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "io/job_sections.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/wells/expression.hpp"

namespace qheat::jobfile {
namespace {

/// What a value may be.
struct ValueRule {
  NumberRule number;
  std::vector<std::string> variables;
  Length list;
};

/// { temperature = [1.0, 2.0], value = [0.5, 0.3] }
void read_curve(CheckedTable& parent, std::string_view key, const ValueRule& rule, HeatValue& value) {
  auto table = parent.table(key);
  if (!table) return;
  const Length some{2, std::numeric_limits<std::size_t>::max(), "at least two"};
  const bool temperatures = table->require("temperature", "temperature = [1.0, 2.0, 4.0], ascending") &&
                            table->numbers("temperature", value.temperatures, NumberRule::any(), some);
  const bool values = table->require("value", "value = [0.5, 0.3, 0.1], one a temperature") &&
                      table->numbers("value", value.values, rule.number, some);
  table->report_unknown_keys();
  if (!temperatures || !values) return;
  if (value.values.size() != value.temperatures.size())
    table->problem("value", fmt::format("{} values for {} temperatures; give one each", value.values.size(),
                                        value.temperatures.size()));
  if (std::ranges::adjacent_find(value.temperatures, std::greater_equal{}) != value.temperatures.end())
    table->problem("temperature", "must be ascending; sort the table");
}

/// A number, a list, an expression or, of what may depend on the temperature, a table; true if there is one,
/// right or wrong.
bool read_value(CheckedTable& table, std::string_view key, const ValueRule& rule, HeatValue& value) {
  const auto* entry = table.toml().find(key);
  if (entry == nullptr) return false;
  const bool of_temperature = rule.variables.front() == "T";
  if (of_temperature && std::holds_alternative<TomlTable>(entry->value.data)) {
    read_curve(table, key, rule, value);
  } else if (std::holds_alternative<std::string>(entry->value.data)) {
    if (!table.text(key, value.expression)) return true;
    const auto expression =
        build_or_tell(table, key, "; give a number, or an expression such as \"1 + 0.1*T\"",
                      [&] { return std::make_shared<Expression>(value.expression, rule.variables); });
    static_cast<void>(expression);
  } else if (std::holds_alternative<TomlArray>(entry->value.data)) {
    table.numbers(key, value.list, rule.number, rule.list);
  } else {
    table.number(key, value.number, rule.number);
  }
  return true;
}

/// { flux = 0.1 } or { convection = 2.0, temperature = 1.0 }
void read_condition(CheckedTable& boundary, const std::string& name, FaceCondition& face) {
  auto table = boundary.table(name);
  if (!table) return;
  const bool flux = table->number("flux", face.value, NumberRule::any());
  const bool convection = table->number("convection", face.transfer, NumberRule::not_negative());
  const bool both = table->has("flux") && table->has("convection");
  if (both) table->problem("convection", "a face has a flux or convection; remove one");
  if (flux) face.kind = FaceCondition::Kind::flux;
  if (convection && !both) {
    face.kind = FaceCondition::Kind::convection;
    if (table->require("temperature", "temperature = 1.0, of what surrounds the face"))
      table->number("temperature", face.value, NumberRule::any());
  }
  if (table->has("flux") && table->has("temperature"))
    table->problem("temperature", "belongs to convection; a face with a flux has none");
  if (!table->has("flux") && !table->has("convection"))
    table->problem("gives nothing; give flux = 0.1, or convection = 2.0 and temperature = 1.0");
  table->report_unknown_keys();
}

void read_boundary(CheckedTable& heat, const Draft& draft, HeatRequest& request) {
  auto table = heat.table("boundary");
  if (!table) return;
  for (const auto& name : face_names()) {
    const auto* entry = table->toml().find(name);
    FaceCondition condition;
    if (entry != nullptr && std::holds_alternative<TomlTable>(entry->value.data)) {
      read_condition(*table, name, condition);
    } else if (table->number(name, condition.value, NumberRule::any())) {
      condition.kind = FaceCondition::Kind::temperature;
    }
    if (entry == nullptr) continue;
    const auto face = face_named(name, draft.job.lattice, *table, name);
    if (face) at(request.faces, 2 * face->axis + (face->upper ? 1 : 0)) = condition;
  }
  table->report_unknown_keys();
}

Length one_a_bond(const Draft& draft) {
  if (!draft.job.lattice) return {};
  const auto count = as_size(draft.job.lattice->bond_count());
  return {count, count, "one a bond"};
}

}  // namespace

void read_heat(CheckedTable& root, Draft& draft) {
  auto table = root.table("heat");
  if (!table) return;
  auto& heat = draft.job.heat.emplace();
  const std::vector<std::string> all = {"T", "x", "y", "z"};
  const Length cells = draft.one_a_site();
  read_value(*table, "conductivity", {NumberRule::positive(), all, one_a_bond(draft)}, heat.conductivity);
  read_value(*table, "capacity", {NumberRule::positive(), all, cells}, heat.capacity);
  read_value(*table, "source", {NumberRule::any(), all, cells}, heat.source);
  table->boolean("steady", heat.steady);
  const bool started =
      read_value(*table, "initial", {NumberRule::any(), {"x", "y", "z"}, cells}, heat.initial);
  if (!started && !heat.steady)
    table->require("initial", "initial = 1.0, one number a site, or an expression of x, y, z");
  table->number("tolerance", heat.tolerance, {.lowest = 1e-13, .highest = 1e-2});
  read_boundary(*table, draft, heat);
  if (draft.job.lattice && draft.job.lattice->explicit_graph())
    table->problem("is solved on the cells of a block; give lattice.shape without lattice.bonds");
  if (heat.steady && std::none_of(heat.faces.begin(), heat.faces.end(), std::mem_fn(&FaceCondition::anchors)))
    table->problem(
        "steady",
        "without a face at a temperature, or with convection, there is no steady state of its own; "
        "add boundary = { x- = 1.0 }, or solve in time");
  table->report_unknown_keys();
}

}  // namespace qheat::jobfile
