#pragma once

#include "qheat/io/job.hpp"
#include "qheat/io/results.hpp"

namespace qheat {

/// Writes the job's text, its output times and its model: energies and bonds as datasets, the parameters as
/// attributes of /model (docs/results-file.md).
void write_model(const Job& job, ResultsFile& file);

}  // namespace qheat
