#include "qheat/transport/cumulative_integral.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

using namespace qheat;

namespace {

void expect_integral(double (*f)(double), double (*integral)(double), int points, double end, bool even,
                     double within) {
  std::vector<double> values;
  for (int k = 0; k < points; ++k) values.push_back(f(end * k / (points - 1)));
  const auto found = cumulative_integral(values, end / (points - 1), even);
  for (int k = 0; k < points; ++k) {
    const auto place = static_cast<std::size_t>(k);
    const double distance = std::abs(found.values[place] - integral(end * k / (points - 1)));
    EXPECT_LE(distance, within) << k;
    EXPECT_LE(distance, found.error[place] + 1e-13) << k;
  }
}

}  // namespace

TEST(CumulativeIntegral, OfAnEvenFunctionAndOfOneWithACusp) {
  expect_integral([](double t) { return std::cos(t); }, [](double t) { return std::sin(t); }, 41, 8.0, true,
                  1e-8);
  expect_integral([](double t) { return std::exp(-t); }, [](double t) { return 1.0 - std::exp(-t); }, 41, 8.0,
                  false, 1e-7);
}

TEST(CumulativeIntegral, OfAPolynomialIsExact) {
  expect_integral([](double t) { return std::pow(t, 6); }, [](double t) { return std::pow(t, 7) / 7; }, 9,
                  1.0, true, 1e-14);
  expect_integral([](double t) { return std::pow(t, 7); }, [](double t) { return std::pow(t, 8) / 8; }, 9,
                  1.0, false, 1e-14);
}

TEST(CumulativeIntegral, OfFewPoints) {
  expect_integral([](double) { return 2.0; }, [](double t) { return 2.0 * t; }, 2, 1.0, false, 1e-14);
  expect_integral([](double t) { return 2.0 * t; }, [](double t) { return t * t; }, 3, 1.0, false, 1e-14);
  EXPECT_EQ(cumulative_integral(std::vector<double>{1.0}, 0.0, true).values.size(), 1U);
}

TEST(CumulativeIntegral, TellsWhatItsPointsDoNotResolve) {
  // decays within a fraction of a step: nothing but the first value is there to see
  for (const double rate : {2.0, 5.0, 20.0, 100.0}) {
    std::vector<double> values;
    for (int k = 0; k <= 40; ++k) values.push_back(std::exp(-rate * k));
    const auto found = cumulative_integral(values, 1.0, false);
    for (int k = 1; k <= 40; ++k)
      EXPECT_LE(std::abs(found.values[static_cast<std::size_t>(k)] - (1.0 - std::exp(-rate * k)) / rate),
                1.15 * found.error[static_cast<std::size_t>(k)])
          << rate << " " << k;
  }
}
