#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sweep/point_files.hpp"

namespace qheat {

/// What a collection of points lacks.
struct Lacking {
  std::vector<Index> missing;         ///< points without results
  std::vector<std::string> failures;  ///< a sentence a point that failed, or that failed in parts
};

/// Puts all points that are finished into one results file: each as /points/<number>, the numbers that they
/// tell as a table in /sweep, and means over averaged keys in /mean. Collective; the work is rank 0's.
Lacking collect_points(const Sweep& sweep, const PointFiles& files, const std::filesystem::path& output,
                       const Communicator& comm);

/// "0 to 5, 7, 9 to 12"
std::string ranges_text(const std::vector<Index>& numbers);

}  // namespace qheat
