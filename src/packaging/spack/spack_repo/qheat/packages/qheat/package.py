# Add this repository to Spack: spack repo add src/packaging/spack/spack_repo/qheat
# For a checkout at hand: spack dev-build qheat@main, or in an environment: spack develop --path CHECKOUT qheat@main
from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Qheat(CMakePackage):
    """Does Fourier's law of heat conduction follow from the quantum dynamics of a lattice, and with which
    conductivity? Exact gain-loss kernels, rate equations, steady states; MPI-parallel."""

    license("BSD-2-Clause", checked_by="qheat developers")
    maintainers("qheat")

    version("main", branch="main")

    variant("int64", default=False, description="PETSc with 64-bit indices")
    variant("plots", default=True, description="What qheat plot needs at run time")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("lapack")
    depends_on("scalapack")
    depends_on("petsc@3.18:+complex+mpi+mumps")
    depends_on("petsc+int64", when="+int64")
    depends_on("petsc~int64", when="~int64")
    depends_on("slepc@3.18:")
    depends_on("hdf5+mpi+hl")
    depends_on("tomlplusplus")
    depends_on("cli11")
    depends_on("fmt")
    depends_on("boost@1.74:+math+multiprecision", type="build")
    depends_on("muparser")
    depends_on("googletest", type="test")
    depends_on("python", type="run", when="+plots")
    depends_on("py-numpy", type="run", when="+plots")
    depends_on("py-h5py", type="run", when="+plots")
    depends_on("py-matplotlib", type="run", when="+plots")

    generator("ninja")

    def cmake_args(self):
        return [
            self.define("BUILD_TESTING", self.run_tests),
            self.define("QHEAT_SCALAPACK", ";".join(self.spec["scalapack"].libs.libraries)),
        ]
