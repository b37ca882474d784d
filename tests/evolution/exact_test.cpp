// Exact propagation against the dense reference: populations, energies, outflows, currents, on any number of
// ranks.

#include "qheat/evolution/exact.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "qheat/io/job.hpp"
#include "qheat/parallel/error.hpp"
#include "support/modular.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

const std::vector<double> kExactTimes = {0.0, 0.7, 1.4, 4.0};

ExactResult propagate(const Model& model, const InitialState& initial, const ExactOptions& options) {
  UninterruptedRun control;
  Timings timings;
  return propagate_exact(model, initial, kExactTimes, options, qheat_test::world(), control, timings);
}

void expect_equal(const Observations& got, const qheat_test::brute::Evolution& expected, double tolerance,
                  const std::string& name) {
  std::size_t p = 0, u = 0, o = 0, c = 0;
  double worst = 0.0;
  const auto compare = [&](double value, double reference) {
    worst = std::max(worst, std::abs(value - reference));
  };
  for (std::size_t t = 0; t < kExactTimes.size(); ++t) {
    for (const auto& site : expected.populations[t]) {
      for (const double value : site) compare(got.populations[p++], value);
    }
    for (const double value : expected.energy[t]) compare(got.energy[u++], value);
    for (const auto& bond : expected.outflow[t]) {
      for (const double value : bond) compare(got.outflow[o++], value);
    }
    for (const double value : expected.current[t]) compare(got.current[c++], value);
    compare(got.total_energy[t], expected.total_energy[t]);
    compare(got.norm[t], 1.0);
  }
  EXPECT_EQ(p, got.populations.size());
  EXPECT_EQ(o, got.outflow.size());
  EXPECT_LT(worst, tolerance) << name;
}

TEST(Exact, ProductStatesEqualTheReference) {
  std::uint64_t seed = 1;
  for (const auto& random : qheat_test::random_cases()) {
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, seed++));
    if (qheat_test::shared_by_day() && qheat_test::brute::dimension(random.reference) > 100) continue;
    const auto expected = qheat_test::brute::evolve(
        random.reference, qheat_test::local_probabilities(random.model, initial), kExactTimes);
    expect_equal(propagate(random.model, initial, {.method = ExactMethod::diagonalize}).mean, expected, 1e-9,
                 random.name);
    expect_equal(propagate(random.model, initial, {.method = ExactMethod::krylov}).mean, expected, 1e-9,
                 random.name + ", krylov");
    expect_equal(propagate(random.model, initial, {.method = ExactMethod::chebyshev}).mean, expected, 1e-9,
                 random.name + ", chebyshev");
  }
}

TEST(Exact, ThermalMixturesEqualTheReference) {
  for (const auto& random : qheat_test::random_cases()) {
    if (random.model.sites() > 5) continue;
    std::vector<double> temperatures;
    for (int i = 0; i < random.model.sites(); ++i) temperatures.push_back(0.5 + i);
    temperatures.back() = INFINITY;
    const auto initial = InitialState::thermal(random.model, temperatures);
    const auto expected = qheat_test::brute::evolve(
        random.reference, qheat_test::local_probabilities(random.model, initial), kExactTimes);
    const auto result = propagate(random.model, initial, {});
    expect_equal(result.mean, expected, 1e-9, random.name);
    EXPECT_FALSE(result.error.has_value());
  }
}

TEST(Exact, BandMixtureEqualsTheReference) {
  auto random = qheat_test::random_cases()[12];  // chain 3, M = 4
  random.model.site = Site({0.0, 0.0, 0.0, 0.0}, {0, 1, 1, 2});
  const auto initial = InitialState::band_mixture(random.model, {1, 3, 2});
  const auto expected = qheat_test::brute::evolve(
      random.reference, qheat_test::local_probabilities(random.model, initial), kExactTimes);
  expect_equal(propagate(random.model, initial, {}).mean, expected, 1e-9, random.name);
}

TEST(Exact, RandomBandsEqualTheReference) {
  for (const int sites : {2, 3}) {
    const auto model =
        qheat_test::modular_model(sites == 2 ? Lattice::chain(2) : Lattice::ring(3), {1.0, 1.1, 1.4}, 0.3, 5,
                                  {.distribution = Detuning::Distribution::uniform, .width = 0.2});
    std::vector<int> one(static_cast<std::size_t>(sites), 0);
    one[0] = 2;
    auto two = one;
    two.back() = 1;
    for (const auto& initial : {InitialState::band_mixture(model, one), InitialState::product(model, one),
                                InitialState::band_mixture(model, two)}) {
      const auto expected = qheat_test::brute::evolve(
          qheat_test::reference_of(model), qheat_test::local_probabilities(model, initial), kExactTimes);
      for (const auto method : {ExactMethod::diagonalize, ExactMethod::krylov, ExactMethod::chebyshev}) {
        expect_equal(propagate(model, initial, {.method = method}).mean, expected, 1e-9, "modular");
      }
    }
  }
}

