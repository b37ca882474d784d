// Many-body and site equation: against the dense reference, against each other, implicit against explicit.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <utility>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/rates/many_body_equation.hpp"
#include "qheat/rates/site_equation.hpp"
#include "qheat/rates/solve.hpp"
#include "support/largest_difference.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using qheat_test::largest_difference;
const std::vector<double> kRateTimes = {0.0, 0.5, 1.0, 3.0};

RateSolution many_body(const Model& model, const InitialState& initial, const RateOptions& options = {},
                       const std::vector<double>& times = kRateTimes) {
  UninterruptedRun control;
  Timings timings;
  return solve_many_body(model, initial, SecondOrderKernel(model), times, options, qheat_test::world(),
                         control, timings);
}

RateSolution sites(const Model& model, const InitialState& initial, const RateOptions& options = {},
                   const std::vector<double>& times = kRateTimes) {
  UninterruptedRun control;
  Timings timings;
  return solve_sites(model, initial, SecondOrderKernel(model), times, options, qheat_test::world(), control,
                     timings);
}

TEST(ManyBodyEquation, EqualsTheReference) {
  std::uint64_t seed = 21;
  for (auto random : qheat_test::random_cases()) {
    if (qheat_test::brute::dimension(random.reference) > 64) continue;
    random.model.bath.dephasing = random.reference.dephasing = 0.4;
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, seed++));
    const auto p0 = qheat_test::brute::cell_probabilities(
        random.reference, qheat_test::local_probabilities(random.model, initial));
    double last = -1.0;  // two stages of a step have one time
    qheat_test::brute::RealMatrix kernel;
    const auto kernel_at = [&](double t) {
      if (t != std::exchange(last, t)) kernel = qheat_test::brute::tcl2(random.reference, t);
      return kernel;
    };
    const auto expected = qheat_test::brute::many_body_equation(p0, kernel_at, kRateTimes, 0.0125);
    std::vector<double> populations;
    for (const auto& p : expected) {
      for (const auto& site : qheat_test::brute::site_probabilities(random.reference, p)) {
        populations.insert(populations.end(), site.begin(), site.end());
      }
    }
    EXPECT_LT(largest_difference(many_body(random.model, initial).populations, populations), 1e-7)
        << random.name;
  }
}

TEST(ManyBodyEquation, EqualsTheSiteEquationWhenAllRatesAreEqual) {
  struct Case {
    Model model;
    std::vector<int> levels;
  };
  std::vector<Case> cases;
  cases.push_back({uniform_model(Lattice::chain(6), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.4),
                   {1, 0, 0, 1, 0, 1}});
  cases.push_back(
      {uniform_model(Lattice::ring(5), Site({0.0, 1.0, 2.5}), PairInteraction::xy(3), 0.4), {2, 0, 1, 1, 0}});
  cases.push_back({uniform_model(Lattice({2, 2, 2}, std::vector<bool>{false, false, false}), Site({0.0, 1.0}),
                                 PairInteraction::exchange(2), 0.4),
                   {1, 0, 0, 0, 0, 1, 0, 1}});
  for (auto& [model, levels] : cases) {
    for (const double dephasing : {0.0, 0.5}) {
      model.bath.dephasing = dephasing;
      const auto initial = InitialState::product(model, levels);
      const auto all = many_body(model, initial);
      const auto local = sites(model, initial);
      EXPECT_LT(largest_difference(all.populations, local.populations), 1e-9);
      EXPECT_LT(largest_difference(all.energy, local.energy), 1e-9);
    }
  }
}

TEST(ManyBodyEquation, KeepsProbabilityAndEnergyOfEqualSites) {
  const auto model = uniform_model(Lattice::chain(8), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.4);
  const auto solution = many_body(model, InitialState::product(model, {1, 1, 1, 1, 0, 0, 0, 0}));
  for (std::size_t t = 0; t < kRateTimes.size(); ++t) {
    const auto energy = std::span(solution.energy).subspan(t * 8, 8);
    EXPECT_NEAR(std::accumulate(energy.begin(), energy.end(), 0.0), 4.0, 1e-9);
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_NEAR(solution.populations[t * 16 + 2 * i] + solution.populations[t * 16 + 2 * i + 1], 1.0, 1e-9);
    }
  }
}

