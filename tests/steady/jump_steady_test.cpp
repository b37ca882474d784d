// Steady states under sources, sinks and any jumps: published currents, and the dense reference for
// populations, currents, outflows and heats, on every number of ranks.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "qheat/parallel/error.hpp"
#include "qheat/steady/steady.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

SteadyState jump_steady(const Model& model, const SteadyOptions& options = {}) {
  Timings timings;
  UninterruptedRun control;
  return find_steady_state(model, options, qheat_test::world(), 0.0, control, timings);
}

enum class Drive { reservoirs, jumps };

/// H = sum of sigma.sigma (z: times `anisotropy`), a pure source at the first site, a pure sink at the last.
Model driven_chain(int sites, double anisotropy, double rate, Drive by) {
  auto model =
      uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::exchange(2, anisotropy), 2.0);
  const int last = sites - 1;
  if (by == Drive::reservoirs) {
    model.bath.reservoirs = {{.site = 0, .given = {{rate, 0.0}}}, {.site = last, .given = {{0.0, rate}}}};
  } else {  // the rate in the operators
    model.bath.jumps = {{{0}, {{1, 0, std::sqrt(rate)}}, 1.0}, {{last}, {{0, 1, std::sqrt(rate)}}, 1.0}};
  }
  return model;
}

/// T. Prosen, Phys. Rev. Lett. 107, 137201 (2011): the current 2 (sx sy - sy sx) at eps = 1, twice that of
/// particles here.
TEST(JumpSteady, CarriesThePublishedCurrents) {
  const double isotropic[] = {0.9411764706, 0.8918032787, 0.8445829007, 0.796697662};
  const double gapped[] = {0.9411764706, 0.7705382436, 0.2683772868, 0.0335718451};
  for (int sites = 2; sites <= 5; ++sites) {
    for (const Drive by : {Drive::reservoirs, Drive::jumps}) {
      for (const double anisotropy : {1.0, 2.0}) {
        for (const auto method : {SteadyMethod::direct, SteadyMethod::iterative}) {
          const auto model = driven_chain(sites, anisotropy, 1.0, by);
          const auto state = jump_steady(model, {.method = method});
          const double expected = 0.5 * (anisotropy == 1.0 ? isotropic : gapped)[sites - 2];
          SCOPED_TRACE(testing::Message() << sites << " " << anisotropy << " " << state.method);
          for (const double current : state.current) EXPECT_NEAR(current, expected, 6e-11);
          const double in = by == Drive::reservoirs ? state.heat[0] : state.jump_heat[0];
          const double out = by == Drive::reservoirs ? state.heat[1] : state.jump_heat[2];
          EXPECT_NEAR(in, expected, 1e-9);
          EXPECT_NEAR(out, -expected, 1e-9);
          EXPECT_TRUE(std::isnan(state.entropy_production));
        }
      }
    }
  }
}

/// A source and a sink at one site are the reservoir of the temperature of their rates.
TEST(JumpSteady, RatesOfATemperatureAreThatReservoir) {
  auto model = uniform_model(Lattice::chain(3), Site({0.0, 0.7, 1.0}), PairInteraction::exchange(3), 0.6);
  model.bath.reservoirs = {{.site = 0, .temperature = 2.0, .rate = 0.8},
                           {.site = 2, .temperature = 0.4, .rate = 0.5}};
  const auto expected = jump_steady(model);
  auto given = model;
  for (Reservoir& r : given.bath.reservoirs) r.given = jump_rates(r, model.energies_of(r.site));
  auto jumping = model;
  jumping.bath.reservoirs.clear();
  for (const Reservoir& r : given.bath.reservoirs) {
    for (std::uint64_t n = 0; n < 2; ++n) {
      jumping.bath.jumps.push_back({{r.site}, {{n + 1, n, 1.0}}, r.given[n].up});
      jumping.bath.jumps.push_back({{r.site}, {{n, n + 1, {0.0, 1.0}}}, r.given[n].down});
    }
  }
  const auto by_rates = jump_steady(given);
  const auto by_jumps = jump_steady(jumping);
  for (std::size_t e = 0; e < expected.populations.size(); ++e) {
    EXPECT_NEAR(by_rates.populations[e], expected.populations[e], 1e-12);
    EXPECT_NEAR(by_jumps.populations[e], expected.populations[e], 1e-12);
  }
  for (std::size_t b = 0; b < 2; ++b) {
    EXPECT_NEAR(by_rates.current[b], expected.current[b], 1e-12);
    EXPECT_NEAR(by_jumps.current[b], expected.current[b], 1e-12);
  }
  double heat = 0.0;
  for (std::size_t j = 0; j < 4; ++j) heat += by_jumps.jump_heat[2 * j];
  EXPECT_NEAR(heat, expected.heat[0], 1e-12);
  EXPECT_NEAR(by_rates.entropy_production, expected.entropy_production, 1e-11);
  EXPECT_TRUE(std::isnan(by_jumps.entropy_production));
}

