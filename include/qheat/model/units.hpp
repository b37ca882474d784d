#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace qheat {

/// What a number measures; in program units (hbar = k_B = 1) a product of powers of energy and length.
enum class Quantity {
  number,
  energy,
  temperature,  ///< energy
  rate,         ///< energy
  time,         ///< 1/energy
  length,
  area,           ///< length^2
  power,          ///< energy^2
  specific_heat,  ///< 1: in k_B, of a site; entropies too
  diffusion,      ///< length^2 energy
  conductivity    ///< length^2 energy: D times C_V of a site
};

/// How a quantity is spoken of.
struct QuantityWords {
  Quantity quantity;
  std::string_view name;          ///< "specific_heat"
  std::string_view article;       ///< "a specific heat", for messages
  std::string_view program_unit;  ///< "1/energy", "length^2 energy", "1", ...
};
/// Of every quantity.
std::span<const QuantityWords> all_quantities();
const QuantityWords& words_of(Quantity quantity);

/// A unit of the laboratory and the quantity that it measures.
struct Unit {
  std::string_view name;  ///< "meV", "K", "nm", "1/ps", ...
  Quantity quantity;
  double si;  ///< value in SI units: J, K, m, s, 1/s, ...
};

/// The unit of this name; none if there is no such unit.
std::optional<Unit> unit_named(std::string_view name);
/// Whether a number of this unit may stand where `quantity` is asked for. Energies stand for temperatures and
/// rates too, and temperatures for energies (E = k_B T = hbar/t, = h f of a frequency, which is no rate: that
/// would leave 2 pi in doubt).
bool measures(const Unit& unit, Quantity quantity);
/// The size of a unit in J, m, s, ...; a temperature's as an energy.
double in_si(const Unit& unit);
/// "meV, eV, K": units of a quantity, for messages.
std::string units_of(Quantity quantity);

/// The unit of energy and of length that a job counts in, and what follows from them (physics: section
/// Units).
struct UnitSystem {
  double energy = 0.0;       ///< E_0, J
  double length = 0.0;       ///< a_0, m
  double site_volume = 0.0;  ///< m^3: a^3, or a A of chains with a cross-section A each
  std::string energy_unit;   ///< as named: "meV"
  std::string length_unit;   ///< as named: "nm"

  /// The unit of time, s.
  double time() const;
  /// A number in program units times this is one in laboratory_unit(quantity). Conductivities become those of
  /// a volume.
  double factor(Quantity quantity) const;
  /// "K", "ps", "W", "W/(m K)", ...
  std::string laboratory_unit(Quantity quantity) const;
  /// `value` units as a number in program units. None if the unit does not measure `quantity`.
  std::optional<double> program_value(double value, const Unit& unit, Quantity quantity) const;
};

/// A time as it is told: "8.75", or in the laboratory's unit "1.2 ps".
std::string time_text(const std::optional<UnitSystem>& units, double time);

}  // namespace qheat
