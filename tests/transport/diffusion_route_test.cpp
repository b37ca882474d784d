// The number that D(t) settles at, and its error.

#include "qheat/transport/diffusion_route.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "qheat/model/lattice.hpp"
#include "qheat/transport/equilibrium_routes.hpp"
#include "qheat/transport/spread_verdict.hpp"

using namespace qheat;

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// D(t) = 2 at t = 0, 0.5 ... 10, known to 0.01 by four samples.
DiffusionRoute constant_route() {
  DiffusionRoute route;
  for (int k = 0; k <= 20; ++k) route.times.push_back(0.5 * k);
  route.diffusion.assign(21, 2.0);
  route.error.assign(21, 0.01);
  route.systematic.assign(21, 0.0);
  route.samples = 4;
  return route;
}

}  // namespace

TEST(DiffusionRoute, EndsItsWindowWhereItsErrorIsNotKnown) {
  DiffusionRoute route = constant_route();
  for (std::size_t t = 13; t < 21; ++t) route.error[t] = kNone;
  find_window(route, std::numeric_limits<double>::infinity(), "");
  ASSERT_TRUE(route.window);
  EXPECT_EQ(route.window->end, 6.0);
  EXPECT_TRUE(std::isfinite(route.window_error));
}

TEST(DiffusionRoute, AddsWhatDoesNotScatterOnce) {
  DiffusionRoute plain = constant_route();
  find_window(plain, std::numeric_limits<double>::infinity(), "");
  ASSERT_TRUE(plain.window);
  EXPECT_NEAR(plain.window->value, 2.0, 1e-12);
  // Student's 3.18 for three degrees of freedom, and a tenth more
  EXPECT_NEAR(plain.window_error, 0.01 * 3.182 * 1.1, 2e-3);

  DiffusionRoute biased = constant_route();
  biased.systematic.assign(21, 0.3);
  biased.systematic[7] = 100.0;  // a wave that passes zero there
  biased.systematic[8] = kNone;
  find_window(biased, std::numeric_limits<double>::infinity(), "");
  EXPECT_NEAR(biased.window_error - plain.window_error, 0.3, 1e-12);
}

TEST(DiffusionRoute, WavesTellTheStepToTheirLimit) {
  // C(q,t) = exp(-lambda_q (1 + s lambda_q) t) on a ring: a^2 w(q) = 1 + s lambda_q, D = 1.
  const Lattice ring = Lattice::ring(12);
  const auto modes = lattice_modes(ring);
  constexpr double kSlope = 0.2;
  SiteCorrelations found;
  found.times = {0.0, 0.5};
  found.sites = 12;
  for (const double t : found.times) {
    for (int i = 0; i < 12; ++i) {
      for (int j = 0; j < 12; ++j) {
        double energy = 0.0;
        double change = 0.0;
        for (int q = 0; q < 12; ++q) {
          const double phase = 2.0 * std::acos(-1.0) * q / 12.0;
          const double eigenvalue = 2.0 * (1.0 - std::cos(phase));
          const double rate = eigenvalue * (1.0 + kSlope * eigenvalue);
          const double wave = std::cos(phase * (i - j)) / 12.0 * std::exp(-rate * t);
          energy += wave;
          change -= rate * wave;
        }
        found.energy.push_back(energy);
        found.change.push_back(change);
      }
    }
  }
  for (int j = 0; j < 12; ++j) found.sources.push_back(j);
  const auto analysis = analyse(ring, found, 1.0, modes, {.modes = true, .site_kernel = true});
  const double longest = 2.0 * (1.0 - std::cos(2.0 * std::acos(-1.0) / 12.0));
  for (std::size_t t = 0; t < 2; ++t) {
    EXPECT_NEAR(analysis.modes->diffusion[t], 1.0 + kSlope * longest, 1e-9);
    EXPECT_NEAR(analysis.modes->finite_wave[t], kSlope * longest, 1e-9);
    EXPECT_NEAR(analysis.site_kernel->diffusion[t], 1.0, 1e-9);
    EXPECT_NEAR(analysis.site_kernel->finite_wave[t], kSlope * longest, 1e-9);
  }
  const std::vector<double> errors = {1e-6, 1.0};
  EXPECT_EQ(known_inverses(*analysis.site_kernel, errors), (std::vector<bool>{true, false}));
}

TEST(SpreadVerdict, IsNotLocalisedBeforeItHasMoved) {
  const auto verdict_of = [](double (*variance)(double), double variance_error) {
    std::vector<double> times;
    Spreading spread;
    for (int k = 0; k <= 40; ++k) {
      times.push_back(0.025 * k);
      spread.variance.push_back(variance(times.back()));
    }
    spread.total.assign(41, 1.0);
    spread.kurtosis.assign(41, kNone);
    spread.edge.assign(41, 0.0);
    spread.exponent.assign(41, kNone);
    return judge_spreading({.times = times,
                            .spread = &spread,
                            .exponent = spread.exponent,
                            .exponent_error = {},
                            .variance_error = variance_error,
                            .units = std::nullopt,
                            .routes = {},
                            .smaller = {}})
        .kind;
  };
  using Kind = SpreadVerdict::Kind;
  EXPECT_EQ(verdict_of([](double t) { return 1e-4 * t * t; }, 0.0), Kind::undecided);
  EXPECT_EQ(verdict_of([](double t) { return 1e-4 * t; }, 0.0), Kind::undecided);
  const auto still = [](double t) { return 1e-4 * (1.0 - std::exp(-50.0 * t)); };
  EXPECT_EQ(verdict_of(still, 0.0), Kind::localised);
  EXPECT_EQ(verdict_of(still, 1e-4), Kind::undecided);
}
