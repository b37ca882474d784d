#include "qheat/model/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "qheat/model/constants.hpp"

namespace qheat {
namespace {

using constants::boltzmann;
using constants::elementary_charge;
using constants::hbar;
using constants::light_speed;
using constants::planck;

constexpr auto kUnits = std::to_array<Unit>({
    {"meV", Quantity::energy, 1e-3 * elementary_charge},
    {"eV", Quantity::energy, elementary_charge},
    {"ueV", Quantity::energy, 1e-6 * elementary_charge},
    {"J", Quantity::energy, 1.0},
    {"cm^-1", Quantity::energy, 100.0 * planck* light_speed},
    {"THz", Quantity::energy, 1e12 * planck},
    {"GHz", Quantity::energy, 1e9 * planck},
    {"hartree", Quantity::energy, constants::hartree},
    {"K", Quantity::temperature, 1.0},
    {"mK", Quantity::temperature, 1e-3},
    {"nm", Quantity::length, 1e-9},
    {"pm", Quantity::length, 1e-12},
    {"um", Quantity::length, 1e-6},
    {"mm", Quantity::length, 1e-3},
    {"m", Quantity::length, 1.0},
    {"angstrom", Quantity::length, 1e-10},
    {"bohr", Quantity::length, constants::bohr_radius},
    {"ps", Quantity::time, 1e-12},
    {"fs", Quantity::time, 1e-15},
    {"ns", Quantity::time, 1e-9},
    {"us", Quantity::time, 1e-6},
    {"s", Quantity::time, 1.0},
    {"1/ps", Quantity::rate, 1e12},
    {"1/fs", Quantity::rate, 1e15},
    {"1/ns", Quantity::rate, 1e9},
    {"1/us", Quantity::rate, 1e6},
    {"1/s", Quantity::rate, 1.0},
    {"nm^2", Quantity::area, 1e-18},
    {"angstrom^2", Quantity::area, 1e-20},
    {"um^2", Quantity::area, 1e-12},
    {"m^2", Quantity::area, 1.0},
});

bool is_frequency(const Unit& unit) {
  return unit.name.ends_with("Hz");
}

}  // namespace

std::span<const QuantityWords> all_quantities() {
  static constexpr auto kAll = std::to_array<QuantityWords>({
      {Quantity::number, "number", "a number", "1"},
      {Quantity::energy, "energy", "an energy", "energy"},
      {Quantity::temperature, "temperature", "a temperature", "energy"},
      {Quantity::rate, "rate", "a rate", "energy"},
      {Quantity::time, "time", "a time", "1/energy"},
      {Quantity::length, "length", "a length", "length"},
      {Quantity::area, "area", "an area", "length^2"},
      {Quantity::power, "power", "a power", "energy^2"},
      {Quantity::specific_heat, "specific_heat", "a specific heat", "1"},
      {Quantity::diffusion, "diffusion", "a diffusion constant", "length^2 energy"},
      {Quantity::conductivity, "conductivity", "a conductivity", "length^2 energy"},
  });
  return kAll;
}

const QuantityWords& words_of(Quantity quantity) {
  const auto all = all_quantities();
  return *std::find_if(all.begin(), all.end(),
                       [&](const QuantityWords& w) { return w.quantity == quantity; });
}

std::optional<Unit> unit_named(std::string_view name) {
  const auto found =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
  return found != kUnits.end() ? std::optional(*found) : std::nullopt;
}

bool measures(const Unit& unit, Quantity quantity) {
  if (quantity == Quantity::energy || quantity == Quantity::temperature)
    return unit.quantity == Quantity::energy || unit.quantity == Quantity::temperature;
  if (quantity == Quantity::rate)
    return unit.quantity == Quantity::rate || (unit.quantity == Quantity::energy && !is_frequency(unit));
  return unit.quantity == quantity;
}

double in_si(const Unit& unit) {
  return unit.quantity == Quantity::temperature ? unit.si * boltzmann : unit.si;
}

std::string units_of(Quantity quantity) {
  std::string names;
  for (const Unit& unit : kUnits) {
    if (measures(unit, quantity)) names += fmt::format("{}{}", names.empty() ? "" : ", ", unit.name);
  }
  return names;
}

double UnitSystem::time() const {
  return hbar / energy;
}

double UnitSystem::factor(Quantity quantity) const {
  const double second = time();
  switch (quantity) {
    case Quantity::number:
      return 1.0;
    case Quantity::energy:
      return energy / in_si(*unit_named(energy_unit));
    case Quantity::temperature:
      return energy / boltzmann;
    case Quantity::rate:
      return 1e-12 / second;
    case Quantity::time:
      return 1e12 * second;
    case Quantity::length:
      return length / unit_named(length_unit)->si;
    case Quantity::area:
      return std::pow(length / unit_named(length_unit)->si, 2);
    case Quantity::power:
      return energy / second;
    case Quantity::specific_heat:
      return boltzmann;
    case Quantity::diffusion:
      return length * length / second;
    case Quantity::conductivity:
      return boltzmann * length * length / (second * site_volume);
  }
  return 1.0;
}

std::string UnitSystem::laboratory_unit(Quantity quantity) const {
  switch (quantity) {
    case Quantity::number:
      return "1";
    case Quantity::energy:
      return energy_unit;
    case Quantity::temperature:
      return "K";
    case Quantity::rate:
      return "1/ps";
    case Quantity::time:
      return "ps";
    case Quantity::length:
      return length_unit;
    case Quantity::area:
      return length_unit + "^2";
    case Quantity::power:
      return "W";
    case Quantity::specific_heat:
      return "J/K";
    case Quantity::diffusion:
      return "m^2/s";
    case Quantity::conductivity:
      return "W/(m K)";
  }
  return "";
}

std::optional<double> UnitSystem::program_value(double value, const Unit& unit, Quantity quantity) const {
  if (!measures(unit, quantity)) return {};
  const double si = value * in_si(unit);
  switch (unit.quantity) {
    case Quantity::energy:
    case Quantity::temperature:
      return si / energy;
    case Quantity::rate:
      return si * hbar / energy;
    case Quantity::time:
      return si * energy / hbar;
    case Quantity::length:
      return si / length;
    case Quantity::area:
      return si / (length * length);
    default:
      return {};
  }
}

std::string time_text(const std::optional<UnitSystem>& units, double time) {
  if (!units) return fmt::format("{:.4g}", time);
  return fmt::format("{:.4g} {}", units->factor(Quantity::time) * time,
                     units->laboratory_unit(Quantity::time));
}

}  // namespace qheat
