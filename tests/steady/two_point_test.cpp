// Steady states from two-point functions against the whole density matrix, the dense reference, and closed
// formulas, on every number of ranks.

#include "qheat/steady/two_point.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "qheat/model/two_point_closure.hpp"
#include "qheat/parallel/error.hpp"
#include "support/brute_force.hpp"
#include "support/hot_cold_chain.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using qheat_test::between_reservoirs;
using qheat_test::known_current;
using qheat_test::occupation;

SteadyState steady(const Model& model, SteadyMethod method, double tolerance = 1e-11) {
  Timings timings;
  UninterruptedRun control;
  return find_steady_state(model, {.method = method, .tolerance = tolerance}, qheat_test::world(), 0.0,
                           control, timings);
}

SteadyState two_point(const Model& model, double tolerance = 1e-11) {
  return steady(model, SteadyMethod::two_point, tolerance);
}

/// A random chain: levels with offsets of both, couplings of both signs, complex hopping against the
/// numbering, an on-site term, reservoirs of both kinds at the ends and, at infinite temperature, inside.
Model random_chain(std::uint64_t seed, int sites, double gamma) {
  qheat_test::brute::Generator random(seed);
  std::vector<Bond> bonds;
  for (int i = 0; i + 1 < sites; ++i) bonds.push_back(i % 2 == 0 ? Bond{i, i + 1} : Bond{i + 1, i});
  const auto hop = PairInteraction::matrix(2, {{1, 0, 0, 1, {0.8, 0.6 * random.symmetric()}}}, true);
  auto model = uniform_model(Lattice({sites}, bonds), Site({0.0, 1.0}), hop, 0.7);
  for (double& energy : model.energies) energy += 0.6 * random.symmetric();
  for (double& coupling : model.couplings) coupling = 1.0 + 0.8 * random.symmetric();
  model.couplings.back() *= -1.0;
  model.onsite = {{1, 1, 0.4 * random.symmetric()}};
  model.bath.dephasing = gamma;
  model.bath.reservoirs = {
      {.site = 0, .temperature = 1.5 + random.symmetric(), .rate = 1.0 + 0.8 * random.symmetric()},
      {.site = sites - 1,
       .temperature = 0.4,
       .rate = 0.5,
       .statistics = seed % 2 == 0 ? Reservoir::Statistics::bose : Reservoir::Statistics::fermi}};
  if (sites > 2 && seed % 3 == 0)
    model.bath.reservoirs.push_back(
        {.site = 1 + static_cast<int>(seed) % (sites - 2), .temperature = INFINITY, .rate = 0.6});
  return model;
}

TEST(TwoPoint, IsTheWholeDensityMatrixOfRandomChains) {
  std::uint64_t seed = 0;
  for (const double gamma : {0.0, 0.15, 2.0}) {
    for (int sites = 2; sites <= 5; ++sites) {
      for (int k = 0; k < 3; ++k) {
        const auto model = random_chain(++seed, sites, gamma);
        const auto all = steady(model, SteadyMethod::direct);
        const auto two = two_point(model);
        EXPECT_EQ(two.method, "two-point");
        EXPECT_LE(two.residual, 1e-11);
        EXPECT_LE(two.hermiticity_error, 1e-11);
        const auto same = [&](const std::vector<double>& a, const std::vector<double>& b, double error) {
          ASSERT_EQ(a.size(), b.size());
          for (std::size_t e = 0; e < a.size(); ++e) {
            ASSERT_FALSE(std::isnan(a[e]));
            EXPECT_NEAR(a[e], b[e], error * std::max(1.0, std::abs(a[e]))) << seed << " " << e;
          }
        };
        same(two.populations, all.populations, 1e-9);
        same(two.energy, all.energy, 1e-9);
        same(two.outflow, all.outflow, 1e-9);
        same(two.current, all.current, 1e-9);
        same(two.heat, all.heat, 1e-9);
        same({two.entropy_production}, {all.entropy_production}, 1e-8);
        // temperatures near the mean level magnify the error of the energy
        for (std::size_t i = 0; i < two.temperature.size(); ++i) {
          if (two.temperature[i] < 20.0) {
            EXPECT_NEAR(two.temperature[i], all.temperature[i], 1e-6);
          }
        }
      }
    }
  }
}

TEST(TwoPoint, StandsStillInTheDenseReference) {
  // The reference's derivative of populations in a long evolution ends at what the two-point equations give.
  const auto model = random_chain(3, 3, 0.3);
  ASSERT_EQ(model.bath.reservoirs.size(), 3U);
  auto reference = qheat_test::reference_of(model);
  reference.dephasing = model.bath.dephasing;
  for (const Reservoir& r : model.bath.reservoirs)
    reference.reservoirs.push_back(
        {r.site, r.temperature, r.rate, r.statistics == Reservoir::Statistics::bose});
  const auto late = qheat_test::brute::evolve_open(
      reference, qheat_test::local_probabilities(model, InitialState::product(model, {1, 0, 1})), {120.0});
  const auto state = two_point(model);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t n = 0; n < 2; ++n)
      EXPECT_NEAR(state.populations[2 * i + n], late.populations[0][i][n], 1e-8);
  for (std::size_t b = 0; b < 2; ++b) EXPECT_NEAR(state.current[b], late.current[0][b], 1e-8);
}

