// Kernels of second order with the correlation function of a bath: the function itself against its
// definition, its integrals against brute quadrature, rates element by element, detailed balance, the Markov
// limit.

#include "qheat/kernel/correlation_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/kernel/assumptions.hpp"
#include "qheat/kernel/markov.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/parallel/error.hpp"
#include "support/cell_reference.hpp"
#include "support/largest_difference.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using qheat_test::largest_difference;
using Kind = BathCorrelation::Kind;

BathCorrelation bosons(double alpha, double cutoff, double temperature) {
  return {.kind = Kind::bosons, .alpha = alpha, .cutoff = cutoff, .temperature = temperature};
}

BathCorrelation with_rate(Kind kind, double rate) {
  return {.kind = kind, .rate = rate};
}

/// Composite Gauss-Legendre quadrature of order 6.
template <class F>
auto integrate(double begin, double end, int panels, const F& f) {
  const double nodes[3] = {0.2386191860831969, 0.6612093864662645, 0.9324695142031521};
  const double weights[3] = {0.4679139345726910, 0.3607615730481386, 0.1713244923791704};
  decltype(f(begin)) sum{};
  const double half = 0.5 * (end - begin) / std::max(1, panels);
  for (int p = 0; p < panels; ++p) {
    const double centre = begin + half * (2.0 * p + 1.0);
    for (int k = 0; k < 3; ++k)
      sum += half * weights[k] * (f(centre - half * nodes[k]) + f(centre + half * nodes[k]));
  }
  return sum;
}

/// The definition: an integral over the frequencies of the bath.
Complex correlation_by_frequencies(const BathCorrelation& b, int s, double tau) {
  const auto integrand = [&](double w) {
    const double coth = b.temperature > 0.0 ? 1.0 / std::tanh(w / (2.0 * b.temperature)) : 1.0;
    const double half_sine = std::sin(w * tau / 2.0);
    return 2.0 * b.alpha * std::exp(-w / b.cutoff) / w *
           Complex(2.0 * half_sine * half_sine * coth, std::sin(w * tau));
  };
  const double end = 45.0 * b.cutoff;
  const int panels = 400 + static_cast<int>(end * tau);
  // finer where coth is steep
  const double steep = std::min(end, 20.0 * b.temperature);
  return std::exp(-static_cast<double>(s) * (integrate(0.0, steep, steep > 0.0 ? panels : 0, integrand) +
                                             integrate(steep, end, panels, integrand)));
}

/// Straight quadrature; steps resolve the oscillation and the memory.
double integral_by_quadrature(const BathCorrelation& b, int s, double mismatch, double t) {
  const double fastest =
      b.kind == Kind::bosons ? (1.0 + 2.0 * s * b.alpha) * std::max({b.cutoff, b.temperature}) : b.rate;
  const int panels = 200 + static_cast<int>(2.0 * t * std::max(fastest, std::abs(mismatch)));
  return integrate(0.0, t, panels, [&](double tau) {
    return (correlation_power(b, s, tau) * std::polar(1.0, -mismatch * tau)).real();
  });
}

std::vector<BathCorrelation> baths() {
  return {with_rate(Kind::exponential, 0.4),
          with_rate(Kind::gaussian, 0.7),
          bosons(0.1, 5.0, 0.0),
          bosons(0.4, 3.0, 0.0),
          bosons(0.3, 2.0, 0.5),
          bosons(0.05, 1.0, 8.0),
          bosons(1.5, 4.0, 1.0)};
}

std::string name_of(const BathCorrelation& b) {
  return "kind " + std::to_string(static_cast<int>(b.kind)) + ", alpha " + std::to_string(b.alpha) +
         ", cutoff " + std::to_string(b.cutoff) + ", T " + std::to_string(b.temperature);
}

TEST(BathCorrelations, BosonsHaveTheirClosedForm) {
  for (const auto& b : baths()) {
    if (b.kind != Kind::bosons) continue;
    for (const double tau : {0.0, 1e-3, 0.2, 1.0, 7.0}) {
      for (const int s : {1, 2}) {
        const Complex expected = correlation_by_frequencies(b, s, tau);
        EXPECT_LT(std::abs(correlation_power(b, s, tau) - expected), 1e-12) << name_of(b) << " tau " << tau;
      }
    }
  }
}

