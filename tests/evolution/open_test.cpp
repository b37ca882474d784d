// Exact dynamics of open systems against the dense reference and known results, on every number of ranks.

#include "qheat/evolution/open.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "qheat/evolution/density_observer.hpp"
#include "qheat/evolution/density_spectrum.hpp"
#include "qheat/parallel/error.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

const std::vector<double> kTimes = {0.0, 0.4, 0.5, 3.0};

ExactResult propagate(const Model& model, const InitialState& initial, const std::vector<double>& times,
                      const ExactOptions& options = {}) {
  UninterruptedRun control;
  Timings timings;
  return propagate_exact(model, initial, times, options, qheat_test::world(), control, timings);
}

void expect_equal(const Observations& got, const qheat_test::brute::Evolution& expected,
                  const std::string& name) {
  std::size_t p = 0, u = 0, o = 0, c = 0;
  double worst = 0.0;
  const auto compare = [&](double value, double reference) {
    worst = std::max(worst, std::abs(value - reference));
  };
  for (std::size_t t = 0; t < kTimes.size(); ++t) {
    for (const auto& site : expected.populations[t]) {
      for (const double value : site) compare(got.populations.at(p++), value);
    }
    for (const double value : expected.energy[t]) compare(got.energy.at(u++), value);
    for (const auto& bond : expected.outflow[t]) {
      for (const double value : bond) compare(got.outflow.at(o++), value);
    }
    for (const double value : expected.current[t]) compare(got.current.at(c++), value);
    compare(got.total_energy.at(t), expected.total_energy[t]);
    compare(got.norm.at(t), 1.0);
  }
  EXPECT_EQ(p, got.populations.size());
  EXPECT_EQ(o, got.outflow.size());
  EXPECT_LT(worst, 1e-9) << name;
}

void expect_state(const DensityWatch& watch) {
  for (const double population : watch.smallest_population) EXPECT_GT(population, -1e-10);
  for (const double error : watch.hermiticity_error) EXPECT_LT(error, 1e-12);
  EXPECT_GT(watch.smallest_eigenvalue, -1e-10);
}

/// Every method from random product states.
template <class Cases>
void expect_reference(const Cases& cases, std::uint64_t seed) {
  for (const auto& random : cases) {
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, seed++));
    const auto expected = qheat_test::brute::evolve_open(
        random.reference, qheat_test::local_probabilities(random.model, initial), kTimes);
    const auto faber = propagate(random.model, initial, kTimes);
    expect_equal(faber.mean, expected, random.name);
    expect_state(*faber.watch);
    EXPECT_LT(faber.truncation_error.back(), 1e-9);
    const auto krylov = propagate(random.model, initial, kTimes, {.method = ExactMethod::krylov});
    expect_equal(krylov.mean, expected, random.name + ", krylov");
    const auto stepped = propagate(random.model, initial, kTimes, {.method = ExactMethod::runge_kutta});
    expect_equal(stepped.mean, expected, random.name + ", runge-kutta");
    expect_state(*stepped.watch);
    EXPECT_LT(stepped.truncation_error.back(), 1e-8);
  }
}

TEST(Open, PopulationsAndCurrentsEqualTheReference) {
  expect_reference(qheat_test::random_open_cases(32), 1);
}

TEST(Open, JumpsEqualTheReference) {
  expect_reference(qheat_test::random_jump_cases(16), 50);
}

TEST(Open, MixturesEqualTheReference) {
  for (const auto& random : qheat_test::random_open_cases(16)) {
    std::vector<double> temperatures;
    for (int i = 0; i < random.model.sites(); ++i) temperatures.push_back(0.5 + i);
    const auto initial = InitialState::thermal(random.model, temperatures);
    const auto expected = qheat_test::brute::evolve_open(
        random.reference, qheat_test::local_probabilities(random.model, initial), kTimes);
    const auto result = propagate(random.model, initial, kTimes);
    expect_equal(result.mean, expected, random.name);
    expect_state(*result.watch);
  }
}

TEST(Open, BandsOfSeveralLevelsEqualTheReference) {
  for (const std::uint64_t seed : {1, 2}) {
    auto reference =
        qheat_test::brute::random_system(seed, {{0, 1}}, 2, 4, {.conserving = true, .detuned = true});
    reference.dephasing = 0.3;
    if (seed == 2) reference.reservoirs = {{.site = 1, .temperature = 1.7, .rate = 0.6}};
    auto model = qheat_test::model_of(reference, Lattice::chain(2), seed);
    model.site = Site({0.0, 0.0, 0.0, 0.0}, {0, 1, 1, 2});
    const auto initial = InitialState::band_mixture(model, {1, 3});
    EXPECT_EQ(density_counts(model, initial).size(), seed == 1 ? 1U : 6U);
    const auto expected =
        qheat_test::brute::evolve_open(reference, qheat_test::local_probabilities(model, initial), kTimes);
    expect_equal(propagate(model, initial, kTimes).mean, expected, "bands");
  }
}

