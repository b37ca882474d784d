#pragma once

#include <string>
#include <vector>

#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// MPI, PETSc and SLEPc for the life time of one object; destroyed last. PETSc sees only the options given
/// here: no .petscrc, no PETSC_OPTIONS, no signal handlers; its errors become qheat::Error.
class Environment {
 public:
  /// `argc`, `argv` go to MPI_Init.
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

/// Chooses OpenBLAS kernels by the processor's own flags before BLAS is loaded: OpenBLAS up to 0.3.21 falls
/// back to its oldest kernels on processors newer than itself, which costs a factor of six. Call it first in
/// main(); it replaces the process by itself once with OPENBLAS_CORETYPE set, and leaves a user's own choice
/// alone. Under the address sanitizer it always takes kernels whose zgemv reads nothing beyond its arguments.
void choose_blas_kernels(char** argv);

}  // namespace qheat
