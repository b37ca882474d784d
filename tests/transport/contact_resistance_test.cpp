// The fit of contact resistance and conductivity, what is concluded from it, and gradients of steady states.

#include "qheat/transport/contact_resistance.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "qheat/model/counter_random.hpp"
#include "qheat/steady/two_point.hpp"
#include "qheat/transport/chain_resistance.hpp"
#include "qheat/transport/steady_gradient.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using Kind = TransportVerdict::Kind;

std::vector<double> line(const std::vector<double>& sizes, double contact, double conductivity) {
  std::vector<double> y;
  for (const double n : sizes) y.push_back(contact + n / conductivity);
  return y;
}

TEST(ContactFit, FindsAnExactLine) {
  const std::vector<double> sizes = {4, 6, 9, 20};
  const auto fit = fit_contact_resistance(sizes, line(sizes, -1.5, 0.25), {{0, 0, 0, 0}});
  EXPECT_NEAR(fit.contact_resistance, -1.5, 1e-12);
  EXPECT_NEAR(fit.conductivity, 0.25, 1e-13);
  EXPECT_LT(fit.conductivity_error, 1e-13);
  EXPECT_LT(fit.deviation, 1e-13);
}

TEST(ContactFit, StandardErrorsAreThoseOfRepeatedDraws) {
  const std::vector<double> sizes = {3, 5, 8, 12, 20, 30};
  const double noise = 0.3;
  const CounterRandom random(7);
  double slopes = 0.0;
  double starts = 0.0;
  double slope_variance = 0.0;
  double start_variance = 0.0;
  constexpr std::uint32_t kDraws = 4000;
  for (std::uint32_t draw = 0; draw < kDraws; ++draw) {
    auto y = line(sizes, 2.0, 0.5);
    for (std::uint32_t s = 0; s < sizes.size(); ++s) y[s] += noise * random.normal({draw, s, 0, 0});
    const auto fit = fit_contact_resistance(sizes, y, std::vector<double>(sizes.size(), 0.0));
    slopes += std::pow(fit.slope - 2.0, 2);
    starts += std::pow(fit.contact_resistance - 2.0, 2);
    slope_variance += std::pow(fit.slope_error, 2);
    start_variance += std::pow(fit.contact_resistance_error, 2);
  }
  EXPECT_NEAR(slopes / slope_variance, 1.0, 0.08);
  EXPECT_NEAR(starts / start_variance, 1.0, 0.08);
}

TEST(ContactFit, CountsTheErrorsOfSingleResistances) {
  const std::vector<double> sizes = {4, 6, 8};
  const auto fit = fit_contact_resistance(sizes, line(sizes, 1.0, 1.0), {{0.1, 0.0, 0.1}});
  EXPECT_NEAR(fit.slope_error, 0.1 * std::sqrt(2.0) / 4.0, 1e-12);
}

TEST(ContactFit, HasNoErrorFromTwoSizesAndNothingFromOne) {
  const auto two = fit_contact_resistance({{4.0, 8.0}}, {{5.0, 9.0}}, {{0.0, 0.0}});
  EXPECT_NEAR(two.conductivity, 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(two.conductivity_error) && std::isnan(two.contact_resistance_error));
  EXPECT_TRUE(std::isnan(fit_contact_resistance({{4.0}}, {{5.0}}, {{0.0}}).conductivity));
  EXPECT_TRUE(std::isnan(
      fit_contact_resistance({{4.0, 5.0, 6.0}}, {{5.0, NAN, 6.0}}, {{0.0, 0.0, 0.0}}).conductivity));
}

TEST(ContactFit, HasNoConductivityWhereTheResistanceDoesNotGrow) {
  const auto infinite = [](const ContactFit& fit) {
    return std::isinf(fit.conductivity) && fit.conductivity > 0.0 && std::isnan(fit.conductivity_error);
  };
  const std::vector<double> none = {0, 0, 0, 0};
  // rounding, also where it lies on a line, falling, with scatter, and with errors of the single resistances
  EXPECT_TRUE(
      infinite(fit_contact_resistance({{4, 6, 8, 10}}, {{5, 5 + 2e-12, 5 - 1e-12, 5 + 3e-12}}, none)));
  EXPECT_TRUE(infinite(fit_contact_resistance({{4, 6, 8, 10}}, line({4, 6, 8, 10}, 5.0, 1e12), none)));
  EXPECT_TRUE(infinite(fit_contact_resistance({{4, 6, 8, 10}}, line({4, 6, 8, 10}, 5.0, -10.0), none)));
  EXPECT_TRUE(infinite(fit_contact_resistance({{4, 6, 8, 10}}, {{5, 6, 4, 6}}, none)));
  EXPECT_TRUE(
      infinite(fit_contact_resistance({{4, 6, 8, 10}}, line({4, 6, 8, 10}, 5.0, 10.0), {{1, 1, 1, 1}})));
  EXPECT_TRUE(infinite(fit_contact_resistance({{4, 6}}, {{5, 5}}, {{0, 0}})));
  // a small slope that is surely there
  const auto slow = fit_contact_resistance({{4, 6, 8, 10}}, line({4, 6, 8, 10}, 5.0, 1e4), none);
  EXPECT_NEAR(slow.conductivity, 1e4, 1e-5);
}

