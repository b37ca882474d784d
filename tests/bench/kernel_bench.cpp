// The exact gain-loss kernel at one time against the dense products and the factorisation that it needs, and
// the kernels of a series and the scores of a kernel beside it. What is compared runs one after the other in
// each call: times of a busy machine may only be compared with those of the same moment.

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "bench/bench_main.hpp"
#include "parallel/scalapack.hpp"
#include "qheat/basis/cell_space.hpp"
#include "qheat/kernel/assumptions.hpp"
#include "qheat/kernel/exact_kernel.hpp"
#include "qheat/kernel/tcl_kernel.hpp"

using namespace qheat;
using qheat_bench::measure;
using qheat_bench::Seconds;

extern "C" {
void dgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc);
void pdgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n, const int* k,
             const double* alpha, const double* a, const int* ia, const int* ja, const int* a_descriptor,
             const double* b, const int* ib, const int* jb, const int* b_descriptor, const double* beta,
             double* c, const int* ic, const int* jc, const int* c_descriptor);
void pdgetrf_(const int* m, const int* n, double* a, const int* ia, const int* ja, const int* a_descriptor,
              int* pivots, int* info);
void pdgecon_(const char* norm, const int* n, const double* a, const int* ia, const int* ja,
              const int* a_descriptor, const double* a_norm, double* reciprocal, double* work,
              const int* work_size, int* integer_work, const int* integer_work_size, int* info);
void pdgetrs_(const char* transposed, const int* n, const int* right_sides, const double* a, const int* ia,
              const int* ja, const int* a_descriptor, const int* pivots, double* b, const int* ib,
              const int* jb, const int* b_descriptor, int* info);
}

namespace {

constexpr double kTime = 1.0;
constexpr int kOrder = 4;

struct Case {
  std::string name;
  int sites;
  bool mirrored;
};

Model chain(const Case& c) {
  auto model = uniform_model(Lattice::chain(c.sites), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5);
  if (!c.mirrored) model.energies[1] += 0.3;
  return model;
}

std::vector<int> half_filling(int sites) {
  std::vector<int> levels(static_cast<std::size_t>(sites));
  for (std::size_t i = 0; i < levels.size(); i += 2) levels[i] = 1;
  return levels;
}

/// The dense work on one block, by bare calls of the libraries.
class BareCalls {
 public:
  explicit BareCalls(Index size)
      : size_(static_cast<int>(size)),
        grid_(qheat_bench::world(), size),
        vectors_(random_matrix()),
        scaled_(random_matrix()),
        product_(grid_, size, size),
        g_(random_matrix()),
        factors_(grid_, size, size),
        right_(random_matrix()),
        pivots_(static_cast<std::size_t>(factors_.local_rows() + scalapack::kBlock)),
        work_(static_cast<std::size_t>(8 * (size + 4 * scalapack::kBlock))),
        integers_(work_.size()) {}

  /// V cos(Et) V^T and V sin(Et) V^T.
  void products() {
    constexpr double kOne = 1.0;
    constexpr double kZero = 0.0;
    for (int part = 0; part < 2; ++part) {
      if (qheat_bench::world().size() == 1) {
        dgemm_("T", "N", &size_, &size_, &size_, &kOne, vectors_.data(), &size_, scaled_.data(), &size_,
               &kZero, product_.data(), &size_);
      } else {
        pdgemm_("T", "N", &size_, &size_, &size_, &kOne, vectors_.data(), &kFirst, &kFirst,
                vectors_.descriptor(), scaled_.data(), &kFirst, &kFirst, scaled_.descriptor(), &kZero,
                product_.data(), &kFirst, &kFirst, product_.descriptor());
      }
    }
  }
  /// Not measured: the factorisation works in place.
  void restore() {
    std::copy(g_.values().begin(), g_.values().end(), factors_.values().begin());
    std::copy(scaled_.values().begin(), scaled_.values().end(), right_.values().begin());
  }
  void solution() {
    int info = 0;
    double reciprocal = 0.0;
    const double norm = static_cast<double>(size_);
    const int work_size = static_cast<int>(work_.size());
    pdgetrf_(&size_, &size_, factors_.data(), &kFirst, &kFirst, factors_.descriptor(), pivots_.data(), &info);
    pdgecon_("1", &size_, factors_.data(), &kFirst, &kFirst, factors_.descriptor(), &norm, &reciprocal,
             work_.data(), &work_size, integers_.data(), &work_size, &info);
    pdgetrs_("N", &size_, &size_, factors_.data(), &kFirst, &kFirst, factors_.descriptor(), pivots_.data(),
             right_.data(), &kFirst, &kFirst, right_.descriptor(), &info);
  }