TEST(Integrate, ImplicitEqualsExplicitAndIsChosenForStiffEquations) {
  auto model = uniform_model(Lattice::chain(5), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5);
  model.bath.dephasing = 2.0;
  const auto initial = InitialState::product(model, {1, 0, 0, 1, 0});
  const RateOptions tight{.tolerance = 1e-8, .integrator = Integrator::implicit};
  EXPECT_LT(
      largest_difference(many_body(model, initial, tight).populations, many_body(model, initial).populations),
      1e-6);
  // rate 1e5 over a time of 1: explicit steps would be tens of thousands
  model.strength = 500.0;
  const std::vector<double> times = {0.0, 0.5, 1.0};
  const auto relaxed = many_body(model, initial, {.tolerance = 1e-6}, times);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(relaxed.energy[10 + i], 0.4, 1e-5);
}

TEST(SiteEquation, EqualsTheReference) {
  for (auto random : qheat_test::random_cases()) {
    if (qheat_test::brute::dimension(random.reference) > 256 || random.model.sites() < 2) continue;
    const auto initial = InitialState::thermal(
        random.model, std::vector<double>(static_cast<std::size_t>(random.model.sites()), 0.7));
    auto local = qheat_test::local_probabilities(random.model, initial);
    std::swap(local.front(), local.back());
    InitialState swapped;
    for (const auto& row : local)
      swapped.probabilities.insert(swapped.probabilities.end(), row.begin(), row.end());
    const auto w = [&](std::size_t bond, double t) {
      return qheat_test::brute::bond_rate(random.reference,
                                          qheat_test::brute::tcl2(random.reference, t))[bond];
    };
    const std::vector<double> times = {0.0, 0.4};
    std::vector<double> populations;
    for (const auto& at : qheat_test::brute::site_equation(random.reference, local, w, times, 0.1)) {
      for (const auto& row : at) populations.insert(populations.end(), row.begin(), row.end());
    }
    EXPECT_LT(largest_difference(sites(random.model, swapped, {}, times).populations, populations), 1e-4)
        << random.name;
    if (random.model.sites() > 3) break;  // the reference kernel is slow
  }
}

TEST(SiteEquation, DiffusesAsTheClosedForm) {
  // A ring with w(t) = 2 lambda^2 t: Fourier modes decay as exp(-2 (1 - cos k) lambda^2 t^2).
  const auto model = uniform_model(Lattice::ring(6), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.3);
  const auto solution = sites(model, InitialState::product(model, {1, 0, 0, 0, 0, 0}));
  for (std::size_t k = 0; k < kRateTimes.size(); ++k) {
    for (int x = 0; x < 6; ++x) {
      double expected = 0.0;
      for (int q = 0; q < 6; ++q) {
        const double wave = 2.0 * M_PI * q / 6.0;
        expected += std::cos(wave * x) *
                    std::exp(-2.0 * (1.0 - std::cos(wave)) * 0.09 * kRateTimes[k] * kRateTimes[k]) / 6.0;
      }
      EXPECT_NEAR(solution.energy[k * 6 + static_cast<std::size_t>(x)], expected, 1e-9);
    }
  }
}

TEST(Closure, ComparesWithTheSpreadOfTheExactPopulations) {
  const auto model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.3);
  const auto errors = closure_error(model, {0.9, 0.1, 0.1, 0.9, 0.5, 0.5, 0.5, 0.5},
                                    {1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.5, 0.5});
  EXPECT_NEAR(errors[0], 0.4 / 2.0, 1e-15);
  EXPECT_TRUE(std::isnan(errors[1]));
  // two solutions that are uniform to their tolerances: nothing to compare
  EXPECT_TRUE(std::isnan(closure_error(model, {0.5 + 3e-10, 0.5 - 3e-10, 0.5, 0.5},
                                       {0.5 + 1e-10, 0.5 - 1e-10, 0.5 - 1e-10, 0.5 + 1e-10})[0]));
}

}  // namespace