TEST(BathCorrelations, ZeroTemperatureIsTheLimit) {
  for (const double tau : {0.1, 1.0, 10.0}) {
    const Complex cold = correlation_power(bosons(0.3, 2.0, 0.0), 2, tau);
    EXPECT_LT(std::abs(correlation_power(bosons(0.3, 2.0, 1e-6), 2, tau) - cold), 1e-9);
    EXPECT_LT(std::abs(correlation_power(bosons(0.3, 2.0, 1e-300), 2, tau) - cold), 1e-15);
  }
}

TEST(BathCorrelations, RatioOfGammaFunctions) {
  // |Gamma(1 + iy)|^2 = pi y / sinh pi y, and the recurrence upwards from there
  for (const double y : {0.05, 0.3, 2.0, 15.0, 200.0}) {
    const double log_sinh =
        std::numbers::pi * y + std::log1p(-std::exp(-2.0 * std::numbers::pi * y)) - std::numbers::ln2;
    double expected = 0.5 * (std::log(std::numbers::pi * y) - log_sinh);
    for (int x = 1; x < 40; ++x) {
      EXPECT_NEAR(log_gamma_ratio(x, y), expected, 4e-15 * (1.0 + std::abs(expected) + x)) << x << " " << y;
      expected += 0.5 * std::log1p(y * y / (x * x));
    }
  }
  EXPECT_NEAR(log_gamma_ratio(1e8, 1e4), -0.5, 1e-8);  // -y^2/2x: no cancellation of large logarithms
}

TEST(BathCorrelations, IntegralsAreWithinTheirStatedError) {
  double worst = 0.0;
  for (const auto& b : baths()) {
    for (const int s : {1, 2}) {
      const CorrelationIntegral integral(b, s);
      for (const double mismatch : {0.0, 1e-9, 0.3, -0.3, 4.0, -4.0, 60.0, -60.0}) {
        std::vector<double> whole(integral.panels() + 1);
        integral.whole_panels(mismatch, whole);
        for (const double t : {0.0, 1e-6, 0.03, 1.0, 9.0, 60.0}) {
          const auto [number, part] = integral.up_to(t);
          const double value =
              whole[number] +
              (part.coefficients.empty() ? 0.0 : CorrelationIntegral::integral(part, mismatch));
          const double expected = integral_by_quadrature(b, s, mismatch, t);
          const double reference = 1e-13 * std::min(t, 1.0);  // what the quadrature itself is good for
          EXPECT_LE(std::abs(value - expected), integral.error(t) + reference)
              << name_of(b) << " s " << s << " mismatch " << mismatch << " t " << t;
          if (t > 0.0) worst = std::max(worst, integral.error(t) / t);
        }
      }
    }
  }
  EXPECT_LT(worst, 2e-13);
}

/// Splitting int_0^t differently must not matter, however fast and long: here against the closed form.
/// So strong a coupling that the exponent of C has fewer digits than one: panels end nevertheless.
TEST(BathCorrelations, StrongCouplingIsIntegratedAsFarAsItsRoundingAllows) {
  const auto bath = bosons(100.0, 5.0, 100.0);
  const CorrelationIntegral integral(bath, 2);
  ASSERT_TRUE(std::isfinite(integral.magnitude()));
  const double end = 0.05;  // |C|^2 has gone
  for (const double mismatch : {-3000.0, 0.0, 400.0}) {
    const double expected = integrate(0.0, end, 20000, [&](double tau) {
      return (correlation_power(bath, 2, tau) * std::polar(1.0, -mismatch * tau)).real();
    });
    EXPECT_NEAR(integral.limit(mismatch), expected, 1e-10 * integral.magnitude());
  }
}

TEST(BathCorrelations, LongTimesAndLargeMismatchesAgainstClosedForms) {
  const auto b = with_rate(Kind::exponential, 1e-3);
  const CorrelationIntegral integral(b, 2);
  for (const double mismatch : {0.0, 0.01, 3.0, 500.0, -2e4}) {
    std::vector<double> whole(integral.panels() + 1);
    integral.whole_panels(mismatch, whole);
    for (const double t : {10.0, 1.7e3, 2.9e4}) {
      const auto [number, part] = integral.up_to(t);
      const double value =
          whole[number] + (part.coefficients.empty() ? 0.0 : CorrelationIntegral::integral(part, mismatch));
      EXPECT_NEAR(value, second_order_integral(2e-3, mismatch, t), integral.error(t)) << mismatch << " " << t;
    }
  }
}

