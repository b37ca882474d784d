// The dense reference against closed forms, and against itself by independent routes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <stdexcept>

#include "brute_force.hpp"

namespace {

using namespace qheat_test::brute;

constexpr Complex imaginary{0, 1};

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double value : values) {
    result = std::max(result, std::abs(value));
  }
  return result;
}

template <class T>
double difference(const std::vector<T>& a, const std::vector<T>& b) {
  EXPECT_EQ(a.size(), b.size());
  double result = 0;
  for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
    result = std::max(result, std::abs(a[k] - b[k]));
  }
  return result;
}

double element(const RealMatrix& matrix, const System& system, const std::vector<int>& to,
               const std::vector<int>& from) {
  const int bands = band_count(system);
  return matrix[number(to, bands) * cell_count(system) + number(from, bands)];
}

void expect_zero_column_sums(const RealMatrix& kernel, std::size_t n) {
  for (std::size_t c = 0; c < n; ++c) {
    double sum = 0;
    for (std::size_t r = 0; r < n; ++r) {
      sum += kernel[r * n + c];
    }
    EXPECT_NEAR(sum, 0, 1e-11 * largest(kernel));
  }
}

/// An open chain of equal two-level sites.
System chain(int sites, double strength, double anisotropy, double level = 1) {
  System system;
  system.sites = sites;
  system.levels = 2;
  system.energies.assign(static_cast<std::size_t>(sites), {0.0, level});
  for (int i = 0; i + 1 < sites; ++i) {
    system.bonds.push_back(exchange_bond(i, i + 1, 2, strength, anisotropy));
  }
  return system;
}

/// One walker on `length` places, told as one site with that many levels: its coherences decay with
/// the plain `dephasing`, those of one excitation on a chain with twice its gamma.
System walker(int length, double hopping, double dephasing) {
  const auto m = static_cast<std::size_t>(length);
  System system;
  system.sites = 1;
  system.levels = length;
  system.energies = {std::vector<double>(m, 0.0)};
  std::vector<Complex> u(m * m, 0.0);
  for (std::size_t x = 0; x + 1 < m; ++x) {
    u[x * m + x + 1] = hopping;
    u[(x + 1) * m + x] = hopping;
  }
  system.onsite = {u};
  system.dephasing = dephasing;
  return system;
}

std::vector<std::vector<double>> one_excitation(int sites, int where) {
  std::vector<std::vector<double>> result(static_cast<std::size_t>(sites), {1.0, 0.0});
  result[static_cast<std::size_t>(where)] = {0.0, 1.0};
  return result;
}

std::vector<std::vector<double>> some_probabilities(int sites, int levels) {
  Generator generator(77);
  std::vector<std::vector<double>> result;
  for (int i = 0; i < sites; ++i) {
    std::vector<double> row;
    double sum = 0;
    for (int n = 0; n < levels; ++n) {
      row.push_back(1.2 + generator.symmetric());
      sum += row.back();
    }
    for (double& p : row) {
      p /= sum;
    }
    result.push_back(row);
  }
  return result;
}

void expect_equal(const Evolution& a, const Evolution& b, double tolerance) {
  ASSERT_EQ(a.trace.size(), b.trace.size());
  EXPECT_LT(difference(a.trace, b.trace), tolerance);
  EXPECT_LT(difference(a.total_energy, b.total_energy), tolerance);
  for (std::size_t t = 0; t < a.trace.size(); ++t) {
    EXPECT_LT(difference(a.energy[t], b.energy[t]), tolerance);
    EXPECT_LT(difference(a.current[t], b.current[t]), tolerance);
    for (std::size_t i = 0; i < a.populations[t].size(); ++i) {
      EXPECT_LT(difference(a.populations[t][i], b.populations[t][i]), tolerance);
    }
    for (std::size_t k = 0; k < a.outflow[t].size(); ++k) {
      EXPECT_NEAR(a.outflow[t][k][0], b.outflow[t][k][0], tolerance);
      EXPECT_NEAR(a.outflow[t][k][1], b.outflow[t][k][1], tolerance);
    }
  }
}

// ---- Basis and operators. --------------------------------------------------------------------

TEST(BruteForce, DigitsAreMostSignificantFirst) {
  EXPECT_EQ(number({1, 0, 2}, 3), 11U);
  EXPECT_EQ(digits(11, 3, 3), (std::vector<int>{1, 0, 2}));
  for (std::size_t x = 0; x < 81; ++x) {
    EXPECT_EQ(number(digits(x, 4, 3), 3), x);
  }
}