/// physics.md 13.2 (Haken and Strobl): D(t) = (lambda^2/gamma) (1 - e^{-2 gamma t}), half the growth rate of
/// the variance; at any lambda.
TEST(Open, OneExcitationUnderDephasingDiffuses) {
  constexpr int kSites = 61;
  constexpr int kMiddle = kSites / 2;
  constexpr double kLambda = 0.8;
  constexpr double kGamma = 0.6;
  for (const double anisotropy : {0.0, 1.0}) {
    auto model = uniform_model(Lattice::chain(kSites), Site({0.0, 1.0}),
                               PairInteraction::exchange(2, anisotropy), kLambda);
    model.bath.dephasing = kGamma;
    std::vector<int> levels(kSites, 0);
    levels[kMiddle] = 1;
    const std::vector<double> times = {0.0, 0.5, 1.0, 2.0, 4.0};
    const auto result = propagate(model, InitialState::product(model, levels), times);
    for (std::size_t t = 0; t < times.size(); ++t) {
      double variance = 0.0;
      for (std::size_t i = 0; i < kSites; ++i)
        variance +=
            result.mean.populations[(t * kSites + i) * 2 + 1] * std::pow(static_cast<double>(i) - kMiddle, 2);
      const double s = times[t];
      const double expected =
          2.0 * kLambda * kLambda / kGamma * (s - (1.0 - std::exp(-2.0 * kGamma * s)) / (2.0 * kGamma));
      EXPECT_NEAR(variance, expected, 1e-8 * std::max(1.0, expected)) << anisotropy << " " << s;
    }
  }
}

/// physics.md 13.3 and 13.7: two sites, Gamma = 2 gamma; P_1 - P_2 obeys x'' + Gamma x' + 4 lambda^2 x = 0.
TEST(Open, PairUnderDephasingFollowsItsOscillatorEquation) {
  constexpr double kLambda = 0.3;
  for (const double gamma : {0.1, 0.9, 8.0}) {
    auto model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), kLambda);
    model.bath.dephasing = gamma;
    const std::vector<double> times = {0.0, 1.0, 5.0, 20.0};
    const auto result = propagate(model, InitialState::product(model, {1, 0}), times);
    const Complex root = std::sqrt(Complex(gamma * gamma - 4.0 * kLambda * kLambda));
    for (std::size_t t = 0; t < times.size(); ++t) {
      const Complex fast = std::exp((-gamma - root) * times[t]);
      const Complex slow = std::exp((-gamma + root) * times[t]);
      const Complex x = ((gamma + root) * slow - (gamma - root) * fast) / (2.0 * root);
      const double* p = &result.mean.populations[4 * t];
      EXPECT_NEAR(p[1] - p[3], x.real(), 1e-10) << gamma << " " << times[t];
    }
  }
}

TEST(Open, EqualTemperaturesRelaxToTheGibbsProductWithoutCurrent) {
  auto model = uniform_model(Lattice::chain(3), Site({0.0, 1.0, 1.8}), PairInteraction::exchange(3), 0.7);
  for (const auto statistics : {Reservoir::Statistics::fermi, Reservoir::Statistics::bose}) {
    model.bath.reservoirs = {{0, 0.9, 1.0, statistics}, {2, 0.9, 1.5, statistics}};
    const auto gibbs = InitialState::thermal(model, {0.9, 0.9, 0.9});
    const std::vector<double> times = {0.0, 150.0};
    const auto result = propagate(model, InitialState::product(model, {0, 2, 1}), times);
    for (std::size_t e = 0; e < gibbs.probabilities.size(); ++e)
      EXPECT_NEAR(result.mean.populations[gibbs.probabilities.size() + e], gibbs.probabilities[e], 1e-9);
    for (std::size_t b = 0; b < 2; ++b) EXPECT_NEAR(result.mean.current[2 + b], 0.0, 1e-9);
    expect_state(*result.watch);
  }
}

