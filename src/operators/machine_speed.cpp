#include "qheat/operators/machine_speed.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <new>
#include <span>
#include <vector>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/operator.hpp"
#include "qheat/parallel/index.hpp"

extern "C" void dgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n,
                       const int* k, const double* alpha, const double* a, const int* lda, const double* b,
                       const int* ldb, const double* beta, double* c, const int* ldc);

namespace qheat {
namespace {

// Seconds of the three pieces of work on the machine of docs/performance.md.
constexpr double kProduct = 3.2e-5;
constexpr double kStream = 2.0e-3;
constexpr double kDense = 1.0e-3;

double processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The least of some repetitions: what disturbs only adds.
template <class Piece>
double seconds_of(int repetitions, const Piece& piece) {
  double least = std::numeric_limits<double>::infinity();
  for (int k = 0; k < repetitions; ++k) {
    const double start = processor_time();
    piece();
    least = std::min(least, processor_time() - start);
  }
  return least;
}

/// H x for an exchange chain of 16 sites at half filling, 12870 states.
double product_seconds() {
  const Model model = uniform_model(Lattice::chain(16), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5);
  const auto space = std::make_shared<DistributedSector>(level_sector(model, {8, 8}), Communicator::self());
  const auto h = make_operator(space, hamiltonian(model));
  std::vector<Complex> x(as_size(space->local_size()), {0.5, 0.1});
  std::vector<Complex> y(x.size());
  return seconds_of(20, [&] { h->apply(std::span<const Complex>(x), std::span(y)); });
}

/// Memory that goes back to the system at once: what malloc is given it may keep, and large blocks change how
/// it treats others.
class Pages {
 public:
  explicit Pages(std::size_t numbers)
      : bytes_(numbers * sizeof(double)),
        begin_(::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (begin_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~Pages() { ::munmap(begin_, bytes_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  std::span<double> numbers() const { return {static_cast<double*>(begin_), bytes_ / sizeof(double)}; }

 private:
  std::size_t bytes_;
  void* begin_;
};

/// x = a x over 48 MB, beyond what one core keeps in its caches.
double stream_seconds() {
  const Pages pages(6'000'000);
  const auto x = pages.numbers();
  std::fill(x.begin(), x.end(), 0.5);
  return seconds_of(4, [&] {
    for (double& value : x) value *= 1.0000001;
  });
}

/// A real matrix of 256 rows times another.
double dense_seconds() {
  constexpr int kRows = 256;
  const std::vector<double> a(as_size(kRows * kRows), 0.5);
  std::vector<double> c(a.size());
  const double one = 1.0;
  const double zero = 0.0;
  return seconds_of(5, [&] {
    dgemm_("N", "N", &kRows, &kRows, &kRows, &one, a.data(), &kRows, a.data(), &kRows, &zero, c.data(),
           &kRows);
  });
}

}  // namespace

MachineSpeed measure_machine_speed(const Communicator& comm) {
  double times[] = {product_seconds() / kProduct, stream_seconds() / kStream, dense_seconds() / kDense};
  comm.max(std::span(times));
  return {times[0], times[1], times[2]};
}

}  // namespace qheat
