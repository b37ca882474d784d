#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/job_problems.hpp"
#include "io/toml_tree.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::jobfile {

/// Which real numbers a key takes. Never nan; infinite only where `infinity` says so.
struct NumberRule {
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
  bool above_lowest = false;  ///< lowest itself is refused
  bool infinity = false;      ///< inf and "inf" are welcome

  static NumberRule any() { return {}; }
  static NumberRule positive() { return {.lowest = 0.0, .above_lowest = true}; }
  static NumberRule not_negative() { return {.lowest = 0.0}; }
  static NumberRule between(double low, double high) { return {.lowest = low, .highest = high}; }
  static NumberRule temperature() { return {.lowest = 0.0, .above_lowest = true, .infinity = true}; }
};

struct IntegerRule {
  std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  std::int64_t highest = std::numeric_limits<std::int64_t>::max();
};

/// How many entries a list has, and why: {8, 8, "one a site"}.
struct Length {
  std::size_t least = 0;
  std::size_t most = std::numeric_limits<std::size_t>::max();
  std::string meaning = {};
};

/// One table of the job file under check. Getters put the value into their second argument, and return true,
/// only if the key is there and its value is right; otherwise they leave the argument alone, and tell a wrong
/// value to the problems. Every key asked for counts as known; report_unknown_keys() tells the others.
class CheckedTable {
 public:
  CheckedTable(const TomlTable& table, Place place, std::string path, Problems& problems);

  bool has(std::string_view key) const { return table_->find(key) != nullptr; }
  /// has(); a missing key is a problem of the table. `example` such as "shape = [8]".
  bool require(std::string_view key, std::string_view example);

  bool boolean(std::string_view key, bool& value);
  bool number(std::string_view key, double& value, const NumberRule& rule);
  template <std::integral T>
  bool integer(std::string_view key, T& value, const IntegerRule& rule);
  bool text(std::string_view key, std::string& value);
  template <class T>
  bool choice(std::string_view key, T& value, std::initializer_list<std::pair<std::string_view, T>> choices);
  template <class T, std::size_t N>
  bool choice(std::string_view key, T& value, const std::array<std::pair<std::string_view, T>, N>& choices);

  bool booleans(std::string_view key, std::vector<bool>& values, const Length& length);
  bool numbers(std::string_view key, std::vector<double>& values, const NumberRule& rule,
               const Length& length);
  template <std::integral T>
  bool integers(std::string_view key, std::vector<T>& values, const IntegerRule& rule, const Length& length);
  bool texts(std::string_view key, std::vector<std::string>& values, const Length& length);
  /// Reads each entry of a list by `read(entry, path)`, which tells what is wrong and returns false.
  bool list(std::string_view key, const Length& length,
            const std::function<bool(const TomlValue&, const std::string&)>& read);

  std::optional<CheckedTable> table(std::string_view key);
  /// [[key]]
  std::vector<CheckedTable> tables(std::string_view key);

  /// A problem at a key, or where the key is missing at the table.
  void problem(std::string_view key, std::string_view message) const;
  /// A problem at entry `index` of a list.
  void problem(std::string_view key, std::size_t index, std::string_view message) const;
  /// A problem of the table itself.
  void problem(std::string_view message) const;
  /// If the key is there though `allowed` is false: a problem. `when` such as "kind = \"exchange\"".
  void only(std::string_view key, bool allowed, std::string_view when);
  void report_unknown_keys() const;

  const TomlTable& toml() const { return *table_; }
  std::string path_of(std::string_view key) const;
  Problems& problems() const { return *problems_; }

  /// Single values, for readers of lists.
  bool read_number(const TomlValue& value, const std::string& path, double& target,
                   const NumberRule& rule) const;
  bool read_integer(const TomlValue& value, const std::string& path, std::int64_t& target,
                    const IntegerRule& rule) const;
  bool read_integers(const TomlValue& value, const std::string& path, std::vector<int>& targets,
                     const IntegerRule& rule, const Length& length) const;
  /// Entries of a list that stands at `path`.
  bool read_list(const TomlValue& value, Place place, const std::string& path, const Length& length,
                 const std::function<bool(const TomlValue&, const std::string&)>& read) const;

 private:
  const TomlEntry* known(std::string_view key);
  std::optional<std::size_t> choice_of(std::string_view key, const std::vector<std::string>& names);
  bool read_integer(const TomlValue& value, Place place, const std::string& path, std::int64_t& target,
                    const IntegerRule& rule) const;
  bool read_number(const TomlValue& value, Place place, const std::string& path, double& target,
                   const NumberRule& rule) const;
  void wrong_type(const TomlValue& value, Place place, const std::string& path,
                  std::string_view expected) const;

  const TomlTable* table_;
  Place place_;
  std::string path_;
  Problems* problems_;
  std::vector<std::string> known_;
};

/// A problem for an unknown word, with the nearest of `words` or all of them.
std::string unknown_word(std::string_view what, std::string_view word, const std::vector<std::string>& words);

/// Runs `build`; what it refuses becomes a problem at `key` of `table`.
template <class Build>
auto build_or_tell(const CheckedTable& table, std::string_view key, std::string_view remedy,
                   const Build& build) -> std::optional<decltype(build())> {
  try {
    return build();
  } catch (const InputError& error) {
    // one wrong element may break several symmetries, and be told for each
    const std::set<std::string> different(error.problems().begin(), error.problems().end());
    for (const auto& problem : different) table.problem(key, problem + std::string(remedy));
    return {};
  }
}

template <std::integral T>
bool CheckedTable::integer(std::string_view key, T& value, const IntegerRule& rule) {
  const TomlEntry* entry = known(key);
  std::int64_t wide = 0;
  if (entry == nullptr || !read_integer(entry->value, entry->place, path_of(key), wide, rule)) return false;
  value = static_cast<T>(wide);
  return true;
}

template <class T>
bool CheckedTable::choice(std::string_view key, T& value,
                          std::initializer_list<std::pair<std::string_view, T>> choices) {
  std::vector<std::string> names;
  for (const auto& [name, meaning] : choices) names.emplace_back(name);
  const auto chosen = choice_of(key, names);
  if (chosen) value = (choices.begin() + *chosen)->second;
  return chosen.has_value();
}

template <class T, std::size_t N>
bool CheckedTable::choice(std::string_view key, T& value,
                          const std::array<std::pair<std::string_view, T>, N>& choices) {
  std::vector<std::string> names;
  for (const auto& [name, meaning] : choices) names.emplace_back(name);
  const auto chosen = choice_of(key, names);
  if (chosen) value = choices[*chosen].second;
  return chosen.has_value();
}

template <std::integral T>
bool CheckedTable::integers(std::string_view key, std::vector<T>& values, const IntegerRule& rule,
                            const Length& length) {
  std::vector<T> read;
  const bool good = list(key, length, [&](const TomlValue& entry, const std::string& path) {
    std::int64_t wide = 0;
    if (!read_integer(entry, path, wide, rule)) return false;
    read.push_back(static_cast<T>(wide));
    return true;
  });
  if (good) values = std::move(read);
  return good;
}

}  // namespace qheat::jobfile