TEST(BathCorrelations, WidthIsTheInverseOfTheMemory) {
  EXPECT_DOUBLE_EQ(line_width(with_rate(Kind::exponential, 0.4), 2), 0.8);
  for (const auto& b : baths()) {
    for (const int s : {1, 2}) {
      if (b.kind == Kind::bosons && b.temperature == 0.0) {
        EXPECT_EQ(line_width(b, s) == 0.0, 2.0 * b.alpha * s <= 1.0);
        continue;
      }
      EXPECT_NEAR(line_width(b, s) * CorrelationIntegral(b, s).magnitude(), 1.0, 1e-12) << name_of(b);
    }
  }
  // (1 + x^2)^{-1}: pi/2
  EXPECT_NEAR(line_width(bosons(0.5, 3.0, 0.0), 2), 3.0 / (std::numbers::pi / 2.0), 1e-13);
}

TEST(CorrelationKernel, EqualsItsDefinitionElementByElement) {
  std::uint64_t seed = 3;
  for (auto random : qheat_test::random_cases()) {
    if (random.model.sites() > (qheat_test::shared_by_day() ? 3 : 4)) continue;
    for (const auto& bath : {with_rate(Kind::gaussian, 0.7), bosons(0.4, 3.0, 0.0), bosons(0.3, 2.0, 0.5)}) {
      random.model.bath.correlation = bath;
      const auto initial =
          InitialState::product(random.model, qheat_test::random_levels(random.model, seed++));
      const SecondOrderKernel kernel(random.model);
      const Sector cells = cell_sector(random.model, initial);
      const auto numbers = qheat_test::reference_cells(cells);
      for (const double t : {0.0, 0.3, 2.0}) {
        std::map<std::pair<int, double>, double> known;
        const auto all =
            qheat_test::brute::second_order_kernel(random.reference, [&](int s, double mismatch) {
              if (s > 2) return 0.0;  // no element of the interaction
              const auto [place, added] = known.try_emplace({s, mismatch});
              if (added) place->second = integral_by_quadrature(bath, s, mismatch, t);
              return place->second;
            });
        const auto expected = qheat_test::brute::restricted(all, numbers);
        EXPECT_LT(largest_difference(dense_generator(cells, kernel.at(t)), expected), 1e-11)
            << random.name << ", " << name_of(bath) << ", t = " << t;
        EXPECT_LT(kernel.accuracy(t).rounding, 1e-11);
      }
    }
  }
}

TEST(CorrelationKernel, ExponentialIsDephasing) {
  for (auto random : qheat_test::random_cases()) {
    auto dephased = random.model;
    dephased.bath.dephasing = 0.37;
    auto correlated = random.model;
    correlated.bath.correlation = with_rate(Kind::exponential, 0.37);
    const std::pair<SecondOrderKernel, SecondOrderKernel> kernels[2] = {
        {SecondOrderKernel(dephased), SecondOrderKernel(correlated)},
        {markov_kernel(dephased, {}), markov_kernel(correlated, {})}};
    for (const auto& [a, b] : kernels) {
      std::vector<double> of_a(a.value_count());
      std::vector<double> of_b(b.value_count());
      for (const double t : {0.1, 3.0, 100.0}) {
        a.values(t, of_a);
        b.values(t, of_b);
        EXPECT_LT(largest_difference(of_a, of_b), 1e-12) << random.name;
        EXPECT_LT(a.accuracy(t).rounding, 1e-13);
        EXPECT_LT(b.accuracy(t).rounding, 1e-13);
      }
    }
  }
}

/// Largest |W_nm p_m - W_mn p_n| over largest W p, p = e^{-E/T}; cells are states.
double imbalance(const Model& model, const SecondOrderKernel& kernel, double t, double temperature) {
  const Sector cells = cell_sector(
      model, InitialState::thermal(model, std::vector<double>(static_cast<std::size_t>(model.sites()), 1.0)));
  const auto generator = dense_generator(cells, kernel.at(t));
  const auto n = static_cast<std::size_t>(cells.dimension());
  std::vector<double> p(n);
  std::vector<Level> levels(static_cast<std::size_t>(model.sites()));
  for (std::size_t c = 0; c < n; ++c) {
    cells.configuration(static_cast<Index>(c), levels);
    double energy = 0.0;
    for (int i = 0; i < model.sites(); ++i) energy += model.energy(i, levels[static_cast<std::size_t>(i)]);
    p[c] = std::exp(-energy / temperature);
  }
  double largest = 0.0;
  double difference = 0.0;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      if (a == b) continue;
      largest = std::max(largest, std::abs(generator[a * n + b] * p[b]));
      difference = std::max(difference, std::abs(generator[a * n + b] * p[b] - generator[b * n + a] * p[a]));
    }
  }
  return difference / largest;
}