/// physics.md 13.1: the current between two reservoirs, any number of sites.
TEST(Open, LongTimesCarryTheKnownCurrentBetweenReservoirs) {
  constexpr int kSites = 4;
  constexpr double kLambda = 0.7;
  constexpr double kGamma = 0.4;
  constexpr double kRate = 1.1;
  auto model = uniform_model(Lattice::chain(kSites), Site({0.0, 1.0}), PairInteraction::xy(2), kLambda);
  model.bath = {.dephasing = kGamma,
                .reservoirs = {{.site = 0, .temperature = 2.0, .rate = kRate},
                               {.site = kSites - 1, .temperature = 0.5, .rate = kRate}},
                .correlation = {}};
  const auto f = [](double temperature) { return 1.0 / (1.0 + std::exp(1.0 / temperature)); };
  const double expected =
      (f(2.0) - f(0.5)) / (2.0 / kRate + ((kSites - 1) * 2.0 * kGamma + kRate) / (2.0 * kLambda * kLambda));
  const auto result = propagate(model, InitialState::product(model, {0, 0, 0, 0}), {0.0, 200.0});
  for (std::size_t b = 0; b + 1 < kSites; ++b)
    EXPECT_NEAR(result.mean.current[kSites - 1 + b], expected, 1e-9);
}

/// Stops after so many safe points, keeping what was saved as a checkpoint would.
class Interrupted final : public RunControl {
 public:
  explicit Interrupted(int offers) : left_(offers) {}
  void enter(const std::string&) override {}
  void leave() noexcept override {}
  bool restore_finished(const Load&) override { return false; }
  bool restore_partial(const Load& load) override {
    if (replicated_.empty()) return false;
    Reader reader(*this);
    load(reader);
    return true;
  }
  void offer(double, const Save& save) override {
    if (--left_ != 0) return;
    Writer writer(*this);
    save(writer);
    throw Stopped();
  }
  void finish(const Save&) override {}

 private:
  class Writer final : public StateWriter {
   public:
    explicit Writer(Interrupted& run) : run_(run) {}
    void replicated(const std::string& name, std::span<const double> values) override {
      run_.replicated_[name] = {values.begin(), values.end()};
    }
    void distributed(const std::string& name, std::span<const double> local, Index, Index) override {
      run_.distributed_[name] = {local.begin(), local.end()};
    }

   private:
    Interrupted& run_;
  };
  class Reader final : public StateReader {
   public:
    explicit Reader(Interrupted& run) : run_(run) {}
    std::vector<double> replicated(const std::string& name) override { return run_.replicated_.at(name); }
    void distributed(const std::string& name, std::span<double> local, Index, Index) override {
      const auto& saved = run_.distributed_.at(name);
      std::copy(saved.begin(), saved.end(), local.begin());
    }

   private:
    Interrupted& run_;
  };

  int left_;
  std::map<std::string, std::vector<double>> replicated_, distributed_;
};

