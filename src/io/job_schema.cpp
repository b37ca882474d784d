#include "io/job_schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "io/nearest_key.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::jobfile {
namespace {

/// Beyond these the rest of a list or table is not looked at: a list of 100 000 strings is one mistake, not
/// 100 000.
constexpr int kMaxWrongEntries = 20;

std::string expected(const NumberRule& rule) {
  if (rule.infinity) return "a number > 0, or inf";
  if (!std::isfinite(rule.lowest)) return "a finite number";
  const std::string from = fmt::format("{} {}", rule.above_lowest ? ">" : ">=", rule.lowest);
  if (!std::isfinite(rule.highest)) return fmt::format("a finite number {}", from);
  return fmt::format("a number {} and <= {}", from, rule.highest);
}

std::string expected(const IntegerRule& rule) {
  const bool from_below = rule.lowest != std::numeric_limits<std::int64_t>::min();
  const bool from_above = rule.highest != std::numeric_limits<std::int64_t>::max();
  if (from_below && from_above) return fmt::format("an integer from {} to {}", rule.lowest, rule.highest);
  if (from_below) return fmt::format("an integer >= {}", rule.lowest);
  return "an integer";
}

/// What can be said of a number that is 0 or of a size that computing leaves room for: products of a few such
/// numbers (squared rates, rates times times, and so on) neither overflow nor lose their digits.
std::string size_problem(double value) {
  constexpr double kSmallest = 1e-50;
  constexpr double kLargest = 1e50;
  const double size = std::abs(value);
  if (size == 0.0 || std::isinf(size) || (size >= kSmallest && size <= kLargest)) return {};
  const bool small = size < kSmallest;
  return fmt::format(
      "{} is too {} to be computed with; give {} or a number {} {:g}, in units that suit the model", value,
      small ? "small" : "large", small ? "0, where that is possible," : "inf, where that is possible,",
      small ? "above" : "below", small ? kSmallest : kLargest);
}

bool obeys(double value, const NumberRule& rule) {
  if (std::isnan(value)) return false;
  if (std::isinf(value)) return value > 0 && rule.infinity;
  return value <= rule.highest && (rule.above_lowest ? value > rule.lowest : value >= rule.lowest);
}

/// Integers are numbers; "inf" is one where infinity is allowed.
std::optional<double> number_in(const TomlValue& value, const NumberRule& rule) {
  if (const auto* number = std::get_if<double>(&value.data)) return *number;
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) return static_cast<double>(*integer);
  const auto* text = std::get_if<std::string>(&value.data);
  if (text != nullptr && *text == "inf" && rule.infinity) return std::numeric_limits<double>::infinity();
  return {};
}

/// Keys that TOML writes without quotes are shown so; others as the file must write them.
std::string shown_key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? printable(key) : fmt::format("\"{}\"", printable(key));
}

std::string entries(std::size_t count) {
  return count == 1 ? "1 entry" : fmt::format("{} entries", count);
}

std::string expected(const Length& length) {
  std::string count;
  if (length.most == std::numeric_limits<std::size_t>::max()) {
    count = fmt::format("at least {}", length.least);
  } else if (length.least == length.most) {
    count = fmt::format("{}", length.least);
  } else {
    count = fmt::format("{} to {}", length.least, length.most);
  }
  return length.meaning.empty() ? count : fmt::format("{} ({})", count, length.meaning);
}

}  // namespace

CheckedTable::CheckedTable(const TomlTable& table, Place place, std::string path, Problems& problems)
    : table_(&table), place_(place), path_(std::move(path)), problems_(&problems) {}

const TomlEntry* CheckedTable::known(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  return table_->find(key);
}

std::string CheckedTable::path_of(std::string_view key) const {
  return path_.empty() ? shown_key(key) : fmt::format("{}.{}", path_, shown_key(key));
}

bool CheckedTable::require(std::string_view key, std::string_view example) {
  if (known(key) != nullptr) return true;
  problems_->add(place_, path_of(key), fmt::format("this key is missing; add for example {}", example));
  return false;
}

void CheckedTable::problem(std::string_view key, std::string_view message) const {
  const TomlEntry* entry = table_->find(key);
  problems_->add(entry == nullptr ? place_ : entry->place, path_of(key), message);
}

void CheckedTable::problem(std::string_view key, std::size_t index, std::string_view message) const {
  const std::string indexed = fmt::format("{}[{}]", key, index);
  problems_->add(place_of(*table_, indexed), fmt::format("{}[{}]", path_of(key), index), message);
}

void CheckedTable::problem(std::string_view message) const {
  problems_->add(place_, path_, message);
}

