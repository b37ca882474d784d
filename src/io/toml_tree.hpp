#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "io/job_problems.hpp"

namespace qheat::jobfile {

struct TomlEntry;
struct TomlValue;

struct TomlTable {
  Place place;
  std::vector<TomlEntry> entries;

  const TomlEntry* find(std::string_view key) const;
};

using TomlArray = std::vector<TomlValue>;

/// A date or time of day: no key of a job takes one, so its value is not kept.
struct TomlDate {};

/// A text that was to be a number with a unit and is none, with the sentence that says why.
struct TomlWrong {
  std::string text;
  std::string why;
};

struct TomlValue {
  Place place;
  std::variant<bool, std::int64_t, double, std::string, TomlDate, TomlArray, TomlTable, TomlWrong> data;
};

struct TomlEntry {
  std::string key;
  Place place;  ///< of the key; of the header's bracket for [tables]
  TomlValue value;
};

/// Reads TOML 1.0. A syntax error, or keys nested beyond all reason, is added to `problems`; then there is no
/// table.
std::optional<TomlTable> parse_toml(const std::string& text, Problems& problems);

/// "a string", "an integer", ... for messages.
std::string_view type_name(const TomlValue& value);

/// Splits a part of a path, "orders[1]", into "orders" and 1.
std::pair<std::string_view, std::optional<std::size_t>> split_index(std::string_view part);

/// Place of the value at a path such as "kernel.orders[1]"; where that is not written down, of what encloses
/// it.
Place place_of(const TomlTable& root, std::string_view path);

/// The value at such a path; null where none is written there.
const TomlValue* value_at(const TomlTable& root, std::string_view path);

/// Sets the value at a path such as "bath.reservoir[0].rate"; tables that are missing on the way are made.
/// False, and nothing is changed, if the path leads through something else or to an entry that a list has
/// not.
bool assign(TomlTable& root, std::string_view path, const TomlValue& value);

/// Keys with other values: what makes one job of many of another.
using Assignments = std::vector<std::pair<std::string, TomlValue>>;

/// The job with some keys set to other values; every path must be one that `assign` takes. Points of a sweep,
/// and the lengths of steady.sizes, are such jobs.
TomlTable job_with(TomlTable root, const Assignments& assignments);

/// The table as the text of a file that is read as the same table, and a single value as it stands in one.
std::string toml_text(const TomlTable& root);
std::string toml_text(const TomlValue& value);

}  // namespace qheat::jobfile
