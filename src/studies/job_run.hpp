#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qheat/io/checkpoint.hpp"
#include "qheat/io/job.hpp"
#include "qheat/io/sweep.hpp"
#include "studies/requirements.hpp"
#include "studies/study.hpp"

namespace qheat {

/// The job of a point, ready to be run. Throws InputError with all problems, and for computations that this
/// version does not have.
Job ready_job(const Sweep& sweep, Index point);

/// A job on its way to its results file.
struct JobRun {
  const Job& job;
  std::filesystem::path output;
  CheckpointOptions checkpoint;  ///< its file is named after the output
  double started = 0.0;          ///< by MPI_Wtime: of the program, whose time max_time limits
  double begun = 0.0;            ///< by MPI_Wtime: of this job
};

/// What there is to tell after the results have been written.
struct JobOutcome {
  std::string summary;
  std::vector<std::string> failures;  ///< parts that could not be computed: NaN in the results
};

/// Throws InputError or Error if the job cannot be done on the ranks of `machine`.
void require_doable(const Job& job, const Machine& machine, const Communicator& comm);

/// Computes all that a job asks for and writes the results file; removes the checkpoints then. Throws Stopped
/// after saving, when asked to. Collective.
JobOutcome run_job(const JobRun& run, const Communicator& comm, Progress& progress, Timings& timings);

}  // namespace qheat
