// Kernels of second order over realisations of the detunings, and how many digits they have.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/kernel/kernel_interpolant.hpp"
#include "qheat/kernel/kernel_series.hpp"
#include "qheat/kernel/markov.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/propagator/mean_propagator.hpp"
#include "support/cell_reference.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

constexpr double kMeanStrength = 0.2;
constexpr int kMeanSites = 4;
constexpr int kRealizations = 30;

const Detuning kDetuning{.offsets = {},
                         .distribution = Detuning::Distribution::uniform,
                         .width = 0.5,
                         .seed = 1,
                         .realizations = kRealizations};

Bath dephased(double rate) {
  Bath bath;
  bath.dephasing = rate;
  return bath;
}

Model chain(const Bath& bath) {
  auto model = uniform_model(Lattice::chain(kMeanSites), Site({0.0, 1.0}), PairInteraction::exchange(2),
                             kMeanStrength);
  model.bath = bath;
  return model;
}

std::function<Model(int)> draws(const Bath& bath) {
  return [bath](int number) { return model_of_realization(chain(bath), kDetuning, number); };
}

/// Mean and standard error over the realisations of a function of the mismatch of a bond's two sites.
struct Mean {
  double value, error;
};
template <class Rate>
Mean mean_over_realizations(int bond, const Rate& rate) {
  double sum = 0.0;
  double squares = 0.0;
  for (int r = 0; r < kRealizations; ++r) {
    const auto energies = site_energies({0.0, 1.0}, kMeanSites, kDetuning, r);
    const auto first = static_cast<std::size_t>(2 * bond);
    const double value = rate(energies[first + 3] - energies[first + 1]);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kRealizations;
  return {mean, std::sqrt((squares / kRealizations - mean * mean) / (kRealizations - 1.0))};
}

template <class Rate>
void expect_mean(const SecondOrderKernel& kernel, double t, const Rate& rate) {
  std::vector<double> rates(kMeanSites - 1);
  kernel.bond_rates(t, {2, 2}, rates);
  double largest = 0.0;
  double largest_error = 0.0;
  for (int bond = 0; bond + 1 < kMeanSites; ++bond) {
    const Mean expected = mean_over_realizations(bond, rate);
    EXPECT_NEAR(rates[static_cast<std::size_t>(bond)], expected.value, 1e-12) << bond;
    largest = std::max(largest, expected.value);
    largest_error = std::max(largest_error, expected.error);
  }
  EXPECT_NEAR(kernel.accuracy(t).sampling, largest_error / largest, 1e-10);
  EXPECT_LT(kernel.accuracy(t).rounding, 1e-11);
}

TEST(AveragedKernel, MarkovRatesAreMeansOfLorentzians) {
  constexpr double kDephasing = 0.1;
  const auto lorentzian = [](double mismatch) {
    const double width = 2.0 * kDephasing;
    return 2.0 * kMeanStrength * kMeanStrength * width / (width * width + mismatch * mismatch);
  };
  const auto kernel = markov_kernel(kRealizations, draws(dephased(kDephasing)), {});
  expect_mean(kernel, 40.0, lorentzian);
  expect_mean(SecondOrderKernel(kRealizations, draws(dephased(kDephasing))), 400.0, lorentzian);
}

TEST(AveragedKernel, MarkovRatesAreMeansForEveryShape) {
  using Shape = Broadening::Shape;
  for (const Shape shape : {Shape::lorentzian, Shape::gaussian, Shape::uniform}) {
    const Broadening broadening{.shape = shape, .width = 0.4};
    expect_mean(markov_kernel(kRealizations, draws({}), broadening), 40.0, [&](double mismatch) {
      return 2.0 * std::numbers::pi * kMeanStrength * kMeanStrength * broadening.density(mismatch);
    });
  }
}

TEST(AveragedKernel, ClosedRatesAreMeansOfOscillations) {
  for (const double t : {0.3, 7.0, 50.0}) {
    expect_mean(SecondOrderKernel(kRealizations, draws({})), t, [t](double mismatch) {
      return 2.0 * kMeanStrength * kMeanStrength * std::sin(mismatch * t) / mismatch;
    });
  }
}

/// The correlation function of a Gaussian bath on two sites: the real part of its transform, by Dawson's and
/// the error function's common integral, here by the trapezoidal rule, which is exact for a Gaussian.
TEST(AveragedKernel, RatesOfCorrelationFunctionsAreMeans) {
  Bath bath;
  bath.correlation = BathCorrelation{};
  bath.correlation->kind = BathCorrelation::Kind::gaussian;
  bath.correlation->rate = 0.3;
  const double width = 0.3 * std::sqrt(2.0);
  const auto rate = [&](double mismatch) {
    const double x = mismatch / width;
    return 2.0 * kMeanStrength * kMeanStrength * std::sqrt(std::numbers::pi / 2.0) / width *
           std::exp(-x * x / 2.0);
  };
  expect_mean(markov_kernel(kRealizations, draws(bath), {}), 40.0, rate);
  expect_mean(SecondOrderKernel(kRealizations, draws(bath)), 100.0, rate);
}

/// TCL2 of the averaged propagator is the mean of the kernels.
TEST(AveragedKernel, IsThatOfTheAveragedPropagator) {
  const auto& comm = qheat_test::world();
  for (const double dephasing : {0.0, 0.1}) {
    const Bath bath = dephased(dephasing);
    const Model undetuned = chain(bath);
    const auto initial = InitialState::product(undetuned, {1, 0, 1, 0});
    const CellSpace cells(undetuned, initial);
    UninterruptedRun control;
    constexpr double kTime = 3.0;
    std::vector<std::unique_ptr<PropagatorOrders>> propagators;
    propagators.push_back(mean_propagator_orders(
        kRealizations,
        [&](int r) {
          return Realization{draws(bath)(r), initial};
        },
        cells.sectors().front(), 2, {0.0, kTime}, comm, control));
    const auto value = TclKernel(2, std::move(propagators), comm).at(kTime);
    const auto expected = dense_generator(cells.sectors().front().cells,
                                          SecondOrderKernel(kRealizations, draws(bath)).at(kTime));
    EXPECT_LT(qheat_test::largest_difference(value.sectors.front(), expected), 1e-11);
  }
}

/// A few realisations: the scores stay, and the sampling error is told.
TEST(AveragedKernel, IsJudgedWhateverItsSamplingError) {
  const SecondOrderKernel kernel(2, draws(dephased(0.05)));
  UninterruptedRun control;
  const Model undetuned = chain(dephased(0.05));
  const auto series = kernel_series(kernel, undetuned, {{2, 2}}, {0.0, 20.0}, control);
  ASSERT_EQ(series.sampling.size(), 2U);
  EXPECT_EQ(series.sampling[0], 0.0);
  EXPECT_GT(series.sampling[1], kLargestKernelError);
  EXPECT_EQ(series.known({0.0, 20.0}), 2U);
  EXPECT_FALSE(std::isnan(series.scores[1].symmetry));
}

// ---- digits ----

/// Offsets as a job states them, in decimal: what long double makes of them is the truth here.
Model detuned(double dephasing = 0.0) {
  auto model = uniform_model(Lattice::chain(3), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  model.energies = {0.0, 1.0, 0.0, 1.0 + 0.3, 0.0, 1.0 + 0.75};
  model.bath.dephasing = dephasing;
  return model;
}

long double true_rate(long double decay, long double mismatch, double t) {
  const long double time = t;
  const long double size = decay * decay + mismatch * mismatch;
  const long double damping = expl(-decay * time);
  return 0.02L * (decay - damping * (decay * cosl(mismatch * time) - mismatch * sinl(mismatch * time))) /
         size;
}

TEST(DigitsOfKernel, ErrorHoldsWhatDoublesLose) {
  for (const double dephasing : {0.0, 1e-12, 1e-3, 0.2}) {
    const SecondOrderKernel kernel(detuned(dephasing));
    double worst = 0.0;  // error over what is stated: not all of it is air
    for (double t = 0.37; t < 1e15; t *= 3.1) {
      const auto decay = 2.0L * static_cast<long double>(dephasing);
      const long double first = true_rate(decay, 0.3L, t);
      const long double second = true_rate(decay, 0.45L, t);
      std::vector<double> rates(2);
      kernel.bond_rates(t, {}, rates);
      const auto error = static_cast<double>(std::max(fabsl(first - rates[0]), fabsl(second - rates[1])));
      const auto largest = static_cast<double>(std::max(fabsl(first), fabsl(second)));
      const double stated = kernel.accuracy(t).rounding;
      if (stated >= 1.0) continue;
      EXPECT_LE(error,
                stated * std::max(std::abs(rates[0]), std::abs(rates[1])) * (1 + 1e-9) + 2e-9 / t * stated)
          << dephasing << ' ' << t;
      worst = std::max(worst, error / largest / stated);
    }
    EXPECT_GT(worst, 1e-3) << dephasing;
  }
}

/// Beyond mismatch x time of 1e15 nothing is left, and that is said; a resonant chain has no phase to lose,
/// and dephasing forgets it.
TEST(DigitsOfKernel, NothingIsMadeUp) {
  const SecondOrderKernel kernel(detuned());
  UninterruptedRun control;
  const std::vector<double> times = {0.0, 1e10, 1e17 / 3.0, 1e17};
  const auto series = kernel_series(kernel, detuned(), {{2, 1}}, times, control);
  EXPECT_EQ(series.known(times), 2U);
  EXPECT_FALSE(std::isnan(series.scores[1].bond_rate[0]));
  for (const std::size_t k : {2U, 3U}) {
    EXPECT_GE(series.error[k], 1.0);
    EXPECT_TRUE(std::isnan(series.scores[k].bond_rate[0]));
    EXPECT_TRUE(std::isnan(series.scores[k].symmetry));
    for (const auto& term : kernel.at(times[k]).terms) {
      for (const auto& e : term.elements) EXPECT_TRUE(std::isnan(e.value));
    }
  }
  EXPECT_LT(SecondOrderKernel(detuned(1e-3)).accuracy(1e17).rounding, 1e-10);
  auto resonant = detuned();
  resonant.energies = {0.0, 1.3, 0.0, 1.3, 0.0, 1.3};
  EXPECT_LT(SecondOrderKernel(resonant).accuracy(1e17).rounding, 1e-14);
}

/// A rate that passes through zero is small, not unknown.
TEST(DigitsOfKernel, ZerosAreKnown) {
  auto pair = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  pair.energies = {0.0, 1.0, 0.0, 2.0};
  const SecondOrderKernel kernel(pair);
  EXPECT_LT(kernel.accuracy(std::numbers::pi).rounding, 1e-6);
  std::vector<double> rates(1);
  kernel.bond_rates(std::numbers::pi, {}, rates);
  EXPECT_LT(std::abs(rates[0]), 1e-15);
}

/// Markov rates far out on the flanks of a line: what rounding of the levels leaves open is in the error.
TEST(DigitsOfKernel, MarkovLinesKnowTheirMismatch) {
  auto pair = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  pair.energies = {0.0, 1e8, 0.0, 1e8 + 1.0};
  const Broadening narrow{.shape = Broadening::Shape::gaussian, .width = 0.1};
  const double stated = markov_kernel(pair, narrow).accuracy(1e3).rounding;
  pair.energies[3] = std::nextafter(pair.energies[3], 2e8);
  std::vector<double> moved(1), rate(1);
  markov_kernel(pair, narrow).bond_rates(0.0, {}, moved);
  pair.energies[3] = 1e8 + 1.0;
  markov_kernel(pair, narrow).bond_rates(0.0, {}, rate);
  EXPECT_GE(stated, std::abs(moved[0] - rate[0]) / std::max(rate[0], 2e-12));
  EXPECT_GT(rate[0], 0.0);
}

}  // namespace
