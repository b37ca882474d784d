#pragma once

#include <optional>

#include "io/job_schema.hpp"
#include "io/toml_tree.hpp"
#include "qheat/model/lattice.hpp"
#include "qheat/model/units.hpp"

namespace qheat::jobfile {

/// [units]: the units of energy and length that the job counts in. None if it is not there or wrong. The
/// volume of a site is that of `lattice`, of a unit cube without one.
std::optional<UnitSystem> read_units(CheckedTable& root, const std::optional<Lattice>& lattice);

/// What a key measures, such as "bath.reservoir[0].rate"; none for plain numbers and texts.
std::optional<Quantity> quantity_of_key(std::string_view path);

/// Numbers with a unit, "300 K" or "1.2 meV", become numbers in program units wherever a key measures
/// something, ranges and swept values included. What cannot become one stands as TomlWrong in its place, and
/// is told by whoever reads it.
void convert_quantities(TomlTable& root);

}  // namespace qheat::jobfile