TEST(BruteForce, TwoSitesAreTheMatrixItself) {
  const System system = random_system(1, {{0, 1}}, 2, 3);
  ComplexMatrix expected = system.bonds[0].v;
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      expected[(a * 3 + b) * 9 + a * 3 + b] += system.energies[0][a] + system.energies[1][b];
    }
  }
  EXPECT_LT(difference(hamiltonian(system), expected), 1e-15);
}

TEST(BruteForce, EmbeddingPutsEachFactorOnItsSite) {
  // v = A x B on the bond (2, 0) of three sites is B x 1 x A.
  const std::size_t m = 2;
  const std::vector<Complex> a{0.3, {0.1, 0.7}, {0.1, -0.7}, -1.1};
  const std::vector<Complex> b{-0.4, {0.5, 0.2}, {0.5, -0.2}, 0.9};
  Bond bond{2, 0, std::vector<Complex>(16)};
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t c = 0; c < 4; ++c) {
      bond.v[r * 4 + c] = a[(r / 2) * m + c / 2] * b[(r % 2) * m + c % 2];
    }
  }
  System system = chain(3, 0, 1);
  system.bonds = {bond};
  const ComplexMatrix full = embed_bond(system, bond);
  for (std::size_t r = 0; r < 8; ++r) {
    for (std::size_t c = 0; c < 8; ++c) {
      const Complex middle = (r / 2) % 2 == (c / 2) % 2 ? 1 : 0;
      EXPECT_LT(std::abs(full[r * 8 + c] - b[(r / 4) * m + c / 4] * middle * a[(r % 2) * m + c % 2]), 1e-15);
    }
  }
  const ComplexMatrix site = embed_site(system, 1, a);
  EXPECT_EQ(site[number({1, 0, 1}, 2) * 8 + number({1, 1, 1}, 2)], a[1]);
  EXPECT_EQ(site[number({1, 0, 1}, 2) * 8 + number({1, 1, 0}, 2)], 0.0);
}

TEST(BruteForce, ExchangeIsHeisenberg) {
  // For M = 2 the permutation is (1 + sigma.sigma)/2; xy keeps its transverse part.
  const std::vector<Complex> x{0, 1, 1, 0};
  const std::vector<Complex> y{0, -imaginary, imaginary, 0};
  const std::vector<Complex> z{1, 0, 0, -1};
  const Bond full = exchange_bond(0, 1, 2, 1);
  const Bond xy = exchange_bond(0, 1, 2, 1, 0);
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t c = 0; c < 4; ++c) {
      const auto pair = [&](const std::vector<Complex>& s) {
        return s[(r / 2) * 2 + c / 2] * s[(r % 2) * 2 + c % 2];
      };
      const Complex one = r == c ? 1 : 0;
      EXPECT_LT(std::abs(full.v[r * 4 + c] - 0.5 * (one + pair(x) + pair(y) + pair(z))), 1e-15);
      EXPECT_LT(std::abs(xy.v[r * 4 + c] - 0.5 * (pair(x) + pair(y))), 1e-15);
    }
  }
}

TEST(BruteForce, RandomSystemsHaveTheSymmetriesOfSection1) {
  const System system = random_system(5, {{0, 1}, {1, 2}}, 3, 3, {true, true, true, true, 0.5});
  const auto v = [&](std::size_t b, std::size_t a1, std::size_t b1, std::size_t c1, std::size_t d1) {
    return system.bonds[b].v[(a1 * 3 + b1) * 9 + c1 * 3 + d1];
  };
  bool is_complex = false;
  for (std::size_t k = 0; k < 81; ++k) {
    const std::size_t a = k / 27;
    const std::size_t b = k / 9 % 3;
    const std::size_t c = k / 3 % 3;
    const std::size_t d = k % 3;
    for (std::size_t bond = 0; bond < 2; ++bond) {
      EXPECT_LT(std::abs(v(bond, a, b, c, d) - v(bond, b, a, d, c)), 1e-15);
      EXPECT_LT(std::abs(v(bond, a, b, c, d) - std::conj(v(bond, c, d, a, b))), 1e-15);
      const bool kept = std::min(a, b) == std::min(c, d) && std::max(a, b) == std::max(c, d);
      EXPECT_EQ(v(bond, a, b, c, d) != 0.0, kept);
    }
  }
  // Hermiticity and exchange together make V_{ab,ba} real; complex V needs other elements.
  const System general = random_system(5, {{0, 1}}, 2, 3);
  for (const Complex& entry : general.bonds[0].v) {
    is_complex = is_complex || std::abs(entry.imag()) > 0.01;
  }
  EXPECT_TRUE(is_complex);
  EXPECT_NE(system.bonds[0].v, system.bonds[1].v);
  for (const auto& row : system.energies) {
    EXPECT_EQ(row[0], 0);
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
  }
  EXPECT_NE(system.energies[0], system.energies[1]);
  EXPECT_EQ(random_system(5, {{0, 1}}, 2, 3).bonds[0].v, general.bonds[0].v);
}

