#include "io/job_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "io/printable.hpp"

namespace qheat::jobfile {
namespace {

// Of units in J and m: what follows from them stays far inside the range of doubles.
constexpr double kSmallestUnit = 1e-40;
constexpr double kLargestUnit = 1e20;

struct MeasuredKey {
  std::string_view path;  ///< without numbers of list entries
  Quantity quantity;
};

constexpr auto kMeasured = std::to_array<MeasuredKey>({
    {"lattice.spacing", Quantity::length},
    {"site.levels", Quantity::energy},
    {"site.well_energy", Quantity::energy},
    {"site.band_energy", Quantity::energy},
    {"site.band_width", Quantity::energy},
    {"site.detuning.offsets", Quantity::energy},
    {"site.detuning.width", Quantity::energy},
    {"interaction.strength", Quantity::energy},
    {"interaction.well.width", Quantity::length},
    {"interaction.well.separation", Quantity::length},
    {"interaction.well.temperature", Quantity::temperature},
    {"bath.dephasing", Quantity::rate},
    {"bath.reservoir.temperature", Quantity::temperature},
    {"bath.reservoir.rate", Quantity::rate},
    {"bath.reservoir.up", Quantity::rate},
    {"bath.reservoir.down", Quantity::rate},
    {"bath.jump.rate", Quantity::rate},
    {"bath.correlation.rate", Quantity::rate},
    {"bath.correlation.cutoff", Quantity::energy},
    {"bath.correlation.temperature", Quantity::temperature},
    {"initial.temperatures", Quantity::temperature},
    {"time.end", Quantity::time},
    {"kernel.broadening", Quantity::energy},
    {"steady.dephasings", Quantity::rate},
    {"transport.equilibrium", Quantity::temperature},
    {"transport.temperatures", Quantity::temperature},
    {"units.cross_section", Quantity::area},
});

std::string without_indices(std::string_view path) {
  std::string plain;
  bool inside = false;
  for (const char c : path) {
    if (c == '[') inside = true;
    if (!inside) plain += c;
    if (c == ']') inside = false;
  }
  return plain;
}

/// "1.5 meV" as 1.5 and "meV", "2/ps" and "2 1/ps" as 2 and "1/ps"; none if it does not begin with a number.
std::optional<std::pair<double, std::string>> split_quantity(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0.0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::invalid_argument) return {};
  if (error != std::errc{}) number = std::numeric_limits<double>::infinity();  // too large or too small
  std::string unit(rest, end);
  unit.erase(0, std::min(unit.find_first_not_of(kBlanks), unit.size()));
  unit.erase(std::min(unit.find_last_not_of(kBlanks) + 1, unit.size()));
  if (unit.starts_with('/')) unit.insert(0, "1");
  return std::pair(number, unit);
}

class Converter {
 public:
  explicit Converter(const std::optional<UnitSystem>& system, bool listed)
      : system_(system), listed_(listed) {}

  void convert(TomlValue& value, const std::string& path) const {
    const auto quantity = quantity_of_key(path);
    if (auto* list = std::get_if<TomlArray>(&value.data)) {
      for (TomlValue& entry : *list) convert(entry, path);
    } else if (auto* table = std::get_if<TomlTable>(&value.data)) {
      for (TomlEntry& entry : table->entries)
        convert(entry.value, quantity ? path : fmt::format("{}.{}", path, entry.key));  // from, to of a range
    } else if (quantity && std::holds_alternative<std::string>(value.data)) {
      const std::string text = std::get<std::string>(value.data);
      if (const auto parts = split_quantity(text)) {
        value.data = converted(text, *parts, *quantity);
      } else if (unit_named(text)) {
        value.data =
            TomlWrong{text, fmt::format("\"{}\" has no number; give for example \"1 {}\"", text, text)};
      }
    }
  }

 private:
  using Data = decltype(TomlValue::data);