TEST(Open, ResumedRunsRepeatTheUninterruptedOneBitForBit) {
  auto model = uniform_model(Lattice::chain(5), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
  model.bath = {.dephasing = 0.3, .reservoirs = {{.site = 2, .temperature = 1.5}}, .correlation = {}};
  const auto initial = InitialState::product(model, {1, 0, 1, 0, 0});
  std::vector<double> times;
  for (int k = 0; k <= 40; ++k) times.push_back(0.5 * k);
  for (const auto method :
       {ExactMethod::chebyshev, ExactMethod::krylov, ExactMethod::runge_kutta, ExactMethod::implicit}) {
    const ExactOptions options{.method = method};
    const auto whole = propagate(model, initial, times, options);
    for (const int stop : {1, 3}) {
      Interrupted control(stop);
      Timings timings;
      const auto run = [&] {
        return propagate_exact(model, initial, times, options, qheat_test::world(), control, timings);
      };
      EXPECT_THROW(run(), Stopped);
      const auto resumed = run();
      EXPECT_EQ(resumed.mean.populations, whole.mean.populations);
      EXPECT_EQ(resumed.mean.outflow, whole.mean.outflow);
      EXPECT_EQ(resumed.watch->smallest_population, whole.watch->smallest_population);
      EXPECT_EQ(resumed.watch->smallest_eigenvalue, whole.watch->smallest_eigenvalue);
      EXPECT_EQ(resumed.truncation_error, whole.truncation_error);
    }
  }
}

/// Smaller tolerances buy smaller errors: the error control is at work.
TEST(Open, RungeKuttaKeepsItsTolerance) {
  auto model = uniform_model(Lattice::chain(6), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
  model.bath.dephasing = 0.2;
  const auto initial = InitialState::product(model, {1, 0, 1, 0, 1, 0});
  const std::vector<double> times = {0.0, 0.3, 7.0, 20.0};
  const auto faber = propagate(model, initial, times, {.tolerance = 1e-13});
  for (const double tolerance : {1e-4, 1e-8, 1e-12}) {
    const auto stepped =
        propagate(model, initial, times, {.method = ExactMethod::runge_kutta, .tolerance = tolerance});
    double worst = 0.0;
    for (std::size_t e = 0; e < faber.mean.populations.size(); ++e)
      worst = std::max(worst, std::abs(faber.mean.populations[e] - stepped.mean.populations[e]));
    EXPECT_LT(worst, std::max(tolerance, 1e-11)) << tolerance;
    EXPECT_LT(stepped.truncation_error.back(), 10.0 * std::max(tolerance, 1e-11));
  }
}

TEST(Open, SmallestEigenvalueEqualsTheReference) {
  std::uint64_t seed = 1;
  for (const auto& random : qheat_test::random_open_cases(32)) {
    const auto levels = qheat_test::random_levels(random.model, seed++);
    const auto initial = InitialState::product(random.model, levels);
    const double got = propagate(random.model, initial, {0.0, 0.7}).watch->smallest_eigenvalue;
    const std::size_t size = qheat_test::brute::dimension(random.reference);
    qheat_test::brute::ComplexMatrix rho(size * size);
    const std::size_t start = qheat_test::brute::number(levels, random.model.levels());
    rho[start * size + start] = 1.0;
    rho = qheat_test::brute::evolve_density(random.reference, rho, {0.7}).front();
    // the program keeps the states that the start can reach; elsewhere the eigenvalues are 0
    const auto values = qheat_test::brute::eigen_hermitian(rho, size).values;
    const double expected = *std::min_element(values.begin(), values.end());
    EXPECT_GE(got, expected - 1e-9) << random.name;
    if (density_counts(random.model, initial).front().empty() || !random.model.bath.reservoirs.empty()) {
      EXPECT_NEAR(got, expected, 1e-9) << random.name;
    }
  }
}

TEST(Open, SmallestEigenvalueSeesNegativeStates) {
  auto model = uniform_model(Lattice::chain(4), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
  model.bath.dephasing = 0.1;
  const auto initial = InitialState::product(model, {1, 0, 1, 0});
  const auto pairs = std::make_shared<DistributedSector>(density_space(model, density_counts(model, initial)),
                                                         qheat_test::world());
  // all elements 1: one eigenvalue 6, five 0; less 1/4 of the identity
  std::vector<Complex> rho(static_cast<std::size_t>(pairs->local_size()), 1.0);
  for (const Index place : diagonal_places(*pairs)) rho[static_cast<std::size_t>(place)] -= 0.25;
  EXPECT_NEAR(smallest_eigenvalue(*pairs, rho), -0.25, 1e-14);
  EXPECT_TRUE(std::isnan(smallest_eigenvalue(*pairs, rho, 5)));
}

TEST(Open, HermiticityErrorSeesTheAntiHermitianPart) {
  auto model = uniform_model(Lattice::chain(6), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
  model.bath.dephasing = 0.1;
  const auto initial = InitialState::product(model, {1, 0, 1, 0, 1, 0});
  const auto space = std::make_shared<DistributedSector>(density_space(model, density_counts(model, initial)),
                                                         qheat_test::world());
  const DensityObserver observer(model, space);
  std::vector<Complex> rho(static_cast<std::size_t>(space->local_size()), 1.0);
  EXPECT_LT(observer.hermiticity_error(rho), 1e-14);
  for (Complex& element : rho) element = {0.0, 1.0};
  EXPECT_GT(observer.hermiticity_error(rho), 0.3);
  EXPECT_LT(observer.hermiticity_error(rho), 3.0);
}

TEST(Open, RefusesWhatDoesNotFit) {
  auto model = uniform_model(Lattice::chain(20), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.4);
  model.bath.dephasing = 0.1;
  std::vector<int> levels(20, 0);
  for (std::size_t i = 0; i < 10; ++i) levels[i] = 1;
  const auto initial = InitialState::product(model, levels);
  EXPECT_THROW(propagate(model, initial, kTimes), Error);
  EXPECT_THROW(plan_open(model, initial, kTimes, {.method = ExactMethod::diagonalize}, 1, 0.0), Error);
  model.bath.dephasing = 0.0;
  EXPECT_THROW(plan_exact(model, initial, kTimes, {.method = ExactMethod::runge_kutta}, 1, 0.0), Error);
}

TEST(Open, RungeKuttaIsPlannedWithItsStages) {
  auto model = uniform_model(Lattice::chain(12), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.4);
  model.bath.dephasing = 0.1;
  std::vector<int> levels(12, 0);
  for (std::size_t i = 0; i < 6; ++i) levels[i] = 1;
  const auto initial = InitialState::product(model, levels);
  const auto bytes = [&](ExactMethod method) {
    return plan_open(model, initial, kTimes, {.method = method}, 1, 0.0).bytes_per_rank;
  };
  EXPECT_NEAR(bytes(ExactMethod::runge_kutta) / bytes(ExactMethod::chebyshev), 28.0 / 3.0,
              0.4);  // and tables
}

}  // namespace
