#pragma once

#include "qheat/evolution/exact_ensemble.hpp"
#include "qheat/io/job.hpp"

namespace qheat {

/// Model and initial state of a realisation of the job's detunings.
Realization realization_of(const Job& job, int number);

}  // namespace qheat
