#include "qheat/io/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <utility>

#include "io/job_sections.hpp"
#include "io/job_units.hpp"
#include "io/number_range.hpp"
#include "io/potential_file.hpp"
#include "io/toml_tree.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

using jobfile::CheckedTable;
using jobfile::Place;
using jobfile::Problems;
using jobfile::TomlArray;
using jobfile::TomlEntry;
using jobfile::TomlTable;
using jobfile::TomlValue;

namespace {

constexpr Index kMostPoints = 1'000'000;
constexpr const char* kTable = "sweep";

/// A swept key as it is read: its values with their places.
struct Axis {
  std::string path;
  Place place;
  TomlArray values;
};

struct Draft {
  std::vector<Axis> axes;
  bool grid = true;
  std::vector<std::string> average;
};

void check_path(const Axis& axis, Problems& problems) {
  const auto refuse = [&](std::string_view why) {
    problems.add(axis.place, fmt::format("{}.{}", kTable, axis.path), why);
  };
  const std::string table = axis.path.substr(0, axis.path.find('.'));
  if (table == axis.path) {
    refuse("is no key of a table; give a key such as \"interaction.strength\"");
  } else if (axis.path == "units.energy" || axis.path == "units.length") {
    refuse("cannot be swept: quantities of the file have been read in one unit; remove it");
  } else if (table == "output" || table == kTable) {
    refuse("cannot be swept: all points have one results file; remove it");
  }
}

void add_axis(const TomlEntry& entry, Axis axis, Draft& draft, Problems& problems) {
  const std::string path = fmt::format("{}.{}", kTable, axis.path);
  check_path(axis, problems);
  if (const auto* list = std::get_if<TomlArray>(&entry.value.data)) {
    axis.values = *list;
    if (list->empty()) problems.add(axis.place, path, "has no values; give at least one, such as [0.1, 0.2]");
  } else if (const auto* range = std::get_if<TomlTable>(&entry.value.data)) {
    axis.values = jobfile::read_range(*range, axis.place, path, problems);
  } else {
    problems.add(axis.place, path,
                 fmt::format("is {}; give a list of values, or {{ from = .., to = .., points = .. }}",
                             type_name(entry.value)));
  }
  const bool twice = std::any_of(draft.axes.begin(), draft.axes.end(),
                                 [&](const Axis& other) { return other.path == axis.path; });
  if (twice) problems.add(axis.place, path, "is swept twice; remove one");
  draft.axes.push_back(std::move(axis));
}

/// Keys may be quoted, "interaction.strength", or not, which TOML reads as a table in a table.
void read_axes(const TomlTable& table, const std::string& prefix, Draft& draft, Problems& problems) {
  for (const TomlEntry& entry : table.entries) {
    if (prefix.empty() && (entry.key == "combine" || entry.key == "average")) continue;
    const std::string path = prefix + entry.key;
    const auto* inner = std::get_if<TomlTable>(&entry.value.data);
    const bool range = inner != nullptr && (inner->find("from") != nullptr || inner->find("to") != nullptr);
    if (inner != nullptr && !range) {
      read_axes(*inner, path + ".", draft, problems);
    } else {
      add_axis(entry, {path, entry.place, {}}, draft, problems);
    }
  }
}

void check_average(const CheckedTable& table, const Draft& draft) {
  std::vector<std::string> paths;
  for (const Axis& axis : draft.axes) paths.push_back(axis.path);
  for (std::size_t i = 0; i < draft.average.size(); ++i) {
    if (std::find(paths.begin(), paths.end(), draft.average[i]) == paths.end())
      table.problem("average", i, jobfile::unknown_word("swept key", draft.average[i], paths));
  }
}

/// The number of points; 0 after a problem.
Index count_points(const CheckedTable& table, const Draft& draft) {
  Index points = 1;
  for (const Axis& axis : draft.axes) {
    const auto values = static_cast<Index>(axis.values.size());
    if (!draft.grid && values != static_cast<Index>(draft.axes.front().values.size())) {
      table.problem(
          "combine",
          fmt::format("\"zip\" needs as many values of each key, but {} has {} and {} has {}",
                      draft.axes.front().path, draft.axes.front().values.size(), axis.path, values));
      return 0;
    }
    points = draft.grid ? points * values : values;  // below 1e12: each factor was checked
    if (points > kMostPoints) {
      table.problem(fmt::format("stands for more than {} points; sweep fewer values", kMostPoints));
      return 0;
    }
  }
  return points;
}

Draft read_draft(CheckedTable& table, Problems& problems) {
  Draft draft;
  table.choice("combine", draft.grid, {{"grid", true}, {"zip", false}});
  read_axes(table.toml(), "", draft, problems);
  std::stable_sort(draft.axes.begin(), draft.axes.end(),  // as in the file, which the parser has forgotten
                   [](const Axis& x, const Axis& y) { return x.place < y.place; });
  if (draft.axes.empty())
    table.problem(
        "sweeps no key; add for example \"interaction.strength\" = [0.01, 0.02], or remove [sweep]");
  if (table.texts("average", draft.average, {})) check_average(table, draft);
  return draft;
}

std::optional<double> number_in(const TomlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value.data)) return *real;
  return {};
}

