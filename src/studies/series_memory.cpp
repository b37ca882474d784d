#include "studies/series_memory.hpp"

#include "qheat/evolution/observations.hpp"

namespace qheat {

double series_bytes(const Job& job) {
  const double outputs = job.time ? job.time->outputs : 0.0;
  // Sums and sums of squares of a block, of a sector and of all, what the run keeps of them for a checkpoint,
  // mean and spread.
  const double copies = job.detuning.realizations > 1 ? 14.0 : 10.0;
  return copies * sizeof(double) * outputs * static_cast<double>(ObservationLayout(*job.model).size());
}

}  // namespace qheat
