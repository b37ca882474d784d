// One random state of equilibrium fluctuations with all that is measured of it, against the bare propagation
// of as many vectors through the same output times.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/bench_main.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/chebyshev.hpp"
#include "qheat/evolution/output_steps.hpp"
#include "qheat/fluctuations/correlations.hpp"
#include "qheat/operators/hamiltonian.hpp"

using namespace qheat;
using qheat_bench::measure;
using qheat_bench::Seconds;

namespace {

constexpr double kEnd = 20.0;
constexpr int kOutputs = 81;
constexpr int kVectors = 3;  // psi, of one source, of the current
constexpr double kTolerance = 1e-7;

class Ring {
 public:
  explicit Ring(int sites)
      : name_("sample/ring-" + std::to_string(sites)),
        model_(uniform_model(Lattice::ring(sites), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5)),
        options_{.equilibrium = {}, .sources = {0}, .axes = {0}, .samples = 1} {
    for (int k = 0; k < kOutputs; ++k) times_.push_back(kEnd * k / (kOutputs - 1));
    plan_ = plan_correlations(model_, times_, options_, qheat_bench::world().size(), 0.0);
  }

  /// One after the other, so that both meet the same machine.
  void compare() {
    const Seconds bare = measure([&] { propagate(); });
    Timings timings;
    const Seconds whole = measure([&] { sample(timings); });
    note("states", static_cast<double>(plan_.states));
    note("bare_ms", 1e3 * bare.wall);
    note("bare_processor_ms", 1e3 * bare.processor);
    note("sample_ms", 1e3 * whole.wall);
    note("sample_processor_ms", 1e3 * whole.processor);
    note("observables_ms", 1e3 * timings.phase("observables").seconds);
    note("setup_ms", 1e3 * timings.phase("setup fluctuations").seconds);
  }

  const std::string& name() const { return name_; }

 private:
  void note(const std::string& what, double value) const { qheat_bench::note(name_, what, value); }

  void sample(Timings& timings) const {
    UninterruptedRun control;
    compute_correlations(
        model_, times_, options_, plan_, [](const Correlations&) { return 0; }, qheat_bench::world(), control,
        timings);
  }

  /// H, bounds of its spectrum and the propagations of each part: nothing is measured.
  void propagate() const {
    for (const auto& part : plan_.parts) {
      const auto space =
          std::make_shared<const DistributedSector>(level_sector(model_, part.counts), qheat_bench::world());
      const auto h = make_operator(space, hamiltonian(model_));
      ChebyshevEvolution evolution(*h, plan_.outputs_at_once);
      std::vector<Complex> x(static_cast<std::size_t>(space->local_size()));
      std::mt19937_64 random(1);
      std::normal_distribution<double> normal;
      for (Complex& value : x) value = {normal(random), normal(random)};
      for (int vector = 0; vector < kVectors; ++vector) follow(evolution, x);
    }
  }

  void follow(ChebyshevEvolution& evolution, std::vector<Complex>& x) const {
    std::size_t time = 0;
    double elapsed = 0.0;
    while (time < times_.size()) {
      const auto steps =
          next_output_steps(times_, time, elapsed, evolution.bounds().radius(), plan_.outputs_at_once);
      evolution.advance(steps.dts, kTolerance * steps.dts.back() / kEnd, std::span(x),
                        [](std::size_t, Index, ColumnBlock<const Complex>) {});
      if (steps.reach_outputs) {
        time += steps.dts.size();
        elapsed = 0.0;
      } else {
        elapsed += steps.dts.back();
      }
    }
  }

  std::string name_;
  Model model_;
  CorrelationOptions options_;
  std::vector<double> times_;
  CorrelationPlan plan_;
};

}  // namespace

void qheat_bench::register_all() {
  for (const int sites : {14, 16, 18, 20, 22, 24}) {
    const auto ring = std::make_shared<std::unique_ptr<Ring>>();
    add(
        "sample/ring-" + std::to_string(sites),
        [ring, sites] {
          if (!*ring) *ring = std::make_unique<Ring>(sites);
          (*ring)->compare();
        },
        1);
  }
}
