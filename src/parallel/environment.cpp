#include "qheat/parallel/environment.hpp"

#include <fmt/format.h>
#include <slepcsys.h>
#undef I
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "parallel/library_memory.hpp"
#include "parallel/petsc.hpp"
#include "parallel/petsc_errors.hpp"
#include "qheat/parallel/index.hpp"

// Present only if the BLAS that is linked is OpenBLAS.
extern "C" char* openblas_get_corename() __attribute__((weak));

namespace qheat {
namespace {

/// Errors inside MPI, mostly out of memory, end all ranks as any other failure does.
void end_on_mpi_error(MPI_Comm* comm, int* code, ...) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(*code, text.data(), &length);
  std::fprintf(stderr, "qheat: failure in MPI: %s\n", text.data());
  MPI_Abort(*comm, 1);
}

MPI_Comm start_mpi(int& argc, char**& argv) {
  end_with_message_on_terminate();
  take_library_memory();
  int provided = 0;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    throw Error("MPI does not start; run the program as it is, or under mpirun or srun");
  }
  MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
  MPI_Comm_create_errhandler(end_on_mpi_error, &handler);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
  MPI_Errhandler_free(&handler);
  MPI_Comm world = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &world);
  return world;
}

#ifdef __SANITIZE_ADDRESS__
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

bool processor_has(const std::string& flags, const char* flag) {
  return flags.find(fmt::format(" {} ", flag)) != std::string::npos;
}

std::string processor_flags() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("flags", 0) == 0) return line + " ";
  }
  return {};
}

}  // namespace

Environment::Environment(int& argc, char**& argv) : world_(start_mpi(argc, argv)) {
  // A synthetic command line is the only way to keep PETSc from reading .petscrc files and the user's
  // environment.
  unsetenv("PETSC_OPTIONS");
  std::array<std::string, 3> words{"qheat", "-skip_petscrc", "-no_signal_handler"};
  std::array<char*, 4> arguments{words[0].data(), words[1].data(), words[2].data(), nullptr};
  int count = 3;
  char** values = arguments.data();
  QHEAT_PETSC(SlepcInitialize(&count, &values, nullptr, nullptr));
  petsc::install_error_collector();
}

void Environment::insert_petsc_options(const std::vector<std::string>& options) const {
  std::string line;
  for (const auto& option : options) line += option + " ";
  if (!line.empty()) QHEAT_PETSC(PetscOptionsInsertString(nullptr, line.c_str()));
}

Environment::~Environment() {
  static_cast<void>(SlepcFinalize());
  // After a failure PETSc may have left objects on this communicator; freeing it must not abort the program
  // then.
  MPI_Comm world = world_.get();
  MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN);
  MPI_Comm_free(&world);
  MPI_Finalize();
}

std::vector<std::string> Environment::unused_petsc_options() const {
  PetscInt count = 0;
  char** names = nullptr;
  char** values = nullptr;
  QHEAT_PETSC(PetscOptionsLeftGet(nullptr, &count, &names, &values));
  std::vector<std::string> unused;
  for (PetscInt i = 0; i < count; ++i) {
    const std::string name = names[i];
    if (name != "skip_petscrc" && name != "no_signal_handler") unused.push_back("-" + name);
  }
  QHEAT_PETSC(PetscOptionsLeftRestore(nullptr, &count, &names, &values));
  return unused;
}

LibraryVersions library_versions() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> mpi{};
  int length = 0;
  MPI_Get_library_version(mpi.data(), &length);
  std::string mpi_text(mpi.data(), as_size(length));
  mpi_text = mpi_text.substr(0, mpi_text.find(','));
  return {.petsc = fmt::format("{}.{}.{}", PETSC_VERSION_MAJOR, PETSC_VERSION_MINOR, PETSC_VERSION_SUBMINOR),
          .slepc = fmt::format("{}.{}.{}", SLEPC_VERSION_MAJOR, SLEPC_VERSION_MINOR, SLEPC_VERSION_SUBMINOR),
          .mpi = mpi_text,
          .blas = openblas_get_corename != nullptr
                      ? fmt::format("OpenBLAS ({} kernels)", openblas_get_corename())
                      : "unknown BLAS",
          .index_bits = static_cast<int>(8 * sizeof(PetscInt)),
          .scalar = "complex"};
}

namespace {

/// The kernels that OPENBLAS_CORETYPE should name; null: as it is.
const char* wanted_blas_kernels() {
  const char* own_choice = getenv("OPENBLAS_CORETYPE");
  const std::string flags = processor_flags();
  if (kAddressSanitizer) {
    // zgemv of OpenBLAS 0.3.21 for AVX reads, and drops, an element behind the vector (its issue 4013). The
    // sanitizer's allocator can put a vector at the end of mapped memory, where that crashes.
    const bool chosen = own_choice != nullptr && std::string(own_choice) == "Nehalem";
    return !chosen && processor_has(flags, "sse4_2") ? "Nehalem" : nullptr;
  }
  if (own_choice != nullptr) return nullptr;
  const bool avx512 =
      processor_has(flags, "avx512f") && processor_has(flags, "avx512bw") && processor_has(flags, "avx512vl");
  if (avx512) return "SkylakeX";
  return processor_has(flags, "avx2") && processor_has(flags, "fma") ? "Haswell" : nullptr;
}

}  // namespace

void prepare_process(char** argv) {
  bool changed = false;
  if (const char* kernels = wanted_blas_kernels(); kernels != nullptr) {
    setenv("OPENBLAS_CORETYPE", kernels, 1);
    changed = true;
  }
  if (getenv("OPENBLAS_NUM_THREADS") == nullptr) {  // ranks are the parallelism, and threads take buffers
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    changed = true;
  }
  if (!kAddressSanitizer && getenv("GLIBC_TUNABLES") == nullptr) {
    setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1);
    changed = true;
  }
  if (changed) execv("/proc/self/exe", argv);  // comes back only if it fails: then it is slow, but works
}

}  // namespace qheat
