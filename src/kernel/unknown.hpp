#pragma once

#include <limits>

namespace qheat {

/// What stands in results where a number does not exist.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

}  // namespace qheat
