#include "qheat/parallel/timings.hpp"

namespace qheat {

std::map<std::string, PhaseTiming> Timings::over_ranks(const Communicator& comm) const {
  auto all = phases_;
  for (auto& [name, timing] : all) {
    timing.seconds = comm.max(timing.seconds);
    timing.calls = static_cast<Index>(comm.max(static_cast<double>(timing.calls)));
    timing.bytes_sent = comm.sum(timing.bytes_sent);
  }
  return all;
}

}  // namespace qheat
