#pragma once

#include <string>

#include "qheat/model/model.hpp"

namespace qheat {

/// Largest energy times time that is followed: a double then knows the phase e^{-iEt} to 1e-5, and steps of a
/// unit phase take months.
constexpr double kLargestPhase = 1e11;

/// Bound of the energies of a model, from their middle, times `end`: the steps of a unit phase that it takes
/// to follow its states. Throws Error beyond kLargestPhase; `what` is followed, for the message.
double followed_phase(const Model& model, double end, const std::string& what);

}  // namespace qheat