TransportVerdict judge(const std::vector<double>& sizes, const std::vector<std::vector<double>>& resistance) {
  std::vector<ContactFit> fits;
  for (const auto& y : resistance)
    fits.push_back(fit_contact_resistance(sizes, y, std::vector<double>(sizes.size(), 0.0)));
  return judge_resistance(sizes, resistance, fits);
}

TEST(Verdict, SaysOnlyWhatIsSure) {
  const std::vector<double> sizes = {4, 6, 8, 12};
  const std::vector<double> few = {4, 6, 8};
  EXPECT_EQ(judge(sizes, {line(sizes, 3, 1), line(sizes, 1, 1)}).kind, Kind::diffusive);
  // one rate, few sizes, contacts that dominate, conductivities that differ
  EXPECT_EQ(judge(sizes, {line(sizes, 3, 1)}).kind, Kind::undecided);
  EXPECT_EQ(judge(few, {line(few, 3, 1), line(few, 1, 1)}).kind, Kind::undecided);
  EXPECT_EQ(judge(sizes, {line(sizes, 30, 1), line(sizes, 1, 1)}).kind, Kind::undecided);
  EXPECT_EQ(judge(sizes, {line(sizes, 3, 1), line(sizes, 3, 1.1)}).kind, Kind::undecided);
  // anomalous: resistance ~ sqrt N and ~ N^1.5
  for (const double power : {0.5, 1.5}) {
    std::vector<double> y;
    for (const double n : sizes) y.push_back(std::pow(n, power));
    EXPECT_EQ(judge(sizes, {y, y}).kind, Kind::undecided) << power;
  }
  EXPECT_EQ(judge(few, {{2.0, 2.0, 2.0}}).kind, Kind::ballistic);
  EXPECT_EQ(judge({4, 5, 6}, {{2.0, 2.0, 2.0}}).kind, Kind::undecided);
  EXPECT_EQ(judge(sizes, {{1.0, NAN, 2.0, 3.0}}).kind, Kind::undecided);
}

Model chain(int sites, double gamma, double rate) {
  auto model = uniform_model(Lattice({sites}, std::vector<bool>{false}, 2.0), Site({0.0, 1.0}),
                             PairInteraction::xy(2), 0.4);
  model.bath = {.dephasing = gamma,
                .reservoirs = {{.site = 0, .temperature = 2.0, .rate = rate},
                               {.site = sites - 1, .temperature = 0.5, .rate = rate}},
                .correlation = {}};
  return model;
}

SteadyState steady_state(const Model& model) {
  Timings timings;
  return two_point_steady_state(model, 1e-11, qheat_test::world(), 0.0, timings);
}

TEST(SteadyGradient, GivesTheDiffusionOfTheDephasedChain) {
  // D = lambda^2 a^2/gamma at any coupling (Znidaric, J. Stat. Mech. L05002 (2010)), and kappa = D C_V(T).
  const auto model = chain(400, 0.25, 1.0);
  const auto state = steady_state(model);
  const double expected = 0.4 * 0.4 * 4.0 / 0.25;
  EXPECT_NEAR(bulk_coefficients(model, state).diffusion, expected, 1e-7);
  const auto bonds = bond_coefficients(model, state);
  for (std::size_t b = 1; b + 2 < bonds.diffusion.size(); ++b) {
    EXPECT_NEAR(bonds.diffusion[b], expected, 1e-5);
    const double t = 0.5 * (state.temperature[b] + state.temperature[b + 1]);
    const double heat = std::pow(1.0 / t, 2) / std::pow(2.0 * std::cosh(0.5 / t), 2);
    EXPECT_NEAR(bonds.kappa[b], expected * heat, 1e-4 * expected);
  }
}

TEST(SteadyGradient, HasTheKnownResistance) {
  const std::vector<double> sizes = {3, 5, 9, 17, 33};
  std::vector<std::vector<double>> resistance;
  std::vector<ContactFit> fits;
  for (const double rate : {0.5, 1.0, 3.0}) {
    resistance.emplace_back();
    for (const double n : sizes) {
      const auto model = chain(static_cast<int>(n), 0.25, rate);
      resistance.back().push_back(chain_resistance(model, steady_state(model)).resistance);
    }
    fits.push_back(fit_contact_resistance(sizes, resistance.back(), std::vector<double>(sizes.size(), 0.0)));
    // physics.md 13.1
    EXPECT_NEAR(fits.back().conductivity, 0.4 * 0.4 / 0.25, 1e-9);
    EXPECT_NEAR(fits.back().contact_resistance, 2.0 / rate + (rate - 2.0 * 0.25) / (2.0 * 0.16), 1e-8);
  }
  EXPECT_TRUE(conductivities_agree(fits, 1e-6));
  EXPECT_EQ(judge_resistance(sizes, resistance, fits).kind, Kind::diffusive);
}

TEST(SteadyGradient, IsNotThereWhereItMeansNothing) {
  auto model = chain(5, 0.25, 1.0);
  for (Reservoir& r : model.bath.reservoirs) r.temperature = 1.0;
  auto state = steady_state(model);
  EXPECT_TRUE(std::isnan(chain_resistance(model, state).resistance));
  EXPECT_TRUE(std::isnan(bulk_coefficients(model, state).diffusion));
  model.bath.reservoirs.pop_back();
  state = steady_state(model);
  EXPECT_TRUE(std::isnan(chain_resistance(model, state).current));
  EXPECT_TRUE(
      std::isnan(bulk_coefficients(chain(3, 0.25, 1.0), steady_state(chain(3, 0.25, 1.0))).diffusion));
}

}  // namespace