TEST(BruteForce, RejectsWrongSystems) {
  System system = chain(3, 0.1, 1);
  system.bonds[0].v[1] = 1;
  EXPECT_THROW(hamiltonian(system), std::invalid_argument);
  system = chain(3, 0.1, 1);
  system.bonds[0].second = 3;
  EXPECT_THROW(hamiltonian(system), std::invalid_argument);
  system = chain(3, 0.1, 1);
  system.dephasing = 0.1;
  EXPECT_THROW(evolve(system, one_excitation(3, 0), {1.0}), std::invalid_argument);
}

TEST(BruteForce, EigenDecomposition) {
  const System system = random_system(2, {{0, 1}, {1, 2}, {2, 3}}, 4, 3);
  const std::size_t n = dimension(system);
  const ComplexMatrix h = hamiltonian(system);
  const EigenDecomposition eigen = eigen_hermitian(h, n);
  ComplexMatrix scaled = eigen.vectors;
  ComplexMatrix dagger(n * n);
  ComplexMatrix one(n * n, 0.0);
  for (std::size_t x = 0; x < n; ++x) {
    one[x * n + x] = 1;
    for (std::size_t k = 0; k < n; ++k) {
      scaled[x * n + k] *= eigen.values[k];
      dagger[k * n + x] = std::conj(eigen.vectors[x * n + k]);
    }
  }
  EXPECT_LT(difference(multiply(scaled, dagger, n), h), 1e-12);
  EXPECT_LT(difference(multiply(dagger, eigen.vectors, n), one), 1e-13);
}

TEST(BruteForce, ContinuityOfEnergyAsOperators) {
  // Section 10: i[H, h_x] + sum of J_x over the bonds of x - i[lambda U_x, h_x] = 0.
  const System system =
      random_system(3, {{0, 1}, {1, 2}, {2, 0}, {3, 1}}, 4, 3, {true, false, true, true, 0.7});
  const std::size_t n = dimension(system);
  const ComplexMatrix h = hamiltonian(system);
  const auto commutator = [n](const ComplexMatrix& a, const ComplexMatrix& b) {
    ComplexMatrix ab = multiply(a, b, n);
    const ComplexMatrix ba = multiply(b, a, n);
    for (std::size_t k = 0; k < ab.size(); ++k) {
      ab[k] -= ba[k];
    }
    return ab;
  };
  for (int site = 0; site < system.sites; ++site) {
    const std::vector<double> energy = site_energy(system, site);
    ComplexMatrix h_site(n * n, 0.0);
    for (std::size_t x = 0; x < n; ++x) {
      h_site[x * n + x] = energy[x];
    }
    const ComplexMatrix change = commutator(h, h_site);
    const ComplexMatrix from_u =
        commutator(embed_site(system, site, system.onsite[static_cast<std::size_t>(site)]), h_site);
    ComplexMatrix sum(n * n);
    for (std::size_t k = 0; k < sum.size(); ++k) {
      sum[k] = imaginary * change[k] - imaginary * from_u[k];
    }
    for (std::size_t b = 0; b < system.bonds.size(); ++b) {
      for (int end = 0; end < 2; ++end) {
        if ((end == 0 ? system.bonds[b].first : system.bonds[b].second) != site) {
          continue;
        }
        const ComplexMatrix flow = outflow_operator(system, b, end);
        for (std::size_t k = 0; k < sum.size(); ++k) {
          sum[k] += flow[k];
        }
      }
    }
    EXPECT_LT(difference(sum, ComplexMatrix(n * n, 0.0)), 1e-13);
  }
}

// ---- Evolution. ------------------------------------------------------------------------------

TEST(BruteForce, ClosedEvolutionByTwoRoutes) {
  const System system = random_system(4, {{0, 1}, {1, 2}}, 3, 3, {true, false, true, true, 0.5});
  const auto initial = some_probabilities(3, 3);
  const std::vector<double> times{0, 0.3, 2, 7.5};
  const Evolution closed = evolve(system, initial, times);
  expect_equal(closed, evolve_open(system, initial, times), 1e-12);
  for (std::size_t t = 0; t < times.size(); ++t) {
    EXPECT_NEAR(closed.trace[t], 1, 1e-12);
    EXPECT_NEAR(closed.total_energy[t], closed.total_energy[0], 1e-12);
    for (std::size_t i = 0; i < 3; ++i) {
      double energy = 0;
      for (std::size_t n = 0; n < 3; ++n) {
        energy += system.energies[i][n] * closed.populations[t][i][n];
      }
      EXPECT_NEAR(closed.energy[t][i], energy, 1e-13);
    }
  }
  EXPECT_NEAR(closed.populations[0][2][1], initial[2][1], 1e-13);
}

