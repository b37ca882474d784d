#!/usr/bin/env bash
# Installs what qheat needs, where it is missing: on Debian and Ubuntu as root, or as a user with sudo. Elsewhere it says
# what to load or install. Usage: src/setup/packages.sh [run|test|bench]   (test adds GoogleTest and readers of netCDF, bench Google Benchmark)
set -euo pipefail

build=(g++ cmake ninja-build pkg-config git ca-certificates openmpi-bin libopenmpi-dev libpetsc-complex-dev
  libslepc-complex-dev libscalapack-openmpi-dev libhdf5-openmpi-dev libopenblas0-pthread libtomlplusplus-dev
  libcli11-dev libfmt-dev libboost-dev libmuparser-dev python3-numpy python3-h5py python3-matplotlib)
wanted=("${build[@]}")
case ${1:-run} in
  test) wanted+=(libgtest-dev netcdf-bin python3-xarray python3-h5netcdf python3-netcdf4) ;;
  bench) wanted+=(libbenchmark-dev) ;;
esac

have_all_by_other_means() {  # modules, Spack, own builds: the build itself will tell what is missing
  command -v cmake >/dev/null && command -v mpicxx >/dev/null && pkg-config --exists petsc slepc 2>/dev/null
}

if ! command -v apt-get >/dev/null; then
  have_all_by_other_means && exit 0
  cat >&2 <<'TEXT'
qheat: this system has no apt-get, and not all that qheat needs is loaded. On a cluster load modules such as
    module load gcc cmake ninja openmpi scalapack petsc/complex slepc/complex hdf5/parallel
(C++20 compiler, CMake 3.25, MPI, ScaLAPACK, PETSc >= 3.18 with complex scalars, SLEPc, HDF5 with MPI), and install toml++, CLI11, fmt,
Boost and muParser, for example with Spack:
    spack install petsc+complex slepc ^petsc+complex netlib-scalapack hdf5+mpi tomlplusplus cli11 fmt boost muparser && spack load petsc slepc netlib-scalapack hdf5 tomlplusplus cli11 fmt boost muparser
Own builds of PETSc and SLEPc are found through PETSC_DIR, PETSC_ARCH and SLEPC_DIR. Then run the same command again.
TEXT
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == "install ok installed" ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    have_all_by_other_means && exit 0
    echo "qheat: these packages are missing and you are neither root nor have sudo: ${missing[*]}" >&2
    echo "Ask your administrator, or on a cluster load modules for a C++20 compiler, CMake, MPI, PETSc and SLEPc (complex)," >&2
    echo "parallel HDF5, toml++, CLI11, fmt, Boost and muParser; then run the same command again." >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q >/dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
