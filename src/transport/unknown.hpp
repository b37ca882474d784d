#pragma once

#include <limits>

namespace qheat {

/// What there is no number for.
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace qheat
