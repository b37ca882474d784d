// Equilibrium correlations against dense matrices, closed forms and identities, on every number of ranks.

#include "qheat/fluctuations/correlations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "kernel/site_inverse.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/fluctuations/site_correlations.hpp"
#include "qheat/kernel/site_memory.hpp"
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
  std::vector<Dense::Matrix> h, change, curvature;
  const auto hamilton = dense.matrix(hamiltonian(model));
  for (int i = 0; i < model.sites(); ++i) {
    h.push_back(dense.matrix(site_energy(model, options.energy, i)));
    change.push_back(dense.matrix(energy_change(model, options.energy, i)));
    curvature.push_back(dense.product(hamilton, change.back()));  // i [H, dh/dt]
    const auto back = dense.product(change.back(), hamilton);
    for (std::size_t e = 0; e < back.size(); ++e)
      curvature.back()[e] = Complex(0.0, 1.0) * (curvature.back()[e] - back[e]);
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
        if (options.curvature) {
          EXPECT_NEAR(found.curvature[place], dense.correlation(rho, u, curvature[i], h[j]), 1e-8) << name;
        }
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

/// Three levels and a complex, oriented V that reversing them leaves as it is.
Model reversible_chain(double middle_level = 1.0) {
  std::vector<PairElement> elements;
  const auto add_with_image = [&](const PairElement& e) {
    const auto reversed = [](Level n) { return static_cast<Level>(2 - n); };
    elements.push_back(e);
    elements.push_back({reversed(e.a), reversed(e.b), reversed(e.c), reversed(e.d), e.value});
  };
  add_with_image({0, 1, 1, 0, {0.4, -0.9}});
  add_with_image({0, 0, 0, 0, 1.1});
  add_with_image({0, 1, 0, 1, -0.6});
  add_with_image({1, 0, 1, 0, 0.2});
  elements.push_back({0, 2, 2, 0, 0.3});  // its image is its Hermitian partner
  return uniform_model(Lattice::chain(4), Site({0.0, middle_level, 2.0}),
                       PairInteraction::matrix(3, elements, true), 0.7);
}

TEST(Correlations, FollowOneOfTwoPartsThatAreEachOthersReverse) {
  const std::vector<double> times = {0.0, 0.6, 1.7};
  const auto options_for = [](const Model& model) {
    CorrelationOptions options;
    options.sources = all_sites(model);
    options.axes = {0};
    options.curvature = true;
    return options;
  };
  const Model model = reversible_chain();
  const auto options = options_for(model);
  EXPECT_TRUE(plan_correlations(model, times, options, 1, 0.0).reversal);
  EXPECT_EQ(plan_correlations(model, times, options, 1, 0.0).parts.size(), 9U);  // of 15, three are their own
  expect_dense("reversible", model, options);
  const auto ring = exchange_ring(7);
  expect_dense("ring", ring, options_for(ring));

  const auto follows_all = [&](const Model& other, const CorrelationOptions& with) {
    return !plan_correlations(other, times, with, 1, 0.0).reversal;
  };
  const Model uneven = reversible_chain(1.2);
  EXPECT_TRUE(follows_all(uneven, options));
  expect_dense("uneven", uneven, options);
  Model detuned = model;
  detuned.energies[2] += 0.1;
  EXPECT_TRUE(follows_all(detuned, options));
  auto cold = options;
  cold.equilibrium.temperature = 1.0;
  EXPECT_TRUE(follows_all(model, cold));
  auto full = options;
  full.energy = SiteEnergy::full;
  EXPECT_TRUE(follows_all(model, full));
  const Model chiral = uniform_model(Lattice::chain(4), Site({0.0, 1.0, 2.0}),
                                     PairInteraction::matrix(3, {{0, 1, 1, 0, 0.5}}), 0.7);
  EXPECT_TRUE(follows_all(chiral, options));
}

TEST(Correlations, EqualDenseReference) {
  for (const auto& random : qheat_test::random_cases()) {
    const Model& model = random.model;
    if (level_sector_dimension(model, {}) > 32 && model.sites() * model.levels() > 12) continue;
    if (level_sector_dimension(model, {}) > 81) continue;
    for (const auto kind : {SiteEnergy::levels, SiteEnergy::full}) {
      CorrelationOptions options;
      options.energy = kind;
      options.sources = all_sites(model);
      options.curvature = true;
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
    options.curvature = true;
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
      EXPECT_NEAR(open.curvature[k], closed.curvature[k], 1e-8);
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

// d2C/dt2, measured, against differences of dC/dt, where dephasing has a part in it.
TEST(Correlations, CurvatureUnderDephasingIsTheDerivativeOfTheChange) {
  Model model =
      uniform_model(Lattice::chain(3), Site({0.0, 0.7, 1.5}), PairInteraction::exchange(3, 0.4), 0.8);
  model.bath.dephasing = 0.6;
  CorrelationOptions options;
  options.sources = {0, 1};
  options.curvature = true;
  const auto times = grid(1.6, 161);
  const auto found = exact(model, times, options).mean();
  const std::size_t width = options.sources.size() * 3;
  const double h = times[1];
  for (std::size_t t = 2; t + 2 < times.size(); t += 13) {
    for (std::size_t e = 0; e < width; ++e) {
      const auto at = [&](std::size_t time) { return found.change[time * width + e]; };
      EXPECT_NEAR(found.curvature[t * width + e],
                  (8.0 * (at(t + 1) - at(t - 1)) - (at(t + 2) - at(t - 2))) / (12.0 * h), 1e-7);
    }
  }
}

// C''(q,0) = -<|dh_q/dt|^2> = -2 (1 - cos q) <J J>/N where currents of different bonds are independent.
TEST(Correlations, FSumRule) {
  for (const auto kind : {SiteEnergy::levels, SiteEnergy::full}) {
    const Model model = exchange_ring(8, 0.9, 0.5);
    CorrelationOptions options;
    options.energy = kind;
    options.sources = {0};
    options.axes = {0};
    options.curvature = true;
    const auto found = exact(model, grid(1.0, 3), options).mean();
    for (int i = 0; i < 8; ++i) {
      EXPECT_NEAR(
          found.curvature[as_size(i)],
          -equilibrium_covariance(model, {}, energy_change(model, kind, i), energy_change(model, kind, 0)),
          1e-12);
    }
    if (kind == SiteEnergy::full) continue;
    for (int k = 0; k < 8; ++k) {
      const double q = 2.0 * std::numbers::pi * k / 8.0;
      double wave = 0.0;
      for (int i = 0; i < 8; ++i) wave += std::cos(q * i) * found.curvature[as_size(i)];
      EXPECT_NEAR(wave, -2.0 * (1.0 - std::cos(q)) * found.current[0], 1e-12);
    }
  }
}

// dC/dt = -int_0^t M(s) C(t - s) ds, by another quadrature.
TEST(SiteMemory, GivesTheCorrelationsBack) {
  const Model model = exchange_ring(6, 0.7);
  CorrelationOptions options;
  options.sources = {0};
  options.curvature = true;
  const auto found = exact(model, grid(4.0, 81), options);
  const auto sites = site_correlations(model, found, found.mean());
  const double h = sites.times[1];
  const auto memory = site_memory(sites.energy_at(0), sites.change, sites.curvature, 6, h);
  EXPECT_LT(memory.error, 1e-4);
  for (const std::size_t t : {10U, 40U, 80U}) {
    std::vector<double> sum(36, 0.0);  // int M(s) C(t - s) ds by Simpson's rule
    for (std::size_t s = 0; s <= t; ++s) {
      const double weight = h / 3.0 * (s == 0 || s == t ? 1.0 : s % 2 == 1 ? 4.0 : 2.0);
      for (std::size_t i = 0; i < 6; ++i)
        for (std::size_t k = 0; k < 6; ++k)
          for (std::size_t j = 0; j < 6; ++j)
            sum[i * 6 + j] += weight * memory.kernel[(s * 6 + i) * 6 + k] * sites.energy_at(t - s)[k * 6 + j];
    }
    for (std::size_t e = 0; e < 36; ++e) EXPECT_NEAR(sites.change_at(t)[e], -sum[e], 1e-5);
  }
  // too coarse to be followed: no numbers
  const auto coarse = exact(model, grid(60.0, 11), options);
  const auto few = site_correlations(model, coarse, coarse.mean());
  EXPECT_TRUE(std::isnan(site_memory(few.energy_at(0), few.change, few.curvature, 6, 6.0).kernel[0]));
}

// C(q) = C(-q): on an odd ring no determinant changes its sign.
TEST(SingularTimes, OfAnOddRingAreTheZerosOfItsWaves) {
  const Model model = exchange_ring(7);
  CorrelationOptions options;
  options.sources = {0};
  const auto found = exact(model, grid(2.0, 201), options);
  const auto sites = site_correlations(model, found, found.mean());
  const auto modes = lattice_modes(model.lattice);
  const auto said = analyse(model.lattice, sites, 0.25, modes, {.modes = true, .site_kernel = true});
  std::vector<double> zeros;
  for (std::size_t t = 1; t < sites.times.size(); ++t) {
    for (std::size_t q = 0; q < modes.size(); ++q) {
      const auto amplitude = [&](std::size_t time) { return said.modes->amplitude[time * modes.size() + q]; };
      if (amplitude(t - 1) * amplitude(t) < 0.0) zeros.push_back((sites.times[t - 1] + sites.times[t]) / 2.0);
    }
  }
  ASSERT_GT(zeros.size(), 3U);
  EXPECT_NEAR(zeros.front(), 0.64, 0.02);
  EXPECT_EQ(singular_times(sites.times, said.site_kernel->kernels, std::vector<double>(201, 1e-10)), zeros);
}

TEST(SiteMemory, HasAFrequencyWhereChangesBeginAtOnce) {
  for (const auto& random : qheat_test::random_cases()) {
    const Model& model = random.model;
    if (model.levels() != 2 || model.sites() > 5) continue;
    CorrelationOptions options;
    options.energy = SiteEnergy::full;
    options.sources = all_sites(model);
    options.curvature = true;
    const auto n = as_size(model.sites());
    const auto found = exact(model, grid(1.0, 81), options);
    const auto sites = site_correlations(model, found, found.mean());
    if (independent_sites(n, sites.energy_at(0)) < n) continue;
    const double h = sites.times[1];
    const auto memory = site_memory(sites.energy_at(0), sites.change, sites.curvature, n, h);
    double scale = 0.0;
    for (const double value : sites.change) scale = std::max(scale, std::abs(value));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0.0;
        for (std::size_t k = 0; k < n; ++k) {
          sum += memory.frequency[i * n + k] * sites.energy_at(80)[k * n + j];
          for (std::size_t s = 0; s <= 80; ++s) {
            const double weight = h / 3.0 * (s == 0 || s == 80 ? 1.0 : s % 2 == 1 ? 4.0 : 2.0);
            sum -= weight * memory.kernel[(s * n + i) * n + k] * sites.energy_at(80 - s)[k * n + j];
          }
        }
        EXPECT_NEAR(sites.change_at(80)[i * n + j], sum, 1e-4 * scale) << random.name;
      }
    }
  }
}

// The error says how far it is off, also with few outputs; with too few there is no number.
TEST(SiteMemory, IsAsGoodAsItSays) {
  const Model model = exchange_ring(6);
  CorrelationOptions options;
  options.sources = {0};
  options.curvature = true;
  const auto at = [&](int outputs) {
    const auto found = exact(model, grid(2.0, outputs), options);
    const auto sites = site_correlations(model, found, found.mean());
    return site_memory(sites.energy_at(0), sites.change, sites.curvature, 6, sites.times[1]);
  };
  const auto fine = at(161);
  double largest = 0.0;
  for (const double value : fine.kernel) largest = std::max(largest, std::abs(value));
  for (const int outputs : {2, 3, 5, 6, 9, 11, 17, 21, 41}) {
    const auto coarse = at(outputs);
    if (!std::isfinite(coarse.kernel[0])) {
      EXPECT_LT(outputs, 20);
      continue;
    }
    const std::size_t stride = 160 / (as_size(outputs) - 1);
    double distance = 0.0;
    for (std::size_t e = 0; e < coarse.kernel.size(); ++e)
      distance = std::max(distance, std::abs(coarse.kernel[e] - fine.kernel[e / 36 * stride * 36 + e % 36]));
    EXPECT_LE(distance, (coarse.error + 1e-9) * largest) << outputs;
  }
}

TEST(SingularTimes, AreThoseThatTheErrorsLeave) {
  const std::vector<double> times = {0.0, 1.0, 2.0, 3.0, 4.0};
  std::vector<SiteKernel> kernels(5);
  const double signs[] = {1.0, 1.0, -1.0, 1.0, -1.0};
  for (std::size_t t = 0; t < 5; ++t) {
    kernels[t].determinant_sign = 1.0;
    kernels[t].negative = signs[t] > 0.0 ? 0 : 2;  // pairs: the determinant keeps its sign
    kernels[t].condition = 10.0;
  }
  EXPECT_EQ(singular_times(times, kernels, std::vector<double>(5, 1e-3)),
            (std::vector<double>{1.5, 2.5, 3.5}));
  // the last two are not known: nothing is said of them
  EXPECT_EQ(singular_times(times, kernels, std::vector<double>{0.0, 0.0, 0.0, 0.2, 0.2}),
            (std::vector<double>{1.5}));
  EXPECT_EQ(singular_times(times, kernels, std::vector<double>{0.0, 0.0, 0.2, 0.0, 0.0}),
            (std::vector<double>{3.5}));
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

TEST(Correlations, RandomStatesAreNotBiasedWhereWeightsDiffer) {
  // 02 <-> 11 keeps the energy but not the numbers, so a cold part has states of very different weights.
  const Model model = uniform_model(
      Lattice::ring(4), Site({0.0, 1.0, 2.0}),
      PairInteraction::matrix(3, {{0, 1, 1, 0, 1.0}, {0, 2, 1, 1, 1.0}, {1, 2, 2, 1, 1.0}}), 0.7);
  CorrelationOptions options;
  options.equilibrium.temperature = 0.5;
  options.sources = {0};
  options.axes = {0};
  const auto times = grid(0.6, 3);
  const auto reference = exact(model, times, options).mean();
  auto plan = plan_correlations(model, times, options, qheat_test::world().size(), 0.0);
  plan.exact = false;
  constexpr int kSamples = 3000;
  options.samples = plan.samples = kSamples;
  const auto found = compute(model, times, options, plan);
  const auto mean = found.mean();
  const auto expect_within_errors = [&](std::vector<double> CorrelationSeries::*series) {
    for (std::size_t k = 0; k < (mean.*series).size(); ++k) {
      double variance = 0.0;
      for (const auto& sample : found.samples)
        variance += std::pow((sample.*series)[k] - (mean.*series)[k], 2);
      const double error = std::sqrt(variance / (kSamples * (kSamples - 1.0)));
      EXPECT_LT(std::abs((mean.*series)[k] - (reference.*series)[k]), 4.5 * error + 1e-12) << k;
    }
  };
  expect_within_errors(&CorrelationSeries::energy);
  expect_within_errors(&CorrelationSeries::current);
  // and they are known well enough to tell a bias of a few per cent
  EXPECT_NEAR(mean.current[0], reference.current[0], 0.1 * reference.current[0]);
}