TEST(BruteForce, EnergyChangesByTheOutflow) {
  // Without U: d<h_x>/dt = -sum J_x, here with a central difference.
  for (const double dephasing : {0.0, 0.4}) {
    System system = random_system(6, {{0, 1}, {1, 2}, {2, 0}}, 3, 2, {true, false, false, true, 1});
    system.dephasing = dephasing;
    const double t = 1.3;
    const double h = 1e-3;
    const Evolution e =
        evolve_open(system, some_probabilities(3, 2), {t - 2 * h, t - h, t, t + h, t + 2 * h});
    for (int x = 0; x < 3; ++x) {
      double flow = 0;
      for (std::size_t b = 0; b < system.bonds.size(); ++b) {
        flow += system.bonds[b].first == x ? e.outflow[2][b][0] : 0.0;
        flow += system.bonds[b].second == x ? e.outflow[2][b][1] : 0.0;
      }
      const auto i = static_cast<std::size_t>(x);
      const double slope =
          (8 * (e.energy[3][i] - e.energy[1][i]) - (e.energy[4][i] - e.energy[0][i])) / (12 * h);
      EXPECT_NEAR(slope, -flow, 1e-10);
      EXPECT_GT(std::abs(flow), 1e-3);
      EXPECT_NEAR(e.trace[i], 1, 1e-12);
    }
  }
}

TEST(BruteForce, ConservingInteractionMovesEnergyFromEndToEnd) {
  // V conserves h_p + h_q without detuning: J_p + J_q = 0; the current points from hot to cold.
  const System system = random_system(7, {{0, 1}, {1, 2}}, 3, 3, {true, true, true, false, 0.3});
  const Evolution e = evolve(system, {{0.2, 0.3, 0.5}, {0.6, 0.3, 0.1}, {0.6, 0.3, 0.1}}, {0.01, 1.0, 20.0});
  for (std::size_t t = 0; t < 3; ++t) {
    for (std::size_t b = 0; b < 2; ++b) {
      EXPECT_NEAR(e.outflow[t][b][0] + e.outflow[t][b][1], 0, 1e-13);
      EXPECT_NEAR(e.current[t][b], e.outflow[t][b][0], 1e-13);
    }
    EXPECT_NEAR(e.energy[t][0] + e.energy[t][1] + e.energy[t][2],
                e.energy[0][0] + e.energy[0][1] + e.energy[0][2], 1e-12);
  }
  EXPECT_GT(e.current[0][0], 0);
}

TEST(BruteForce, XySpreadsWithBesselFunctions) {
  // Section 13.6 with the nearest images in the walls at -1 and 7; the next are at distance 13.
  const double lambda = 0.2;
  const double t = 2;
  const Evolution e = evolve(chain(7, lambda, 0), one_excitation(7, 3), {t});
  for (int x = 0; x < 7; ++x) {
    const auto wave = [&](int distance) {
      return std::pow(-imaginary, distance) * std::cyl_bessel_j(distance, 2 * lambda * t);
    };
    const double expected = std::norm(wave(std::abs(x - 3)) - wave(x + 5) - wave(11 - x));
    EXPECT_NEAR(e.populations[0][static_cast<std::size_t>(x)][1], expected, 1e-13);
  }
}

TEST(BruteForce, LargestCase) {
  // Eight sites without any conservation law: the size that the program's tests go up to.
  const System system = random_system(8, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}}, 8, 2,
                                      {true, false, true, true, 0.3});
  const Evolution e = evolve(system, some_probabilities(8, 2), {0, 1, 2, 5, 20});
  for (std::size_t t = 0; t < 5; ++t) {
    EXPECT_NEAR(e.trace[t], 1, 1e-12);
    EXPECT_NEAR(e.total_energy[t], e.total_energy[0], 1e-11);
  }
}

// ---- Haken-Strobl (section 13.2). ------------------------------------------------------------

