#include "io/version.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include "app/commands.hpp"
#include "io/console.hpp"
#include "qheat/parallel/environment.hpp"

namespace qheat::app {

int version() {
  const auto v = library_versions();
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  say_or_fail(fmt::format(
      "qheat {} ({}, {})\nPETSc {}, SLEPc {}: {} scalars, {}-bit indices\nHDF5 {}.{}.{}, {}, {}\n", kVersion,
      kGitRevision, QHEAT_BUILD_TYPE, v.petsc, v.slepc, v.scalar, v.index_bits, major, minor, release, v.mpi,
      v.blas));
  return 0;
}

}  // namespace qheat::app
