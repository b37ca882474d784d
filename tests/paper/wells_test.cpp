// What the paper says of interactions between wells and of temperature (Eqs. 19, 20), in numbers: the table
// in docs/physics.md, "What the paper says of interactions and temperature, in numbers".

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "qheat/model/thermodynamics.hpp"
#include "qheat/transport/local_exponent.hpp"
#include "qheat/wells/well_elements.hpp"

namespace {

using namespace qheat;
using Form = PairPotential::Form;

/// Exchange and direct elements of all pairs of different levels.
struct Elements {
  std::vector<double> direct, exchange;

  Elements(Form form, double separation, Well::Shape shape = Well::Shape::square) {
    constexpr int kLevels = 20;
    const WellElements all({.shape = shape, .separation = separation}, {.form = form}, kLevels);
    for (int a = 0; a < kLevels; ++a) {
      for (int b = 0; b < kLevels; ++b) {
        if (a == b) continue;
        direct.push_back(all.direct(a, b).value);
        exchange.push_back(all.exchange(a, b).value);
      }
    }
  }

  static double mean(const std::vector<double>& values) {
    double sum = 0.0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  }
  static double deviation(const std::vector<double>& values) {
    const double middle = mean(values);
    double largest = 0.0;
    for (const double value : values) largest = std::max(largest, std::abs(value - middle));
    return largest / std::abs(middle);
  }
  double exchange_deviation() const { return deviation(exchange); }
  double total_deviation() const {
    std::vector<double> total(direct);
    for (std::size_t k = 0; k < total.size(); ++k) total[k] += exchange[k];
    return deviation(total);
  }
  double direct_share() const {
    double largest = 0.0;
    for (const double value : direct) largest = std::max(largest, std::abs(value));
    return largest / mean(exchange);
  }
};

TEST(PaperWells, DeltaIsOneOverTheWidthInTheSamePlaceOnly) {
  const Elements same(Form::delta, 0.0);
  for (const double value : same.direct) EXPECT_NEAR(value, 1.0, 1e-12);
  for (const double value : same.exchange) EXPECT_NEAR(value, 1.0, 1e-12);
  const Elements half(Form::delta, 0.5);
  for (const double value : half.exchange) EXPECT_NEAR(value, 0.5, 1e-12);
  EXPECT_NEAR(half.total_deviation(), 1.11, 0.01);
  EXPECT_NEAR(Elements(Form::delta, 0.25).exchange_deviation(), 0.26, 0.01);
  EXPECT_NEAR(Elements(Form::delta, 0.75).exchange_deviation(), 0.84, 0.01);
  for (const double value : Elements(Form::delta, 1.0).exchange) EXPECT_NEAR(value, 0.0, 1e-12);
}

TEST(PaperWells, DirectElementsAreOneTenthFromSomeDistanceOn) {
  EXPECT_NEAR(Elements(Form::linear, 0.0).direct_share(), 0.346, 0.001);
  EXPECT_NEAR(Elements(Form::linear, 0.5).direct_share(), 0.060, 0.001);
  EXPECT_NEAR(Elements(Form::quadratic, 0.5).direct_share(), 0.201, 0.001);
  EXPECT_GT(Elements(Form::quadratic, 0.75).direct_share(), 0.1);
  EXPECT_LT(Elements(Form::quadratic, 0.85).direct_share(), 0.1);
  EXPECT_LT(Elements(Form::inverse, 0.0).direct_share(), 0.1);
  EXPECT_LT(Elements(Form::inverse, 0.5).direct_share(), 0.03);
}

TEST(PaperWells, ExchangeElementsAreNearlyOneNumber) {
  EXPECT_NEAR(Elements(Form::inverse, 0.0).exchange_deviation(), 0.033, 0.001);
  EXPECT_LT(Elements(Form::inverse, 0.5).exchange_deviation(), 0.016);
  EXPECT_LT(Elements(Form::inverse, 1.0).exchange_deviation(), 0.016);
  EXPECT_NEAR(Elements(Form::linear, 0.0).exchange_deviation(), 0.170, 0.001);
  EXPECT_NEAR(Elements(Form::linear, 0.5).exchange_deviation(), 0.051, 0.001);
  EXPECT_NEAR(Elements(Form::linear, 0.75).exchange_deviation(), 0.005, 0.001);
  EXPECT_LT(Elements(Form::linear, 1.0).exchange_deviation(), 1e-12);
}

TEST(PaperWells, QuadraticFromFourteenToFourPercent) {
  const double expected[][2] = {{0.5, 0.135}, {0.75, 0.077}, {1.0, 0.048}, {1.5, 0.023}};
  for (const auto& [separation, deviation] : expected) {
    const Elements found(Form::quadratic, separation);
    EXPECT_NEAR(found.exchange_deviation(), deviation, 0.001);
    EXPECT_NEAR(found.total_deviation(), 2.0 * deviation, 0.1 * deviation);
  }
}

TEST(PaperWells, OscillatorStatesAreNotAlike) {
  EXPECT_NEAR(Elements(Form::quadratic, 0.5, Well::Shape::harmonic).exchange_deviation(), 0.889, 0.001);
  EXPECT_NEAR(Elements(Form::quadratic, 5.0, Well::Shape::harmonic).exchange_deviation(), 0.4, 0.001);
  EXPECT_NEAR(Elements(Form::linear, 0.5, Well::Shape::harmonic).exchange_deviation(), 0.661, 0.001);
  EXPECT_NEAR(Elements(Form::linear, 5.0, Well::Shape::harmonic).exchange_deviation(), 0.176, 0.001);
}

/// The exponent of D, the squared exchange element, against the screening alpha f(T).
double exponent(const PairPotential& potential, double separation, double screening) {
  std::vector<double> f, d;
  for (const double factor : {0.5, 1.0, 2.0}) {
    PairPotential screened = potential;
    screened.screening = factor * screening;
    const double value = WellElements({.separation = separation}, screened, 4).exchange(0, 1).value;
    f.push_back(screened.screening);
    d.push_back(value * value);
  }
  return local_exponent(f, d)[1];
}

TEST(PaperWells, ConductivityFallsAsTheSquaredLawWhereWellsOverlap) {
  const PairPotential constant{.form = Form::given, .value = [](double) { return 1.0; }};
  for (const double separation : {0.0, 0.5}) {
    EXPECT_NEAR(exponent(constant, separation, 40.0), -2.0, 0.02);
    EXPECT_NEAR(exponent({.form = Form::inverse}, separation, 40.0), -1.95, 0.03);
    EXPECT_NEAR(exponent({.form = Form::linear}, separation, 40.0), -4.0, 0.05);
  }
  EXPECT_LT(exponent(constant, 1.0, 40.0), -10.0);  // both densities vanish at the wall
  EXPECT_NEAR(exponent(constant, 0.5, 0.001), 0.0, 0.01);
}

double heat(const std::vector<double>& levels, double temperature) {
  return thermodynamics(levels, temperature).specific_heat;
}

TEST(PaperWells, SpecificHeatSaturatesBetweenSpacingAndWidth) {
  std::vector<double> harmonic, square;
  for (int n = 0; n < 1000; ++n) harmonic.push_back(n);
  for (int n = 1; n <= 300; ++n) square.push_back(n * n - 1.0);
  for (const double t : {3.0, 10.0, 100.0}) EXPECT_NEAR(heat(harmonic, t), 1.0, 0.01);
  for (const double t : {10.0, 100.0, 1e4}) EXPECT_NEAR(heat(square, t), 0.5, 0.05);
  EXPECT_NEAR(thermodynamics(harmonic, 1e5).exponent, -2.0, 0.01);
  EXPECT_LT(heat({0.0, 1.0, 2.0, 3.0}, 1.0), 0.65);
  EXPECT_NEAR(thermodynamics(std::vector<double>{0.0, 1.0, 2.0, 3.0}, 10.0).exponent, -1.983, 0.001);
}

}  // namespace
