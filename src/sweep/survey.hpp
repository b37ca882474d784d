#pragma once

#include <string>
#include <vector>

#include "qheat/io/sweep.hpp"
#include "qheat/parallel/communicator.hpp"
#include "studies/requirements.hpp"

namespace qheat {

/// What a point takes, before any of them is computed.
struct PointNeed {
  double seconds = 0.0;  ///< on `ranks` ranks
  double bytes = 0.0;    ///< a rank, at least, beside what the program takes anyway
  int ranks = 1;         ///< that it is computed with at least
  bool possible = true;  ///< false: it fails whatever is done here, and the others do not
};

struct Survey {
  std::vector<PointNeed> points;
  /// Why some are not possible, a line each, on rank 0: all, or the first.
  std::vector<std::string> obstacles;

  /// Seconds until all points are done on so many ranks, if they are dealt out as `run` does.
  double seconds(int ranks) const;
  Index impossible() const;
  /// The point that needs most memory.
  Index largest() const;
};

/// Reads the jobs of all points, each on one rank, and estimates what they take. Throws InputError with the
/// problems of all of them, each told once. Collective.
Survey survey_points(const Sweep& sweep, const Machine& machine, const Communicator& comm);

/// What a sweep stands for, and what it takes on the ranks that there are.
void describe_sweep(const Sweep& sweep, const Survey& survey, const Machine& machine, Report& report);

}  // namespace qheat
