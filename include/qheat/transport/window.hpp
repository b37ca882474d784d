#pragma once

#include <optional>
#include <span>

namespace qheat {

/// A stretch of time in which a coefficient is one number.
struct Window {
  double begin = 0.0;
  double end = 0.0;
  double value = 0.0;      ///< mean over the times of the window
  double deviation = 0.0;  ///< largest distance from it in the window
};

/// The longest [t1, t2], t2 >= 2 t1, in which all values stay within 5 % of their mean, a positive one
/// (physics: section Transport). It holds at least 5 of the ascending `times`, so that what stands still is
/// seen to do so. None if there is none; a value that is NaN ends a window. A single time is a window of its
/// own: of what does not depend on time.
std::optional<Window> longest_window(std::span<const double> times, std::span<const double> values);

}  // namespace qheat
