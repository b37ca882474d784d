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