TEST(Exact, PlansOfBandsCountTheirElements) {
  const auto model =
      qheat_test::modular_model(Lattice::chain(6), qheat_test::equally_spaced_band(400, 0.5), 5e-4, 1);
  const auto initial = InitialState::band_mixture(model, {0, 0, 1, 0, 0, 0});
  const auto plan = plan_exact(model, initial, {0.0, 100.0}, {}, 2, 0.0).front();
  EXPECT_EQ(plan.dimension, 2400);
  EXPECT_TRUE(plan.sampled);  // 400 states of 2400 are too many
  EXPECT_EQ(plan.method, ExactMethod::chebyshev);
  EXPECT_GT(plan.bytes_per_rank, 5.0 * 2 * 400 * 400 * sizeof(PairElement));
  EXPECT_FALSE(plan_exact(model, initial, {0.0, 100.0}, {.samples = 400}, 2, 0.0).front().sampled);
  // with many columns and outputs the dense matrices pay
  const auto dense = plan_exact(model, initial, {0.0, 4e4}, {.samples = 400}, 2, 0.0).front();
  EXPECT_EQ(dense.method, ExactMethod::diagonalize);
}

TEST(Exact, SampledMixturesAgreeWithinTheirStandardErrors) {
  const auto model =
      uniform_model(Lattice::chain(6), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.5), 0.4);
  const auto initial = InitialState::thermal(model, {0.5, 0.7, 1.0, 2.0, 5.0, INFINITY});
  const auto whole = propagate(model, initial, {});
  const auto sampled = propagate(model, initial, {.samples = 15, .seed = 7});
  ASSERT_TRUE(sampled.error.has_value());
  double chi_squared = 0.0;
  int compared = 0;
  for (std::size_t e = 0; e < whole.mean.populations.size(); ++e) {
    const double error = sampled.error->populations[e];
    if (error < 1e-12) {
      EXPECT_NEAR(sampled.mean.populations[e], whole.mean.populations[e], 1e-10);
      continue;
    }
    chi_squared += std::pow((sampled.mean.populations[e] - whole.mean.populations[e]) / error, 2);
    ++compared;
  }
  ASSERT_GT(compared, 10);
  // The values are correlated: only gross misstatements of the error are excluded.
  EXPECT_LT(chi_squared / compared, 4.0);
  EXPECT_GT(chi_squared / compared, 0.1);
  double largest_error = 0.0;
  for (std::size_t e = 0; e < whole.mean.current.size(); ++e) {
    largest_error = std::max(largest_error, sampled.error->current[e]);
    EXPECT_NEAR(sampled.mean.current[e], whole.mean.current[e], 5.0 * sampled.error->current[e] + 1e-10);
  }
  EXPECT_GT(largest_error, 0.0);
  EXPECT_LT(largest_error, 0.2);
}

TEST(Exact, MainJobEqualsTheReference) {
  const Job job = read_job(QHEAT_JOBS_DIR "/exchange_chain.toml");
  qheat_test::brute::System reference{.sites = 8, .levels = 2};
  reference.energies.assign(8, {0.0, 1.0});
  for (int i = 0; i < 7; ++i) reference.bonds.push_back(qheat_test::brute::exchange_bond(i, i + 1, 2, 0.05));
  const std::vector<double> times = {0.0, 12.5, 50.0};
  UninterruptedRun control;
  Timings timings;
  const auto result =
      propagate_exact(*job.model, *job.initial, times, {}, qheat_test::world(), control, timings);
  const auto expected =
      qheat_test::brute::evolve(reference, qheat_test::local_probabilities(*job.model, *job.initial), times);
  double largest = 0.0;
  std::size_t p = 0;
  for (const auto& at : expected.populations) {
    for (const auto& site : at) {
      for (const double value : site)
        largest = std::max(largest, std::abs(value - result.mean.populations[p++]));
    }
  }
  RecordProperty("largest_difference", std::to_string(largest));
  if (qheat_test::world().is_root()) std::printf("largest difference of a population: %.1e\n", largest);
  EXPECT_LT(largest, 1e-9);
}

TEST(Exact, RefusesWhatDoesNotFit) {
  const auto model = uniform_model(Lattice::chain(40), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.4);
  std::vector<int> levels(40, 0);
  for (std::size_t i = 0; i < 20; ++i) levels[i] = 1;
  EXPECT_THROW(propagate(model, InitialState::product(model, levels), {}), Error);
}

}  // namespace
