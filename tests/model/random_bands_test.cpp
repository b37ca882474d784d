// Random couplings between a ground level and a band: their statistics, symmetry and streams.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "qheat/model/pair_interaction.hpp"

using namespace qheat;

namespace {

constexpr int kBand = 200;

/// <a 0|V|0 c>, one after the other.
std::vector<Complex> drawn(std::uint64_t seed, int bond) {
  std::vector<Complex> values;
  const auto v = PairInteraction::random_bands(kBand + 1, seed, bond);
  for (const auto& e : v.elements()) {
    if (e.a != 0) values.push_back(e.value);
  }
  return values;
}

double mean(const std::vector<Complex>& values, const auto& number) {
  double sum = 0.0;
  for (const Complex v : values) sum += number(v);
  return sum / static_cast<double>(values.size());
}

TEST(RandomBands, AreComplexGaussiansOfMeanSquareOne) {
  const auto values = drawn(3, 2);
  ASSERT_EQ(values.size(), std::size_t{kBand} * kBand);
  const double error = 1.0 / kBand;  // of a mean of unit variance
  EXPECT_NEAR(mean(values, [](Complex v) { return v.real(); }), 0.0, 4.0 * error);
  EXPECT_NEAR(mean(values, [](Complex v) { return v.imag(); }), 0.0, 4.0 * error);
  EXPECT_NEAR(mean(values, [](Complex v) { return std::norm(v); }), 1.0, 4.0 * error);
  EXPECT_NEAR(mean(values, [](Complex v) { return v.real() * v.real(); }), 0.5, 4.0 * error);
  EXPECT_NEAR(mean(values, [](Complex v) { return v.real() * v.imag(); }), 0.0, 4.0 * error);
  EXPECT_NEAR(mean(values, [](Complex v) { return std::pow(std::norm(v), 2); }), 2.0, 4.0 * 4.5 * error);
  // neighbours in either index are independent
  double rows = 0.0;
  double columns = 0.0;
  for (std::size_t e = 0; e + kBand < values.size(); ++e) {
    rows += (std::conj(values[e]) * values[e + kBand]).real();
    columns += (std::conj(values[e]) * values[e + 1]).real();
  }
  EXPECT_NEAR(rows * error * error, 0.0, 4.0 * error);
  EXPECT_NEAR(columns * error * error, 0.0, 4.0 * error);
}

TEST(RandomBands, BondsAndSeedsAreIndependentAndReproducible) {
  const auto values = drawn(3, 2);
  EXPECT_EQ(values, drawn(3, 2));
  for (const auto& others : {drawn(3, 1), drawn(4, 2), drawn(2, 3)}) {
    double overlap = 0.0;
    for (std::size_t e = 0; e < values.size(); ++e) overlap += (std::conj(values[e]) * others[e]).real();
    EXPECT_NE(values.front(), others.front());
    EXPECT_NEAR(overlap / kBand / kBand, 0.0, 4.0 / kBand);
  }
  // a wider band keeps the elements that it had
  const auto wider = PairInteraction::random_bands(kBand + 6, 3, 2);
  const auto place = std::find_if(wider.elements().begin(), wider.elements().end(),
                                  [](const auto& e) { return e.a == 7 && e.d == 1; });
  EXPECT_EQ(place->value, values[std::size_t{6} * kBand]);
}

TEST(RandomBands, AreHermitianAscendAndKeepTheBands) {
  const auto v = PairInteraction::random_bands(6, 1, 0);
  ASSERT_EQ(v.elements().size(), 50U);
  std::vector<PairElement> listed;
  for (const auto& e : v.elements()) {
    if (e.a != 0) listed.push_back(e);
  }
  const auto completed = PairInteraction::matrix(6, listed, true);  // sorts, and fills in Hermitian partners
  for (std::size_t k = 0; k < 50; ++k) {
    const auto& e = v.elements()[k];
    const auto& expected = completed.elements()[k];
    EXPECT_EQ(std::tie(e.a, e.b, e.c, e.d, e.value),
              std::tie(expected.a, expected.b, expected.c, expected.d, expected.value));
  }
  EXPECT_TRUE(v.conserves({0, 1, 1, 1, 1, 1}));
  EXPECT_FALSE(v.conserves({0, 1, 1, 1, 1, 2}));
  EXPECT_FALSE(v.is_real());
}

}  // namespace