void CheckedTable::only(std::string_view key, bool allowed, std::string_view when) {
  if (known(key) == nullptr || allowed) return;
  problem(key, fmt::format("this key belongs to {} only; remove it", when));
}

void CheckedTable::wrong_type(const TomlValue& value, Place place, const std::string& path,
                              std::string_view wanted) const {
  if (const auto* wrong = std::get_if<TomlWrong>(&value.data)) {
    problems_->add(place, path, wrong->why);
    return;
  }
  problems_->add(place, path, fmt::format("{} stands here; give {}", type_name(value), wanted));
}

bool CheckedTable::read_number(const TomlValue& value, Place place, const std::string& path, double& target,
                               const NumberRule& rule) const {
  const auto number = number_in(value, rule);
  if (!number) {
    wrong_type(value, place, path, expected(rule));
    return false;
  }
  if (!obeys(*number, rule)) {
    problems_->add(place, path, fmt::format("{} is not possible; give {}", *number, expected(rule)));
    return false;
  }
  if (const std::string problem = size_problem(*number); !problem.empty()) {
    problems_->add(place, path, problem);
    return false;
  }
  target = *number;
  return true;
}

bool CheckedTable::read_integer(const TomlValue& value, Place place, const std::string& path,
                                std::int64_t& target, const IntegerRule& rule) const {
  const auto* integer = std::get_if<std::int64_t>(&value.data);
  if (integer == nullptr) {
    wrong_type(value, place, path, expected(rule));
    return false;
  }
  if (*integer < rule.lowest || *integer > rule.highest) {
    problems_->add(place, path, fmt::format("{} is not possible; give {}", *integer, expected(rule)));
    return false;
  }
  target = *integer;
  return true;
}

bool CheckedTable::read_number(const TomlValue& value, const std::string& path, double& target,
                               const NumberRule& rule) const {
  return read_number(value, value.place, path, target, rule);
}

bool CheckedTable::read_integer(const TomlValue& value, const std::string& path, std::int64_t& target,
                                const IntegerRule& rule) const {
  return read_integer(value, value.place, path, target, rule);
}

bool CheckedTable::boolean(std::string_view key, bool& value) {
  const TomlEntry* entry = known(key);
  if (entry == nullptr) return false;
  const auto* boolean = std::get_if<bool>(&entry->value.data);
  if (boolean == nullptr) {
    wrong_type(entry->value, entry->place, path_of(key), "true or false");
    return false;
  }
  value = *boolean;
  return true;
}

bool CheckedTable::number(std::string_view key, double& value, const NumberRule& rule) {
  const TomlEntry* entry = known(key);
  return entry != nullptr && read_number(entry->value, entry->place, path_of(key), value, rule);
}

bool CheckedTable::text(std::string_view key, std::string& value) {
  const TomlEntry* entry = known(key);
  if (entry == nullptr) return false;
  const auto* text = std::get_if<std::string>(&entry->value.data);
  if (text == nullptr) {
    wrong_type(entry->value, entry->place, path_of(key), "a string");
    return false;
  }
  value = *text;
  return true;
}

std::optional<std::size_t> CheckedTable::choice_of(std::string_view key,
                                                   const std::vector<std::string>& names) {
  const TomlEntry* entry = known(key);
  if (entry == nullptr) return {};
  const auto* text = std::get_if<std::string>(&entry->value.data);
  if (text == nullptr) {
    wrong_type(entry->value, entry->place, path_of(key), fmt::format("\"{}\"", fmt::join(names, "\" or \"")));
    return {};
  }
  const auto found = std::find(names.begin(), names.end(), *text);
  if (found != names.end()) return as_size(found - names.begin());
  problem(key, unknown_word("choice", *text, names));
  return {};
}

bool CheckedTable::read_list(const TomlValue& value, Place place, const std::string& path,
                             const Length& length,
                             const std::function<bool(const TomlValue&, const std::string&)>& read) const {
  const auto* array = std::get_if<TomlArray>(&value.data);
  if (array == nullptr) {
    wrong_type(value, place, path, "a list [...]");
    return false;
  }
  const bool length_good = array->size() >= length.least && array->size() <= length.most;
  if (!length_good) {
    problems_->add(place, path, fmt::format("has {}; give {}", entries(array->size()), expected(length)));
  }
  int wrong = 0;
  for (std::size_t i = 0; i < array->size() && wrong < kMaxWrongEntries; ++i) {
    if (!read((*array)[i], fmt::format("{}[{}]", path, i))) ++wrong;
  }
  if (wrong == kMaxWrongEntries) {
    problems_->add(place, path, fmt::format("{} wrong entries; the others were not looked at", wrong));
  }
  return length_good && wrong == 0;
}

