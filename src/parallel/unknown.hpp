#pragma once

#include <limits>

namespace qheat {

/// What stands in results where there is no number.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

}  // namespace qheat
