#pragma once

#include <string>

#include "qheat/io/job.hpp"

namespace qheat::app {

/// The model of a job in words, for the reader of `check` and of a run's log: a line each for lattice, sites,
/// interaction, bath and times.
std::string model_text(const Job& job);

/// The job's title, fit for one line.
std::string title_text(const Job& job);

}  // namespace qheat::app
