#pragma once

#include <functional>

#include "qheat/parallel/communicator.hpp"

namespace qheat::app {

constexpr int kExitFailure = 1;
constexpr int kExitBadInput = 2;
constexpr int kExitStopped = 75;  // EX_TEMPFAIL: batch systems may requeue

/// Runs the body and turns exceptions into one message and an exit code. With a communicator: a failure that
/// all ranks share is told by rank 0; one that a single rank met alone is told by that rank, and ends the
/// others.
int guarded(const Communicator* comm, const std::function<int()>& body);

}  // namespace qheat::app
