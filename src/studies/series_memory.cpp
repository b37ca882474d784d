#include "studies/series_memory.hpp"

#include <fmt/format.h>

#include "qheat/evolution/observations.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {

double series_bytes(const Job& job) {
  const double outputs = job.time ? job.time->outputs : 0.0;
  const double copies = job.detuning.realizations > 1 ? 10.0 : 4.0;
  return copies * sizeof(double) * outputs * static_cast<double>(ObservationLayout(*job.model).size());
}

void require_series_memory(const Job& job, double free_bytes) {
  const double series = series_bytes(job);
  if (free_bytes == 0.0 || series <= free_bytes) return;
  throw Error(fmt::format(
      "the output times alone need {:.3g} GB on each rank, but {:.3g} GB are free; lower time.outputs",
      series / 1e9, free_bytes / 1e9));
}

}  // namespace qheat
