// Equilibrium correlations against dense matrices, closed forms and identities, on every number of ranks.

#include "qheat/fluctuations/correlations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/fluctuations/site_correlations.hpp"
#include "qheat/operators/commutator.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/transport/equilibrium_routes.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

std::vector<double> grid(double end, int outputs) {
  std::vector<double> times;
  for (int k = 0; k < outputs; ++k) times.push_back(end * k / (outputs - 1));
  return times;
}

std::vector<int> all_sites(const Model& model) {
  std::vector<int> all(as_size(model.sites()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

Correlations compute(const Model& model, const std::vector<double>& times, const CorrelationOptions& options,
                     CorrelationPlan plan) {
  UninterruptedRun control;
  Timings timings;
  return compute_correlations(
      model, times, options, plan, [](const Correlations&) { return 0; }, qheat_test::world(), control,
      timings);
}

Correlations exact(const Model& model, const std::vector<double>& times, const CorrelationOptions& options) {
  auto plan = plan_correlations(model, times, options, qheat_test::world().size(), 0.0);
  plan.exact = true;
  return compute(model, times, options, plan);
}

/// The slow, obvious way: dense operators in the full space, e^{-iHt} by a Taylor series.
class Dense {
 public:
  using Matrix = std::vector<Complex>;

  explicit Dense(const Model& model) : model_(model), n_(1) {
    for (int i = 0; i < model.sites(); ++i) n_ *= as_size(model.levels());
  }
  std::size_t size() const { return n_; }
  Matrix matrix(const TermSum<Complex>& sum) const {
    Matrix result(n_ * n_);
    const auto m = as_size(model_.levels());
    for (const auto& term : sum.terms) {
      for (std::size_t from = 0; from < n_; ++from) {
        for (const auto& e : term.elements) {
          std::size_t to = from;
          LocalCode to_code = e.to;
          LocalCode from_code = e.from;
          bool fits = true;
          for (std::size_t k = term.sites.size(); k-- > 0; to_code /= m, from_code /= m) {
            const std::size_t weight = power(m, as_size(model_.sites() - 1 - term.sites[k]));
            const std::size_t digit = from / weight % m;
            fits = fits && digit == from_code % m;
            to = to - digit * weight + (to_code % m) * weight;
          }
          if (fits) result[to * n_ + from] += e.value;
        }
      }
    }
    return result;
  }
  Matrix product(const Matrix& a, const Matrix& b) const {
    Matrix c(n_ * n_);
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t k = 0; k < n_; ++k) {
        if (a[i * n_ + k] == Complex{}) continue;  // most are
        for (std::size_t j = 0; j < n_; ++j) c[i * n_ + j] += a[i * n_ + k] * b[k * n_ + j];
      }
    return c;
  }
  Matrix evolution(double t) const {
    const Matrix h = matrix(hamiltonian(model_));
    constexpr int kHalvings = 8;
    Matrix step(n_ * n_);
    Matrix term(n_ * n_);
    for (std::size_t i = 0; i < n_; ++i) step[i * n_ + i] = term[i * n_ + i] = 1.0;
    for (int k = 1; k < 24; ++k) {
      term = product(term, h);
      for (Complex& v : term) v *= Complex(0.0, -t / std::pow(2.0, kHalvings) / k);
      for (std::size_t i = 0; i < step.size(); ++i) step[i] += term[i];
    }
    for (int k = 0; k < kHalvings; ++k) step = product(step, step);
    return step;
  }
  /// Re tr[rho U^dagger A U B], rho diagonal.
  double correlation(const std::vector<double>& rho, const Matrix& u, const Matrix& a,
                     const Matrix& b) const {
    Matrix moved = product(a, u);
    Matrix adjoint(n_ * n_);
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = 0; j < n_; ++j) adjoint[i * n_ + j] = std::conj(u[j * n_ + i]);
    moved = product(adjoint, moved);
    Complex sum = 0.0;
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = 0; j < n_; ++j) sum += rho[i] * moved[i * n_ + j] * b[j * n_ + i];
    return sum.real();
  }
  std::vector<double> weights(const std::vector<double>& p) const {
    std::vector<double> w(n_, 1.0);
    const auto m = as_size(model_.levels());
    for (std::size_t s = 0; s < n_; ++s) {
      for (std::size_t i = 0; i < as_size(model_.sites()); ++i)
        w[s] *= p[i * m + s / power(m, as_size(model_.sites()) - 1 - i) % m];
    }
    return w;
  }
  std::vector<double> sector_weights(const std::vector<int>& counts) const {
    std::vector<double> w(n_, 0.0);
    const auto m = as_size(model_.levels());
    double total = 0.0;
    for (std::size_t s = 0; s < n_; ++s) {
      std::vector<int> here(counts.size(), 0);
      for (std::size_t rest = s, i = 0; i < as_size(model_.sites()); ++i, rest /= m)
        ++here[model_.site.band_of_level()[rest % m]];
      if (here == counts) total += w[s] = 1.0;
    }
    for (double& v : w) v /= total;
    return w;
  }

 private:
  static std::size_t power(std::size_t base, std::size_t exponent) {
    std::size_t result = 1;
    for (std::size_t k = 0; k < exponent; ++k) result *= base;
    return result;
  }
  const Model& model_;
  std::size_t n_;
};