TEST(CorrelationKernel, KeepsDetailedBalanceAtLongTimes) {
  for (auto random : qheat_test::random_cases()) {
    if (random.model.sites() > 4 || random.model.lattice.bond_count() == 0) continue;
    for (const double temperature : {0.4, 1.3}) {
      random.model.bath.correlation = bosons(0.2, 3.0, temperature);
      const double seen = imbalance(random.model, SecondOrderKernel(random.model), 400.0, temperature);
      EXPECT_LT(seen, 1e-10) << random.name;
      EXPECT_LT(imbalance(random.model, markov_kernel(random.model, {}), 0.0, temperature), 1e-13);
    }
  }
}

Model pair(double detuning, const BathCorrelation& bath) {
  auto model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  model.energies = {0.0, 1.0, 0.0, 1.0 + detuning};
  model.bath.correlation = bath;
  return model;
}

/// The rates of the swap: first -> second site, and back.
std::pair<double, double> swap_rates(const SecondOrderKernel& kernel, double t) {
  const auto terms = kernel.at(t);
  std::map<std::pair<LocalCode, LocalCode>, double> rates;
  for (const auto& e : terms.terms.front().elements) rates[{e.to, e.from}] = e.value;
  return {rates.at({1, 2}), rates.at({2, 1})};
}

TEST(CorrelationMarkov, IsTheLimitOfLongTimes) {
  for (const auto& bath : baths()) {
    if (bath.kind == Kind::bosons && bath.temperature == 0.0) continue;
    for (const double detuning : {0.0, 0.7, 3.0}) {
      const auto model = pair(detuning, bath);
      const auto [there, back] = swap_rates(markov_kernel(model, {}), 0.0);
      const auto [there_late, back_late] = swap_rates(SecondOrderKernel(model), 300.0);
      EXPECT_NEAR(there, there_late, 1e-13) << name_of(bath) << " " << detuning;
      EXPECT_NEAR(back, back_late, 1e-13) << name_of(bath) << " " << detuning;
    }
  }
}

/// Shifted by i/2T in the complex plane of times the correlation function is real and even:
/// S(Delta) = e^{-Delta/2T} int_0^inf [k |Gamma(1/2 + k + i T tau)|^2 / Gamma(1 + k)^2]^{2 alpha s} cos(Delta
/// tau) dtau
TEST(CorrelationMarkov, BosonsOnTheShiftedContour) {
  for (const auto& b : {bosons(0.3, 2.0, 0.5), bosons(0.1, 1.0, 2.0), bosons(0.6, 4.0, 1.5)}) {
    const double k = b.temperature / b.cutoff;
    for (const double detuning : {0.0, 0.5, 2.0, -1.5}) {
      const double integral = integrate(0.0, 200.0 / b.temperature, 40000, [&](double tau) {
        // Gamma(1/2 + k + iy) by two steps of the recurrence, as log_gamma_ratio wants x >= 1
        const double y = b.temperature * tau;
        const double log_modulus = std::lgamma(1.5 + k) + log_gamma_ratio(1.5 + k, y) -
                                   0.5 * std::log((0.5 + k) * (0.5 + k) + y * y);
        const double log_real = std::log(k) + 2.0 * log_modulus - 2.0 * std::lgamma(1.0 + k);
        return std::exp(4.0 * b.alpha * log_real) * std::cos(detuning * tau);
      });
      const double expected = 2.0 * 0.1 * 0.1 * std::exp(-detuning / (2.0 * b.temperature)) * integral;
      const auto [there, back] = swap_rates(markov_kernel(pair(detuning, b), {}), 0.0);
      EXPECT_NEAR(there, expected, 1e-12 * (1.0 + expected)) << name_of(b) << " " << detuning;
      EXPECT_NEAR(back / there, std::exp(detuning / b.temperature), 1e-12 * back / there);
    }
  }
}

/// Detailed balance takes the bath's memory to arise: until then up and down are alike.
TEST(CorrelationKernel, DetailedBalanceComesWithTime) {
  const auto kernel = SecondOrderKernel(pair(1.0, bosons(0.2, 3.0, 0.5)));
  const auto [up_early, down_early] = swap_rates(kernel, 1e-3);
  EXPECT_NEAR(up_early / down_early, 1.0, 1e-2);
  const auto [up, down] = swap_rates(kernel, 100.0);
  EXPECT_NEAR(up / down, std::exp(-2.0), 1e-10);
}

