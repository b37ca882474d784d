#include "qheat/parallel/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>

namespace qheat {

InputError::InputError(std::vector<std::string> problems)
    : Error(fmt::format("{}", fmt::join(problems, "\n"))), problems_(std::move(problems)) {}

void assertion_failed(const char* condition, const char* file, int line, const char* function) {
  int initialized = 0;
  int rank = 0;
  MPI_Initialized(&initialized);
  if (initialized != 0) MPI_Comm_rank(MPI_COMM_WORLD, &rank);  // only to name the rank
  fmt::print(stderr, "qheat: broken invariant on rank {}: {} in {} ({}:{}). Please report this.\n", rank,
             condition, function, file, line);
  std::fflush(stderr);
  if (initialized != 0) MPI_Abort(MPI_COMM_WORLD, 70);
  std::abort();
}

}  // namespace qheat
