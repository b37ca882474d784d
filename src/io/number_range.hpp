#pragma once

#include <string>

#include "io/job_problems.hpp"
#include "io/job_schema.hpp"
#include "io/toml_tree.hpp"

namespace qheat::jobfile {

/// The numbers of { from = 0.01, to = 1.0, points = 9, scale = "log" } (default linear), both ends included,
/// as if a list had named them; whole numbers where all are. Empty after a problem, which is told at `path`.
TomlArray read_range(const TomlTable& range, Place place, const std::string& path, Problems& problems);

/// A list of numbers, or a range of them. True if all is well, as of CheckedTable::numbers.
bool numbers_or_range(CheckedTable& table, std::string_view key, std::vector<double>& values,
                      const NumberRule& rule, const Length& length);

}  // namespace qheat::jobfile
