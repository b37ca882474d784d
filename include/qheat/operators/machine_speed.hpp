#pragma once

#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/work.hpp"

namespace qheat {

/// Times a product with a chain of 16 sites, a pass over a vector of 48 MB and a product of dense matrices,
/// all ranks at the same time: what they take from each other counts. Processor time, so that other work on
/// the machine counts little; some 0.1 s. Collective; the slowest rank's.
MachineSpeed measure_machine_speed(const Communicator& comm);

}  // namespace qheat
