// Steady states between reservoirs against known results, the dense reference and long propagation, on every
// number of ranks.

#include "qheat/steady/steady.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "qheat/evolution/exact.hpp"
#include "qheat/model/thermodynamics.hpp"
#include "qheat/operators/currents.hpp"
#include "qheat/parallel/error.hpp"
#include "steady/measurement.hpp"
#include "support/hot_cold_chain.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using qheat_test::between_reservoirs;
using qheat_test::known_current;
using qheat_test::occupation;

SteadyState steady(const Model& model, const SteadyOptions& options = {}) {
  Timings timings;
  UninterruptedRun control;
  return find_steady_state(model, options, qheat_test::world(), 0.0, control, timings);
}

TEST(Steady, CarriesTheKnownCurrentByBothMethods) {
  for (const double gamma : {0.0, 0.4, 3.0}) {
    for (const int sites : {2, 3, 6}) {
      const auto model = between_reservoirs(sites, 0.7, gamma, 1.1);
      const double expected = known_current(sites, 0.7, gamma, 1.1);
      for (const auto method : {SteadyMethod::direct, SteadyMethod::iterative}) {
        const auto state = steady(model, {.method = method});
        for (const double current : state.current)
          EXPECT_NEAR(current, expected, 1e-8) << sites << " " << gamma;
        EXPECT_NEAR(state.heat[0], expected, 1e-8);
        EXPECT_NEAR(state.heat[1], -expected, 1e-8);
        EXPECT_NEAR(state.entropy_production, expected * (1.0 / 0.5 - 1.0 / 2.0), 1e-8);
        EXPECT_LT(state.residual, 1e-10);
        EXPECT_GT(state.smallest_population, 0.0);
        EXPECT_LT(state.hermiticity_error, 1e-9);
        EXPECT_EQ(state.method, method == SteadyMethod::direct ? "direct" : "iterative");
      }
    }
  }
}

void expect_current(const SteadyState& state, double expected, double rate, double error) {
  for (const double current : state.current) EXPECT_NEAR(current, expected, error * expected) << state.method;
  EXPECT_NEAR(state.heat[0], expected, error * expected) << state.method;
  EXPECT_NEAR(state.heat[1], -expected, error * expected) << state.method;
  EXPECT_NEAR(state.populations[1], occupation(2.0) - expected / rate, 1e-7) << state.method;
  EXPECT_LE(state.balance, error) << state.method;
}

/// physics.md 13.1 from reservoirs 12 orders of magnitude slower than the chain to 9 faster: the right
/// current and heats by every method, or none.
TEST(Steady, CarriesTheKnownCurrentFromWeakToStrongReservoirs) {
  const int step = qheat_test::world().size() > 1 ? 3 : 1;
  for (int power = -12; power <= 9; power += step) {
    const double rate = std::pow(10.0, power);
    for (const double gamma : {0.0, 0.4}) {
      for (const int sites : {2, 3, 4, 5}) {
        SCOPED_TRACE(testing::Message() << sites << " sites, " << gamma << ", " << rate);
        const auto model = between_reservoirs(sites, 1.0, gamma, rate);
        const double expected = known_current(sites, 1.0, gamma, rate);
        expect_current(steady(model), expected, rate, 1e-11);
        try {
          expect_current(steady(model, {.method = SteadyMethod::direct}), expected, rate, 1e-11);
        } catch (const Error& error) {
          EXPECT_GE(power, 8) << error.what();
        }
      }
    }
  }
}

TEST(Steady, IsRightOrRefusedByIterationFromWeakToStrongReservoirs) {
  const bool alone = qheat_test::world().size() == 1;
  for (const int power : alone ? std::vector{-12, -9, -6, -4, -2, 0, 1, 4, 9} : std::vector{-9, -4, 1, 9}) {
    const double rate = std::pow(10.0, power);
    for (const double gamma : {0.0, 0.4}) {
      for (const int sites : {2, 4}) {
        SCOPED_TRACE(testing::Message() << sites << " sites, " << gamma << ", " << rate);
        const auto model = between_reservoirs(sites, 1.0, gamma, rate);
        try {
          expect_current(steady(model, {.method = SteadyMethod::iterative}),
                         known_current(sites, 1.0, gamma, rate), rate, 1e-6);
        } catch (const Error& error) {
          EXPECT_TRUE(power < -4 || power > 1) << error.what();
        }
      }
    }
  }
}