TEST(BruteForce, HakenStroblOnAChain) {
  // Half the growth of the variance, from the currents; the ends matter at order (lambda t)^4.
  const double lambda = 0.03;
  const double gamma = 0.8;
  System system = chain(5, lambda, 0);
  system.dephasing = gamma;
  const std::vector<double> times{0.1, 0.4, 1};
  const Evolution e = evolve_open(system, one_excitation(5, 2), times);
  for (std::size_t t = 0; t < times.size(); ++t) {
    double growth = 0;
    for (std::size_t b = 0; b < 4; ++b) {
      const double p = static_cast<double>(b) - 2;
      const double q = p + 1;
      growth -= p * p * e.outflow[t][b][0] + q * q * e.outflow[t][b][1];
    }
    const double expected = lambda * lambda / gamma * (1 - std::exp(-2 * gamma * times[t]));
    EXPECT_NEAR(growth / 2, expected, 2e-6 * expected);
  }
}

TEST(BruteForce, HakenStroblAtStrongCoupling) {
  const double lambda = 0.4;
  const double gamma = 0.3;
  const System system = walker(25, lambda, 2 * gamma);
  const std::size_t n = dimension(system);
  ComplexMatrix rho0(n * n, 0.0);
  rho0[12 * n + 12] = 1;
  const std::vector<double> times{0.5, 1.5, 3};
  const auto rho = evolve_density(system, rho0, times);
  for (std::size_t t = 0; t < times.size(); ++t) {
    const ComplexMatrix change = liouvillian(system, rho[t]);
    double growth = 0;
    for (std::size_t x = 0; x < n; ++x) {
      const double distance = static_cast<double>(x) - 12;
      growth += distance * distance * change[x * n + x].real();
    }
    EXPECT_NEAR(growth / 2, lambda * lambda / gamma * (1 - std::exp(-2 * gamma * times[t])), 1e-11);
  }
}

// ---- Kernels. --------------------------------------------------------------------------------

TEST(BruteForce, ThreeSitesExchangeKernel) {
  const double lambda = 0.1;
  const System system = chain(3, lambda, 1);
  for (const double t : {0.5, 1.0, 4.0, 9.0, 15.0}) {
    const double expected = 2 * lambda * std::sin(3 * lambda * t) / (1 + 2 * std::cos(3 * lambda * t));
    const RealMatrix k = exact_kernel(system, t);
    EXPECT_NEAR(element(k, system, {1, 0, 0}, {0, 1, 0}), expected, 1e-12);
    EXPECT_NEAR(element(k, system, {0, 1, 0}, {0, 0, 1}), expected, 1e-12);
    EXPECT_NEAR(element(k, system, {1, 0, 1}, {0, 1, 1}), expected, 1e-12);
    // The rate between the ends, from the odd mode: G_11 - G_13 = (2 cos x + cos 2x)/3, x = lambda t.
    const double x = lambda * t;
    const double ends =
        lambda * (std::sin(x) + std::sin(2 * x)) / (2 * std::cos(x) + std::cos(2 * x)) - expected / 2;
    EXPECT_NEAR(element(k, system, {1, 0, 0}, {0, 0, 1}), ends, 1e-12);
    expect_zero_column_sums(k, 8);
    // The sector alone gives the same elements.
    const auto cells = cells_with_counts(system, {2, 1});
    EXPECT_LT(difference(exact_kernel(system, t, cells), restricted(k, cells)), 1e-12);
  }
  const RealMatrix k = exact_kernel(system, 1);
  EXPECT_NEAR(element(k, system, {1, 0, 0}, {0, 1, 0}), 0.0203059710843, 1e-13);
  EXPECT_NEAR(element(k, system, {1, 0, 0}, {0, 0, 1}), -1.0264147e-4, 1e-11);
  // The divergence at t = 2 pi / (9 lambda) is a change of sign of the rate.
  const double singular = 2 * std::numbers::pi / (9 * lambda);
  EXPECT_GT(element(exact_kernel(system, singular - 1e-3), system, {1, 0, 0}, {0, 1, 0}), 100);
  EXPECT_LT(element(exact_kernel(system, singular + 1e-3), system, {1, 0, 0}, {0, 1, 0}), -100);
  EXPECT_LT(largest(exact_kernel(system, 0)), 1e-13);
}

TEST(BruteForce, ThreeSitesXyKernel) {
  const double lambda = 0.1;
  const double root = std::numbers::sqrt2;
  const System system = chain(3, lambda, 0);
  for (const double t : {0.01, 1.0, 3.0, 8.0, 12.0}) {
    const double cosine = std::cos(root * lambda * t);
    const double expected = root * lambda * std::sin(2 * root * lambda * t) / (3 * cosine * cosine - 1);
    const RealMatrix k = exact_kernel(system, t);
    EXPECT_NEAR(element(k, system, {1, 0, 0}, {0, 1, 0}), expected, 1e-12);
    EXPECT_NEAR(element(k, system, {0, 0, 1}, {0, 1, 0}), expected, 1e-12);
  }
  EXPECT_NEAR(
      element(exact_kernel(system, 0.01), system, {1, 0, 0}, {0, 1, 0}) / (2 * lambda * lambda * 0.01), 1,
      1e-5);
}

