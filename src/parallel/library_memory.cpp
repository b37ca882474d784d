#include "parallel/library_memory.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <mpi.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"

// Present only if the BLAS that is linked is OpenBLAS.
extern "C" char* openblas_get_corename() __attribute__((weak));
extern "C" void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*,
                       const double*, const int*, const double*, const int*, const double*, double*,
                       const int*);

namespace qheat {
namespace {

constexpr std::size_t kBlasBuffer = std::size_t{128} << 20;  // of OpenBLAS on x86-64
constexpr std::size_t kOthers = std::size_t{96} << 20;       // MPI, PETSc and HDF5 without any vectors
constexpr std::size_t kReserve = std::size_t{8} << 20;
constexpr time_t kMostBlasSeconds = 10;  // of processor time for one tiny product

void* map_memory(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

/// Whether so much address space can be had now.
bool can_map(std::size_t bytes) {
  void* probe = map_memory(bytes);
  if (probe == nullptr) return false;
  munmap(probe, bytes);
  return true;
}

// A signal handler and the handler of a failed allocation can reach nothing but static storage.
void* reserve = nullptr;

void give_back_reserve() {
  if (reserve == nullptr) throw std::bad_alloc();
  munmap(reserve, kReserve);
  reserve = nullptr;
  throw std::bad_alloc();  // the reserve is for the way out, not for going on
}

[[noreturn]] void end_without_blas_buffer() {
  constexpr char kMessage[] =
      "qheat: out of memory: BLAS waits for a buffer that it cannot have; raise the limit of the address "
      "space (ulimit -v)\n";
  const auto ignored = write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
  static_cast<void>(ignored);
  _exit(1);
}

extern "C" void end_endless_blas(int) {
  end_without_blas_buffer();
}

/// A product so small that it takes no time, under a timer: what BLAS keeps is taken now, or never.
void call_blas() {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = end_endless_blas;
  sigemptyset(&action.sa_mask);
  sigaction(SIGPROF, &action, &before);
  const itimerval limit{{0, 0}, {kMostBlasSeconds, 0}};
  const itimerval none{};
  setitimer(ITIMER_PROF, &limit, nullptr);
  constexpr int kSize = 64;  // beyond what BLAS does without its buffer
  const std::vector<double> a(as_size(kSize) * kSize, 1.0);
  std::vector<double> c(as_size(kSize) * kSize);
  const double one = 1.0;
  const double zero = 0.0;
  dgemm_("N", "N", &kSize, &kSize, &kSize, &one, a.data(), &kSize, a.data(), &kSize, &zero, c.data(), &kSize);
  setitimer(ITIMER_PROF, &none, nullptr);
  sigaction(SIGPROF, &before, nullptr);
  if (c.back() != kSize) throw Error("BLAS multiplies wrongly; use another BLAS library");
}

[[noreturn]] void terminate_with_message() {
  std::string message = "qheat: unexpected failure; please report this";
  if (const auto exception = std::current_exception()) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::bad_alloc&) {
      message = "qheat: out of memory; use more nodes, fewer sites or a smaller sector";
    } catch (const std::exception& error) {
      message = std::string("qheat: ") + error.what();
    } catch (...) {
    }
  }
  std::fprintf(stderr, "%s\n", message.c_str());
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (initialized != 0 && finalized == 0) MPI_Abort(MPI_COMM_WORLD, 1);
  _exit(1);
}

}  // namespace

void refuse_blas_without_memory() noexcept {
  rlimit address_space{};
  if (openblas_get_corename == nullptr || getrlimit(RLIMIT_AS, &address_space) != 0 ||
      address_space.rlim_cur == RLIM_INFINITY)
    return;
  if (!can_map(kBlasBuffer + kReserve)) end_without_blas_buffer();
}

void take_library_memory() {
  // Each thread of MPI would reserve an arena of 64 MB or more that no other can use.
  rlimit address_space{};
  if (getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY)
    mallopt(M_ARENA_MAX, 1);
  const bool openblas = openblas_get_corename != nullptr;
  const std::size_t needed = kOthers + kReserve + (openblas ? kBlasBuffer : 0);
  if (!can_map(needed)) {
    throw Error(
        fmt::format("out of memory: the libraries need {} MB of address space beyond the {:.0f} MB in use, "
                    "before any state; raise the limit (ulimit -v, or the batch system's limit of virtual "
                    "memory)",
                    needed >> 20, address_space_used() / 1048576.0));
  }
  call_blas();
  reserve = map_memory(kReserve);
  std::set_new_handler(give_back_reserve);
}

void end_with_message_on_terminate() {
  std::set_terminate(terminate_with_message);
}

}  // namespace qheat
