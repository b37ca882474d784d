#pragma once

#include "qheat/steady/steady.hpp"

namespace qheat {

/// Heat from each reservoir by its jumps between neighbouring levels, and the entropy production; from the
/// populations.
void add_heat(const Model& model, SteadyState& state);
/// Temperatures from the energies.
void add_temperatures(const Model& model, SteadyState& state);

}  // namespace qheat
