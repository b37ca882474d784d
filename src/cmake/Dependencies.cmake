# Finds what qheat stands on. PETSc and SLEPc by pkg-config: as Debian's packages, PETSC_DIR/PETSC_ARCH/SLEPC_DIR
# (environment or -D), or whatever Spack and environment modules put on PKG_CONFIG_PATH.
foreach(_package PETSC SLEPC)
  foreach(_dir "${${_package}_DIR}" "$ENV{${_package}_DIR}")
    if(_dir)
      list(PREPEND CMAKE_PREFIX_PATH "${_dir}/$ENV{PETSC_ARCH}" "${_dir}/${PETSC_ARCH}" "${_dir}")
    endif()
  endforeach()
endforeach()
set(PKG_CONFIG_USE_CMAKE_PREFIX_PATH ON)
enable_language(C)  # FindHDF5 compiles C

find_package(MPI REQUIRED COMPONENTS CXX)
find_package(PkgConfig REQUIRED)
list(GET QHEAT_PETSC_MODULES 0 _petsc)
list(GET QHEAT_PETSC_MODULES 1 _slepc)
if(NOT "${_petsc};${_slepc}" STREQUAL "${QHEAT_PETSC_MODULES_FOUND}")
  unset(PETSC_FOUND CACHE)  # pkg-config results are cached: look again when the modules change
  unset(SLEPC_FOUND CACHE)
  unset(__pkg_config_checked_PETSC CACHE)
  unset(__pkg_config_checked_SLEPC CACHE)
  foreach(_check QHEAT_PETSC_COMPILES QHEAT_PETSC_COMPLEX QHEAT_PETSC_MUMPS)
    unset(${_check} CACHE)
  endforeach()
endif()
pkg_check_modules(PETSC REQUIRED IMPORTED_TARGET "${_petsc}>=3.18")
pkg_check_modules(SLEPC REQUIRED IMPORTED_TARGET "${_slepc}>=3.18")
set(QHEAT_PETSC_MODULES_FOUND "${_petsc};${_slepc}" CACHE INTERNAL "")
foreach(_target PkgConfig::PETSC PkgConfig::SLEPC)  # Debian's flags ask for _FORTIFY_SOURCE, which warns at -O0
  get_target_property(_flags ${_target} INTERFACE_COMPILE_OPTIONS)
  if(_flags)
    list(FILTER _flags EXCLUDE REGEX "FORTIFY|date-time")
    set_target_properties(${_target} PROPERTIES INTERFACE_COMPILE_OPTIONS "${_flags}")
  endif()
endforeach()

include(CheckCXXSourceCompiles)
# Stops with the message if PETSc's headers do not say what is needed.
function(qheat_require_of_petsc RESULT MACRO MESSAGE)
  set(CMAKE_REQUIRED_LIBRARIES PkgConfig::PETSC MPI::MPI_CXX)
  check_cxx_source_compiles("#include <petscsys.h>
#ifndef ${MACRO}
#error not this PETSc
#endif
int main() { return 0; }" ${RESULT})
  if(NOT ${RESULT})
    unset(${RESULT} CACHE)  # look again after a correction
    message(FATAL_ERROR "${MESSAGE}")
  endif()
endfunction()
set(_hint
  "Debian: install libpetsc-complex-dev and libslepc-complex-dev. Own builds: point PETSC_DIR, PETSC_ARCH and SLEPC_DIR "
  "to a PETSc configured with --with-scalar-type=complex --download-mumps --download-scalapack. "
  "Spack: petsc+complex+mumps, slepc ^petsc+complex+mumps.")
string(CONCAT _hint ${_hint})
string(CONCAT _message "The headers of the PETSc found by pkg-config (module ${_petsc}) do not compile with the MPI found "
  "(${MPI_CXX_INCLUDE_DIRS}); PETSc must be built with the same MPI. ${_hint}")
qheat_require_of_petsc(QHEAT_PETSC_COMPILES PETSC_VERSION_MAJOR "${_message}")
qheat_require_of_petsc(QHEAT_PETSC_COMPLEX PETSC_USE_COMPLEX
  "The PETSc found by pkg-config (module ${_petsc}) has real scalars; qheat needs complex ones. ${_hint}")
qheat_require_of_petsc(QHEAT_PETSC_MUMPS PETSC_HAVE_MUMPS
  "The PETSc found by pkg-config (module ${_petsc}) has no MUMPS, which finds steady states and two-point functions. ${_hint}")

# Dense matrices: BLAS and LAPACK, and ScaLAPACK, which must be the one that PETSc is linked with, or one of the same MPI.
find_package(LAPACK REQUIRED)
# Debian has one a MPI, and in libscalapack-*-dev a plain name for one of them.
set(CMAKE_REQUIRED_LIBRARIES MPI::MPI_CXX)
check_cxx_source_compiles("#include <mpi.h>
#ifndef OPEN_MPI
#error another MPI
#endif
int main() { return 0; }" QHEAT_OPEN_MPI)
unset(CMAKE_REQUIRED_LIBRARIES)
set(_scalapack scalapack-mpich)
if(QHEAT_OPEN_MPI)
  set(_scalapack scalapack-openmpi)
endif()
find_library(QHEAT_SCALAPACK NAMES ${_scalapack} scalapack
  DOC "ScaLAPACK of the same MPI with 32-bit integers; a list if it takes several libraries, as with MKL")
if(QHEAT_SCALAPACK)
  if(NOT TARGET ScaLAPACK::ScaLAPACK)
    add_library(ScaLAPACK::ScaLAPACK INTERFACE IMPORTED)
    set_target_properties(ScaLAPACK::ScaLAPACK PROPERTIES INTERFACE_LINK_LIBRARIES "${QHEAT_SCALAPACK}")
  endif()
  set(CMAKE_REQUIRED_LIBRARIES ScaLAPACK::ScaLAPACK PkgConfig::PETSC MPI::MPI_CXX)
  check_cxx_source_compiles("extern \"C\" void pdsyevd_(); extern \"C\" void pdgemm_(); extern \"C\" void Cblacs_gridinit();
int main() { pdsyevd_(); pdgemm_(); Cblacs_gridinit(); return 0; }" QHEAT_SCALAPACK_LINKS)
  unset(CMAKE_REQUIRED_LIBRARIES)
endif()
if(NOT QHEAT_SCALAPACK_LINKS)
  unset(QHEAT_SCALAPACK_LINKS CACHE)  # look again after a correction
  message(FATAL_ERROR
    "ScaLAPACK was not found, or does not link (QHEAT_SCALAPACK is \"${QHEAT_SCALAPACK}\"). Debian: install "
    "lib${_scalapack}-dev. Spack: netlib-scalapack. Elsewhere give the libraries yourself, for example "
    "-DQHEAT_SCALAPACK=/path/libscalapack.so, or for MKL with Open MPI "
    "\"-DQHEAT_SCALAPACK=mkl_scalapack_lp64;mkl_blacs_openmpi_lp64;mkl_gf_lp64;mkl_sequential;mkl_core\".")
endif()

# PETSc is linked with an HDF5 built with MPI; a second HDF5 in the same process would clash with it.
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C HL)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "qheat needs an HDF5 built with MPI. Debian: libhdf5-openmpi-dev. Spack: hdf5+mpi.")
endif()
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(Boost 1.74 REQUIRED CONFIG)  # headers alone: Multiprecision, Math
pkg_check_modules(MUPARSER REQUIRED IMPORTED_TARGET muparser)
