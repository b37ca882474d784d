#include "io/number_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "qheat/parallel/index.hpp"

namespace qheat::jobfile {
namespace {

constexpr Index kMostNumbers = 1'000'000;

/// To 15 digits: 0.3 and not 0.30000000000000004, the number that a list would say.
double rounded(double value) {
  return std::strtod(fmt::format("{:.15g}", value).c_str(), nullptr);
}

double between(double from, double to, double share, bool logarithmic) {
  if (share == 0.0 || share == 1.0) return share == 0.0 ? from : to;
  return rounded(logarithmic ? from * std::pow(to / from, share) : from + (to - from) * share);
}

/// Whole numbers if both ends are written as such and all values between are whole.
bool is_whole(const TomlTable& range, double from, double to, Index points, bool logarithmic) {
  const auto whole = [&](std::string_view key) {
    const TomlEntry* entry = range.find(key);
    return entry != nullptr && std::holds_alternative<std::int64_t>(entry->value.data);
  };
  const double steps = static_cast<double>(std::max<Index>(1, points - 1));
  return whole("from") && whole("to") && !logarithmic && std::fmod(to - from, steps) == 0.0;
}

}  // namespace

TomlArray read_range(const TomlTable& toml, Place place, const std::string& path, Problems& problems) {
  CheckedTable range(toml, place, path, problems);
  double from = 0.0;
  double to = 0.0;
  Index points = 0;
  bool logarithmic = false;
  bool good = range.require("from", "from = 0.01") && range.number("from", from, NumberRule::any());
  good = range.require("to", "to = 1.0") && range.number("to", to, NumberRule::any()) && good;
  good = range.require("points", "points = 9") && range.integer("points", points, {1, kMostNumbers}) && good;
  range.choice("scale", logarithmic, {{"linear", false}, {"log", true}});
  range.report_unknown_keys();
  if (!good) return {};
  if (logarithmic && !(from > 0.0 && to > 0.0)) {
    range.problem("scale", "a logarithmic range needs from and to above 0");
    return {};
  }
  if (points == 1 && from != to) {
    range.problem("points", "one point cannot be both from and to; give at least 2, or a list");
    return {};
  }
  const bool whole = is_whole(toml, from, to, points, logarithmic);
  TomlArray values;
  for (Index k = 0; k < points; ++k) {
    const double share = points == 1 ? 0.0 : static_cast<double>(k) / static_cast<double>(points - 1);
    const double value = between(from, to, share, logarithmic);
    if (whole) {
      values.push_back({place, static_cast<std::int64_t>(std::llround(value))});
    } else {
      values.push_back({place, value});
    }
  }
  return values;
}

bool numbers_or_range(CheckedTable& table, std::string_view key, std::vector<double>& values,
                      const NumberRule& rule, const Length& length) {
  const TomlEntry* entry = table.toml().find(key);
  const auto* range = entry != nullptr ? std::get_if<TomlTable>(&entry->value.data) : nullptr;
  if (range == nullptr) return table.numbers(key, values, rule, length);
  const auto inner = table.table(key);
  const TomlArray listed = read_range(*range, entry->place, table.path_of(key), table.problems());
  std::vector<double> read;
  bool good = !listed.empty();
  for (const TomlValue& value : listed)
    good = good && inner->read_number(value, table.path_of(key), read.emplace_back(), rule);
  if (good) values = std::move(read);
  return good;
}

}  // namespace qheat::jobfile
