#pragma once

#include <memory>
#include <vector>

#include "studies/study.hpp"

namespace qheat {

/// What there is to compute with.
struct Machine {
  int ranks = 1;
  double free_bytes = 0.0;  ///< that each rank may still use; 0: not known
  double base_bytes = 0.0;  ///< that each rank uses before it computes: program, MPI, PETSc, libraries
  double peak_bytes = 0.0;  ///< the most that it has used so far
  MachineSpeed speed;
};
/// Collective; takes some 0.1 s.
Machine look_at_machine(const Communicator& comm);

/// What a job takes on a number of ranks, in words and numbers. `run` and `check` tell the same.
struct Requirement {
  double least_bytes = 0.0;  ///< a rank, everything included: without them the job is refused
  double quick_bytes = 0.0;  ///< a rank, everything included: with them it takes the quickest way
  double seconds = 0.0;      ///< about
};
Requirement requirement(const std::vector<std::unique_ptr<Study>>& studies, int ranks,
                        const Machine& machine);

/// Throws InputError or Error, with the remedy, for everything that `run` would refuse before it computes.
void require_possible(const std::vector<std::unique_ptr<Study>>& studies);
/// Throws Error if the job does not fit into the memory that is free here.
void require_fit(const std::vector<std::unique_ptr<Study>>& studies, const Machine& machine);

/// Two lines: memory and time on the ranks that there are.
void say_requirement(const std::vector<std::unique_ptr<Study>>& studies, const Machine& machine,
                     Report& report);
/// "40 s", "2 h", "3000 years": to the digits that an estimate has.
std::string rough_time(double seconds);

}  // namespace qheat
