#include "qheat/parallel/timings.hpp"

#include <numeric>
#include <sstream>

#include "qheat/parallel/index.hpp"

namespace qheat {

std::vector<std::string> Timings::names_on_ranks(const Communicator& comm) const {
  std::string mine;
  for (const auto& [name, timing] : phases_) mine += name + '\n';
  int length = static_cast<int>(mine.size());
  std::vector<int> lengths(as_size(comm.size()));
  MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, comm.get());
  std::vector<int> begins(lengths.size(), 0);
  std::partial_sum(lengths.begin(), lengths.end() - 1, begins.begin() + 1);
  std::string lines(as_size(begins.back() + lengths.back()), ' ');
  MPI_Allgatherv(mine.data(), length, MPI_CHAR, lines.data(), lengths.data(), begins.data(), MPI_CHAR,
                 comm.get());
  std::vector<std::string> names;
  std::istringstream stream(lines);
  for (std::string name; std::getline(stream, name);) names.push_back(name);
  return names;
}

std::map<std::string, PhaseTiming> Timings::over_ranks(const Communicator& comm) const {
  std::map<std::string, PhaseTiming> all;
  for (const auto& name : names_on_ranks(comm)) all[name];
  for (const auto& [name, timing] : phases_) all[name] = timing;
  for (auto& [name, timing] : all) {
    timing.seconds = comm.max(timing.seconds);
    timing.calls = static_cast<Index>(comm.max(static_cast<double>(timing.calls)));
    timing.bytes_sent = comm.sum(timing.bytes_sent);
  }
  return all;
}

}  // namespace qheat