/// Two-point functions take sources, sinks and single jumps, and nothing else.
TEST(JumpSteady, TwoPointFunctionsAgreeWhereTheyClose) {
  for (const double gamma : {0.0, 0.3}) {
    auto model = uniform_model(Lattice::chain(4), Site({0.0, 1.0}), PairInteraction::xy(2), 0.7);
    model.bath = {.dephasing = gamma,
                  .reservoirs = {{.site = 0, .given = {{0.9, 0.0}}}},
                  .jumps = {{{3}, {{0, 1, {0.6, 0.8}}}, 0.5}, {{3}, {{1, 0, 0.5}}, 0.4}},
                  .correlation = {}};
    const auto whole = jump_steady(model, {.method = SteadyMethod::direct});
    const auto two = jump_steady(model, {.method = SteadyMethod::two_point});
    for (std::size_t e = 0; e < 8; ++e) EXPECT_NEAR(two.populations[e], whole.populations[e], 1e-11);
    for (std::size_t b = 0; b < 3; ++b) EXPECT_NEAR(two.current[b], whole.current[b], 1e-11);
    for (std::size_t e = 0; e < 4; ++e) EXPECT_NEAR(two.jump_heat[e], whole.jump_heat[e], 1e-11);
    EXPECT_NEAR(two.heat[0], whole.heat[0], 1e-11);
    // inside the chain: only where up and down are equal in all
    model.bath.jumps.push_back({{1}, {{1, 0, 1.0}}, 0.3});
    EXPECT_THROW(jump_steady(model, {.method = SteadyMethod::two_point}), InputError);
    model.bath.jumps.push_back({{1}, {{0, 1, 1.0}}, 0.3});
    const auto even = jump_steady(model, {.method = SteadyMethod::two_point});
    const auto all = jump_steady(model, {.method = SteadyMethod::direct});
    for (std::size_t e = 0; e < 8; ++e) EXPECT_NEAR(even.populations[e], all.populations[e], 1e-11);
    const auto close = model;
    model.bath.jumps.push_back({{3}, {{0, 1, 1.0}, {1, 0, 1.0}}, 0.3});
    EXPECT_THROW(jump_steady(model, {.method = SteadyMethod::two_point}), InputError);
    model = close;
    model.bath.jumps.push_back({{2, 3}, {{1, 2, 1.0}}, 0.3});
    EXPECT_THROW(jump_steady(model, {.method = SteadyMethod::two_point}), InputError);
  }
}

/// rho with L rho = 0 and tr rho = 1 by elimination; none if there is more than one.
std::optional<brute::ComplexMatrix> dense_steady(const brute::System& system) {
  const std::size_t dim = brute::dimension(system);
  const std::size_t n = dim * dim;
  brute::ComplexMatrix l(n * n);
  for (std::size_t column = 0; column < n; ++column) {
    brute::ComplexMatrix unit(n, 0.0);
    unit[column] = 1.0;
    const auto image = brute::liouvillian(system, unit);
    for (std::size_t row = 0; row < n; ++row) l[row * n + column] = image[row];
  }
  // L - e_1 tr, whose first row is that of a population
  for (std::size_t k = 0; k < dim; ++k) l[k * dim + k] -= 1.0;
  brute::ComplexMatrix rho(n, 0.0);
  rho.front() = -1.0;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i)
      if (std::abs(l[i * n + k]) > std::abs(l[pivot * n + k])) pivot = i;
    if (std::abs(l[pivot * n + k]) < 1e-9) return {};
    for (std::size_t j = 0; j < n; ++j) std::swap(l[k * n + j], l[pivot * n + j]);
    std::swap(rho[k], rho[pivot]);
    for (std::size_t i = 0; i < n; ++i) {
      const auto factor = l[i * n + k] / l[k * n + k];
      if (i == k || factor == brute::Complex{}) continue;
      for (std::size_t j = k; j < n; ++j) l[i * n + j] -= factor * l[k * n + j];
      rho[i] -= factor * rho[k];
    }
  }
  for (std::size_t k = 0; k < n; ++k) rho[k] /= l[k * n + k];
  return rho;
}