/// Energies count as conserved within the inverse of the memory's length once 2 pi/t is below it.
TEST(CorrelationKernel, EnergyIsConservedWithinTheWidthOfTheLine) {
  const auto bath = with_rate(Kind::gaussian, 0.5);
  const double width = 0.5 * std::sqrt(4.0 / std::numbers::pi);
  for (const double factor : {0.99, 1.01}) {
    const auto model = pair(factor * width, bath);
    const auto scores = assumptions_of(model, {{1, 1}}, markov_kernel(model, {}).at(1e4), 1e4);
    EXPECT_EQ(scores.energy_conservation, factor < 1.0 ? 1.0 : 0.0);
    const auto early = assumptions_of(model, {{1, 1}}, SecondOrderKernel(model).at(0.1), 0.1);
    EXPECT_EQ(early.energy_conservation, 1.0);
  }
}

TEST(CorrelationMarkov, ColdBosonsTakeEnergyOnly) {
  const auto b = bosons(0.4, 3.0, 0.0);
  const auto model = pair(0.7, b);
  const auto [up, down] = swap_rates(markov_kernel(model, {}), 0.0);
  EXPECT_EQ(up, 0.0);
  // the approach is that of a power law, cos(Delta t) / t^{4 alpha}
  const auto [up_late, down_late] = swap_rates(SecondOrderKernel(model), 3e6);
  EXPECT_NEAR(up_late, 0.0, 1e-9);
  EXPECT_NEAR(down_late, down, 1e-9);
  const double p = 4.0 * b.alpha;
  EXPECT_NEAR(down,
              2.0 * 0.01 * std::numbers::pi / std::tgamma(p) * std::pow(3.0, -p) * std::pow(0.7, p - 1.0) *
                  std::exp(-0.7 / 3.0),
              1e-14);
  // and the limit of low temperatures
  const auto [up_warm, down_warm] = swap_rates(markov_kernel(pair(0.7, bosons(0.4, 3.0, 1e-3)), {}), 0.0);
  EXPECT_LT(up_warm, 1e-100);
  EXPECT_NEAR(down_warm, down, 1e-5 * down);
}

TEST(CorrelationMarkov, ResonantChangesAtZeroTemperature) {
  const auto refused = [](double alpha) {
    try {
      markov_kernel(pair(0.0, bosons(alpha, 3.0, 0.0)), {});
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refused(0.2).find("4 alpha > 1"), std::string::npos);
  EXPECT_EQ(refused(0.3), "");
  // p = 4 alpha: the integral is Re[((1 + i w_c t)^{1-p} - 1) / (i w_c (1 - p))]
  for (const double alpha : {0.2, 0.3}) {
    const double p = 4.0 * alpha;
    for (const double t : {1.0, 1e3, 1e6}) {
      const Complex power = std::pow(Complex(1.0, 3.0 * t), 1.0 - p);
      const double expected = 0.02 * ((power - 1.0) / (Complex(0.0, 3.0) * (1.0 - p))).real();
      const SecondOrderKernel kernel(pair(0.0, bosons(alpha, 3.0, 0.0)));
      EXPECT_NEAR(swap_rates(kernel, t).first, expected, 1e-12 * std::max(1.0, expected))
          << alpha << " " << t;
    }
  }
  // the rate of a resonant swap vanishes: cold bosons have no states at zero energy
  EXPECT_EQ(swap_rates(markov_kernel(pair(0.0, bosons(0.3, 3.0, 0.0)), {}), 0.0).first, 0.0);
}

TEST(CorrelationMarkov, GaussianAndTwoSources) {
  const auto model = pair(0.5, with_rate(Kind::gaussian, 0.3));
  const double deviation = 0.3 * std::sqrt(2.0);
  const double density =
      std::exp(-0.5 * 0.25 / (deviation * deviation)) / (std::sqrt(2.0 * std::numbers::pi) * deviation);
  EXPECT_NEAR(swap_rates(markov_kernel(model, {}), 0.0).first, 2.0 * std::numbers::pi * 0.01 * density,
              1e-14);
  EXPECT_THROW(markov_kernel(model, Broadening{.width = 0.1}), InputError);
  auto both = model;
  both.bath.dephasing = 0.1;
  EXPECT_THROW(SecondOrderKernel{both}, InputError);
}

}  // namespace
