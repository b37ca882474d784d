#pragma once

#include <optional>
#include <string>
#include <vector>

namespace qheat {

/// What a launcher (mpirun, mpiexec, srun) says in the environment about the ranks that it started.
struct LauncherClaim {
  std::string variable;  ///< where it says so, such as SLURM_STEP_NUM_TASKS
  std::string remedy;    ///< if MPI does not hear of it
  int size = 1;          ///< ranks
  int rank = 0;          ///< this process among them
};

/// The claims of all launchers above this process. Ask before MPI starts, which may add its own.
std::vector<LauncherClaim> launcher_claims();

/// The claim of several ranks where MPI, with `world_size` 1, knows of one alone: each process would then
/// compute the whole job by itself. None if any launcher speaks of one rank (mpirun -n 1 in a step, say):
/// that was meant.
std::optional<LauncherClaim> unheard_claim(const std::vector<LauncherClaim>& claims, int world_size);

}  // namespace qheat
