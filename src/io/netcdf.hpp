#pragma once

#include <optional>
#include <set>
#include <string>

#include "io/hdf5_file.hpp"
#include "qheat/model/units.hpp"

namespace qheat {

/// Gives the datasets of a results file what netCDF-4 asks for: dimension scales for all axes, with names and
/// numbers 0, 1, ... where a scale has no values of its own; attributes `units` and `long_name`. Axes keep to
/// the root of their results (of a point of a sweep: its group) as long as they have one length there. What
/// the catalogue does not know gets axes of its own. `group`: of what is below it alone, without the groups
/// that have been described before. `laboratory`: quantities get laboratory_units and laboratory_factor too.
void add_dimension_scales(hdf5::File& file, const std::string& group = "/",
                          const std::set<std::string>& described = {},
                          const std::optional<UnitSystem>& laboratory = {});

/// True for a scale that add_dimension_scales has made, of numbers 0, 1, ... only.
bool is_made_scale(const hdf5::File& file, const std::string& name);

}  // namespace qheat
