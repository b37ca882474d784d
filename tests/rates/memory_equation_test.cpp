// The memory equation: its solution is the exact one, and that of the time-local equation.

#include "qheat/rates/memory_equation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "qheat/kernel/exact_kernel.hpp"
#include "qheat/propagator/mean_propagator.hpp"
#include "support/cell_reference.hpp"
#include "support/largest_difference.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

using qheat_test::largest_difference;
std::vector<std::unique_ptr<const PopulationPropagator>> propagators(const Model& model,
                                                                     const CellSpace& cells) {
  std::vector<std::unique_ptr<const PopulationPropagator>> result;
  for (const auto& sector : cells.sectors()) {
    result.push_back(closed_population_propagator(model, sector, qheat_test::world()));
  }
  return result;
}

MemorySolution solve(const Model& model, const InitialState& initial, const std::vector<double>& times,
                     const MemoryKernelOptions& options = {}) {
  const CellSpace cells(model, initial);
  UninterruptedRun control;
  Timings timings;
  const MemoryKernel kernel(propagators(model, cells), times, options, qheat_test::world(), control);
  return solve_memory(model, initial, cells, kernel, qheat_test::world(), control, timings);
}

/// Populations of bands by the exact evolution.
std::vector<double> exact(const Model& model, const brute::System& reference, const InitialState& initial,
                          const std::vector<double>& times) {
  const auto evolution = brute::evolve(reference, qheat_test::local_probabilities(model, initial), times);
  std::vector<double> levels;
  for (const auto& at : evolution.populations) {
    for (const auto& site : at) levels.insert(levels.end(), site.begin(), site.end());
  }
  return band_populations(model, levels);
}

void expect_exact(const std::string& name, const Model& model, const brute::System& reference,
                  const InitialState& initial) {
  const std::vector<double> times = {0.0, 0.5, 1.0, 1.5, 2.0};
  const auto memory = solve(model, initial, times);
  EXPECT_LT(memory.error, 1e-6) << name;
  EXPECT_LT(largest_difference(memory.solution.populations, exact(model, reference, initial, times)),
            memory.error + 1e-11)
      << name;
}

TEST(MemoryEquation, EqualsTheExactEvolutionOfRandomModels) {
  std::uint64_t seed = 50;
  for (const auto& random : qheat_test::random_cases()) {
    if (random.model.sites() * random.model.levels() > 10) continue;
    expect_exact(random.name, random.model, random.reference,
                 InitialState::product(random.model, qheat_test::random_levels(random.model, seed++)));
  }
}

TEST(MemoryEquation, EqualsTheExactEvolutionOfMixturesAndBands) {
  auto reference = brute::random_system(
      8, {{0, 1}, {1, 2}}, 3, 3, {.complex_v = true, .conserving = true, .onsite = false, .detuned = true});
  auto model = qheat_test::model_of(reference, Lattice::chain(3), 8);
  expect_exact("mixture", model, reference, InitialState::thermal(model, {1.0, 2.0, 3.0}));
  for (const bool conserving : {true, false}) {
    reference =
        brute::random_system(5, {{0, 1}, {1, 2}}, 3, 4,
                             {.complex_v = true, .conserving = conserving, .onsite = false, .detuned = true});
    reference.band_of_level = qheat_test::uneven_bands(4);
    model = qheat_test::model_of(reference, Lattice::chain(3), 5);
    expect_exact("bands", model, reference, InitialState::band_mixture(model, {0, 1, 3}));
  }
}

/// G P(0) of two sites beyond the singular time of the time-local kernel.
TEST(MemoryEquation, PassesSingularTimesAndTellsItsError) {
  constexpr double kLambda = 0.3;
  const Model model =
      uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), kLambda);
  const auto initial = InitialState::product(model, {1, 0});
  std::vector<double> times;
  for (int k = 0; k <= 60; ++k) times.push_back(0.5 * k);
  double before = 0.0;
  for (const std::size_t thinned : {2, 1}) {
    std::vector<double> some;
    for (std::size_t k = 0; k < times.size(); k += thinned) some.push_back(times[k]);
    const auto memory = solve(model, initial, some, {.tolerance = 1e3});
    double error = 0.0;
    for (std::size_t k = 0; k < some.size(); ++k) {
      const double p = std::pow(std::cos(kLambda * some[k]), 2);
      error = std::max(error, std::abs(memory.solution.populations[4 * k + 1] - p));
      EXPECT_NEAR(memory.solution.energy[2 * k], memory.solution.populations[4 * k + 1], 1e-14);
    }
    EXPECT_LT(error, memory.error);
    EXPECT_GT(error, 1e-3 * memory.error);
    if (before > 0.0) {
      EXPECT_NEAR(std::log2(before / error), 8.0, 1.0);
    }
    before = error;
  }
}

