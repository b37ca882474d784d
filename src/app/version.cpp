#include "io/version.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include "app/commands.hpp"
#include "qheat/parallel/environment.hpp"

namespace qheat::app {

int version() {
  const auto v = library_versions();
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  fmt::print("qheat {} ({}, {})\n", kVersion, kGitRevision, QHEAT_BUILD_TYPE);
  fmt::print("PETSc {}, SLEPc {}: {} scalars, {}-bit indices\n", v.petsc, v.slepc, v.scalar, v.index_bits);
  fmt::print("HDF5 {}.{}.{}, {}, {}\n", major, minor, release, v.mpi, v.blas);
  return 0;
}

}  // namespace qheat::app
