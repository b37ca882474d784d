// D of kernels: windows, errors, Eq. 18; thermodynamics of sites; local exponents.

#include "qheat/transport/kernel_diffusion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/kernel/markov.hpp"
#include "qheat/model/initial_state.hpp"
#include "qheat/transport/local_exponent.hpp"
#include "qheat/transport/site_heat.hpp"
#include "qheat/transport/window.hpp"

namespace {

using namespace qheat;

std::vector<double> grid(double end, int count) {
  std::vector<double> times;
  for (int k = 0; k < count; ++k) times.push_back(end * k / (count - 1));
  return times;
}

template <class Function>
std::optional<Window> window_of(double end, const Function& value) {
  const auto times = grid(end, 401);
  std::vector<double> values;
  for (const double t : times) values.push_back(value(t));
  return longest_window(times, values);
}

TEST(Window, OfASaturatingCoefficientReachesTheEnd) {
  const auto found = window_of(20.0, [](double t) { return 2.0 * (1.0 - std::exp(-t)); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->end, 20.0);
  EXPECT_GT(found->begin, 2.0);  // 5 % below the limit is reached at t = 3
  EXPECT_LT(found->begin, 3.1);
  EXPECT_NEAR(found->value, 2.0, found->deviation);
  EXPECT_LE(found->deviation, 0.05 * found->value);
}

TEST(Window, NoneWhereNothingStandsStill) {
  EXPECT_FALSE(window_of(10.0, [](double t) { return t; }));
  EXPECT_FALSE(window_of(10.0, [](double t) { return std::sin(t); }));  // its top is no plateau
  EXPECT_FALSE(window_of(10.0, [](double t) { return 1.0 / (0.1 + t); }));
  EXPECT_FALSE(window_of(10.0, [](double) { return 0.0; }));
  EXPECT_FALSE(window_of(10.0, [](double) { return -1.0; }));
}

TEST(Window, EndsBeforeWhatIsNotKnown) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto found = window_of(10.0, [&](double t) { return t < 4.0 ? 1.0 : nan; });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->begin, 0.0);
  EXPECT_LT(found->end, 4.0);
  EXPECT_DOUBLE_EQ(found->value, 1.0);
}

TEST(Window, OfFewTimesIsNone) {
  const std::vector<double> times = {0.0, 1.0, 2.0};
  const std::vector<double> values = {1.0, 1.0, 1.0};
  EXPECT_FALSE(longest_window(times, values));
  EXPECT_TRUE(longest_window(std::vector<double>{7.0}, std::vector<double>{1.0}));  // a Markov kernel
}

/// The longest of all windows, tried one by one.
TEST(Window, IsTheLongestOfAll) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise(1.0, 0.03);
  for (int sample = 0; sample < 50; ++sample) {
    const auto times = grid(1.0, 60);
    std::vector<double> values;
    for (std::size_t k = 0; k < times.size(); ++k) values.push_back(noise(random));
    double best = 0.0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      for (std::size_t j = i + 4; j < times.size(); ++j) {
        double sum = 0.0;
        for (std::size_t k = i; k <= j; ++k) sum += values[k];
        const double mean = sum / static_cast<double>(j - i + 1);
        bool inside = times[j] >= 2.0 * times[i];
        for (std::size_t k = i; k <= j; ++k) inside = inside && std::abs(values[k] - mean) <= 0.05 * mean;
        if (inside) best = std::max(best, times[j] - times[i]);
      }
    }
    const auto found = longest_window(times, values);
    EXPECT_NEAR(found ? found->end - found->begin : 0.0, best, 1e-12) << sample;
  }
}

Model dephased(double gamma, PairInteraction v, int levels, double spacing) {
  std::vector<double> energies;
  for (int n = 0; n < levels; ++n) energies.push_back(n);
  Model model =
      uniform_model(Lattice({5}, std::vector<bool>{false}, spacing), Site(energies), std::move(v), 0.2);
  model.bath.dephasing = gamma;
  return model;
}