TEST(Steady, IsWhatRandomModelsRelaxTo) {
  int compared = 0;
  for (const auto& random : qheat_test::random_open_cases(16)) {
    if (random.model.bath.reservoirs.empty()) continue;
    const auto state = steady(random.model);
    UninterruptedRun control;
    Timings timings;
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, 5));
    const auto late =
        propagate_exact(random.model, initial, {300.0}, {}, qheat_test::world(), control, timings);
    for (std::size_t e = 0; e < state.populations.size(); ++e)
      EXPECT_NEAR(state.populations[e], late.mean.populations[e], 1e-7) << random.name;
    for (std::size_t e = 0; e < state.outflow.size(); ++e)
      EXPECT_NEAR(state.outflow[e], late.mean.outflow[e], 1e-7) << random.name;
    EXPECT_GE(state.entropy_production, -1e-9);
    ++compared;
  }
  EXPECT_GT(compared, 3);
}

TEST(Steady, EqualTemperaturesGiveTheGibbsProductAndNoCurrent) {
  auto model = uniform_model(Lattice::chain(4), Site({0.0, 1.0, 1.8}), PairInteraction::exchange(3), 0.7);
  model.bath = {.dephasing = 0.2,
                .reservoirs = {{0, 0.9, 1.0, Reservoir::Statistics::bose}, {3, 0.9, 1.5}},
                .correlation = {}};
  const auto gibbs = InitialState::thermal(model, std::vector<double>(4, 0.9));
  const auto state = steady(model);
  EXPECT_TRUE(bonds_keep_level_energy(model));
  for (std::size_t e = 0; e < gibbs.probabilities.size(); ++e)
    EXPECT_NEAR(state.populations[e], gibbs.probabilities[e], 1e-9);
  for (const double current : state.current) EXPECT_NEAR(current, 0.0, 1e-9);
  for (const double temperature : state.temperature) EXPECT_NEAR(temperature, 0.9, 1e-7);
  EXPECT_NEAR(state.entropy_production, 0.0, 1e-9);
}

TEST(Steady, DetunedEndsBreakDetailedBalanceButProduceEntropy) {
  auto model = between_reservoirs(4, 0.7, 0.3, 1.0);
  model.energies[1] = 1.6;
  for (Reservoir& reservoir : model.bath.reservoirs) reservoir.temperature = 1.0;
  EXPECT_FALSE(bonds_keep_level_energy(model));
  const auto state = steady(model);
  EXPECT_GT(std::abs(state.current[1]), 1e-4);
  EXPECT_GT(state.entropy_production, 0.0);
}

TEST(Steady, RefusesStatesThatAreNotUnique) {
  auto closed = between_reservoirs(3, 0.7, 0.3, 1.0);
  closed.bath.reservoirs.clear();
  EXPECT_THROW(steady(closed), InputError);
  for (const auto method : {SteadyMethod::direct, SteadyMethod::iterative}) {
    auto apart = between_reservoirs(4, 0.7, 0.3, 1.0);
    apart.couplings = {1.0, 0.0, 0.0};
    apart.bath.reservoirs.pop_back();  // sites 2 and 3 see nothing but dephasing
    EXPECT_THROW(steady(apart, {.method = method}), Error);
  }
}

/// Pivots that hardly decay: the factors need more room than MUMPS reckons with, and iterations more care.
TEST(Steady, OfWeakReservoirsIsFoundByBothMethods) {
  for (const double rate : {1e-2, 1e-3, 1e-4}) {
    const auto model = between_reservoirs(6, 0.3, 0.0, rate);
    const double expected = known_current(6, 0.3, 0.0, rate);
    for (const auto method : {SteadyMethod::direct, SteadyMethod::iterative}) {
      const auto state = steady(model, {.method = method});
      for (const double current : state.current)
        EXPECT_NEAR(current, expected, 1e-4 * expected) << rate << " " << state.method;
    }
  }
}

/// Two halves that a weak bond joins: the residual alone says little, and the state is unique nevertheless.
TEST(Steady, TellsHowFarASlowStateMayBeOff) {
  auto model = between_reservoirs(4, 0.7, 0.3, 1.0);
  model.couplings = {1.0, 1e-3, 1.0};
  const auto direct = steady(model, {.method = SteadyMethod::direct});
  EXPECT_TRUE(std::isnan(direct.difference_of_starts));
  const auto iterative = steady(model, {.method = SteadyMethod::iterative});
  EXPECT_LT(iterative.difference_of_starts, 1e-4);
  for (std::size_t e = 0; e < direct.populations.size(); ++e)
    EXPECT_NEAR(iterative.populations[e], direct.populations[e],
                std::max(1e-10, 10 * iterative.difference_of_starts));
}

