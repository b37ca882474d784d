#pragma once

#include <string>

#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// Of the free memory that one computation may plan with: estimates are good to a fifth.
inline constexpr double kUsableShare = 0.8;

/// True if `bytes` a rank fit into `free_bytes` (0: no limit). The one rule for plans and refusals.
constexpr bool fits_memory(double bytes, double free_bytes) {
  return free_bytes == 0.0 || bytes <= kUsableShare * free_bytes;
}

/// Bytes that each rank may use: what the node (or its control group) has free, shared evenly among the
/// node's ranks (those of other groups included), or what the limits of a process (ulimit -v, -d) leave, less
/// some for the libraries; the least over all ranks. Collective. 0 if the system does not tell.
double free_bytes_per_rank(const Communicator& comm);

/// Bytes of address space that this process has in use.
double address_space_used();
/// Resident set of this process, libraries included: now, and the largest so far. 0 if the system does not
/// tell.
double resident_bytes();
double peak_resident_bytes();

/// Throws Error, naming `what` and the remedy, if a rank would need more than it has.
void require_memory(const Communicator& comm, double bytes_per_rank, const std::string& what);

}  // namespace qheat
