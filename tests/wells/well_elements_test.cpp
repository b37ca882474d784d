#include "qheat/wells/well_elements.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "qheat/parallel/error.hpp"

namespace {

using qheat::PairPotential;
using qheat::Well;
using qheat::WellElement;
using qheat::WellElements;
using Form = PairPotential::Form;
constexpr double kPi = std::numbers::pi;

Well square(double separation, double width = 1.0) {
  return {.shape = Well::Shape::square, .width = width, .separation = separation};
}
Well harmonic(double separation, double width = 1.0) {
  return {.shape = Well::Shape::harmonic, .width = width, .separation = separation};
}

/// Relative to 1e-12, absolute where nothing is left; and within the error that is told.
void expect_element(const WellElement& found, double expected, const char* what, int a, int b) {
  EXPECT_NEAR(found.value, expected, 1e-12 * std::abs(expected) + 1e-25) << what << " " << a << " " << b;
  EXPECT_LE(found.error, 1e-13 * std::abs(expected) + 1e-25) << what << " " << a << " " << b;
}

double position(int a, int b) {  // of a square well of width 1, quantum numbers from 1
  if ((a + b) % 2 == 0) return 0.0;
  const double difference = static_cast<double>(a) * a - static_cast<double>(b) * b;
  return -8.0 * a * b / (kPi * kPi * difference * difference);
}

TEST(SquareWell, DeltaInTheSamePlace) {
  const WellElements elements(square(0.0), {.form = Form::delta}, 20);
  for (int a = 0; a < 20; ++a) {
    for (int b = 0; b < 20; ++b) {
      expect_element(elements.exchange(a, b), a == b ? 1.5 : 1.0, "E", a, b);
      expect_element(elements.direct(a, b), a == b ? 1.5 : 1.0, "D", a, b);
    }
  }
}

TEST(SquareWell, DeltaAtHalfAWidthAndBeyondReach) {
  const WellElements half(square(0.5), {.form = Form::delta}, 20);
  const WellElements far(square(1.25), {.form = Form::delta}, 5);
  for (int a = 0; a < 20; ++a) {
    for (int b = 0; b < 20; ++b) {
      if (a != b) expect_element(half.exchange(a, b), 0.5, "E", a, b);
    }
  }
  EXPECT_EQ(far.exchange(1, 3).value, 0.0);
}

TEST(SquareWell, QuadraticToSixtyLevels) {
  const double a0 = 0.7;
  const WellElements elements(square(a0), {.form = Form::quadratic}, 60);
  const auto variance = [](int n) { return 1.0 / 12.0 - 1.0 / (2.0 * kPi * kPi * n * n); };
  for (int a = 1; a <= 60; ++a) {
    for (int b = 1; b <= 60; ++b) {
      expect_element(elements.exchange(a - 1, b - 1), a0 * a0 + variance(a) + variance(b), "E", a, b);
      if (a != b)
        expect_element(elements.direct(a - 1, b - 1), -2.0 * std::pow(position(a, b), 2), "D", a, b);
    }
  }
}

TEST(SquareWell, LinearBesideEachOther) {
  for (const double a0 : {1.0, 1.75}) {
    const WellElements elements(square(a0), {.form = Form::linear}, 30);
    for (int a = 1; a <= 30; ++a) {
      for (int b = 1; b <= 30; ++b) {
        expect_element(elements.exchange(a - 1, b - 1), a0, "E", a, b);
        if (a != b) expect_element(elements.direct(a - 1, b - 1), 0.0, "D", a, b);
        if (a != b) expect_element(elements(a - 1, 2, b - 1, 2), -position(a, b), "x", a, b);
      }
    }
  }
}

TEST(SquareWell, WidthIsAScale) {
  const WellElements unit(square(0.3), {.form = Form::inverse, .screening = 0.5}, 6);
  PairPotential stretched{.form = Form::given};
  stretched.value = [](double r) { return std::exp(-0.25 * std::abs(r)) / (1.0 + 0.5 * std::abs(r)); };
  const WellElements wide(square(0.6, 2.0), stretched, 6);
  for (int a = 0; a < 6; ++a) {
    for (int b = 0; b < 6; ++b) EXPECT_NEAR(wide.direct(a, b).value, unit.direct(a, b).value, 1e-14);
  }
}

TEST(HarmonicWell, QuadraticToSixtyLevels) {
  const double a0 = 1.3;
  const WellElements elements(harmonic(a0), {.form = Form::quadratic}, 60);
  for (int a = 0; a < 60; ++a) {
    for (int b = 0; b < 60; ++b) {
      expect_element(elements.exchange(a, b), a0 * a0 + a + b + 1.0, "E", a, b);
      if (a != b)
        expect_element(elements.direct(a, b), std::abs(a - b) == 1 ? -std::max(a, b) : 0.0, "D", a, b);
    }
  }
}

TEST(HarmonicWell, DeltaOfTheLowestLevels) {
  for (const double a0 : {0.0, 0.4, 2.0}) {
    const double width = 0.8;
    const WellElements elements(harmonic(a0, width), {.form = Form::delta}, 3);
    const double s = a0 / width;
    // the density of x1 - x2, each of variance width^2/2
    expect_element(elements.exchange(0, 0), std::exp(-s * s / 2.0) / (std::sqrt(2.0 * kPi) * width), "E", 0,
                   0);
    expect_element(elements.exchange(1, 0),
                   (1.0 + s * s) / 2.0 * std::exp(-s * s / 2.0) / (std::sqrt(2.0 * kPi) * width), "E", 1, 0);
  }
}

/// phi_n(x) of a well at 0, by its definition.
double state(const Well& well, int n, double x) {
  if (well.shape == Well::Shape::square) {
    return x <= 0.0 || x >= well.width
               ? 0.0
               : std::sqrt(2.0 / well.width) * std::sin((n + 1) * kPi * x / well.width);
  }
  const double y = x / well.width;
  double before = 0.0;
  double now = std::exp(-0.5 * y * y) / std::sqrt(std::sqrt(kPi) * well.width);
  for (int k = 1; k <= n; ++k) {
    const double next = std::sqrt(2.0 / k) * y * now - std::sqrt((k - 1.0) / k) * before;
    before = now;
    now = next;
  }
  return now;
}

/// The double integral by the midpoint rule in both coordinates.
double by_force(const Well& well, const std::function<double(double)>& v, int a, int b, int c, int d) {
  constexpr int kPoints = 1500;
  const bool is_square = well.shape == Well::Shape::square;
  const double begin = is_square ? 0.0 : -8.0 * well.width;
  const double step = (is_square ? well.width : 16.0 * well.width) / kPoints;
  std::vector<double> first;
  std::vector<double> second;
  for (int i = 0; i < kPoints; ++i) {
    const double x = begin + (i + 0.5) * step;
    first.push_back(state(well, a, x) * state(well, c, x) * step);
    second.push_back(state(well, b, x) * state(well, d, x) * step);
  }
  std::vector<double> at_difference;
  for (int k = -kPoints + 1; k < kPoints; ++k) at_difference.push_back(v(k * step - well.separation));
  double sum = 0.0;
  for (int i = 0; i < kPoints; ++i) {
    for (int j = 0; j < kPoints; ++j) {
      sum += first[static_cast<std::size_t>(i)] * second[static_cast<std::size_t>(j)] *
             at_difference[static_cast<std::size_t>(i - j + kPoints - 1)];
    }
  }
  return sum;
}

TEST(WellElements, EqualTheDoubleIntegral) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> level(0, 6);
  std::uniform_real_distribution<double> length(0.5, 1.5);
  std::uniform_real_distribution<double> shift(0.0, 2.0);
  PairPotential oscillating{.form = Form::given};
  oscillating.value = [](double r) { return std::cos(2.0 * r) + 0.3 * r; };
  const std::vector<std::pair<PairPotential, std::function<double(double)>>> potentials = {
      {{.form = Form::linear}, [](double r) { return std::abs(r); }},
      {{.form = Form::inverse}, [](double r) { return 1.0 / (1.0 + std::abs(r)); }},
      {{.form = Form::quadratic, .screening = 0.8},
       [](double r) { return r * r * std::exp(-0.8 * std::abs(r)); }},
      {oscillating, oscillating.value}};
  for (const auto& [potential, value] : potentials) {
    for (const auto shape : {Well::Shape::square, Well::Shape::harmonic}) {
      const Well well{.shape = shape, .width = length(random), .separation = shift(random)};
      const WellElements elements(well, potential, 7);
      for (int k = 0; k < 4; ++k) {
        const int a = level(random), b = level(random), c = level(random), d = level(random);
        const WellElement found = elements(a, b, c, d);
        EXPECT_NEAR(found.value, by_force(well, value, a, b, c, d), 5e-5);
        EXPECT_LE(found.error, 2e-14);
        // Hermitian, and mirrored in the middle between the wells
        EXPECT_EQ(found.value, elements(c, d, a, b).value);
        if (shape == Well::Shape::square || potential.form != Form::given) {
          const double sign = (a + b + c + d) % 2 == 0 ? 1.0 : -1.0;
          EXPECT_NEAR(found.value, sign * elements(b, a, d, c).value, 2e-14);
        }
      }
    }
  }
}

