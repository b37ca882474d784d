// The modular model: a dense band is a bath of its own, with the constant rate w = 2 pi lambda^2 n / width
// for 1/width << t << 2 pi n / width.

#include "support/modular.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "qheat/evolution/exact.hpp"
#include "qheat/kernel/exact_kernel.hpp"
#include "qheat/kernel/kernel_interpolant.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/rates/solve.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

constexpr double kWidth = 0.5;

Model modular_chain(int band_levels, double strength) {
  auto model = qheat_test::modular_model(Lattice::chain(6),
                                         qheat_test::equally_spaced_band(band_levels, kWidth), strength, 1);
  model.couplings.assign(5, 1.0);
  return model;
}

double golden_rule(int band_levels, double strength) {
  return 2.0 * std::numbers::pi * strength * strength * band_levels / kWidth;
}

/// dP_i/dt = sum over neighbours of w (P_j - P_i) from the third of six sites, [T][6], in small steps.
std::vector<double> diffusion(double w, const std::vector<double>& times) {
  std::vector<double> p = {0.0, 0.0, 1.0, 0.0, 0.0, 0.0};
  std::vector<double> series;
  constexpr double kStep = 0.01;
  long done = 0;
  for (const double time : times) {
    for (; done < std::lround(time / kStep); ++done) {
      const auto before = p;
      for (std::size_t b = 0; b < 5; ++b) {
        const double flow = kStep * w * (before[b] - before[b + 1]);
        p[b] -= flow;
        p[b + 1] += flow;
      }
    }
    series.insert(series.end(), p.begin(), p.end());
  }
  return series;
}

TEST(ModularModel, SecondOrderRateIsTheGoldenRuleInsideTheWindow) {
  const SecondOrderKernel kernel(modular_chain(200, 5e-4));
  const double w = golden_rule(200, 5e-4);
  std::vector<double> rates(5);
  for (const double t : {50.0, 120.0, 250.0, 480.0}) {
    kernel.bond_rates(t, {5, 1}, rates);
    double mean = 0.0;
    for (const double rate : rates) {
      EXPECT_NEAR(rate / w, 1.0, 0.15) << "t = " << t;
      mean += rate / 5.0;
    }
    EXPECT_NEAR(mean / w, 1.0, 0.05) << "t = " << t;
  }
  // before the window the band is one level of n^2 |V|^2: 2 lambda^2 n t
  kernel.bond_rates(0.1, {5, 1}, rates);
  EXPECT_NEAR(rates[2], 2.0 * 25e-8 * 200 * 0.1, 0.02 * rates[2]);
}

/// Physics 12.7 without approximation: the exact kernel on the cells, from all 1200 states.
TEST(ModularModel, ExactKernelIsTheGoldenRuleInsideTheWindow) {
  const auto model = modular_chain(200, 5e-4);
  const CellSpace cells(model, InitialState::band_mixture(model, {0, 0, 1, 0, 0, 0}));
  std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
  propagators.push_back(closed_population_propagator(model, cells.sectors().front(), qheat_test::world()));
  ExactKernel kernel(std::move(propagators), qheat_test::world());
  const AssumptionScores scores(model, cells);
  const double w = golden_rule(200, 5e-4);
  for (const double t : {60.0, 240.0, 480.0}) {
    const auto k = kernel.at(t);
    const auto found = evaluate_assumptions(scores, t, k, qheat_test::world());
    double mean = 0.0;
    for (const double rate : found.bond_rate) {
      EXPECT_NEAR(rate / w, 1.0, 0.15) << "t = " << t;
      mean += rate / 5.0;
    }
    EXPECT_NEAR(mean / w, 1.0, 0.05) << "t = " << t;
    double farther = 0.0;  // rates between cells that are no neighbours
    std::vector<Level> from(6);
    std::vector<Level> to(6);
    const auto place = [](const std::vector<Level>& bands) {
      return std::find(bands.begin(), bands.end(), Level{1}) - bands.begin();
    };
    const auto& columns = k.sectors.front();
    for (std::size_t j = 0; j < columns.cells.size(); ++j) {
      cells.configuration(columns.cells[j], from);
      for (Index i = 0; i < cells.dimension(); ++i) {
        cells.configuration(i, to);
        if (std::abs(place(from) - place(to)) < 2) continue;
        farther = std::max(farther, std::abs(columns.values.block().column(static_cast<Index>(j))[i]));
      }
    }
    EXPECT_LT(farther, 0.05 * w) << "t = " << t;
  }
}

