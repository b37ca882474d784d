#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "qheat/wells/pair_potential.hpp"
#include "qheat/wells/well_elements.hpp"

namespace {

using namespace qheat;

PairPotential table_of(int rows, double first, double last, double (*value)(double)) {
  std::vector<double> r, v;
  for (int k = 0; k < rows; ++k) {
    r.push_back(first + (last - first) * k / (rows - 1));
    v.push_back(value(r.back()));
  }
  return potential_through(r, v);
}

double smooth(double r) {
  return std::exp(-r * r);
}

/// The error holds the distance from the potential that the table was made of, and shrinks with it.
TEST(PotentialTable, ErrorOfElementsHolds) {
  const Well well{.separation = 0.4};
  const PairPotential exact{.form = PairPotential::Form::given, .value = smooth};
  const WellElements right(well, exact, 6);
  double last = 1.0;
  for (const int rows : {12, 40, 160}) {
    const PairPotential potential = table_of(rows, 0.0, 2.0, smooth);
    const WellElements found(well, potential, 6);
    for (int a = 0; a < 6; ++a) {
      for (int b = 0; b < 6; ++b) {
        for (int c = 0; c < 6; ++c) {
          const auto one = found(a, b, c, (a + b + c) % 6);
          EXPECT_NEAR(one.value, right(a, b, c, (a + b + c) % 6).value, one.error) << rows;
        }
      }
    }
    EXPECT_LT(potential.value_error, 0.2 * last);
    last = potential.value_error;
  }
  EXPECT_LT(last, 1e-3);
}

TEST(PotentialTable, IsEvenUnlessItSaysOtherwise) {
  const PairPotential even = table_of(9, 0.0, 2.0, smooth);
  EXPECT_EQ(even.value(-0.7), even.value(0.7));
  EXPECT_TRUE(std::isnan(even.value(2.1)));
  const PairPotential odd = table_of(9, -1.0, 1.0, [](double r) { return r; });
  EXPECT_NEAR(odd.value(-0.3), -0.3, 1e-12);
  EXPECT_TRUE(std::isnan(odd.value(-1.1)));
}

/// A step of any width: elements of a V between 0 and 1 lie between 0 and 1.
TEST(PotentialTable, DoesNotOvershootAtSteps) {
  for (const double width : {0.1, 1e-3, 1e-9}) {
    const PairPotential step =
        potential_through({0.0, 1.0, 1.0 + width, 2.0, 3.0}, {1.0, 1.0, 0.0, 0.0, 0.0});
    for (int k = 0; k <= 3000; ++k) {
      EXPECT_NEAR(step.value(k / 1000.0), 0.5, 0.5 + 1e-12);
    }
    const WellElements elements({.separation = 1.0}, step, 3);
    for (int a = 0; a < 3; ++a) {
      const double diagonal = elements.exchange(a, a).value;
      EXPECT_GT(diagonal, 0.0);
      EXPECT_LT(diagonal, 1.0);
    }
  }
}

TEST(PotentialTable, PassesThroughItsRows) {
  const PairPotential potential = table_of(15, 0.0, 1.0, [](double r) { return std::cos(9.0 * r); });
  for (int k = 0; k < 15; ++k) EXPECT_NEAR(potential.value(k / 14.0), std::cos(9.0 * k / 14.0), 1e-13);
}

}  // namespace
