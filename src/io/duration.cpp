#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "io/printable.hpp"
#include "qheat/io/job.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

constexpr double kMinute = 60.0;
constexpr double kHour = 60.0 * kMinute;
constexpr double kDay = 24.0 * kHour;
constexpr double kLongest = 1e9;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes digits, with `fraction` also ".digits", from the front of `rest`.
std::optional<double> take_number(std::string_view& rest, bool fraction) {
  const auto digits_from = [&](std::size_t at) {
    while (at < rest.size() && is_digit(rest[at])) ++at;
    return at;
  };
  std::size_t end = digits_from(0);
  if (end == 0) return {};
  const bool has_fraction = fraction && end + 1 < rest.size() && rest[end] == '.' && is_digit(rest[end + 1]);
  if (has_fraction) end = digits_from(end + 1);
  double value = 0.0;
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + end, value);
  if (error != std::errc{}) return {};
  rest.remove_prefix(end);
  return value;
}

double unit_seconds(char unit) {
  switch (unit) {
    case 'd':
      return kDay;
    case 'h':
      return kHour;
    case 'm':
      return kMinute;
    case 's':
      return 1.0;
    default:
      return 0.0;
  }
}

/// "90", "10m", "1d2h": each unit once, larger ones first.
std::optional<double> units(std::string_view text) {
  double seconds = 0.0;
  double last_unit = 2.0 * kDay;
  while (!text.empty()) {
    const auto number = take_number(text, true);
    if (!number) return {};
    const bool bare_seconds = text.empty() && last_unit > kDay;
    const double unit = bare_seconds ? 1.0 : (text.empty() ? 0.0 : unit_seconds(text.front()));
    if (unit == 0.0 || unit >= last_unit) return {};
    seconds += *number * unit;
    last_unit = unit;
    if (!text.empty()) text.remove_prefix(1);
  }
  return last_unit > kDay ? std::nullopt : std::optional(seconds);
}

/// Fields between colons; all but the first below 60.
std::optional<std::vector<double>> clock_fields(std::string_view text) {
  std::vector<double> fields;
  while (true) {
    const auto field = take_number(text, false);
    if (!field || (!fields.empty() && *field >= 60.0)) return {};
    fields.push_back(*field);
    if (text.empty()) return fields;
    if (text.front() != ':') return {};
    text.remove_prefix(1);
  }
}

/// "m:s" or "h:m:s".
std::optional<double> clock(std::string_view text) {
  const auto fields = clock_fields(text);
  if (!fields || fields->size() < 2 || fields->size() > 3) return {};
  double seconds = 0.0;
  for (const double field : *fields) seconds = 60.0 * seconds + field;
  return seconds;
}

/// "d-h", "d-h:m" or "d-h:m:s".
std::optional<double> days_and_clock(std::string_view text) {
  const auto days = take_number(text, false);
  if (!days || text.empty() || text.front() != '-') return {};
  const auto fields = clock_fields(text.substr(1));
  if (!fields || fields->size() > 3 || fields->front() >= 24.0) return {};
  double seconds = *days * kDay;
  double unit = kHour;
  for (const double field : *fields) {
    seconds += field * unit;
    unit /= 60.0;
  }
  return seconds;
}

}  // namespace

double parse_duration(const std::string& text) {
  std::optional<double> seconds = units(text);
  if (!seconds) seconds = clock(text);
  if (!seconds) seconds = days_and_clock(text);
  if (!seconds || *seconds > kLongest) {
    throw InputError(
        fmt::format("\"{}\" is not a duration up to 30 years; write for example 90 (seconds), 10m, 3h50m, "
                    "1d2h, 3:50:00 (h:m:s) or 1-02:00:00 (days-h:m:s)",
                    printable(text)));
  }
  return *seconds;
}

}  // namespace qheat
