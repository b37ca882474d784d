#pragma once

#include <algorithm>

namespace qheat {

// Below so many of its parts a rank, a computation talks more than it works.
inline constexpr double kStatesARank = 20000.0;
inline constexpr double kRowsARank = 200.0;  // of a dense matrix
// Initial cells of open systems, which ranks propagate without talking: as many as one does in one pass.
inline constexpr double kCellsARank = 4.0;

// More than any number that a job should be planned with: beyond, `check` says "and more".
inline constexpr int kMostSensibleRanks = 4096;

/// The most ranks that still gain, as far as anybody has so many.
inline int sensible_ranks(double size, double share) {
  return static_cast<int>(std::clamp(size / share, 1.0, 1.0 * kMostSensibleRanks));
}

}  // namespace qheat