TEST(ModularModel, ExactPopulationsFollowTheRateEquation) {
  const double strength = 0.004;
  const auto model = modular_chain(60, strength);
  const auto initial = InitialState::band_mixture(model, {0, 0, 1, 0, 0, 0});
  const std::vector<double> times = {0.0, 20.0, 60.0, 120.0, 200.0};
  UninterruptedRun control;
  Timings timings;
  const auto exact =
      propagate_exact(model, initial, times, {}, qheat_test::world(), control, timings).mean.populations;
  const auto bands = band_populations(model, exact);
  const SecondOrderKernel kernel(model);
  const auto rates =
      solve_many_body(model, initial, kernel, times, {}, qheat_test::world(), control, timings);
  double largest = 0.0;
  for (std::size_t e = 0; e < bands.size(); ++e)
    largest = std::max(largest, std::abs(bands[e] - rates.populations[e]));
  EXPECT_LT(largest, 0.02);
  // and, once the first slow steps do not count, diffusion with the constant rate of the golden rule
  const auto diffused = diffusion(golden_rule(60, strength), times);
  for (std::size_t k = 2; k < times.size(); ++k) {
    for (std::size_t i = 0; i < 6; ++i)
      EXPECT_NEAR(bands[12 * k + 2 * i + 1], diffused[6 * k + i], 0.05) << "t = " << times[k];
  }
  EXPECT_LT(diffused[6 * 3 + 2], 0.3);  // far from the start
}

/// Variance of the excitation's place about the third of six sites, exactly, at each time.
std::vector<double> spread(const Model& model, const std::vector<double>& times) {
  const auto initial = InitialState::band_mixture(model, {0, 0, 1, 0, 0, 0});
  UninterruptedRun control;
  Timings timings;
  const auto exact =
      propagate_exact(model, initial, times, {}, qheat_test::world(), control, timings).mean.populations;
  const auto bands = band_populations(model, exact);
  std::vector<double> variance;
  for (std::size_t k = 0; k < times.size(); ++k) {
    double sum = 0.0;
    for (std::size_t i = 0; i < 6; ++i)
      sum += std::pow(static_cast<double>(i) - 2.0, 2) * bands[12 * k + 2 * i + 1];
    variance.push_back(sum);
  }
  return variance;
}

/// Outside the window on both sides: strong coupling (lambda^2 n / width^2 = 4) crosses the lattice before
/// the band dephases, ballistically; a band of few levels (2 lambda n / width < 1) is none: most of the
/// excitation stays.
TEST(ModularModel, IsBallisticWhereTheBandIsTooNarrowAndStuckWhereItIsTooThin) {
  const auto fast = spread(modular_chain(60, 0.13), {0.0, 0.15, 0.3});
  EXPECT_NEAR(fast[2] / fast[1], 4.0, 0.2);
  const auto window = spread(modular_chain(60, 0.004), {0.0, 30.0, 60.0});
  EXPECT_NEAR(window[2] / window[1], 2.0, 0.3);

  const double strength = 5e-4;  // 2 lambda n / width = 0.012
  const double time = 4.0 / golden_rule(6, strength);
  const auto thin = spread(modular_chain(6, strength), {0.0, time});
  EXPECT_LT(thin[1], 2.0);  // by the golden rule nearly 19/6, that of an even distribution
}

}  // namespace
