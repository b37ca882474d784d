#include "qheat/model/thermodynamics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

using qheat::Thermodynamics;
using qheat::thermodynamics;
using Real = boost::multiprecision::cpp_bin_float_100;

/// From the definitions, with 100 digits.
Thermodynamics reference(const std::vector<double>& energies, double temperature) {
  const Real t = temperature;
  Real z = 0, first = 0, second = 0, third = 0;
  for (const double e : energies) z += exp(-Real(e) / t);
  for (const double e : energies) first += e * exp(-Real(e) / t) / z;
  for (const double e : energies) second += (e - first) * (e - first) * exp(-Real(e) / t) / z;
  for (const double e : energies) third += pow(e - first, 3) * exp(-Real(e) / t) / z;
  return {static_cast<double>(first), static_cast<double>(second / t / t),
          static_cast<double>(log(z) + first / t), static_cast<double>(third / t / second - 2)};
}

void expect_same(const std::vector<double>& energies, double temperature) {
  const Thermodynamics found = thermodynamics(energies, temperature);
  const Thermodynamics expected = reference(energies, temperature);
  EXPECT_NEAR(found.energy, expected.energy, 1e-12 * expected.energy) << temperature;
  EXPECT_NEAR(found.specific_heat, expected.specific_heat, 1e-12 * expected.specific_heat) << temperature;
  EXPECT_NEAR(found.entropy, expected.entropy, 1e-12 * expected.entropy) << temperature;
  EXPECT_NEAR(found.exponent, expected.exponent, 1e-12 * std::abs(expected.exponent + 2.0) + 1e-12)
      << temperature;
}

TEST(Thermodynamics, TwoLevelsInClosedForm) {
  const std::vector<double> energies = {0.0, 1.5};
  for (const double t : {0.01, 0.3, 1.0, 40.0, 1e6}) {
    const double x = 1.5 / t;
    const double expected = x * x * std::exp(-x) / std::pow(1.0 + std::exp(-x), 2);
    EXPECT_NEAR(thermodynamics(energies, t).specific_heat, expected, 1e-12 * expected);
  }
}

TEST(Thermodynamics, EqualsHigherPrecision) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> exponent(-2.0, 3.0);
  std::uniform_int_distribution<int> size(2, 40);
  for (int k = 0; k < 200; ++k) {
    std::vector<double> energies = {0.0};
    const int levels = size(random);
    while (static_cast<int>(energies.size()) < levels) {
      const double next = std::pow(10.0, exponent(random) - 1.0);
      for (int copies = k % 3; copies >= 0; --copies) energies.push_back(next);  // degenerate
      if (k % 5 == 0) energies.push_back(0.0);
    }
    std::shuffle(energies.begin(), energies.end(), random);
    expect_same(energies, std::pow(10.0, exponent(random) - 0.5));
  }
}

TEST(Thermodynamics, ThousandsOfLevels) {
  std::vector<double> energies;
  for (int n = 0; n < 5000; ++n) energies.push_back(0.01 * n);
  for (const double t : {0.004, 1.0, 1e4}) expect_same(energies, t);
}

TEST(Thermodynamics, LimitsAreReached) {
  const std::vector<double> energies = {1.0, 1.0, 2.0, 4.0};
  const Thermodynamics cold = thermodynamics(energies, 1e-310);
  EXPECT_EQ(cold.energy, 1.0);
  EXPECT_EQ(cold.specific_heat, 0.0);
  EXPECT_DOUBLE_EQ(cold.entropy, std::log(2.0));
  for (const double hot : {std::numeric_limits<double>::infinity(), 1e300}) {
    const Thermodynamics state = thermodynamics(energies, hot);
    EXPECT_DOUBLE_EQ(state.energy, 2.0);
    EXPECT_LE(state.specific_heat, 1e-300);
    EXPECT_TRUE(std::isnan(state.exponent) || state.exponent == -2.0);  // C_V has ended
    EXPECT_DOUBLE_EQ(state.entropy, std::log(4.0));
  }
  const Thermodynamics one = thermodynamics(std::vector<double>{3.0, 3.0}, 0.5);
  EXPECT_EQ(one.specific_heat, 0.0);
  EXPECT_TRUE(std::isnan(one.exponent));
  EXPECT_DOUBLE_EQ(one.entropy, std::log(2.0));
}

TEST(Thermodynamics, TemperatureIsTheInverseOfEnergy) {
  const std::vector<double> energies = {0.0, 0.3, 0.3, 1.0, 2.5};
  for (const double t : {0.02, 0.4, 1.0, 30.0}) {
    EXPECT_NEAR(qheat::temperature_of(energies, thermodynamics(energies, t).energy), t, 1e-9 * t);
  }
}

/// C_V = du/dT and dS = C_V dT/T, by central differences.
TEST(Thermodynamics, HeatIsTheDerivativeOfEnergyAndEntropy) {
  const std::vector<double> energies = {0.0, 0.3, 0.7, 1.9};
  for (const double t : {0.2, 1.0, 5.0}) {
    const double h = 1e-4 * t;
    const Thermodynamics above = thermodynamics(energies, t + h);
    const Thermodynamics below = thermodynamics(energies, t - h);
    const double heat = thermodynamics(energies, t).specific_heat;
    EXPECT_NEAR((above.energy - below.energy) / (2.0 * h), heat, 1e-6 * heat);
    EXPECT_NEAR(t * (above.entropy - below.entropy) / (2.0 * h), heat, 1e-6 * heat);
  }
}

}  // namespace