KernelSeries tcl2_of(const Model& model, const std::vector<double>& times) {
  const InitialState all = InitialState::thermal(
      model,
      std::vector<double>(static_cast<std::size_t>(model.sites()), std::numeric_limits<double>::infinity()));
  UninterruptedRun control;
  return kernel_series(SecondOrderKernel(model), model, sector_counts(model, all), times, control);
}

/// Second order of dephased exchange: w(t) = (lambda^2/gamma)(1 - e^{-2 gamma t}).
TEST(KernelDiffusion, OfDephasedExchange) {
  const double gamma = 0.7, spacing = 1.5;
  const auto times = grid(30.0, 301);
  const Model model = dephased(gamma, PairInteraction::exchange(2), 2, spacing);
  const KernelDiffusion found = kernel_diffusion(tcl2_of(model, times), times, model.lattice);
  const double limit = spacing * spacing * 0.04 / gamma;
  for (std::size_t k = 1; k < times.size(); ++k)
    EXPECT_NEAR(found.diffusion[k], limit * (1.0 - std::exp(-2.0 * gamma * times[k])), 1e-12 * limit);
  ASSERT_TRUE(found.window);
  EXPECT_NEAR(found.window->value, limit, found.window_error);
  EXPECT_LT(found.window_error, 0.05 * limit);
  EXPECT_GE(found.window_error, found.window->deviation);
}

TEST(KernelDiffusion, OfAClosedSystemHasNoWindowAndSaysWhy) {
  const auto times = grid(10.0, 101);
  const Model model = dephased(0.0, PairInteraction::exchange(2), 2, 1.0);
  const KernelDiffusion found = kernel_diffusion(tcl2_of(model, times), times, model.lattice);
  EXPECT_FALSE(found.window);
  EXPECT_NE(found.obstacle.find("not one number"), std::string::npos);
}

TEST(KernelDiffusion, OfBondsWithoutLengthIsNone) {
  const auto times = grid(20.0, 101);
  Model model = dephased(1.0, PairInteraction::exchange(2), 2, 1.0);
  const KernelSeries series = tcl2_of(model, times);
  model.lattice = Lattice(std::vector<int>{5}, std::vector<Bond>{{0, 3}, {1, 2}}, 1.0);
  const KernelDiffusion found = kernel_diffusion(series, times, model.lattice);
  EXPECT_FALSE(found.window);
  EXPECT_TRUE(std::isnan(found.diffusion[50]));
  EXPECT_NE(found.obstacle.find("no length"), std::string::npos);
  const KernelDiffusion rough = kernel_diffusion(series, times, Lattice::chain(5), 0.2);
  EXPECT_GT(rough.window_error, 0.2 * rough.window->value * 0.99);
}

TEST(KernelDiffusion, ErrorHoldsTheDistanceOfBonds) {
  const auto times = grid(20.0, 101);
  Model model = dephased(1.0, PairInteraction::exchange(2), 2, 1.0);
  model.couplings = {1.0, 1.2, 1.0, 0.8};
  const KernelDiffusion found = kernel_diffusion(tcl2_of(model, times), times, model.lattice);
  ASSERT_TRUE(found.window);
  const double weak = 0.04 * 0.64, strong = 0.04 * 1.44;
  EXPECT_LT(found.window->value - found.window_error, weak);
  EXPECT_GT(found.window->value + found.window_error, strong * (1.0 - 0.02));
}

/// Where all levels are equally far apart and all elements one number, Eq. 18 is the rate of each bond.
TEST(PairRate, IsTheBondRateOfTheMarkovKernel) {
  for (const int levels : {2, 3}) {
    const Model model = dephased(0.3, PairInteraction::exchange(levels), levels, 1.0);
    std::vector<double> rates(4);
    markov_kernel(model, {}).bond_rates(10.0, {}, rates);
    const auto pair = resonant_pair_rate(model, {});
    ASSERT_TRUE(pair);
    EXPECT_NEAR(pair->value, 0.04 / 0.3, 1e-14);
    EXPECT_EQ(pair->lowest, pair->highest);
    for (const double rate : rates) EXPECT_NEAR(rate, pair->value, 1e-13);
  }
}

