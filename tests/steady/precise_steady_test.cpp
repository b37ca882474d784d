// Steady states against the null space of the Liouvillian as a dense matrix of long doubles, written down
// from jump operators and commutators element by element.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "qheat/parallel/error.hpp"
#include "qheat/steady/steady.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

namespace brute = qheat_test::brute;
using Wide = std::complex<long double>;
using WideMatrix = std::vector<Wide>;

SteadyState precise_steady(const Model& model, SteadyMethod method = SteadyMethod::direct) {
  Timings timings;
  UninterruptedRun control;
  return find_steady_state(model, {.method = method}, qheat_test::world(), 0.0, control, timings);
}

/// |to><from| at a rate.
struct Jump {
  std::size_t to, from;
  long double rate;
};

std::vector<Jump> jumps_of(const Model& model, const brute::System& system) {
  std::vector<Jump> jumps;
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    for (std::size_t state = 0; state < brute::dimension(system); ++state) {
      auto digits = brute::digits(state, system.sites, system.levels);
      int& level = digits[static_cast<std::size_t>(reservoir.site)];
      if (level + 1 == system.levels) continue;
      const JumpRates rates = jump_rates(
          reservoir, model.energy(reservoir.site, level + 1) - model.energy(reservoir.site, level));
      ++level;
      const std::size_t above = brute::number(digits, system.levels);
      jumps.push_back({above, state, rates.up});
      jumps.push_back({state, above, rates.down});
    }
  }
  return jumps;
}

/// x of A x = b by elimination with the largest pivot of rows that are scaled to 1.
std::vector<Wide> solved(WideMatrix a, std::vector<Wide> b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    long double largest = 0.0L;
    for (std::size_t j = 0; j < n; ++j) largest = std::max(largest, std::abs(a[i * n + j]));
    for (std::size_t j = 0; j < n; ++j) a[i * n + j] /= largest;
    b[i] /= largest;
  }
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t i = c; i < n; ++i)
      if (std::abs(a[i * n + c]) > std::abs(a[pivot * n + c])) pivot = i;
    for (std::size_t j = 0; j < n; ++j) std::swap(a[c * n + j], a[pivot * n + j]);
    std::swap(b[c], b[pivot]);
    for (std::size_t i = c + 1; i < n; ++i) {
      const Wide factor = a[i * n + c] / a[c * n + c];
      if (factor == Wide{}) continue;
      for (std::size_t j = c; j < n; ++j) a[i * n + j] -= factor * a[c * n + j];
      b[i] -= factor * b[c];
    }
  }
  for (std::size_t c = n; c-- > 0;) {
    for (std::size_t j = c + 1; j < n; ++j) b[c] -= a[c * n + j] * b[j];
    b[c] /= a[c * n + c];
  }
  return b;
}

/// rho with L rho = 0, tr rho = 1, row-major. Jumps of one site share the configuration of the others, and
/// |L rho L^+ joins all coherences between such configurations: they are found by their digits.
std::vector<Wide> null_space(const Model& model, const brute::System& system) {
  const std::size_t d = brute::dimension(system);
  WideMatrix l(d * d * d * d);
  const auto at = [&](std::size_t i, std::size_t j, std::size_t k, std::size_t m) -> Wide& {
    return l[(i * d + j) * d * d + k * d + m];
  };
  const auto h = brute::hamiltonian(system);
  const Wide imaginary(0.0L, 1.0L);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      for (std::size_t k = 0; k < d; ++k) {
        at(i, j, k, j) -= imaginary * Wide(h[i * d + k]);
        at(i, j, i, k) += imaginary * Wide(h[k * d + j]);
      }
      at(i, j, i, j) -= static_cast<long double>(brute::coherence_decay(system)[i * d + j]);
    }
  }
  const auto jumps = jumps_of(model, system);
  // jumps of the same site and levels act on ket and bra alike
  const auto changed = [&](const Jump& jump) {
    const auto to = brute::digits(jump.to, system.sites, system.levels);
    const auto from = brute::digits(jump.from, system.sites, system.levels);
    for (std::size_t s = 0; s < to.size(); ++s)
      if (to[s] != from[s]) return std::array{static_cast<int>(s), to[s], from[s]};
    return std::array{-1, 0, 0};
  };
  for (const Jump& ket : jumps) {
    for (std::size_t k = 0; k < d; ++k) {
      at(ket.from, k, ket.from, k) -= ket.rate / 2.0L;
      at(k, ket.from, k, ket.from) -= ket.rate / 2.0L;
    }
    for (const Jump& bra : jumps)
      if (changed(ket) == changed(bra) && ket.rate == bra.rate)
        at(ket.to, bra.to, ket.from, bra.from) += ket.rate;
  }
  std::vector<Wide> b(d * d);
  for (std::size_t k = 0; k < d * d; ++k) l[k] = 0.0L;
  for (std::size_t k = 0; k < d; ++k) l[k * d + k] = 1.0L;
  b[0] = 1.0L;
  return solved(std::move(l), std::move(b));
}

