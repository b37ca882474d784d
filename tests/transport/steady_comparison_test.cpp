// The diffusion constant with its error, from many steady states at once.

#include "qheat/transport/steady_comparison.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "qheat/model/counter_random.hpp"
#include "qheat/steady/two_point.hpp"
#include "support/hot_cold_chain.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using Kind = TransportVerdict::Kind;
using Table = std::vector<std::vector<ChainMeasurement>>;

ChainMeasurement measurement(double resistance, double inside, double error = 0.0) {
  return {{resistance, error, 0.1}, {inside, 0.0, NAN, NAN, NAN, {}}};
}

SteadyState direct(const Model& model) {
  UninterruptedRun control;
  Timings timings;
  return find_steady_state(model, {.method = SteadyMethod::direct}, qheat_test::world(), 0.0, control,
                           timings);
}

/// Chains of each size with reservoirs of each rate.
template <class Chain, class Solve>
Table measure(const std::vector<double>& sizes, const std::vector<double>& rates, const Chain& chain,
              const Solve& solve) {
  Table measured;
  for (const double rate : rates) {
    measured.emplace_back();
    for (const double n : sizes) {
      const Model model = chain(static_cast<int>(n), rate);
      const SteadyState state = solve(model);
      measured.back().push_back({chain_resistance(model, state), bulk_coefficients(model, state)});
    }
  }
  return measured;
}

TEST(DiffusionEstimate, HoldsTheClosedFormAndIsNotAbsurdlySmall) {
  // physics.md 13.1: the resistance is a line in N, so all routes agree to the digits of the solver.
  const double lambda = 0.2;
  const double gamma = 0.5;
  const std::vector<double> sizes = {4, 6, 9, 14};
  const auto measured = measure(
      sizes, {0.15, 0.3, 0.6},
      [&](int n, double g) { return qheat_test::between_reservoirs(n, lambda, gamma, g); },
      [](const Model& model) {
        Timings timings;
        return two_point_steady_state(model, 1e-11, qheat_test::world(), 0.0, timings);
      });
  const double spacing = 2.0;  // measured with 1: the gradients inside are then not those of this lattice
  auto stretched = measured;
  for (auto& row : stretched)
    for (auto& one : row) one.bulk.diffusion *= spacing * spacing;
  const auto found = compare_steady_states(sizes, stretched, spacing, "");
  const double truth = spacing * spacing * lambda * lambda / gamma;
  EXPECT_LE(std::abs(found.diffusion.value - truth), found.diffusion.error);
  EXPECT_GE(found.diffusion.error, 1e-7 * truth);
  EXPECT_LE(found.diffusion.error, 1e-4 * truth);
  EXPECT_EQ(found.verdict.kind, Kind::diffusive);
}

/// Share of draws of noisy lines, with a little curvature from the contacts if asked for, whose bar holds the
/// truth.
double coverage(const std::vector<double>& sizes, std::size_t rates, double curvature) {
  constexpr std::uint32_t kDraws = 10000;
  constexpr double kTruth = 0.4;
  const CounterRandom random(11);
  int held = 0;
  for (std::uint32_t draw = 0; draw < kDraws; ++draw) {
    Table measured;
    for (std::uint32_t r = 0; r < rates; ++r) {
      measured.emplace_back();
      for (std::uint32_t s = 0; s < sizes.size(); ++s) {
        const double y = 3.0 * (r + 1) + sizes[s] / kTruth + curvature / sizes[s];
        measured.back().push_back(measurement(y + 0.2 * random.normal({draw, s, r, 0}), NAN));
      }
    }
    const auto found = compare_steady_states(sizes, measured, 1.0, "").diffusion;
    held += std::abs(found.value - kTruth) <= found.error ? 1 : 0;
  }
  return static_cast<double>(held) / kDraws;
}

TEST(DiffusionEstimate, HoldsTheTruthOfNoisyLinesInNearlyAllCases) {
  for (const double curvature : {0.0, 3.0}) {
    EXPECT_GE(coverage({4, 5, 6, 7, 8}, 3, curvature), 0.95);
    EXPECT_GE(coverage({10, 20, 40, 80}, 2, curvature), 0.95);
    EXPECT_GE(coverage({4, 8, 12, 16, 20, 24, 28, 32}, 1, curvature), 0.95);
  }
  EXPECT_GE(coverage({4, 8, 16}, 1, 0.0), 0.95);
}

