// The paper's three-site chain with one excitation: the gain-loss kernel W(t) = G'(t) G(t)^{-1} in closed
// form, against the program's exact populations (G) and energy outflows (G', as an excited site has energy
// 1).

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "qheat/evolution/exact.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

/// Solves X G = G' for X by Cramer's rule on the rows.
Matrix right_quotient(const Matrix& derivative, const Matrix& g) {
  const auto minor = [&](std::size_t i, std::size_t j) {
    const std::size_t a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
    return g[a][c] * g[b][d] - g[a][d] * g[b][c];
  };
  const double determinant = g[0][0] * minor(0, 0) + g[0][1] * minor(0, 1) + g[0][2] * minor(0, 2);
  Matrix result{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 3; ++k) result[i][j] += derivative[i][k] * minor(j, k) / determinant;
    }
  }
  return result;
}

Matrix kernel(double lambda, double anisotropy, double t) {
  const auto model =
      uniform_model(Lattice::chain(3), Site({0.0, 1.0}), PairInteraction::exchange(2, anisotropy), lambda);
  Matrix g{};
  Matrix derivative{};
  for (std::size_t start = 0; start < 3; ++start) {
    std::vector<int> levels(3, 0);
    levels[start] = 1;
    UninterruptedRun control;
    Timings timings;
    const auto result = propagate_exact(model, InitialState::product(model, levels), {0.0, t}, {},
                                        qheat_test::world(), control, timings);
    const auto& seen = result.mean;
    for (std::size_t i = 0; i < 3; ++i) g[i][start] = seen.energy[3 + i];
    // bond 0 joins sites 0 and 1, bond 1 sites 1 and 2; [T][B][2]
    derivative[0][start] = -seen.outflow[4];
    derivative[1][start] = -seen.outflow[5] - seen.outflow[6];
    derivative[2][start] = -seen.outflow[7];
  }
  return right_quotient(derivative, g);
}

TEST(ThreeSites, ExchangeKernelHasItsClosedForm) {
  const double lambda = 0.1;
  for (const double t : {0.1, 1.0, 3.0, 6.5}) {
    const Matrix w = kernel(lambda, 1.0, t);
    const double expected =
        2.0 * lambda * std::sin(3.0 * lambda * t) / (1.0 + 2.0 * std::cos(3.0 * lambda * t));
    EXPECT_NEAR(w[0][1], expected, 1e-11) << "t = " << t;
    EXPECT_NEAR(w[1][2], expected, 1e-11) << "t = " << t;
    const double x = lambda * t;
    const double odd_mode =
        lambda * (std::sin(x) + std::sin(2.0 * x)) / (2.0 * std::cos(x) + std::cos(2.0 * x));
    EXPECT_NEAR(w[0][2], odd_mode - expected / 2.0, 1e-11) << "t = " << t;
    for (std::size_t column = 0; column < 3; ++column) {
      EXPECT_NEAR(w[0][column] + w[1][column] + w[2][column], 0.0, 1e-12);
    }
  }
  const Matrix w = kernel(lambda, 1.0, 1.0);
  EXPECT_NEAR(w[0][1], 0.0203059710843, 1e-12);
  EXPECT_NEAR(w[0][2], -1.0264147178e-4, 1e-13);
}

TEST(ThreeSites, XyKernelHasThreeCosineSquaredNotTwo) {
  const double lambda = 0.1;
  const double root = std::sqrt(2.0);
  for (const double t : {0.1, 1.0, 3.0, 5.0}) {
    const Matrix w = kernel(lambda, 0.0, t);
    const double numerator = root * lambda * std::sin(2.0 * root * lambda * t);
    const double cosine_squared = std::pow(std::cos(root * lambda * t), 2);
    EXPECT_NEAR(w[0][1], numerator / (3.0 * cosine_squared - 1.0), 1e-11) << "t = " << t;
    const double printed_in_the_paper = numerator / (2.0 * cosine_squared - 1.0);
    EXPECT_GT(std::abs(w[0][1] - printed_in_the_paper), 0.4 * std::abs(w[0][1])) << "t = " << t;
  }
  EXPECT_NEAR(kernel(lambda, 0.0, 1e-3)[0][1] / (2.0 * lambda * lambda * 1e-3), 1.0, 1e-6);  // its own limit
}

TEST(ThreeSites, KernelDivergesAtItsSingularTime) {
  const double lambda = 0.1;
  const double singular = 2.0 * M_PI / (9.0 * lambda);
  EXPECT_GT(kernel(lambda, 1.0, singular * 0.9999)[0][1], 100.0 * lambda);
  EXPECT_LT(kernel(lambda, 1.0, singular * 1.0001)[0][1], -100.0 * lambda);
}

}  // namespace