/// Populations and outflows of the program's state against those of the null space.
void expect_same(const Model& model, const SteadyState& state, long double error) {
  const auto system = qheat_test::reference_of(model);
  const std::size_t d = brute::dimension(system);
  const auto rho = null_space(model, system);
  const auto expectation = [&](const brute::ComplexMatrix& o) {
    Wide sum = 0.0L;
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) sum += Wide(o[i * d + j]) * rho[j * d + i];
    return sum.real();
  };
  for (int i = 0; i < model.sites(); ++i) {
    for (int n = 0; n < model.levels(); ++n) {
      long double p = 0.0L;
      for (std::size_t k = 0; k < d; ++k)
        if (brute::digits(k, system.sites, system.levels)[static_cast<std::size_t>(i)] == n)
          p += rho[k * d + k].real();
      const auto e = static_cast<std::size_t>(i * model.levels() + n);
      EXPECT_NEAR(state.populations[e], static_cast<double>(p), static_cast<double>(error));
    }
  }
  std::vector<long double> flows;
  long double largest = 0.0L;
  for (std::size_t e = 0; e < state.outflow.size(); ++e) {
    flows.push_back(expectation(brute::outflow_operator(system, e / 2, static_cast<int>(e % 2))));
    largest = std::max(largest, std::abs(flows.back()));
  }
  for (std::size_t e = 0; e < flows.size(); ++e)
    EXPECT_NEAR(state.outflow[e], static_cast<double>(flows[e]), static_cast<double>(error * largest));
}

/// A ring or chain of two or three levels, detuned or not, with reservoirs of both statistics.
Model model_of(int kind, double gamma, double rate) {
  const bool ring = kind == 2;
  const int levels = kind == 1 ? 3 : 2;
  const int sites = levels == 3 ? 2 : 3;
  const Site site = levels == 3 ? Site({0.0, 1.0, 1.7}) : Site({0.0, 1.0});
  const auto v = kind == 3 ? PairInteraction::xy(levels) : PairInteraction::exchange(levels, 0.7);
  Model model = uniform_model(ring ? Lattice::ring(sites) : Lattice::chain(sites), site, v, 1.0);
  if (kind == 4) model.energies = {0.0, 1.0, 0.0, 1.3, 0.0, 0.9};
  model.bath.dephasing = gamma;
  model.bath.reservoirs = {
      {.site = 0, .temperature = 2.0, .rate = rate},
      {.site = sites - 1,
       .temperature = 0.5,
       .rate = 0.6 * rate,
       .statistics = kind == 0 ? Reservoir::Statistics::bose : Reservoir::Statistics::fermi}};
  return model;
}

TEST(PreciseSteady, IsTheNullSpaceFromWeakToStrongReservoirs) {
  for (int kind = 0; kind < 5; ++kind) {
    for (const double gamma : {0.0, 0.3}) {
      for (const int power : {-12, -8, -4, 0, 3, 5}) {
        // what runs round a ring is a coherence of two levels alike, of which long doubles leave no digit
        if (kind == 2 && power < -4) continue;
        SCOPED_TRACE(testing::Message() << "kind " << kind << ", " << gamma << ", 1e" << power);
        const auto model = model_of(kind, gamma, std::pow(10.0, power));
        const auto state = precise_steady(model);
        EXPECT_LE(state.balance, 1e-11);
        expect_same(model, state, power == -12 ? 1e-6L : 1e-8L);
      }
    }
  }
}

/// Where two sites of a ring differ by 1e-6 only, their difference relaxes at 1e-12 of the reservoir's rate.
TEST(PreciseSteady, OfASlowModeIsFoundOrRefused) {
  auto model = uniform_model(Lattice::ring(3), Site({0.0, 1.0}), PairInteraction::xy(2), 0.3);
  model.energies = {0.0, 1.0, 0.0, 1.0, 0.0, 1.0 + 1e-6};
  model.bath.reservoirs = {{.site = 0, .temperature = 1.0, .rate = 0.5}};
  const double excited = 1.0 / (1.0 + std::exp(1.0));
  for (const auto method : {SteadyMethod::automatic, SteadyMethod::direct}) {
    const auto state = precise_steady(model, method);
    for (int i = 0; i < 3; ++i)
      EXPECT_NEAR(state.populations[static_cast<std::size_t>(2 * i + 1)], excited, 1e-7);
  }
  try {
    const auto state = precise_steady(model, SteadyMethod::iterative);
    for (int i = 0; i < 3; ++i)
      EXPECT_NEAR(state.populations[static_cast<std::size_t>(2 * i + 1)], excited, 1e-6);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("was not found"), std::string::npos) << error.what();
  }
}

}  // namespace