TEST(PairRate, OfABroadeningAndLevelDependentElements) {
  Model model = dephased(0.0, PairInteraction::matrix(3, {{0, 1, 1, 0, 1.0}, {1, 2, 2, 1, 2.0}}), 3, 1.0);
  const Broadening uniform{.shape = Broadening::Shape::uniform, .width = 0.5};
  const auto pair = resonant_pair_rate(model, uniform);
  ASSERT_TRUE(pair);
  const double one = 2.0 * std::numbers::pi * 0.04 / 0.5;
  EXPECT_NEAR(pair->value, one * (1.0 + 4.0 + 0.0) / 3.0, 1e-13);
  EXPECT_EQ(pair->lowest, 0.0);
  EXPECT_NEAR(pair->highest, 4.0 * one, 1e-13);
  EXPECT_FALSE(resonant_pair_rate(model, {}));  // closed and sharp: no Markov limit
}

TEST(SiteHeat, IsTheMeanOverDetunedSites) {
  const Lattice lattice({3}, std::vector<bool>{false});
  Model model = uniform_model(lattice, Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  model.energies = {0.0, 1.0, 0.0, 2.0, 0.0, 1.0};
  const std::vector<double> temperatures = {0.3, 1.0, 20.0};
  LevelSchemes schemes;
  count_schemes(model.energies, model.levels(), schemes);
  EXPECT_EQ(schemes.size(), 2U);
  const auto found = site_heat(schemes, temperatures);
  for (std::size_t k = 0; k < temperatures.size(); ++k) {
    const auto a = thermodynamics(std::vector<double>{0.0, 1.0}, temperatures[k]);
    const auto b = thermodynamics(std::vector<double>{0.0, 2.0}, temperatures[k]);
    EXPECT_NEAR(found[k].energy, (2.0 * a.energy + b.energy) / 3.0, 1e-14);
    EXPECT_NEAR(found[k].specific_heat, (2.0 * a.specific_heat + b.specific_heat) / 3.0, 1e-14);
    const double above = temperatures[k] * 1.0001, below = temperatures[k] / 1.0001;
    const auto around = site_heat(schemes, std::vector<double>{below, above});
    const double slope =
        std::log(around[1].specific_heat / around[0].specific_heat) / std::log(above / below);
    EXPECT_NEAR(found[k].exponent, slope, 1e-6 * std::abs(slope) + 1e-7);
  }
}

TEST(LocalExponent, OfPowersIsExactInAnyOrder) {
  const std::vector<double> x = {4.0, 1.0, 0.3, 20.0};
  std::vector<double> y;
  for (const double value : x) y.push_back(5.0 * std::pow(value, -1.7));
  const auto found = local_exponent(x, y);
  for (const std::size_t inside : {0, 1}) EXPECT_NEAR(found[inside], -1.7, 1e-12);
  for (const std::size_t end : {2, 3}) EXPECT_TRUE(std::isnan(found[end]));
  const auto holes = local_exponent(x, std::vector<double>{16.0, -1.0, 0.09, 400.0});
  EXPECT_TRUE(std::isnan(holes[1]));
  EXPECT_NEAR(holes[0], 2.0, 1e-12);
}

/// ln y = (ln x)^2 is a parabola: its slope is met at every point.
TEST(LocalExponent, OfAParabolaIsExact) {
  std::vector<double> x, y;
  for (const double u : {-1.0, 0.0, 0.7, 2.0}) {
    x.push_back(std::exp(u));
    y.push_back(std::exp(u * u));
  }
  const auto found = local_exponent(x, y);
  for (const std::size_t k : {1, 2}) EXPECT_NEAR(found[k], 2.0 * std::log(x[k]), 1e-12);
}

}  // namespace
