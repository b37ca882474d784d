#include "qheat/parallel/memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

/// A line "name:   123 kB" of a file of the system, in bytes; 0 if there is none.
double kilobytes_in(const char* file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(name + ":", 0) == 0) return 1024.0 * std::stod(line.substr(name.size() + 1));
  }
  return 0.0;
}

double number_in_file(const char* file) {
  std::ifstream stream(file);
  double value = std::numeric_limits<double>::infinity();
  if (stream >> value) return value;
  return std::numeric_limits<double>::infinity();  // absent, or "max"
}

/// What a batch system leaves: limit minus use of the control group (version 2, then 1).
double control_group_free_bytes() {
  const double limit = number_in_file("/sys/fs/cgroup/memory.max");
  if (limit < 1e18) return limit - std::min(limit, number_in_file("/sys/fs/cgroup/memory.current"));
  const double old_limit = number_in_file("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  if (old_limit < 1e18)
    return old_limit - std::min(old_limit, number_in_file("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
  return std::numeric_limits<double>::infinity();
}

/// Pages of this process: all (field 0), data and stack (field 5).
double process_bytes(int field) {
  std::ifstream stream("/proc/self/statm");
  double pages = 0.0;
  for (int k = 0; k <= field; ++k) stream >> pages;
  return stream ? pages * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0.0;
}

/// What the limits of this process leave, less what messages and small allocations of libraries may take.
double process_limit_free_bytes() {
  constexpr double kForLibraries = 32e6;
  const auto left = [](int resource, double used) {
    rlimit limit{};
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
      return std::numeric_limits<double>::infinity();
    return std::max(1.0, static_cast<double>(limit.rlim_cur) - used - kForLibraries);  // 0: not known
  };
  return std::min(left(RLIMIT_AS, address_space_used()), left(RLIMIT_DATA, process_bytes(5)));
}

}  // namespace

double address_space_used() {
  return process_bytes(0);
}

double free_bytes_per_rank(const Communicator& comm) {
  const double free = std::min(kilobytes_in("/proc/meminfo", "MemAvailable"), control_group_free_bytes());
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(comm.get(), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int ranks_here = 1;
  MPI_Comm_size(node, &ranks_here);
  MPI_Comm_free(&node);
  const double share = free / std::max(ranks_here, comm.ranks_on_node());
  const double limit = process_limit_free_bytes();
  // Unknown on this rank (0) is no limit on it.
  return -comm.max(
      -(share == 0.0 && limit < std::numeric_limits<double>::infinity() ? limit : std::min(share, limit)));
}

double resident_bytes() {
  return kilobytes_in("/proc/self/status", "VmRSS");
}

double peak_resident_bytes() {
  return kilobytes_in("/proc/self/status", "VmHWM");
}

void require_memory(const Communicator& comm, double bytes_per_rank, const std::string& what) {
  const double free = free_bytes_per_rank(comm);
  const double needed = comm.max(bytes_per_rank);
  if (free == 0.0 || needed <= free) return;
  throw Error(fmt::format(
      "{} needs {:.3g} GB on each of {} ranks, but {:.3g} GB are free; use more nodes, fewer sites or "
      "a smaller sector",
      what, needed / 1e9, comm.size(), free / 1e9));
}

}  // namespace qheat