void expect_dense(const std::string& name, const Model& model, const CorrelationOptions& options) {
  const std::vector<double> times = {0.0, 0.6, 1.7};
  const auto found = exact(model, times, options).mean();
  const Dense dense(model);
  const auto rho = options.equilibrium.counts.empty()
                       ? dense.weights(equilibrium_levels(model, options.equilibrium).probabilities)
                       : dense.sector_weights(options.equilibrium.counts);
  const auto n = as_size(model.sites());
  std::vector<Dense::Matrix> h, change;
  for (int i = 0; i < model.sites(); ++i) {
    h.push_back(dense.matrix(site_energy(model, options.energy, i)));
    change.push_back(dense.matrix(energy_change(model, options.energy, i)));
    Complex mean = 0.0;
    for (std::size_t s = 0; s < dense.size(); ++s) mean += rho[s] * h.back()[s * dense.size() + s];
    for (std::size_t s = 0; s < dense.size(); ++s) h.back()[s * dense.size() + s] -= mean;
  }
  for (std::size_t t = 0; t < times.size(); ++t) {
    const auto u = dense.evolution(times[t]);
    for (std::size_t s = 0; s < options.sources.size(); ++s) {
      const auto j = as_size(options.sources[s]);
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t place = (t * options.sources.size() + s) * n + i;
        EXPECT_NEAR(found.energy[place], dense.correlation(rho, u, h[i], h[j]), 1e-9) << name;
        EXPECT_NEAR(found.change[place], dense.correlation(rho, u, change[i], h[j]), 1e-9) << name;
      }
    }
    for (std::size_t a = 0; a < options.axes.size(); ++a) {
      const auto current = dense.matrix(total_current(model, options.energy, options.axes[a]));
      EXPECT_NEAR(found.current[t * options.axes.size() + a],
                  dense.correlation(rho, u, current, current) / static_cast<double>(n), 1e-9)
          << name;
    }
  }
}

Model exchange_ring(int sites, double lambda = 1.0, double anisotropy = 1.0) {
  return uniform_model(Lattice::ring(sites), Site({0.0, 1.0}), PairInteraction::exchange(2, anisotropy),
                       lambda);
}

}  // namespace

TEST(Correlations, EqualDenseReference) {
  for (const auto& random : qheat_test::random_cases()) {
    const Model& model = random.model;
    if (level_sector_dimension(model, {}) > 32 && model.sites() * model.levels() > 12) continue;
    if (level_sector_dimension(model, {}) > 81) continue;
    for (const auto kind : {SiteEnergy::levels, SiteEnergy::full}) {
      CorrelationOptions options;
      options.energy = kind;
      options.sources = all_sites(model);
      const auto& shape = model.lattice.shape();
      if (!model.lattice.periodic()[0] || shape[0] >= shortest_ring(kind)) options.axes = {0};
      expect_dense(random.name, model, options);
    }
  }
}