/// sum_b |x_ab|^2 = <x^2>_a: from elements of r^2, |r| beside each other and completeness.
TEST(SquareWell, PositionsAreComplete) {
  constexpr int kLevels = 60;  // the sum beyond them is 1e-8
  const WellElements linear(square(1.0), {.form = Form::linear}, kLevels);
  const WellElements quadratic(square(0.0), {.form = Form::quadratic}, kLevels);
  for (const int a : {0, 1, 7}) {
    double sum = 0.0;
    for (int b = 0; b < kLevels; ++b) {
      if (b != a) sum += std::pow(linear(a, 0, b, 0).value, 2);
    }
    // <(x1-x2)^2> of both in state a: twice the variance
    EXPECT_NEAR(sum, quadratic.exchange(a, a).value / 2.0, 1e-5);
  }
}

TEST(WellElements, HighestLevelsKeepTheirDigits) {
  for (const auto& well : {square(0.3), harmonic(0.9)}) {
    const WellElements elements(well, {.form = Form::inverse}, 60);
    for (const auto& [a, b] : {std::pair{0, 59}, {58, 59}, {20, 45}}) {
      const auto found = elements.direct(a, b);
      EXPECT_LE(found.error, 1e-8 * std::abs(found.value)) << a << " " << b << " " << found.value;
    }
  }
}

TEST(WellElements, RefuseWhatIsNotThere) {
  PairPotential bare{.form = Form::given};
  bare.value = [](double r) { return 1.0 / std::abs(r); };
  EXPECT_THROW(WellElements(square(0.5), bare, 4), qheat::InputError);
  EXPECT_NO_THROW(WellElements(square(1.5), bare, 4));
  bare.value = [](double r) { return r > -0.5 ? std::numeric_limits<double>::quiet_NaN() : 1.0; };
  EXPECT_THROW(WellElements(square(1.0), bare, 4), qheat::InputError);
  EXPECT_THROW(WellElements(square(1.0), {.form = Form::linear}, 0), qheat::InputError);
  EXPECT_THROW(WellElements(square(1.0), {.form = Form::linear}, 101), qheat::InputError);
  EXPECT_THROW(WellElements(square(-1.0), {.form = Form::linear}, 3), qheat::InputError);
  EXPECT_THROW(WellElements(square(1.0), {.form = Form::linear, .screening = -1.0}, 3), qheat::InputError);
}

}  // namespace