TEST(DiffusionEstimate, IsNoWiderThanItsData) {
  // Without noise a curved line's error is about the distance of its windows, not a multiple.
  const std::vector<double> sizes = {4, 8, 16, 32};
  Table measured(1);
  for (const double n : sizes) measured.back().push_back(measurement(1.0 + n / 0.4 + 1.0 / n, 0.4));
  const auto found = compare_steady_states(sizes, measured, 1.0, "").diffusion;
  EXPECT_LE(std::abs(found.value - 0.4), found.error);
  EXPECT_LT(found.error, 0.02);
}

TEST(DiffusionEstimate, HoldsEveryRouteOfTheHeisenbergChain) {
  // D depends on the density there: the gradients inside differ from place to place and from the fit.
  const std::vector<double> sizes = {4, 5, 6};
  const auto measured = measure(
      sizes, {0.15, 0.3, 0.6},
      [](int n, double g) {
        auto model = qheat_test::between_reservoirs(n, 0.2, 0.5, g);
        model.interactions = {PairInteraction::exchange(2)};
        return model;
      },
      direct);
  const auto found = compare_steady_states(sizes, measured, 1.0, "");
  double largest = 0.0;
  for (std::size_t r = 0; r < measured.size(); ++r) {
    largest = std::max({largest, std::abs(found.fits[r].conductivity - found.diffusion.value),
                        std::abs(measured[r].back().bulk.diffusion - found.diffusion.value)});
  }
  EXPECT_GE(found.diffusion.error, largest);
  EXPECT_GT(largest, 1e-5);
  EXPECT_LT(found.diffusion.error, 0.02 * found.diffusion.value);
  // chains of ten and more sites, and the gradient inside them (0.07614): all within the bar
  EXPECT_NEAR(found.diffusion.value, 0.07614, found.diffusion.error);
}

TEST(DiffusionEstimate, IsNotThereWithoutGrowthOrStates) {
  const std::vector<double> sizes = {4, 8, 16};
  const auto flat = compare_steady_states(
      sizes, {{measurement(2.0, NAN), measurement(2.0, NAN), measurement(2.0, NAN)}}, 1.0, "");
  EXPECT_TRUE(std::isnan(flat.diffusion.value) && std::isnan(flat.diffusion.error));
  EXPECT_EQ(flat.verdict.kind, Kind::ballistic);
  EXPECT_FALSE(flat.diffusion.obstacle.empty());
  const auto failed = compare_steady_states(
      sizes, {{measurement(2.0, 1.0), measurement(3.0, 1.0), measurement(NAN, NAN)}}, 1.0, "");
  EXPECT_TRUE(std::isnan(failed.diffusion.value));
  // no resistances, but gradients: their value, with the distance of the next shorter chain
  const auto inside = compare_steady_states(
      sizes, {{measurement(NAN, 1.0), measurement(NAN, 1.0), measurement(NAN, 1.1)}}, 1.0, "why");
  EXPECT_NEAR(inside.diffusion.value, 1.1, 1e-12);
  EXPECT_NEAR(inside.diffusion.error, 0.1, 1e-12);
  EXPECT_EQ(inside.verdict.text(), "undecided: no resistance: why");
  // a single number has no error
  const Table one = {{measurement(NAN, 1.0)}};
  const auto single = compare_steady_states({4.0}, one, 1.0, "why").diffusion;
  EXPECT_NEAR(single.value, 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(single.error));
  // three sizes that scatter: nothing bounds the slope
  const auto rough =
      compare_steady_states(sizes, {{measurement(2.0, NAN), measurement(3.5, NAN), measurement(5.0, NAN)}},
                            1.0, "")
          .diffusion;
  EXPECT_TRUE(std::isinf(rough.error)) << rough.value;
}

TEST(Numbers, HaveTheDigitsThatTheirErrorLeaves) {
  EXPECT_EQ(with_error(0.076249, 4.6e-4, ""), "0.07625 +- 0.00046");
  EXPECT_EQ(with_error(123.456, 5.0, ""), "123.5 +- 5");
  EXPECT_EQ(with_error(0.08, 8e-8, ""), "0.08 +- 8e-08");
  EXPECT_EQ(with_error(0.5, NAN, "one size"), "0.5 (no error: one size)");
  EXPECT_EQ(rounded(NAN, NAN), "-");
}

}  // namespace