  Data converted(const std::string& text, const std::pair<double, std::string>& parts,
                 Quantity quantity) const {
    const auto wrong = [&](const std::string& why) {
      return TomlWrong{text, fmt::format("\"{}\" {}", printable(text), why)};
    };
    if (parts.second.empty() && std::isinf(parts.first)) return text;  // "inf", for keys that take it
    if (parts.second.empty()) return wrong("is a text; give the number without quotes");
    if (!std::isfinite(parts.first)) return wrong("is no number that can be computed with");
    const auto unit = unit_named(parts.second);
    if (!unit)
      return wrong(
          fmt::format("has an unknown unit; {} takes {}", words_of(quantity).article, units_of(quantity)));
    if (!listed_)
      return wrong(
          "has a unit, but the job does not name the units that it counts in; add [units] with "
          "energy = \"meV\" and length = \"nm\"");
    if (!measures(*unit, quantity))
      return wrong(fmt::format("is {}, and {} stands here; give it in {}", words_of(unit->quantity).article,
                               words_of(quantity).article, units_of(quantity)));
    if (!system_) return 1.0;  // [units] is wrong, which is told there
    return *system_->program_value(parts.first, *unit, quantity);
  }

  const std::optional<UnitSystem>& system_;
  bool listed_;
};

/// "meV", or a number of it: the unit with its size in SI units.
std::optional<Unit> read_unit(CheckedTable& table, std::string_view key, Quantity quantity, double& si) {
  const auto other = quantity == Quantity::energy ? Quantity::temperature : quantity;
  std::string text;
  if (!table.require(key, quantity == Quantity::energy ? "energy = \"meV\"" : "length = \"nm\"") ||
      !table.text(key, text))
    return {};
  const auto parts = split_quantity(text).value_or(std::pair(1.0, text));
  const auto unit = unit_named(parts.second);
  if (!unit || (unit->quantity != quantity && unit->quantity != other)) {
    table.problem(key,
                  fmt::format("\"{}\" is no unit of {}; give one of {}, or a number of it", printable(text),
                              quantity == Quantity::energy ? "energy" : "length", units_of(quantity)));
    return {};
  }
  si = parts.first * in_si(*unit);
  if (parts.first > 0.0 && si > kSmallestUnit && si < kLargestUnit) return unit;
  table.problem(
      key, fmt::format("\"{}\" is {}; give a size that suits the model", printable(text),
                       parts.first > 0.0 ? "too small or too large to be computed with" : "not above 0"));
  return {};
}

}  // namespace

std::optional<Quantity> quantity_of_key(std::string_view path) {
  const std::string plain = without_indices(path);
  const auto found = std::find_if(kMeasured.begin(), kMeasured.end(),
                                  [&](const MeasuredKey& key) { return key.path == plain; });
  return found != kMeasured.end() ? std::optional(found->quantity) : std::nullopt;
}

std::optional<UnitSystem> read_units(CheckedTable& root, const std::optional<Lattice>& lattice) {
  auto table = root.table("units");
  if (!table) return {};
  UnitSystem system;
  const auto energy = read_unit(*table, "energy", Quantity::energy, system.energy);
  const auto length = read_unit(*table, "length", Quantity::length, system.length);
  double cross_section = 0.0;
  const bool has_area = table->number("cross_section", cross_section, NumberRule::positive());
  if (has_area && lattice && lattice->shape().size() > 1)
    table->problem("cross_section", "belongs to chains; remove it, or give lattice.shape one axis");
  table->report_unknown_keys();
  if (!energy || !length) return {};
  system.energy_unit = energy->name;
  system.length_unit = length->name;
  const double spacing = lattice ? lattice->spacing() : 1.0;
  const double volume = spacing * (has_area ? cross_section : spacing * spacing);
  system.site_volume = volume * std::pow(system.length, 3);
  return system;
}

void convert_quantities(TomlTable& root) {
  Problems ignored("");  // told when the job is read; a cross-section with a unit is no number yet
  CheckedTable checked(root, Place{}, "", ignored);
  const auto system = read_units(checked, {});
  const Converter converter(system, root.find("units") != nullptr);
  for (TomlEntry& entry : root.entries) {
    auto* sweep = entry.key == "sweep" ? std::get_if<TomlTable>(&entry.value.data) : nullptr;
    if (sweep == nullptr) {
      converter.convert(entry.value, entry.key);
    } else {
      for (TomlEntry& key : sweep->entries) converter.convert(key.value, key.key);
    }
  }
}

}  // namespace qheat::jobfile