/// All reasons at once, each with what to change.
TEST(Steady, SaysWhyNoStateIsPossible) {
  const auto good = between_reservoirs(4, 0.7, 0.3, 1.0);
  EXPECT_NO_THROW(require_possible_steady_state(good, {}));
  const auto reasons = [](const Model& model) -> std::vector<std::string> {
    try {
      require_possible_steady_state(model, {});
    } catch (const InputError& error) {
      return error.problems();
    }
    return {};
  };
  const auto refuses = [&](const Model& model, std::size_t count, const std::string& words) {
    const auto found = reasons(model);
    EXPECT_EQ(found.size(), count) << words;
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const std::string& text) {
      return text.find(words) != std::string::npos;
    })) << words;
    EXPECT_THROW(steady(model), InputError) << words;
  };
  auto bad = good;
  bad.strength = 0.0;
  refuses(bad, 1, "joins site 1");
  bad = good;
  bad.bath.reservoirs[0].rate = 1e15;
  bad.bath.dephasing = 1e16;
  refuses(bad, 2, "faster than a bond");
  bad = good;
  bad.bath.reservoirs[1].rate = 1e-200;
  refuses(bad, 1, "reservoir at site 3 (rate 1e-200");
  bad = good;
  bad.strength = 1e-200;
  refuses(bad, 1, "take other units");
  bad = good;
  bad.bath.reservoirs[0].temperature = 1e300;
  bad.bath.reservoirs[0].statistics = Reservoir::Statistics::bose;
  refuses(bad, 1, "bosons jump");
  // without a bond, but with a reservoir each
  bad = good;
  bad.strength = 0.0;
  for (const int site : {1, 2})
    bad.bath.reservoirs.push_back({.site = site, .temperature = 1.0, .rate = 0.5});
  EXPECT_TRUE(reasons(bad).empty());
  EXPECT_NEAR(steady(bad).populations[3], occupation(1.0), 1e-12);
  // fermi reservoirs as hot as one likes
  auto hot = good;
  for (Reservoir& reservoir : hot.bath.reservoirs) reservoir.temperature = 1e300;
  for (const double p : steady(hot).populations) EXPECT_NEAR(p, 0.5, 1e-12);
  // strong dephasing is no obstacle
  const auto slow = between_reservoirs(3, 1.0, 1e10, 1.0);
  const double current = known_current(3, 1.0, 1e10, 1.0);
  for (const double j : steady(slow).current) EXPECT_NEAR(j, current, 1e-11 * current);
}

/// A state whose currents do not balance is an error whoever found it.
TEST(Steady, RefusesWhatDoesNotBalance) {
  const auto model = between_reservoirs(3, 0.7, 0.3, 1.0);
  auto state = steady(model);
  const Balance balance(model, kResolvedExactly);
  EXPECT_NO_THROW(require_state(state, 1e-10));
  state.outflow[2] *= 1.0 + 1e-5;
  state.balance = balance.error(state, {});
  EXPECT_NEAR(state.balance, 0.5e-5, 1e-7);
  EXPECT_THROW(require_state(state, 1e-10), Error);
  EXPECT_NO_THROW(require_state(state, 1e-7));
  state.outflow[2] = NAN;
  state.balance = balance.error(state, {});
  EXPECT_THROW(require_state(state, 1e-2), Error);
}

/// On-site terms that change levels take part in the balance, on any graph.
TEST(Steady, BalancesRandomModels) {
  for (auto random : qheat_test::random_open_cases(16)) {
    if (random.model.bath.reservoirs.empty()) continue;
    EXPECT_LE(steady(random.model, {.method = SteadyMethod::direct}).balance, 1e-11) << random.name;
    random.model.onsite = hermitian_onsite(random.model.levels(), {{0, 1, {0.3, 0.1}}});
    EXPECT_LE(steady(random.model, {.method = SteadyMethod::direct}).balance, 1e-11) << random.name;
    EXPECT_LE(steady(random.model, {.method = SteadyMethod::iterative}).balance, 1e-7) << random.name;
  }
}

TEST(Steady, RefusesWhatDoesNotFit) {
  const auto model = between_reservoirs(12, 0.7, 0.3, 1.0);
  Timings timings;
  const SteadyOptions options{.method = SteadyMethod::iterative};
  UninterruptedRun control;
  EXPECT_THROW(find_steady_state(model, options, qheat_test::world(), 1e8, control, timings), Error);
}

TEST(Steady, TemperatureInvertsTheMeanEnergy) {
  const std::vector<double> levels = {0.0, 0.4, 0.4, 2.0};
  for (const double temperature : {0.05, 0.3, 1.0, 20.0}) {
    const auto p = gibbs_probabilities(levels, temperature);
    const double u = std::inner_product(p.begin(), p.end(), levels.begin(), 0.0);
    EXPECT_NEAR(temperature_of(levels, u), temperature, 1e-9 * temperature);
  }
  EXPECT_EQ(temperature_of(levels, 0.0), 0.0);
  EXPECT_EQ(temperature_of(levels, 0.7), INFINITY);
  EXPECT_TRUE(std::isnan(temperature_of(levels, 0.71)));
  EXPECT_TRUE(std::isnan(temperature_of(levels, -0.1)));
}

}  // namespace
