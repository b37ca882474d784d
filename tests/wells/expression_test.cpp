#include "qheat/wells/expression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "qheat/parallel/error.hpp"

namespace {

using qheat::Expression;

TEST(Expression, HasTheValueOfTheFormula) {
  const Expression screened("exp(-2*abs(r)) / (1 + r^2)", {"r"});
  for (const double r : {-1.5, 0.0, 0.25})
    EXPECT_DOUBLE_EQ(screened({r}), std::exp(-2.0 * std::abs(r)) / (1.0 + r * r));
  const Expression several("x < 0.5 ? 1 : y*sin(pi*x)", {"x", "y"});
  EXPECT_EQ(several({0.25, 3.0}), 1.0);
  EXPECT_DOUBLE_EQ(several({0.75, 3.0}), 3.0 * std::sin(0.75 * std::numbers::pi));
}

TEST(Expression, KeepsItsVariablesWhereItGoes) {
  Expression first("2*T", {"T"});
  const Expression second = std::move(first);
  EXPECT_EQ(second({1.5}), 3.0);
  EXPECT_EQ(second({-1.0}), -2.0);
}

TEST(Expression, IsNotFiniteWhereTheFormulaIsNot) {
  EXPECT_TRUE(std::isinf(Expression("1/r", {"r"})({0.0})));
  EXPECT_TRUE(std::isnan(Expression("sqrt(r)", {"r"})({-1.0})));
}

TEST(Expression, SaysWhereItIsNotUnderstood) {
  for (const char* wrong : {"1/(1+abs(r)", "2*q", "r r", "", "exp()", "1 +"}) {
    try {
      Expression(wrong, {"r"});
      FAIL() << wrong;
    } catch (const qheat::InputError& error) {
      EXPECT_NE(std::string(error.what()).find("character"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
