#pragma once

#include "studies/study.hpp"

namespace qheat {

/// What the kernels of a job and their rate equations take on `ranks` ranks, the series at the output times
/// left out. Throws Error if cells or states are more than 63 bits count.
Need kernel_need(const Job& job, int ranks);

}  // namespace qheat