TEST(BruteForce, DetunedPair) {
  const double lambda = 0.2;
  const double delta = 0.5;
  System system = chain(2, lambda, 0);
  system.energies[1][1] += delta;
  const double omega = std::sqrt(delta * delta + 4 * lambda * lambda);
  for (const double t : {0.3, 2.0, 5.0, 11.0}) {
    const double sine = std::sin(omega * t / 2);
    const double expected = 2 * lambda * lambda * std::sin(omega * t) / omega /
                            (1 - 8 * lambda * lambda / (omega * omega) * sine * sine);
    const RealMatrix k = exact_kernel(system, t);
    EXPECT_NEAR(element(k, system, {1, 0}, {0, 1}), expected, 1e-12);
    EXPECT_NEAR(element(k, system, {0, 1}, {1, 0}), expected, 1e-12);
    EXPECT_NEAR(bond_rate(system, k)[0], expected, 1e-12);
  }
}

TEST(BruteForce, DephasedPairTendsToItsMarkovRate) {
  // Section 13.3 with Gamma = 2 gamma > 4 lambda.
  const double lambda = 0.3;
  for (const double anisotropy : {0.0, 1.0}) {
    System system = chain(2, lambda, anisotropy);
    system.dephasing = 1;
    const double big_gamma = 2 * system.dephasing;
    const double expected = (big_gamma - std::sqrt(big_gamma * big_gamma - 16 * lambda * lambda)) / 4;
    const RealMatrix k = exact_kernel(system, 15);
    EXPECT_NEAR(element(k, system, {1, 0}, {0, 1}), expected, 1e-8);
    expect_zero_column_sums(k, 4);
  }
  // lambda > Gamma/4: G of the pair oscillates through zero, so K changes sign through infinity.
  System system = chain(2, 1.0, 0);
  system.dephasing = 0.5;
  // p(0,1) - p(1,0) = e^{-Gamma t/2} [cos(s t) + Gamma/(2 s) sin(s t)], s^2 = 4 lambda^2 - Gamma^2/4.
  const double s = std::sqrt(4 - 0.25);
  const double singular = (std::numbers::pi - std::atan(2 * s)) / s;
  EXPECT_GT(element(exact_kernel(system, singular - 1e-4), system, {1, 0}, {0, 1}), 1000);
  EXPECT_LT(element(exact_kernel(system, singular + 1e-4), system, {1, 0}, {0, 1}), -1000);
}

TEST(BruteForce, StrongDephasingGivesTheMarkovRate) {
  // Section 13.7: w -> 2 lambda^2/Gamma with an error of order (lambda/Gamma)^2, Gamma = 2 gamma.
  double previous = 0;
  for (const double gamma : {2.0, 4.0}) {
    const double lambda = 0.1;
    System system = chain(3, lambda, 1, 0.1);
    system.dephasing = gamma;
    const double rate =
        element(exact_kernel(system, 10), system, {1, 0, 0}, {0, 1, 0}) * gamma / (lambda * lambda);
    const double error = std::abs(rate - 1);
    EXPECT_LT(error, 10 * lambda * lambda / (4 * gamma * gamma));
    if (previous > 0) {
      EXPECT_NEAR(previous / error, 4, 0.2);
    }
    previous = error;
  }
}

TEST(BruteForce, KernelReproducesThePopulations) {
  // dP/dt = K P, with bands of several levels and a V that changes their counts.
  for (const double dephasing : {0.0, 0.5}) {
    System system = random_system(9, {{0, 1}, {1, 2}}, 3, 3, {true, false, true, true, 0.15});
    system.band_of_level = {0, 1, 1};
    system.dephasing = dephasing;
    const std::vector<std::vector<double>> local{{0.1, 0.45, 0.45}, {0.8, 0.1, 0.1}, {0.5, 0.25, 0.25}};
    const std::vector<double> times{0.6, 1.2};
    const auto p = many_body_equation(
        cell_probabilities(system, local), [&](double t) { return exact_kernel(system, t); }, times, 0.1);
    const Evolution e = evolve_open(system, local, times);
    for (std::size_t t = 0; t < times.size(); ++t) {
      const auto sites = site_probabilities(system, p[t]);
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(sites[i][0], e.populations[t][i][0], 1e-7);
        EXPECT_NEAR(sites[i][1], e.populations[t][i][1] + e.populations[t][i][2], 1e-7);
      }
    }
  }
}

