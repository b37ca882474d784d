#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "io/job_schema.hpp"
#include "qheat/model/site.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::jobfile {

/// A row such as [a, b, re, im?]: level numbers first, then a complex number.
struct ElementRow {
  std::vector<Level> levels;
  Complex value;
};

/// Reads rows with a given number of levels, each below those of the site.
class ElementReader {
 public:
  ElementReader(CheckedTable& table, const std::optional<Site>& site, std::size_t level_count)
      : table_(table), level_count_(level_count) {
    highest_ = site ? site->levels() - 1 : std::numeric_limits<Level>::max() - 1;
  }

  std::optional<ElementRow> read(const TomlValue& row, const std::string& path) const {
    ElementRow result;
    double parts[2] = {0.0, 0.0};
    std::size_t position = 0;
    const Length length{level_count_ + 1, level_count_ + 2, "levels, real part, imaginary part or nothing"};
    const bool good =
        table_.read_list(row, row.place, path, length, [&](const TomlValue& entry, const auto& place) {
          const std::size_t at = position++;
          if (at < level_count_) return read_level(entry, place, result);
          return at > level_count_ + 1 ||
                 table_.read_number(entry, place, parts[at - level_count_], NumberRule::any());
        });
    if (!good) return {};
    result.value = {parts[0], parts[1]};
    return result;
  }

 private:
  bool read_level(const TomlValue& entry, const std::string& path, ElementRow& row) const {
    std::int64_t level = 0;
    if (!table_.read_integer(entry, path, level, {0, highest_})) return false;
    row.levels.push_back(static_cast<Level>(level));
    return true;
  }

  CheckedTable& table_;
  std::size_t level_count_;
  std::int64_t highest_ = 0;
};

}  // namespace qheat::jobfile