TEST(Correlations, EqualDenseReferenceAtFiniteTemperatureAndInASector) {
  Model model =
      uniform_model(Lattice::chain(4), Site({0.0, 0.7, 1.5}), PairInteraction::exchange(3, 0.4), 0.8);
  CorrelationOptions options;
  options.sources = {0, 2};
  options.axes = {0};
  options.equilibrium.temperature = 0.9;
  EXPECT_EQ(stationarity_obstacle(model, options.equilibrium), "");
  expect_dense("finite temperature", model, options);
  options.equilibrium = {};
  options.equilibrium.counts = {2, 1, 1};
  expect_dense("sector", model, options);
}

// Operators under dephasing against all states without it, and against the closed form of the xy ring.
TEST(Correlations, DephasedOperatorsBecomeTheClosedOnes) {
  Model model =
      uniform_model(Lattice::chain(4), Site({0.0, 0.7, 1.5}), PairInteraction::exchange(3, 0.4), 0.8);
  for (const bool sector : {false, true}) {
    CorrelationOptions options;
    options.sources = {0, 2};
    options.axes = {0};
    if (sector) {
      options.equilibrium.counts = {2, 1, 1};
    } else {
      options.equilibrium.temperature = 0.9;
    }
    const auto times = grid(2.0, 5);
    model.bath.dephasing = 0.0;
    const auto closed = exact(model, times, options).mean();
    model.bath.dephasing = 1e-13;
    const auto open = exact(model, times, options).mean();
    for (std::size_t k = 0; k < closed.energy.size(); ++k) {
      EXPECT_NEAR(open.energy[k], closed.energy[k], 1e-9);
      EXPECT_NEAR(open.change[k], closed.change[k], 1e-9);
    }
    for (std::size_t k = 0; k < closed.current.size(); ++k)
      EXPECT_NEAR(open.current[k], closed.current[k], 1e-9);
  }
}

// physics: section 14: D(t) = (lambda^2 a^2/gamma)(1 - e^{-2 gamma t}) of the dephased xy ring, by every
// route
TEST(Correlations, DephasedXyRingHasItsClosedForm) {
  const double lambda = 0.3;
  const double gamma = 0.8;
  Model model = uniform_model(Lattice::ring(8), Site({0.0, 1.0}), PairInteraction::xy(2), lambda);
  model.bath.dephasing = gamma;
  CorrelationOptions options;
  options.sources = {0};
  options.axes = {0};
  const auto found = exact(model, grid(3.0, 61), options);
  const auto sites = site_correlations(model, found, found.mean());
  const auto modes = lattice_modes(model.lattice);
  const auto said = analyse(model.lattice, sites, susceptibility(model, {}, SiteEnergy::levels), modes,
                            {.spreading = true, .green_kubo = true});
  for (std::size_t t = 0; t < found.times.size(); ++t) {
    const double expected = lambda * lambda / gamma * (1.0 - std::exp(-2.0 * gamma * found.times[t]));
    EXPECT_NEAR(said.green_kubo->diffusion[t], expected, 1e-8 + said.green_kubo->quadrature[t]);
    if (said.spread->edge[t] < 1e-9) {
      EXPECT_NEAR(said.spread->diffusion[t], expected, 1e-7);
    }
  }
}

// physics: section 14, exchange ring, lambda = 1, eps = 1, T = inf, a = 1, N = 9
TEST(Correlations, GreenKuboOfTheExchangeRing) {
  const Model model = exchange_ring(9);
  CorrelationOptions options;
  options.sources = {0};
  options.axes = {0};
  const auto times = grid(2.0, 41);
  const auto found = exact(model, times, options);
  const auto sites = site_correlations(model, found, found.mean());
  const double chi = susceptibility(model, {}, SiteEnergy::levels);
  EXPECT_NEAR(chi, 0.25, 1e-14);
  EquilibriumRoutes routes{.spreading = true, .green_kubo = true};
  const auto modes = lattice_modes(model.lattice);
  const auto said = analyse(model.lattice, sites, chi, modes, routes);
  EXPECT_NEAR(said.green_kubo->diffusion[10], 0.92509, 6e-6);
  EXPECT_NEAR(said.green_kubo->diffusion[20], 1.53856, 6e-6);
  EXPECT_NEAR(said.green_kubo->diffusion[40], 2.04909, 6e-6);
  EXPECT_NEAR(said.spread->diffusion[1] / times[1], 2.0, 1e-2);
}

