#pragma once

#include <string>

#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// Bytes that each rank may use: what the node (or its control group) has free, shared evenly among the
/// node's ranks, or what the limits of a process (ulimit -v, -d) leave, less some for the libraries; the
/// least over all ranks. Collective. 0 if the system does not tell.
double free_bytes_per_rank(const Communicator& comm);

/// Bytes of address space that this process has in use.
double address_space_used();

/// Throws Error, naming `what` and the remedy, if a rank would need more than it has.
void require_memory(const Communicator& comm, double bytes_per_rank, const std::string& what);

}  // namespace qheat
