#include "studies/series_memory.hpp"

#include "qheat/evolution/exact.hpp"

namespace qheat {

double series_bytes(const Job& job) {
  const double outputs = job.time ? job.time->outputs : 0.0;
  // Sums and sums of squares of a block, of a sector and of all, what the run keeps of them for a checkpoint,
  // mean and spread.
  const double copies = job.detuning.realizations > 1 ? 14.0 : 10.0;
  const auto layout = job.exact ? observation_layout(*job.model, *job.exact) : ObservationLayout(*job.model);
  const auto size = static_cast<double>(layout.size());
  return copies * sizeof(double) * outputs * size;
}

}  // namespace qheat
