#pragma once

#include <string>

#include "qheat/io/sweep.hpp"
#include "qheat/parallel/communicator.hpp"

namespace qheat::app {

/// What a job file stands for, the same on all ranks; only rank 0 touches the file. Throws InputError on all
/// ranks; the job of a file that stands for one has been read then. Collective.
Sweep read_sweep_on_all_ranks(const std::string& file, const Communicator& comm);

}  // namespace qheat::app