bool CheckedTable::read_integers(const TomlValue& value, const std::string& path, std::vector<int>& targets,
                                 const IntegerRule& rule, const Length& length) const {
  return read_list(value, value.place, path, length,
                   [&](const TomlValue& entry, const std::string& entry_path) {
                     std::int64_t wide = 0;
                     if (!read_integer(entry, entry_path, wide, rule)) return false;
                     targets.push_back(static_cast<int>(wide));
                     return true;
                   });
}

bool CheckedTable::list(std::string_view key, const Length& length,
                        const std::function<bool(const TomlValue&, const std::string&)>& read) {
  const TomlEntry* entry = known(key);
  return entry != nullptr && read_list(entry->value, entry->place, path_of(key), length, read);
}

bool CheckedTable::booleans(std::string_view key, std::vector<bool>& values, const Length& length) {
  std::vector<bool> read;
  const bool good = list(key, length, [&](const TomlValue& entry, const std::string& path) {
    const auto* boolean = std::get_if<bool>(&entry.data);
    if (boolean == nullptr) {
      wrong_type(entry, entry.place, path, "true or false");
      return false;
    }
    read.push_back(*boolean);
    return true;
  });
  if (good) values = std::move(read);
  return good;
}

bool CheckedTable::numbers(std::string_view key, std::vector<double>& values, const NumberRule& rule,
                           const Length& length) {
  std::vector<double> read;
  const bool good = list(key, length, [&](const TomlValue& entry, const std::string& path) {
    return read_number(entry, path, read.emplace_back(), rule);
  });
  if (good) values = std::move(read);
  return good;
}

bool CheckedTable::texts(std::string_view key, std::vector<std::string>& values, const Length& length) {
  std::vector<std::string> read;
  const bool good = list(key, length, [&](const TomlValue& entry, const std::string& path) {
    const auto* text = std::get_if<std::string>(&entry.data);
    if (text == nullptr) {
      wrong_type(entry, entry.place, path, "a string");
      return false;
    }
    read.push_back(*text);
    return true;
  });
  if (good) values = std::move(read);
  return good;
}

std::optional<CheckedTable> CheckedTable::table(std::string_view key) {
  const TomlEntry* entry = known(key);
  if (entry == nullptr) return {};
  const auto* table = std::get_if<TomlTable>(&entry->value.data);
  if (table != nullptr) return CheckedTable(*table, entry->place, path_of(key), *problems_);
  wrong_type(entry->value, entry->place, path_of(key), fmt::format("a table [{}]", path_of(key)));
  return {};
}

std::vector<CheckedTable> CheckedTable::tables(std::string_view key) {
  const TomlEntry* entry = known(key);
  if (entry == nullptr) return {};
  const std::string wanted = fmt::format("tables, each under its own [[{}]]", path_of(key));
  std::vector<CheckedTable> result;
  const auto* array = std::get_if<TomlArray>(&entry->value.data);
  if (array == nullptr) {
    wrong_type(entry->value, entry->place, path_of(key), wanted);
    const auto* single = std::get_if<TomlTable>(&entry->value.data);
    if (single != nullptr) result.emplace_back(*single, entry->place, path_of(key), *problems_);
    return result;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const TomlValue& value = (*array)[i];
    const std::string path = fmt::format("{}[{}]", path_of(key), i);
    if (const auto* table = std::get_if<TomlTable>(&value.data)) {
      result.emplace_back(*table, value.place, path, *problems_);
    } else {
      wrong_type(value, value.place, path, wanted);
    }
  }
  return result;
}

void CheckedTable::report_unknown_keys() const {
  const std::string owner = path_.empty() ? "the file" : path_;
  int unknown = 0;
  for (const auto& entry : table_->entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    if (++unknown > kMaxWrongEntries) {
      problem(fmt::format("more than {} unknown keys; the others are not listed", kMaxWrongEntries));
      return;
    }
    const auto nearest = nearest_key(entry.key, known_);
    const std::string remedy = nearest ? fmt::format("did you mean {}?", *nearest)
                                       : fmt::format("{} may have {}", owner, fmt::join(known_, ", "));
    problems_->add(entry.place, path_of(entry.key), fmt::format("this key is unknown; {}", remedy));
  }
}

std::string unknown_word(std::string_view what, std::string_view word,
                         const std::vector<std::string>& words) {
  const auto nearest = nearest_key(word, words);
  const std::string remedy = nearest ? fmt::format("did you mean \"{}\"? Choices", *nearest) : "choices";
  return fmt::format("\"{}\" is no {}; {}: {}", printable(word), what, remedy, fmt::join(words, ", "));
}

}  // namespace qheat::jobfile