SweptKey swept_key(const Axis& axis, const std::vector<std::string>& average) {
  SweptKey key{.path = axis.path, .texts = {}, .numbers = {}};
  for (const TomlValue& value : axis.values) {
    key.texts.push_back(toml_text(value));
    if (const auto number = number_in(value)) key.numbers.push_back(*number);
  }
  if (key.numbers.size() != key.texts.size()) key.numbers.clear();
  key.averaged = std::find(average.begin(), average.end(), axis.path) != average.end();
  return key;
}

}  // namespace

struct Sweep::Tables {
  TomlTable base;  ///< without [sweep]
  std::vector<Axis> axes;

  /// The tables of a point.
  TomlTable at(const Sweep& sweep, Index point) const {
    jobfile::Assignments assignments;
    for (std::size_t k = 0; k < axes.size(); ++k)
      assignments.emplace_back(axes[k].path, axes[k].values[sweep.value_at(point, k)]);
    return job_with(base, assignments);
  }
};

Sweep::Sweep(std::string text, std::string name) : text_(std::move(text)), name_(std::move(name)) {
  Problems problems(name_);
  auto toml = jobfile::parse_toml(text_, problems);
  problems.throw_if_any();
  jobfile::convert_quantities(*toml);
  jobfile::insert_potential_rows(*toml, name_);
  auto tables = std::make_shared<Tables>();
  const TomlEntry* entry = toml->find(kTable);
  swept_ = entry != nullptr;
  if (swept_) {
    CheckedTable root(*toml, Place{}, "", problems);
    auto table = root.table(kTable);
    problems.throw_if_any();
    Draft draft = read_draft(*table, problems);
    grid_ = draft.grid;
    if (problems.empty()) points_ = count_points(*table, draft);
    for (const Axis& axis : draft.axes) {
      keys_.push_back(swept_key(axis, draft.average));
      TomlTable tried = *toml;
      if (!axis.values.empty() && !assign(tried, axis.path, axis.values.front()))
        problems.add(
            axis.place, fmt::format("{}.{}", kTable, axis.path),
            "leads through a value that is no table, or to an entry that its list has not; correct it");
    }
    problems.throw_if_any();
    tables->axes = std::move(draft.axes);
    std::erase_if(toml->entries, [](const TomlEntry& e) { return e.key == kTable; });
  }
  tables->base = std::move(*toml);
  tables_ = std::move(tables);
}

std::size_t Sweep::value_at(Index point, std::size_t key) const {
  if (!grid_) return as_size(point);
  for (std::size_t k = keys_.size() - 1; k > key; --k) point /= static_cast<Index>(keys_[k].texts.size());
  return as_size(point % static_cast<Index>(keys_[key].texts.size()));
}

std::string Sweep::label(Index point) const {
  constexpr std::size_t kLongest = 60;
  std::string text;
  for (std::size_t k = 0; k < keys_.size(); ++k) {
    text += fmt::format("{}{} = {}", k > 0 ? ", " : "", printable(keys_[k].path),
                        printable(keys_[k].texts[value_at(point, k)], kLongest));
  }
  return text;
}

std::string Sweep::job_text(Index point) const {
  return swept_ ? toml_text(tables_->at(*this, point)) : text_;
}

Job Sweep::job(Index point) const {
  if (!swept_) return jobfile::job_of(tables_->base, text_, name_);
  const TomlTable tables = tables_->at(*this, point);
  return jobfile::job_of(tables, toml_text(tables), name_);
}

std::optional<UnitSystem> Sweep::units() const {
  const bool differ = std::any_of(keys_.begin(), keys_.end(), [](const SweptKey& key) {
    return key.path.starts_with("units.") || key.path == "lattice.spacing";
  });
  if (differ) return {};
  const TomlTable tables = tables_->at(*this, 0);
  Problems ignored(name_);  // of the points, which have been told
  CheckedTable root(tables, Place{}, "", ignored);
  jobfile::Draft draft;
  jobfile::read_lattice(root, draft);
  return jobfile::read_units(root, draft.job.lattice);
}

std::vector<Index> Sweep::groups() const {
  std::map<std::vector<std::size_t>, Index> known;
  std::vector<Index> groups;
  for (Index point = 0; point < points_; ++point) {
    std::vector<std::size_t> values;
    for (std::size_t k = 0; k < keys_.size(); ++k) {
      // equal values of a zip are one value, wherever they stand
      const auto& texts = keys_[k].texts;
      const auto first = std::find(texts.begin(), texts.end(), texts[value_at(point, k)]);
      if (!keys_[k].averaged) values.push_back(as_size(first - texts.begin()));
    }
    groups.push_back(known.emplace(std::move(values), static_cast<Index>(known.size())).first->second);
  }
  return groups;
}

}  // namespace qheat