/// The kernel of an average gives the averaged populations; few realisations do not coarsen its grid.
TEST(MemoryEquation, GivesTheMeanOverRealisations) {
  constexpr double kLambda = 0.3;
  constexpr int kRealizations = 5;
  const auto draw = [&](int realization) {
    Model model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), kLambda);
    model.energies[3] += 0.4 * realization;
    auto initial = InitialState::product(model, {1, 0});
    return Realization{std::move(model), std::move(initial)};
  };
  const auto [model, initial] = draw(0);
  const CellSpace cells(model, initial);
  const std::vector<double> times = {0.0, 2.0, 4.0, 6.0, 8.0, 10.0};
  UninterruptedRun control;
  std::vector<std::unique_ptr<const PopulationPropagator>> mean;
  mean.push_back(mean_population_propagator(kRealizations, draw, cells.sectors().front(), times.back(),
                                            qheat_test::world(), control));
  Timings timings;
  const MemoryKernel kernel(mean, times, {}, qheat_test::world(), control);
  EXPECT_GT(kernel.error(), 1e-3);  // statistical
  const auto memory = solve_memory(model, initial, cells, kernel, qheat_test::world(), control, timings);
  EXPECT_LT(memory.error, 1e-6);
  for (std::size_t k = 0; k < times.size(); ++k) {
    double excited = 1.0;
    for (int r = 0; r < kRealizations; ++r) {
      const double omega = std::hypot(0.4 * r, 2.0 * kLambda);
      excited -= std::pow(2.0 * kLambda / omega * std::sin(omega * times[k] / 2.0), 2) / kRealizations;
    }
    EXPECT_NEAR(memory.solution.populations[4 * k + 1], excited, memory.error + 1e-12) << times[k];
  }
}

TEST(MemoryEquation, EqualsTheTimeLocalEquation) {
  const Model model = uniform_model(Lattice::chain(4), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.3);
  const auto initial = InitialState::product(model, {1, 1, 0, 0});
  const std::vector<double> times = {0.0, 0.25, 0.5, 0.75, 1.0};
  const auto memory = solve(model, initial, times);
  const CellSpace cells(model, initial);
  ExactKernel kernel(propagators(model, cells), qheat_test::world());
  UninterruptedRun control;
  Timings timings;
  const auto local = solve_many_body(model, initial, cells, kernel, times, times.size(), 1.0, {},
                                     qheat_test::world(), control, timings);
  EXPECT_LT(largest_difference(memory.solution.populations, local.many_body.populations), 1e-8);
  EXPECT_LT(largest_difference(memory.solution.energy, local.many_body.energy), 1e-8);
}

TEST(MemoryEquation, HoldsForOneCellOneTimeAndWithoutInteraction) {
  const Model alone = uniform_model(Lattice::chain(1), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  const auto excited = InitialState::product(alone, {1});
  EXPECT_EQ(solve(alone, excited, {0.0, 1.0}).solution.populations, (std::vector<double>{0, 1, 0, 1}));

  Model pair = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  const auto initial = InitialState::product(pair, {1, 0});
  EXPECT_EQ(solve(pair, initial, {0.0}).solution.populations, (std::vector<double>{0, 1, 1, 0}));
  pair.strength = 0.0;
  EXPECT_LT(
      largest_difference(solve(pair, initial, {0.0, 3.0}).solution.populations, {0, 1, 1, 0, 0, 1, 1, 0}),
      1e-14);
}

/// Keeps what the stage hands over, and gives it back.
class Remembering final : public RunControl {
 public:
  void enter(const std::string&) override {}
  void leave() noexcept override {}
  bool restore_finished(const Load& load) override {
    if (kept.empty()) return false;
    Reader reader(kept);
    load(reader);
    return true;
  }
  bool restore_partial(const Load&) override { return false; }
  void offer(double fraction, const Save&) override {
    EXPECT_GE(fraction, 0.0);
    EXPECT_LE(fraction, 1.0);
  }
  void finish(const Save& save) override {
    Writer writer(kept);
    save(writer);
  }

  std::map<std::string, std::vector<double>> kept;

 private:
  struct Writer final : StateWriter {
    explicit Writer(std::map<std::string, std::vector<double>>& to) : record(to) {}
    void replicated(const std::string& name, std::span<const double> values) override {
      record[name].assign(values.begin(), values.end());
    }
    void distributed(const std::string&, std::span<const double>, Index, Index) override { FAIL(); }
    std::map<std::string, std::vector<double>>& record;
  };
  struct Reader final : StateReader {
    explicit Reader(const std::map<std::string, std::vector<double>>& from) : record(from) {}
    std::vector<double> replicated(const std::string& name) override { return record.at(name); }
    void distributed(const std::string&, std::span<double>, Index, Index) override { FAIL(); }
    const std::map<std::string, std::vector<double>>& record;
  };
};

TEST(MemoryEquation, GivesBackAFinishedSolution) {
  const Model model = uniform_model(Lattice::chain(3), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.3);
  const auto initial = InitialState::product(model, {1, 0, 0});
  const CellSpace cells(model, initial);
  Remembering control;
  Timings timings;
  const std::vector<double> times = {0.0, 0.5, 1.0};
  const MemoryKernel kernel(propagators(model, cells), times, {}, qheat_test::world(), control);
  EXPECT_TRUE(control.kept.empty());
  const auto first = solve_memory(model, initial, cells, kernel, qheat_test::world(), control, timings);
  control.kept.at("error").front() = 0.125;
  const auto again = solve_memory(model, initial, cells, kernel, qheat_test::world(), control, timings);
  EXPECT_EQ(again.solution.populations, first.solution.populations);
  EXPECT_EQ(again.solution.energy, first.solution.energy);
  EXPECT_EQ(again.error, 0.125);
}

}  // namespace
