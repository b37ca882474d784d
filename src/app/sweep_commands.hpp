#pragma once

#include "app/commands.hpp"
#include "qheat/io/sweep.hpp"

namespace qheat::app {

// What `run` and `check` do with a job that stands for many.

int run_sweep(const Sweep& sweep, const RunArguments& arguments, double started, const Communicator& comm);
int check_sweep(const Sweep& sweep, const Communicator& comm);

}  // namespace qheat::app