 private:
  static constexpr int kFirst = 1;

  scalapack::Matrix<double> random_matrix() const {
    scalapack::Matrix<double> matrix(grid_, size_, size_);
    std::mt19937_64 random(static_cast<std::uint64_t>(qheat_bench::world().rank()));
    std::uniform_real_distribution<double> elements(-0.5, 0.5);
    for (double& value : matrix.values()) value = elements(random);
    return matrix;
  }

  int size_;
  scalapack::ProcessGrid grid_;
  scalapack::Matrix<double> vectors_, scaled_, product_, g_, factors_, right_;
  std::vector<int> pivots_;
  std::vector<double> work_;
  std::vector<int> integers_;
};

/// What the benchmarks of one case need, made when the first of them runs.
class Workspace {
 public:
  explicit Workspace(Case c)
      : case_(std::move(c)),
        model_(chain(case_)),
        cells_(model_, InitialState::product(model_, half_filling(case_.sites))) {}

  void exact() {
    prepare();
    Seconds products;
    Seconds solution;
    for (auto& block : bare_) {
      add(products, measure([&] { block->products(); }));
      block->restore();
      add(solution, measure([&] { block->solution(); }));
    }
    const Seconds propagator = measure([&] { propagator_->evaluate(kTime, 1); });
    KernelValue value;
    const Seconds kernel = measure([&] { value = kernel_->at(kTime); });
    const Seconds scores = measure([&] { score(value); });
    const std::string name = "exact/" + case_.name;
    qheat_bench::note(name, "states", static_cast<double>(cells_.dimension()));
    note(name, "products", products);
    note(name, "solution", solution);
    note(name, "propagator", propagator);
    note(name, "kernel", kernel);
    note(name, "scores", scores);
  }

  void series() {
    if (!series_) {
      std::vector<std::unique_ptr<PropagatorOrders>> orders;
      orders.push_back(closed_propagator_orders(model_, sector(), kOrder, {0.0, kTime / 2.0, kTime},
                                                qheat_bench::world()));
      series_ =
          std::make_unique<TclKernels>(std::vector<int>{2, kOrder}, std::move(orders), qheat_bench::world());
    }
    series_->at(kTime);
  }

 private:
  const CellSector& sector() const { return cells_.sectors().front(); }

  void prepare() {
    if (kernel_) return;
    propagator_ = closed_population_propagator(model_, sector(), qheat_bench::world());
    std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
    propagators.push_back(closed_population_propagator(model_, sector(), qheat_bench::world()));
    kernel_ = std::make_unique<ExactKernel>(std::move(propagators), qheat_bench::world());
    scores_ = std::make_unique<AssumptionScores>(model_, cells_);
    const auto& mirror = propagator_->layout().mirror();
    bare_.push_back(std::make_unique<BareCalls>(mirror.even_size()));
    if (mirror.odd_size() > 0) bare_.push_back(std::make_unique<BareCalls>(mirror.odd_size()));
  }

  void score(const KernelValue& value) const {
    const auto& full = value.sectors.front();
    std::vector<KernelColumns> columns;
    for (std::size_t j = 0; j < full.cells.size(); ++j) {
      const auto values = full.values.block().column_span(static_cast<Index>(j));
      columns.push_back({.sector = 0, .first = full.cells[j], .count = 1, .values = values});
    }
    scores_->evaluate(kTime, columns, value.asymmetry_squared, qheat_bench::world());
  }

  static void add(Seconds& sum, const Seconds& more) {
    sum.wall += more.wall;
    sum.processor += more.processor;
  }
  static void note(const std::string& name, const std::string& what, const Seconds& seconds) {
    qheat_bench::note(name, what + "_ms", 1e3 * seconds.wall);
    qheat_bench::note(name, what + "_processor_ms", 1e3 * seconds.processor);
  }

  Case case_;
  Model model_;
  CellSpace cells_;
  std::unique_ptr<const PopulationPropagator> propagator_;
  std::unique_ptr<ExactKernel> kernel_;
  std::unique_ptr<AssumptionScores> scores_;
  std::unique_ptr<TclKernels> series_;
  std::vector<std::unique_ptr<BareCalls>> bare_;
};

}  // namespace

void qheat_bench::register_all() {
  for (const Case& c :
       {Case{"chain-12", 12, true}, Case{"chain-12-detuned", 12, false}, Case{"chain-14", 14, true}}) {
    const auto workspace = std::make_shared<Workspace>(c);
    add(
        "exact/" + c.name, [workspace] { workspace->exact(); }, 1);
    if (c.sites == 12)
      add(
          "series/" + c.name, [workspace] { workspace->series(); }, 1);
  }
}