TEST(BruteForce, PropagatorDerivative) {
  for (const double dephasing : {0.0, 0.5}) {
    System system = random_system(10, {{0, 1}, {1, 2}}, 3, 2, {true, false, true, true, 0.5});
    system.dephasing = dephasing;
    const double t = 1.7;
    const double h = 1e-3;
    const auto g = [&](double time) { return populations_propagator(system, time); };
    const RealMatrix far_left = g(t - 2 * h);
    const RealMatrix left = g(t - h);
    const RealMatrix right = g(t + h);
    const RealMatrix far_right = g(t + 2 * h);
    const RealMatrix slope = populations_propagator_derivative(system, t);
    for (std::size_t k = 0; k < slope.size(); ++k) {
      EXPECT_NEAR((8 * (right[k] - left[k]) - (far_right[k] - far_left[k])) / (12 * h), slope[k], 1e-10);
    }
    expect_zero_column_sums(slope, 8);
  }
}

// ---- Second order. ---------------------------------------------------------------------------

TEST(BruteForce, Tcl2AgainstQuadrature) {
  for (const double dephasing : {0.0, 1e-9, 0.3, 5.0}) {
    System system = random_system(11, {{0, 1}, {1, 2}, {0, 2}}, 3, 3, {true, false, true, true, 1});
    // A degenerate level makes z = 0 (or tiny) for some elements.
    for (auto& row : system.energies) {
      row[2] = row[1] * (1 + 1e-12);
    }
    system.dephasing = dephasing;
    for (const std::vector<int>& bands : {std::vector<int>{}, std::vector<int>{0, 1, 1}}) {
      system.band_of_level = bands;
      for (const double t : {1e-6, 0.1, 3.0, 40.0}) {
        const RealMatrix k = tcl2(system, t);
        EXPECT_LT(difference(k, tcl2_by_quadrature(system, t)), 1e-12 * largest(k));
        expect_zero_column_sums(k, cell_count(system));
      }
    }
  }
}

TEST(BruteForce, Tcl2IsTheSecondOrderOfTheExactKernel) {
  // What is left falls as the third power of the coupling.
  for (const double dephasing : {0.0, 0.7}) {
    for (const bool banded : {false, true}) {
      double previous = 0;
      for (const double coupling : {0.002, 0.001}) {
        System system =
            random_system(12, {{0, 1}, {1, 2}}, 3, banded ? 3 : 2, {true, false, true, true, coupling});
        if (banded) {
          system.band_of_level = {0, 1, 1};
        }
        system.dephasing = dephasing;
        const double t = 2.5;
        const RealMatrix k = tcl2(system, t);
        const double error = difference(k, exact_kernel(system, t)) / largest(k);
        EXPECT_LT(error, 10 * coupling);
        if (previous > 0) {
          EXPECT_GT(previous / error, 1.9);
        }
        previous = error;
      }
    }
  }
}

TEST(BruteForce, Tcl2OfResonantExchange) {
  // 2 lambda^2 t closed, (lambda^2/gamma) (1 - e^{-2 gamma t}) under dephasing.
  const double lambda = 0.1;
  System system = chain(4, lambda, 1);
  for (const double rate : bond_rate(system, tcl2(system, 3))) {
    EXPECT_NEAR(rate, 2 * lambda * lambda * 3, 1e-15);
  }
  system.dephasing = 0.4;
  for (const double rate : bond_rate(system, tcl2(system, 3))) {
    EXPECT_NEAR(rate, lambda * lambda / 0.4 * (1 - std::exp(-2 * 0.4 * 3)), 1e-15);
  }
}

// ---- Rate equations. -------------------------------------------------------------------------

TEST(BruteForce, BondRateOfASwapKernel) {
  System system = random_system(13, {{0, 1}, {1, 2}, {3, 2}, {0, 3}}, 4, 3);
  const std::vector<double> rates{0.3, 0.1, 0.7, 0.2};
  const RealMatrix kernel = swap_kernel(system, rates);
  EXPECT_LT(difference(bond_rate(system, kernel), rates), 1e-14);
  const auto cells = cells_with_counts(system, {2, 1, 1});
  EXPECT_EQ(cells.size(), 12U);
  EXPECT_LT(difference(bond_rate(system, kernel, cells), rates), 1e-14);
  EXPECT_LT(difference(bond_rate(system, restricted(kernel, cells), cells), rates), 1e-14);
  // Nothing to swap: 0.
  EXPECT_EQ(bond_rate(system, kernel, cells_with_counts(system, {4, 0, 0})), (std::vector<double>(4, 0.0)));
}