TEST(TwoPoint, CarriesTheKnownCurrent) {
  for (const double gamma : {0.0, 0.4, 3.0}) {
    for (int sites = 2; sites <= 40; ++sites) {
      const double expected = known_current(sites, 0.7, gamma, 1.1);
      const auto state = two_point(between_reservoirs(sites, 0.7, gamma, 1.1));
      for (const double current : state.current)
        EXPECT_NEAR(current, expected, 1e-11) << sites << " " << gamma;
      EXPECT_NEAR(state.heat[0], expected, 1e-11);
      EXPECT_NEAR(state.heat[1], -expected, 1e-11);
      EXPECT_NEAR(state.entropy_production, expected * 1.5, 1e-10);
    }
  }
}

/// Reservoirs from 12 orders of magnitude slower than the chain to 9 faster.
TEST(TwoPoint, CarriesTheKnownCurrentFromWeakToStrongReservoirs) {
  for (const double gamma : {0.0, 0.4}) {
    for (const int sites : {2, 3, 4, 5, 12}) {
      for (int power = -12; power <= 9; power += qheat_test::world().size() > 1 ? 3 : 1) {
        const double rate = std::pow(10.0, power);
        const double expected = known_current(sites, 1.0, gamma, rate);
        for (const double tolerance : {1e-10, 1e-6}) {
          const auto state = two_point(between_reservoirs(sites, 1.0, gamma, rate), tolerance);
          for (const double current : state.current)
            EXPECT_NEAR(current, expected, 1e-11 * expected) << sites << " " << gamma << " " << rate;
          EXPECT_NEAR(state.heat[0], expected, 1e-11 * expected) << sites << " " << gamma << " " << rate;
          EXPECT_NEAR(state.heat[1], -expected, 1e-11 * expected);
          EXPECT_NEAR(state.populations[1], occupation(2.0) - expected / rate, 1e-12);
          EXPECT_LE(state.balance, 1e-11);
        }
      }
    }
  }
}

/// Currents through detuned sites and against the numbering of bonds balance as well.
TEST(TwoPoint, BalancesRandomChainsFromWeakToStrongReservoirs) {
  std::uint64_t seed = 100;
  for (int power = -12; power <= 9; power += 3) {
    for (const double gamma : {0.0, 0.15}) {
      auto model = random_chain(++seed, 4, gamma);
      for (Reservoir& reservoir : model.bath.reservoirs) reservoir.rate *= std::pow(10.0, power);
      const auto state = two_point(model, 1e-10);
      const auto flow = [&](std::size_t b) {
        const Bond bond = model.lattice.bonds()[b];
        const double gap = model.energy(bond.first, 1) - model.energy(bond.first, 0);
        return state.outflow[2 * b] / gap * (bond.first < bond.second ? 1.0 : -1.0);
      };
      const double in = state.heat[0] / (model.energy(0, 1) - model.energy(0, 0));
      EXPECT_NEAR(flow(0), in, 1e-10 * std::abs(in)) << power << " " << gamma;
      if (model.bath.reservoirs.size() > 2) continue;
      for (std::size_t b = 1; b < state.current.size(); ++b)
        EXPECT_NEAR(flow(b), in, 1e-10 * std::abs(in)) << power << " " << gamma;
    }
  }
}

TEST(TwoPoint, CarriesTheKnownCurrentThroughLongChains) {
  for (const int sites : {1000, 10000}) {
    if (sites == 10000 && qheat_test::world().size() > 1) continue;  // rank 0 alone works
    for (const double gamma : sites == 1000 ? std::vector{0.0, 0.5} : std::vector{0.5}) {
      const double expected = known_current(sites, 0.7, gamma, 1.1);
      const auto state = two_point(between_reservoirs(sites, 0.7, gamma, 1.1), 1e-10);
      double largest = 0.0;
      for (const double current : state.current)
        largest = std::max(largest, std::abs(current / expected - 1.0));
      EXPECT_LT(largest, 1e-10) << sites << " " << gamma;
      // the profile is a straight line, half way at the middle
      EXPECT_NEAR(state.energy[static_cast<std::size_t>(sites / 2)] +
                      state.energy[static_cast<std::size_t>((sites - 1) / 2)],
                  occupation(2.0) + occupation(0.5), 1e-9);
    }
  }
}

TEST(TwoPoint, SettlesWhereNothingFlows) {
  auto model = between_reservoirs(700, 0.7, 0.4, 1.0);
  model.bath.reservoirs[1].temperature = model.bath.reservoirs[0].temperature;
  const auto state = two_point(model, 1e-10);
  EXPECT_LT(state.elements, 700 * 20);
  for (const double current : state.current) EXPECT_NEAR(current, 0.0, 1e-14);
  for (const double temperature : state.temperature) EXPECT_NEAR(temperature, 2.0, 1e-9);
}

