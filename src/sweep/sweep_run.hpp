#pragma once

#include <vector>

#include "qheat/io/progress.hpp"
#include "sweep/point_files.hpp"
#include "sweep/survey.hpp"

namespace qheat {

struct SweepRunOptions {
  bool resume = false;
  double max_time = 0.0;  ///< seconds of wall time since `started`; 0: no limit
  double started = 0.0;   ///< by MPI_Wtime
  Share share{};          ///< which points
};

/// Runs points of a sweep, each as an ordinary run into its own file, on groups of ranks that are as large as
/// a point needs; those that are finished are left alone with `resume`. What fails is noted beside the files,
/// and the others go on. Throws Stopped after saving, if the run was asked to stop. Collective.
void run_points(const Sweep& sweep, const Survey& survey, const PointFiles& files,
                const SweepRunOptions& options, const Machine& machine, const Communicator& comm,
                Progress& progress);

}  // namespace qheat
