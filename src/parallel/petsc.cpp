#include "parallel/petsc.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <string>
#include <vector>

#include "parallel/petsc_errors.hpp"

namespace qheat::petsc {
namespace {

// PETSc's error handler has no place of ours to write to: the trace of the error under way lives here until
// check() turns it into an exception. Per thread, as PETSc itself is.
thread_local std::vector<std::string> trace;
thread_local std::exception_ptr kept_exception;

PetscErrorCode collect(MPI_Comm, int line, const char* function, const char* file, PetscErrorCode code,
                       PetscErrorType type, const char* message, void*) {
  if (type == PETSC_ERROR_INITIAL) {
    trace.clear();
    if (message != nullptr) trace.emplace_back(message);
  }
  trace.push_back(fmt::format("  {} ({}:{})", function, file, line));
  return code;
}

}  // namespace

void install_error_collector() {
  check(PetscPushErrorHandler(collect, nullptr), "PetscPushErrorHandler", __FILE__, __LINE__);
}

void keep_exception(std::exception_ptr exception) {
  kept_exception = std::move(exception);
}

void throw_failure(PetscErrorCode code, const char* call, const char* file, int line) {
  if (kept_exception) std::rethrow_exception(std::exchange(kept_exception, nullptr));
  std::string text = trace.empty() ? std::string("no text") : fmt::format("{}", fmt::join(trace, "\n"));
  trace.clear();
  if (code == PETSC_ERR_MEM) {
    throw Error(fmt::format("out of memory in PETSc; use more nodes or a smaller sector\n{}", text));
  }
  throw Error(
      fmt::format("PETSc error {} in {} ({}:{}): {}", static_cast<int>(code), call, file, line, text));
}

PetscInt to_int(Index n, const char* what) {
  if (n > std::numeric_limits<PetscInt>::max()) {
    throw Error(
        fmt::format("{} is {}, more than the {}-bit integers of this PETSc can count; build qheat against a "
                    "64-bit-index PETSc (preset int64) or take a smaller sector",
                    what, n, 8 * sizeof(PetscInt)));
  }
  return static_cast<PetscInt>(n);
}

}  // namespace qheat::petsc

void qheat::require_petsc_indices(Index n, const char* what) {
  petsc::to_int(n, what);
}