TEST(TwoPoint, WidensTheBandUntilNothingChanges) {
  // Detuned sites: coherences reach beyond neighbours; all of them or the band that suffices, the same
  // currents.
  auto model = random_chain(7, 60, 0.6);
  const auto band = two_point(model, 1e-10);
  EXPECT_LT(band.elements, 60 * 60);
  EXPECT_GT(band.elements, 60 * 7);
  const auto finer = two_point(model, 1e-12);
  EXPECT_GE(finer.elements, band.elements);
  for (std::size_t e = 0; e < band.outflow.size(); ++e) EXPECT_NEAR(band.outflow[e], finer.outflow[e], 1e-9);
  // power that comes from the reservoirs ends up in bonds and dephasing only: particles are conserved
  const auto flow = [&](std::size_t b, std::size_t end) {
    const Bond bond = model.lattice.bonds()[b];
    const int site = end == 0 ? bond.first : bond.second;
    return band.outflow[2 * b + end] / (model.energy(site, 1) - model.energy(site, 0));
  };
  const double first = flow(0, 0);
  for (std::size_t b = 0; b < band.current.size(); ++b) {
    const double upward = model.lattice.bonds()[b].first < model.lattice.bonds()[b].second ? 1.0 : -1.0;
    EXPECT_NEAR(upward * flow(b, 0), first, 1e-9);
    EXPECT_NEAR(flow(b, 0), -flow(b, 1), 1e-12);
  }
}

TEST(TwoPoint, TakesOverWhereTheDensityMatrixDoesNotFit) {
  const auto small = between_reservoirs(4, 0.7, 0.4, 1.0);
  EXPECT_FALSE(takes_two_point(small, {}, 1, 1e9));
  EXPECT_TRUE(takes_two_point(small, {}, 1, 1e3));
  const auto large = between_reservoirs(200, 0.7, 0.4, 1.0);
  EXPECT_TRUE(takes_two_point(large, {}, 1, 0.0));
  EXPECT_EQ(steady(large, SteadyMethod::automatic).method, "two-point");
  EXPECT_FALSE(takes_two_point(large, {.method = SteadyMethod::iterative}, 1, 1e9));
}

TEST(TwoPoint, SaysWhyItDoesNotClose) {
  const auto good = between_reservoirs(5, 0.7, 0.4, 1.0);
  EXPECT_TRUE(two_point_obstacles(good).empty());
  const auto refuses = [](const Model& model, const std::string& word) {
    const auto obstacles = two_point_obstacles(model);
    const bool told = std::any_of(obstacles.begin(), obstacles.end(), [&](const std::string& text) {
      return text.find(word) != std::string::npos;
    });
    EXPECT_TRUE(told) << word;
    EXPECT_THROW(two_point(model), InputError) << word;
  };
  auto bad = good;
  bad.interactions[0] = PairInteraction::exchange(2, 1.0);
  refuses(bad, "elements other than");
  bad = good;
  bad.onsite = hermitian_onsite(2, {{0, 1, 0.3}});
  refuses(bad, "off its diagonal");
  bad = good;
  bad.bath.reservoirs[0].site = 2;
  refuses(bad, "inside the chain");
  for (const auto& lattice : {Lattice::ring(5), Lattice({2, 3}, {false, false})}) {
    auto other = uniform_model(lattice, Site({0.0, 1.0}), PairInteraction::xy(2), 0.7);
    other.bath = good.bath;
    refuses(other, "open chain");
  }
  auto levels = uniform_model(Lattice::chain(5), Site({0.0, 1.0, 2.0}), PairInteraction::xy(3), 0.7);
  levels.bath = good.bath;
  refuses(levels, "3 levels");
  bad = good;
  bad.bath.reservoirs.clear();
  EXPECT_THROW(two_point(bad), InputError);
}

TEST(TwoPoint, RefusesStatesThatAreNotUniqueAndBandsThatDoNotFit) {
  auto apart = between_reservoirs(6, 0.7, 0.3, 1.0);
  apart.couplings[2] = 0.0;
  EXPECT_NO_THROW(two_point(apart));  // each half has a reservoir
  apart.bath.reservoirs.pop_back();
  EXPECT_THROW(two_point(apart), Error);
  // one hot site in the middle of an odd chain without dephasing: modes with a node there decay all the same,
  // by the string that coherences across it carry
  auto nodes = between_reservoirs(5, 0.7, 0.0, 1.0);
  nodes.bath.reservoirs = {{.site = 2, .temperature = INFINITY, .rate = 1.0}};
  for (const double p : two_point(nodes).populations) EXPECT_NEAR(p, 0.5, 1e-10);
  // long coherences and little memory
  Timings timings;
  EXPECT_THROW(two_point_steady_state(random_chain(1, 400, 1e-3), 1e-10, qheat_test::world(), 2e6, timings),
               Error);
}

}  // namespace
