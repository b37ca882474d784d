#include "qheat/parallel/launcher.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace qheat {
namespace {

struct Launcher {
  const char* size;
  const char* rank;
  const char* remedy;
};

constexpr const char* kSameMpi = "start it by the mpirun or mpiexec of the MPI that qheat is built with";

// Slurm first: in a step for PMI-2 both speak, and the remedy is srun's.
constexpr std::array<Launcher, 4> kLaunchers{{
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID",
     "srun speaks another language than MPI: take srun --mpi=pmix (srun --mpi=list tells what there is), or "
     "mpirun"},
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", kSameMpi},  // Open MPI
    {"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK", kSameMpi},    // MVAPICH
    {"PMI_SIZE", "PMI_RANK", kSameMpi},                          // MPICH, Intel MPI, Cray
}};

std::optional<int> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*end != '\0' || value < 0 || value > 1'000'000'000) return std::nullopt;
  return static_cast<int>(value);
}

/// A shell by srun --pty: one shell, whatever the tasks of its step; what is typed there was not started by
/// srun.
bool in_interactive_step() {
  return std::getenv("SLURM_PTY_PORT") != nullptr || std::getenv("SLURM_PTY_WIN_COL") != nullptr;
}

}  // namespace

std::vector<LauncherClaim> launcher_claims() {
  std::vector<LauncherClaim> claims;
  if (in_interactive_step()) return claims;
  for (const Launcher& launcher : kLaunchers) {
    const auto size = number_in(launcher.size);
    if (!size) continue;
    claims.push_back({.variable = launcher.size,
                      .remedy = launcher.remedy,
                      .size = *size,
                      .rank = number_in(launcher.rank).value_or(0)});
  }
  return claims;
}

std::optional<LauncherClaim> unheard_claim(const std::vector<LauncherClaim>& claims, int world_size) {
  if (world_size != 1 || claims.empty()) return std::nullopt;
  const auto smallest = std::min_element(claims.begin(), claims.end(),
                                         [](const auto& a, const auto& b) { return a.size < b.size; });
  if (smallest->size <= 1) return std::nullopt;
  return *smallest;
}

}  // namespace qheat
