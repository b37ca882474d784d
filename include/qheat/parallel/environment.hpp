#pragma once

#include <string>
#include <vector>

#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// MPI, PETSc and SLEPc for the life time of one object; destroyed last. PETSc sees only the options given
/// here: no .petscrc, no PETSC_OPTIONS, no signal handlers; its errors become qheat::Error.
class Environment {
 public:
  /// `argc`, `argv` go to MPI_Init. Throws Error if the libraries cannot have the memory that they need
  /// (src/parallel/library_memory.hpp).
  Environment(int& argc, char**& argv);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  /// A duplicate of the world for the program's own use.
  const Communicator& world() const { return world_; }
  /// Hands the user's options to PETSc, such as {"-log_view"}. Throws Error with PETSc's words.
  void insert_petsc_options(const std::vector<std::string>& options) const;
  /// PETSc options that nobody has asked for so far: likely typing errors.
  std::vector<std::string> unused_petsc_options() const;

 private:
  Communicator world_;
};

/// Versions of what the program stands on.
struct LibraryVersions {
  std::string petsc, slepc, mpi, blas;
  int index_bits;
  std::string scalar;
};
LibraryVersions library_versions();

/// Sets what libraries read from the environment when they are loaded, and replaces the process by itself
/// once if that changes anything. Call it first in main(). A user's own choices are left alone.
/// - OPENBLAS_CORETYPE, by the processor's own flags: OpenBLAS up to 0.3.21 falls back to its oldest kernels
/// on
///   processors newer than itself, which costs a factor of six. Under the address sanitizer always kernels
///   whose zgemv reads nothing beyond its arguments.
/// - OPENBLAS_NUM_THREADS = 1.
/// - GLIBC_TUNABLES: large pages for large vectors where the system allows them (glibc from 2.35 on).
void prepare_process(char** argv);

}  // namespace qheat
