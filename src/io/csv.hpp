#pragma once

#include <filesystem>
#include <string>

namespace qheat {

namespace hdf5 {
class File;
}

/// Writes the numbers of a results file as tables, a file a dataset, in folders as its groups: a line a
/// number, with the coordinates along each axis before it. Of sweeps, and of their means, the keys and
/// numbers of all points are one table, sweep.csv and mean.csv. Returns how many were written. Throws Error.
int write_csv(const hdf5::File& results, const std::filesystem::path& folder);

}  // namespace qheat