TEST(BruteForce, BondRateIsTheMeanOverPairsOfMeans) {
  // Only {0, 1} has a rate, whatever the spectator: its mean counts once among three pairs.
  System system = random_system(14, {{0, 1}}, 3, 3);
  RealMatrix kernel(27 * 27, 0.0);
  for (int spectator = 0; spectator < 3; ++spectator) {
    kernel[number({0, 1, spectator}, 3) * 27 + number({1, 0, spectator}, 3)] = 0.5;
    kernel[number({1, 0, spectator}, 3) * 27 + number({0, 1, spectator}, 3)] = 0.1;
  }
  EXPECT_NEAR(bond_rate(system, kernel)[0], 0.1, 1e-15);
  // With a single pair in the cells there is nothing to average over.
  EXPECT_NEAR(bond_rate(system, kernel, cells_with_counts(system, {2, 1, 0}))[0], 0.3, 1e-15);
}

TEST(BruteForce, SiteEquationClosesTheInterchangeProcess) {
  System system;
  system.sites = 4;
  system.levels = 3;
  system.energies.assign(4, {0.0, 1.0, 2.5});
  for (const auto& [i, j] : {std::pair{0, 1}, {1, 2}, {2, 3}, {3, 0}}) {
    system.bonds.push_back(exchange_bond(i, j, 3, 0.1));
  }
  const auto initial = some_probabilities(4, 3);
  const auto w = [](std::size_t, double t) { return 0.2 + 0.1 * std::sin(3 * t); };
  const std::vector<double> times{0, 0.5, 2};
  const auto sites = site_equation(system, initial, w, times, 0.01);
  const auto cells = many_body_equation(
      cell_probabilities(system, initial),
      [&](double t) { return swap_kernel(system, std::vector<double>(4, w(0, t))); }, times, 0.01);
  for (std::size_t t = 0; t < times.size(); ++t) {
    const auto marginals = site_probabilities(system, cells[t]);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_LT(difference(sites[t][i], marginals[i]), 1e-13);
    }
  }
  // Ring of four, constant w: the slowest mode decays with 2 w (1 - cos(pi/2)), the next with 4 w.
  const auto mode = site_equation(
      system, {{1.0}, {0.0}, {-1.0}, {0.0}}, [](std::size_t, double) { return 0.3; }, {2.0}, 0.01);
  EXPECT_NEAR(mode[0][0][0], std::exp(-2 * 0.3 * 2.0), 1e-9);
}

TEST(BruteForce, SecondOrderOfExchangeIsTheInterchangeProcess) {
  // Section 12.3: at second order pure exchange meets all assumptions, with w = 2 lambda^2 t.
  System system;
  system.sites = 4;
  system.levels = 3;
  system.energies.assign(4, {0.0, 1.0, 2.5});
  for (int i = 0; i < 3; ++i) {
    system.bonds.push_back(exchange_bond(i, i + 1, 3, 0.1));
  }
  const RealMatrix k = tcl2(system, 1.5);
  EXPECT_LT(difference(k, swap_kernel(system, bond_rate(system, k))), 1e-15);
}

/// One site relaxes to its Gibbs state, P(t) - f = (P(0) - f) e^{-k t} with k = g (fermi) or g (2 n_B + 1)
/// (bose).
TEST(BruteForce, ReservoirsRelaxASiteToItsGibbsState) {
  for (const bool bose : {false, true}) {
    System system{.sites = 1, .levels = 2, .energies = {{0.0, 1.3}}};
    system.reservoirs = {{.site = 0, .temperature = 0.8, .rate = 0.6, .bose = bose}};
    const double factor = std::exp(1.3 / 0.8);
    const double f = 1 / (1 + factor);
    const double k = bose ? 0.6 * (2 / (factor - 1) + 1) : 0.6;
    const auto result = evolve_open(system, {{0.0, 1.0}}, {0.0, 0.7, 3.0});
    EXPECT_NEAR(result.populations[1][0][1], f + (1 - f) * std::exp(-0.7 * k), 1e-12);
    EXPECT_NEAR(result.populations[2][0][1], f + (1 - f) * std::exp(-3.0 * k), 1e-12);
    // A coherence decays with half of the rate at which the levels are left.
    const auto image = liouvillian(system, {0.0, 1.0, 0.0, 0.0});
    EXPECT_NEAR(image[1].real(), -k / 2, 1e-12);
    EXPECT_NEAR(image[1].imag(), 1.3, 1e-12);
  }
}

}  // namespace
