#pragma once

#include <string>

#include "qheat/io/job.hpp"
#include "qheat/parallel/communicator.hpp"

namespace qheat::app {

/// The same job on all ranks; only rank 0 touches the file. Throws InputError on all ranks, also for
/// computations that this version does not have. Collective.
Job read_job_on_all_ranks(const std::string& file, const Communicator& comm);

/// Fingerprint of the model that a job stands for: numbers that a checkpoint must agree with.
std::string model_digest(const Job& job);

}  // namespace qheat::app
