// Where gradients, temperatures and resistances of steady states mean something, and where they do not.

#include "qheat/transport/steady_gradient.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "qheat/operators/currents.hpp"
#include "qheat/transport/chain_resistance.hpp"
#include "qheat/transport/level_energy.hpp"
#include "support/hot_cold_chain.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

SteadyState steady(const Model& model, SteadyMethod method = SteadyMethod::automatic) {
  UninterruptedRun control;
  Timings timings;
  return find_steady_state(model, {.method = method}, qheat_test::world(), 0.0, control, timings);
}

bool all_nan(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

Model lattice(std::vector<int> shape, const std::vector<int>& hot, const std::vector<int>& cold) {
  const std::vector<bool> open(shape.size(), false);
  auto model =
      uniform_model(Lattice(std::move(shape), open), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.2);
  model.bath.dephasing = 0.4;
  for (const int site : hot) model.bath.reservoirs.push_back({.site = site, .temperature = 3.0, .rate = 0.3});
  for (const int site : cold)
    model.bath.reservoirs.push_back({.site = site, .temperature = 0.6, .rate = 0.3});
  return model;
}

TEST(Gradient, OfABallisticChainIsNone) {
  // Reservoirs that outrun the chain leave residuals above its gradient, which is exactly zero.
  for (const double rate : {0.8, 800.0}) {
    const auto model = qheat_test::between_reservoirs(5, 0.5, 0.0, rate);
    const auto state = steady(model, SteadyMethod::direct);
    EXPECT_TRUE(std::isnan(bulk_coefficients(model, state).diffusion)) << rate;
    EXPECT_TRUE(std::isnan(bulk_coefficients(model, state).kappa)) << rate;
    EXPECT_EQ(bulk_coefficients(model, state).obstacle, "no gradient inside to be told from zero");
    auto rough = state;  // as an iteration leaves it
    rough.residual = 2.8e-11;
    for (std::size_t i = 0; i < rough.energy.size(); ++i)
      rough.energy[i] += 1e-12 * rate * static_cast<double>((7 * i) % 5);
    EXPECT_TRUE(std::isnan(bulk_coefficients(model, rough).diffusion)) << rate;
    const auto bonds = bond_coefficients(model, rough);
    EXPECT_TRUE(std::isnan(bonds.diffusion[1]) && std::isnan(bonds.diffusion[2])) << rate;
  }
}

TEST(Gradient, HasTheErrorOfItsState) {
  const auto model = qheat_test::between_reservoirs(8, 0.2, 0.2, 0.3);
  auto state = steady(model);
  const double truth = 0.2;
  const auto bulk = bulk_coefficients(model, state);
  EXPECT_LE(std::abs(bulk.diffusion - truth), bulk.diffusion_error);
  EXPECT_LT(bulk.diffusion_error, 1e-6);
  EXPECT_TRUE(bulk.obstacle.empty());
  // worse states have larger errors, which hold what is wrong with them
  state.residual = 1e-6;
  state.energy[2] += 1e-7;
  const auto worse = bulk_coefficients(model, state);
  EXPECT_LE(std::abs(worse.diffusion - truth), worse.diffusion_error);
  EXPECT_GT(worse.diffusion_error, 100.0 * bulk.diffusion_error);
  state.residual = 1.0;
  EXPECT_TRUE(std::isnan(bulk_coefficients(model, state).diffusion));
  EXPECT_TRUE(all_nan(bond_coefficients(model, state).kappa));
  EXPECT_TRUE(std::isnan(chain_resistance(model, state).resistance));
}

TEST(Gradient, AcrossPlanesIsThatOfTheAxis) {
  const auto along_x = lattice({4, 2}, {0, 4}, {3, 7});
  const auto along_y = lattice({2, 4}, {0, 1}, {6, 7});
  const auto x = steady(along_x);
  const auto y = steady(along_y);
  const auto profile = plane_profile(along_x, x);
  EXPECT_EQ(profile.axis.name(), 'x');
  EXPECT_EQ(plane_profile(along_y, y).axis.name(), 'y');
  ASSERT_EQ(profile.energy.size(), 4U);
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_GT(profile.energy[p], profile.energy[p + 1]);
    EXPECT_GT(profile.temperature[p], profile.temperature[p + 1]);
    EXPECT_NEAR(profile.current[p], x.heat[0], 1e-8);  // of each site of the face
    EXPECT_NEAR(profile.energy[p], 0.5 * (x.energy[p] + x.energy[p + 4]), 1e-14);
  }
  const auto bulk = bulk_coefficients(along_x, x);
  EXPECT_NEAR(bulk.diffusion, bulk_coefficients(along_y, y).diffusion, 1e-5 * bulk.diffusion);
  EXPECT_NEAR(bulk.diffusion, -profile.current[1] / (profile.energy[2] - profile.energy[1]), 1e-12);
  EXPECT_NEAR(bulk.diffusion, 0.04 / 0.4, 0.03);
  EXPECT_GT(bulk.kappa, 0.0);
}

