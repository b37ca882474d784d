// Implicit steps (resolvents on a contour) against polynomials of L, closed forms of strong dephasing, and
// where they must refuse.

#include "qheat/evolution/resolvents.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "qheat/evolution/open.hpp"
#include "qheat/parallel/error.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

ExactResult propagate(const Model& model, const InitialState& initial, double end, int outputs,
                      const ExactOptions& options) {
  UninterruptedRun control;
  Timings timings;
  std::vector<double> times;
  for (int k = 0; k < outputs; ++k) times.push_back(end * k / (outputs - 1));
  return propagate_exact(model, initial, times, options, qheat_test::world(), control, timings);
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected, double tolerance,
                 const std::string& name) {
  ASSERT_EQ(got.size(), expected.size());
  double worst = 0.0;
  for (std::size_t e = 0; e < got.size(); ++e) worst = std::max(worst, std::abs(got[e] - expected[e]));
  EXPECT_LT(worst, tolerance) << name;
}

TEST(Resolvents, EqualPolynomials) {
  std::uint64_t seed = 1;
  auto cases = qheat_test::random_open_cases(12);
  for (auto& random : qheat_test::random_jump_cases(4)) cases.push_back(std::move(random));
  for (const auto& random : cases) {
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, seed++));
    const auto polynomials = propagate(random.model, initial, 3.0, 4, {});
    const auto implicit = propagate(random.model, initial, 3.0, 4, {.method = ExactMethod::implicit});
    expect_near(implicit.mean.populations, polynomials.mean.populations, 1e-9, random.name);
    expect_near(implicit.mean.outflow, polynomials.mean.outflow, 1e-9, random.name);
    expect_near(implicit.mean.current, polynomials.mean.current, 1e-9, random.name);
    expect_near(implicit.mean.total_energy, polynomials.mean.total_energy, 1e-9, random.name);
    EXPECT_LT(implicit.truncation_error.back(), 1e-9) << random.name;
    for (const double error : implicit.watch->hermiticity_error) EXPECT_LT(error, 1e-12);
  }
}

/// physics.md, a pair of sites: x'' + 2 gamma x' + 4 lambda^2 x = 0 for the difference of populations.
TEST(Resolvents, FollowStrongDephasingToTheEnd) {
  for (const double gamma : {1e3, 1e6}) {
    auto model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
    model.bath.dephasing = gamma;
    constexpr int kOutputs = 6;
    const double end =
        2.0 * gamma;  // some lives of the difference: the fastest motion goes through 4 gamma^2
    const auto result = propagate(model, InitialState::product(model, {1, 0}), end, kOutputs,
                                  {.method = gamma > 1e4 ? ExactMethod::automatic : ExactMethod::implicit});
    const double slow_rate = 4.0 / (gamma + std::sqrt(gamma * gamma - 4.0));
    for (std::size_t t = 1; t < kOutputs; ++t) {
      const double time = end * static_cast<double>(t) / (kOutputs - 1);
      const double root = std::sqrt(gamma * gamma - 4.0);
      const double x = (gamma + root) / (2.0 * root) * std::exp(-slow_rate * time);
      const double* p = &result.mean.populations[4 * t];
      EXPECT_NEAR(p[1] - p[3], x, 1e-9) << gamma << " " << time;
      // what flows is what the difference loses
      EXPECT_NEAR(result.mean.current[t] * gamma, 0.5 * slow_rate * x * gamma, 1e-6) << gamma << " " << time;
    }
  }
}

/// The steady state of two reservoirs, from far away, and without its slow ways there. physics.md 13.1.
TEST(Resolvents, ReachTheKnownCurrent) {
  auto model = uniform_model(Lattice::chain(3), Site({0.0, 1.0}), PairInteraction::xy(2), 0.5);
  model.bath.reservoirs = {{.site = 0, .temperature = 2.0}, {.site = 2, .temperature = 0.5}};
  const auto initial = InitialState::product(model, {0, 0, 0});
  const auto result = propagate(model, initial, 1e9, 2, {.method = ExactMethod::implicit, .tolerance = 1e-8});
  const double hot = 1.0 / (1.0 + std::exp(0.5));
  const double cold = 1.0 / (1.0 + std::exp(2.0));
  const double expected = (hot - cold) / (2.0 + 1.0 / (2.0 * 0.25));
  for (std::size_t b = 0; b < 2; ++b) EXPECT_NEAR(result.mean.current[2 + b], expected, 1e-7);
}

TEST(Resolvents, RefuseOscillationsThatDoNotDecay) {
  if (qheat_test::shared_by_day()) GTEST_SKIP() << "nightly: all ranks take the same 2000 steps in vain";
  auto model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
  model.bath.dephasing = 1e-9;
  const auto initial = InitialState::product(model, {1, 0});
  EXPECT_THROW(propagate(model, initial, 1e6, 2, {.method = ExactMethod::implicit}), Error);
}

TEST(Resolvents, NeedEqualTimesAndFewElements) {
  auto model = uniform_model(Lattice::chain(12), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
  model.bath.dephasing = 1.0;
  const auto initial = InitialState::product(model, {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0});
  const ExactOptions options{.method = ExactMethod::implicit};
  EXPECT_THROW(plan_open(model, initial, {0.0, 1.0}, options, 1, 0.0), Error);
  const auto few = InitialState::product(model, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_THROW(plan_open(model, few, {0.0, 1.0, 3.0}, options, 1, 0.0), Error);
  EXPECT_NO_THROW(plan_open(model, few, {0.0, 1.0, 2.0}, options, 1, 0.0));
}

}  // namespace
