// What a bath is made of, and what is recognised in it.

#include "qheat/model/dissipator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace qheat;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Model chain(int levels = 2) {
  std::vector<double> energies;
  for (int n = 0; n < levels; ++n) energies.push_back(n);
  return uniform_model(Lattice::chain(3), Site(energies), PairInteraction::exchange(levels), 0.5);
}

TEST(Dissipator, ExpandsTheBath) {
  auto model = chain(3);
  model.bath = {.dephasing = 0.3,
                .reservoirs = {{.site = 1, .given = {{0.1, 0.0}, {0.2, 0.4}}}},
                .jumps = {{{2, 1}, {{0 * 3 + 1, 2 * 3 + 0, {0.0, 2.0}}}, 0.7}, {{0}, {{1, 0, 1.0}}, 0.0}},
                .correlation = {}};
  const auto all = dissipators(model);
  ASSERT_EQ(all.size(), 9U + 3U + 1U);
  EXPECT_EQ(all[9].rate, 0.1);
  EXPECT_EQ(all[9].elements[0].to, 1U);
  EXPECT_EQ(all[11].elements[0].from, 2U);
  // the sites of the bond are exchanged, and with them the levels
  EXPECT_EQ(all[12].sites, (std::vector<int>{1, 2}));
  EXPECT_EQ(all[12].elements[0].to, 3U);
  EXPECT_EQ(all[12].elements[0].from, 2U);
  EXPECT_DOUBLE_EQ(all[12].weight(all[12].elements[0], all[12].elements[0]).real(), 2.8);
}

TEST(Dissipator, DephasingIsRecognisedHoweverItIsGiven) {
  auto model = chain();
  for (int i = 0; i < 3; ++i)
    for (std::uint64_t n = 0; n < 2; ++n) model.bath.jumps.push_back({{i}, {{n, n, {0.0, 1.0}}}, 0.25});
  EXPECT_EQ(dissipation(model).dephasing, 0.25);
  EXPECT_TRUE(dissipation(model).others.empty());
  model.bath.dephasing = 0.5;
  EXPECT_EQ(dissipation(model).dephasing, 0.75);
  model.bath.jumps.pop_back();  // no longer everywhere
  EXPECT_EQ(dissipation(model).dephasing, 0.5);
  EXPECT_EQ(dissipation(model).others.size(), 5U);
  model.bath.dephasing = 0.25;  // those of the same rate are not taken twice
  EXPECT_EQ(dissipation(model).dephasing, 0.25);
  EXPECT_EQ(dissipation(model).others.size(), 5U);
}

TEST(Dissipator, SaysWhatItKeeps) {
  auto model = chain();
  EXPECT_TRUE(model.conserves_bands());
  const auto keeps = [&](std::vector<int> sites, std::vector<JumpElement> elements) {
    model.bath.jumps = {{std::move(sites), std::move(elements), 0.3}};
    return std::pair(model.conserves_bands(), model.conserves_band_difference());
  };
  EXPECT_EQ(keeps({0}, {{1, 0, 1.0}}), std::pair(false, true));
  EXPECT_EQ(keeps({0}, {{1, 1, 1.0}}), std::pair(true, true));
  EXPECT_EQ(keeps({0}, {{1, 0, 1.0}, {0, 1, 1.0}}), std::pair(false, false));
  EXPECT_EQ(keeps({0, 1}, {{1, 2, 1.0}}), std::pair(true, true));
  EXPECT_EQ(keeps({0, 1}, {{0, 1, 1.0}, {0, 2, 1.0}}), std::pair(false, true));
  const Dissipator collective{{0, 1}, {{0, 1, 1.0}, {0, 2, 1.0}}, 1.0};
  EXPECT_FALSE(keeps_populations_apart(collective));
  EXPECT_TRUE(keeps_populations_apart({{0}, {{1, 0, 1.0}, {0, 1, 1.0}}, 1.0}));
  EXPECT_TRUE(moves_levels(collective));
  EXPECT_FALSE(moves_levels({{0}, {{1, 1, 1.0}}, 1.0}));
}

TEST(Reservoir, HasATemperatureWhereItsRatesAreThoseOfOne) {
  const std::vector<double> levels = {0.0, 1.0, 3.0};
  const auto temperature = [&](std::vector<JumpRates> rates) {
    return reservoir_temperature({.site = 0, .given = std::move(rates)}, levels);
  };
  EXPECT_NEAR(temperature({{std::exp(-1.0), 1.0}, {std::exp(-2.0), 1.0}}).value(), 1.0, 1e-12);
  EXPECT_NEAR(temperature({{1.0, std::exp(-1.0)}, {1.0, std::exp(-2.0)}}).value(), -1.0, 1e-12);
  EXPECT_EQ(temperature({{0.5, 0.5}, {0.1, 0.1}}).value(), kInfinity);
  EXPECT_EQ(temperature({{0.0, 0.5}, {0.0, 0.1}}).value(), 0.0);
  EXPECT_FALSE(std::signbit(temperature({{0.0, 0.5}, {0.0, 0.1}}).value()));
  EXPECT_TRUE(std::signbit(temperature({{0.5, 0.0}, {0.5, 0.0}}).value()));
  EXPECT_FALSE(temperature({{0.5, 0.0}, {0.0, 0.5}}).has_value());
  EXPECT_FALSE(temperature({{0.5, 0.2}, {0.5, 0.2}}).has_value());
  EXPECT_TRUE(temperature({{0.2, 0.5}, {0.0, 0.0}}).has_value());
  EXPECT_FALSE(reservoir_temperature({.site = 0, .given = {{0.2, 0.1}}}, std::vector{1.0, 1.0}).has_value());
}

}  // namespace