// On a ring both are one until the excess meets itself.
TEST(Correlations, GreenKuboEqualsSpreadingUntilTheExcessMeetsItself) {
  for (const auto kind : {SiteEnergy::levels, SiteEnergy::full}) {
    const Model model = exchange_ring(10, 1.0, 0.6);
    CorrelationOptions options;
    options.energy = kind;
    options.sources = {0};
    options.axes = {0};
    const auto found = exact(model, grid(0.6, 25), options);
    const auto sites = site_correlations(model, found, found.mean());
    const auto said = analyse(model.lattice, sites, susceptibility(model, {}, kind),
                              lattice_modes(model.lattice), {.spreading = true, .green_kubo = true});
    for (std::size_t t = 0; t < found.times.size(); ++t) {
      if (said.spread->edge[t] > 1e-10) break;
      EXPECT_NEAR(said.spread->diffusion[t], said.green_kubo->diffusion[t],
                  1e-8 + said.green_kubo->quadrature[t] + 30.0 * said.spread->edge[t])
          << found.times[t];
    }
  }
}

TEST(Correlations, SumRules) {
  for (const auto kind : {SiteEnergy::levels, SiteEnergy::full}) {
    const Model model = exchange_ring(8, 0.9, 0.5);
    CorrelationOptions options;
    options.energy = kind;
    options.sources = {0};
    options.axes = {0};
    const auto found = exact(model, grid(1.0, 3), options).mean();
    for (int i = 0; i < 8; ++i) {
      EXPECT_NEAR(found.energy[as_size(i)],
                  equilibrium_covariance(model, {}, site_energy(model, kind, i), site_energy(model, kind, 0)),
                  1e-12);
    }
    const auto current = total_current(model, kind, 0);
    EXPECT_NEAR(found.current[0], equilibrium_covariance(model, {}, current, current) / 8.0, 1e-12);
    for (std::size_t t = 0; t < 3; ++t) {  // energy is kept
      const auto first = found.energy.begin() + static_cast<std::ptrdiff_t>(8 * t);
      EXPECT_NEAR(std::accumulate(first, first + 8, 0.0), susceptibility(model, {}, kind), 1e-10);
    }
  }
}

// chi-square over 50 seeds, each of a few samples.
TEST(Correlations, TypicalityAgreesWithExactWithinItsErrors) {
  const Model model = exchange_ring(8);
  CorrelationOptions options;
  options.sources = {0};
  options.axes = {0};
  const auto times = grid(3.0, 4);
  const auto reference = exact(model, times, options).mean();
  auto plan = plan_correlations(model, times, options, qheat_test::world().size(), 0.0);
  plan.exact = false;
  options.samples = plan.samples = 8;
  double square = 0.0;
  double numbers = 0.0;
  constexpr int kSeeds = 50;
  std::vector<double> mean_deviation(8, 0.0);
  for (int seed = 1; seed <= kSeeds; ++seed) {
    options.seed = static_cast<std::uint64_t>(seed);
    const auto found = compute(model, times, options, plan);
    const auto mean = found.mean();
    for (std::size_t i = 0; i < 8; ++i) {
      const std::size_t place = 3 * 8 + i;
      double variance = 0.0;
      for (const auto& sample : found.samples)
        variance += std::pow(sample.energy[place] - mean.energy[place], 2);
      variance /= 8.0 * 7.0;
      square += std::pow(mean.energy[place] - reference.energy[place], 2) / variance;
      numbers += 1.0;
      mean_deviation[i] += (mean.energy[place] - reference.energy[place]) / kSeeds;
    }
  }
  // Student's t with 7 degrees of freedom: mean square 7/5; 400 numbers, correlated.
  EXPECT_GT(square / numbers, 1.0);
  EXPECT_LT(square / numbers, 1.9);
  for (const double deviation : mean_deviation)
    EXPECT_LT(std::abs(deviation), 4.0 * 0.25 / std::sqrt(256.0 * 8.0 * kSeeds));
}