TEST(Gradient, NeedsReservoirsOnOppositeFaces) {
  const std::vector<Model> models = {
      lattice({3, 2}, {0}, {5}),        // opposite corners
      lattice({3, 2}, {0, 3}, {2}),     // half a face
      lattice({3, 2}, {0, 3}, {1, 4}),  // inside
      lattice({2, 2}, {0, 1}, {2, 3}),  // faces of both axes
      lattice({6}, {0}, {3}),
  };
  for (const Model& model : models) {
    EXPECT_FALSE(transport_axis(model).found());
    EXPECT_EQ(transport_axis(model).obstacle, "reservoirs are not on two opposite whole faces of one axis");
    const auto state = steady(model);
    EXPECT_TRUE(std::isnan(bulk_coefficients(model, state).diffusion));
    EXPECT_TRUE(plane_profile(model, state).energy.empty());
    EXPECT_TRUE(plane_coefficients(model, state, plane_profile(model, state)).diffusion.empty());
  }
}

TEST(Gradient, OfDetunedSitesIsNone) {
  auto model = qheat_test::between_reservoirs(4, 3.0, 1.0, 2.0);
  for (int i = 0; i < 4; ++i) model.energies[2 * i + 1] = i == 1 || i == 2 ? 35.0 : 25.0;
  model.bath.reservoirs[0].temperature = 27.0;
  model.bath.reservoirs[1].temperature = 25.0;
  const auto state = steady(model);
  EXPECT_GT(state.temperature[1], 30.0);  // hotter than both baths, were it one
  EXPECT_EQ(temperatures_known(model), (std::vector<bool>{true, false, false, true}));
  const auto bulk = bulk_coefficients(model, state);
  EXPECT_TRUE(std::isnan(bulk.diffusion) && std::isnan(bulk.kappa));
  EXPECT_TRUE(all_nan(bond_coefficients(model, state).kappa));
  EXPECT_EQ(level_energy_warnings(model).size(), 1U);
  const auto profile = plane_profile(model, state);
  EXPECT_TRUE(std::isnan(profile.temperature[1]) && !std::isnan(profile.temperature[0]));
  // offsets of all levels of a site move energies without any gradient
  auto shifted = qheat_test::between_reservoirs(4, 0.2, 0.5, 0.3);
  for (int n = 0; n < 2; ++n) shifted.energies[2 + static_cast<std::size_t>(n)] += 0.3;
  const auto moved = steady(shifted);
  EXPECT_TRUE(bonds_keep_level_energy(shifted));
  EXPECT_TRUE(std::isnan(bulk_coefficients(shifted, moved).diffusion));
  EXPECT_TRUE(std::isnan(bond_coefficients(shifted, moved).diffusion[1]));
}

TEST(LevelEnergy, IsMissedWhereLevelsAreDegenerate) {
  auto model = qheat_test::between_reservoirs(4, 100.0, 20.0, 10.0);
  model.site = Site({0.0, 0.0});
  std::fill(model.energies.begin(), model.energies.end(), 0.0);
  EXPECT_TRUE(no_level_energy(model));
  ASSERT_EQ(level_energy_warnings(model).size(), 1U);
  EXPECT_NE(level_energy_warnings(model)[0].find("no level energy"), std::string::npos);
  EXPECT_NE(resistance_obstacle(model).find("f = 0.5"), std::string::npos);
  EXPECT_EQ(bulk_coefficients(model, steady(model)).obstacle, "sites carry no level energy");
  EXPECT_EQ(temperatures_known(model), std::vector<bool>(4, false));
}

TEST(LevelEnergy, WarnsOfStrongInteractions) {
  EXPECT_TRUE(level_energy_warnings(qheat_test::between_reservoirs(4, 0.2, 0.5, 0.3)).empty());
  EXPECT_EQ(level_energy_warnings(qheat_test::between_reservoirs(4, 0.9, 0.5, 0.3)).size(), 1U);
}

TEST(Resistance, SaysWhatItLacks) {
  auto model = qheat_test::between_reservoirs(4, 0.2, 0.5, 0.3);
  EXPECT_EQ(resistance_obstacle(model), "");
  model.bath.reservoirs[1].temperature = 2.0;
  EXPECT_NE(resistance_obstacle(model).find("nothing drives a current"), std::string::npos);
  model.bath.reservoirs.pop_back();
  EXPECT_NE(resistance_obstacle(model).find("one reservoir"), std::string::npos);
  EXPECT_NE(resistance_obstacle(lattice({3, 2}, {0, 3}, {2, 5})).find("no open chain"), std::string::npos);
}

}  // namespace