double expectation(const brute::ComplexMatrix& a, const brute::ComplexMatrix& rho, std::size_t dim) {
  brute::Complex sum = 0.0;
  for (std::size_t x = 0; x < dim; ++x)
    for (std::size_t y = 0; y < dim; ++y) sum += a[x * dim + y] * rho[y * dim + x];
  return sum.real();
}

void expect_reference(const qheat_test::RandomCase& random, const brute::ComplexMatrix& rho,
                      const SteadyState& state, double error) {
  const auto& system = random.reference;
  const std::size_t dim = brute::dimension(system);
  const auto m = static_cast<std::size_t>(system.levels);
  std::vector<double> populations(state.populations.size(), 0.0);
  for (std::size_t x = 0; x < dim; ++x) {
    const auto levels = brute::digits(x, system.sites, system.levels);
    for (std::size_t i = 0; i < levels.size(); ++i)
      populations[i * m + static_cast<std::size_t>(levels[i])] += rho[x * dim + x].real();
  }
  for (std::size_t e = 0; e < populations.size(); ++e)
    EXPECT_NEAR(state.populations[e], populations[e], error);
  for (std::size_t b = 0; b < system.bonds.size(); ++b) {
    const double out[] = {expectation(brute::outflow_operator(system, b, 0), rho, dim),
                          expectation(brute::outflow_operator(system, b, 1), rho, dim)};
    EXPECT_NEAR(state.outflow[2 * b], out[0], error);
    EXPECT_NEAR(state.outflow[2 * b + 1], out[1], error);
    EXPECT_NEAR(state.current[b], (out[0] - out[1]) / 2, error);
  }
  for (std::size_t j = 0; j < system.jumps.size(); ++j) {
    const auto change = brute::dissipator(system, system.jumps[j], rho);
    for (std::size_t k = 0; k < 2; ++k) {
      double heat = 0.0;
      if (k < system.jumps[j].sites.size()) {
        const auto energy = brute::site_energy(system, system.jumps[j].sites[k]);
        for (std::size_t x = 0; x < dim; ++x) heat += energy[x] * change[x * dim + x].real();
      }
      EXPECT_NEAR(state.jump_heat[2 * j + k], heat, error);
    }
  }
}

TEST(JumpSteady, EqualsTheDenseReference) {
  const bool alone = qheat_test::world().size() == 1;  // iterations that do not converge take long on many
  int unique = 0;
  int tried = 0;
  int iterated = 0;
  for (const auto& random : qheat_test::random_jump_cases(9)) {
    SCOPED_TRACE(random.name);
    const auto rho = dense_steady(random.reference);
    if (!rho) {
      EXPECT_THROW(jump_steady(random.model, {.method = SteadyMethod::direct}), Error);
      continue;
    }
    ++unique;
    SteadyState state;
    ASSERT_NO_THROW(state = jump_steady(random.model, {.method = SteadyMethod::direct}));
    expect_reference(random, *rho, state, 1e-9);
    EXPECT_LE(state.balance, 1e-11);
    if (!alone && unique % 4 != 0) continue;
    ++tried;
    try {
      expect_reference(random, *rho, jump_steady(random.model, {.method = SteadyMethod::iterative}), 1e-6);
      ++iterated;
    } catch (const Error&) {  // no digits, or none of a kind that iterations find; never a wrong number
    }
  }
  EXPECT_GT(unique, 12);
  EXPECT_GT(iterated, tried / 2);
}

TEST(JumpSteady, RefusesWhatKeepsEverySectorsWeight) {
  auto model = uniform_model(Lattice::chain(3), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.7);
  EXPECT_THROW(jump_steady(model), InputError);
  model.bath.jumps = {{{0}, {{1, 1, 1.0}}, 0.4}};  // diagonal
  EXPECT_THROW(jump_steady(model), InputError);
  model.bath.jumps = {{{0, 1}, {{1, 2, 1.0}}, 0.4}};  // hops
  EXPECT_THROW(jump_steady(model), InputError);
  model.bath.jumps.push_back({{2}, {{0, 1, 1.0}}, 0.0});  // without a rate
  EXPECT_THROW(jump_steady(model), InputError);
  model.bath.jumps.back().rate = 0.2;
  EXPECT_NEAR(jump_steady(model).populations[1], 0.0, 1e-12);
  model.strength = 0.0;  // the hops alone join site 0 to site 1, nothing joins both to site 2
  EXPECT_THROW(jump_steady(model), InputError);
}

}  // namespace
