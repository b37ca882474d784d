// Energy of a site, what changes it and what flows: as dense matrices, against products of dense matrices.
// Sums between two vectors against the same matrices.

#include "qheat/operators/energy_currents.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "operators/matrix_elements.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/density_observer.hpp"
#include "qheat/operators/commutator.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/heisenberg.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/operators/overlaps.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using Matrix = std::vector<Complex>;  // row-major

Matrix dense(const Sector& sector, TermSum<Complex> terms) {
  canonicalize(terms);
  const auto n = as_size(sector.dimension());
  Matrix matrix(n * n);
  for (Index row = 0; row < sector.dimension(); ++row) {
    visit_row(sector, terms, row,
              [&](Index column, Complex value) { matrix[as_size(row) * n + as_size(column)] += value; });
  }
  return matrix;
}

Matrix product(const Matrix& a, const Matrix& b) {
  const auto n = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(a.size()))));
  Matrix c(a.size());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      if (a[i * n + k] == Complex{}) continue;
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return c;
}

/// i (ab - ba)
Matrix dense_commutator(const Matrix& a, const Matrix& b) {
  Matrix ab = product(a, b);
  const Matrix ba = product(b, a);
  for (std::size_t k = 0; k < ab.size(); ++k) ab[k] = Complex(0.0, 1.0) * (ab[k] - ba[k]);
  return ab;
}

void expect_equal(const Matrix& a, const Matrix& b, const std::string& what) {
  double largest = 1.0;
  double distance = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    largest = std::max(largest, std::abs(b[k]));
    distance = std::max(distance, std::abs(a[k] - b[k]));
  }
  EXPECT_LT(distance, 1e-12 * largest) << what;
}

Matrix sum_of(const Matrix& a, const Matrix& b) {
  Matrix c(a.size());
  std::transform(a.begin(), a.end(), b.begin(), c.begin(), std::plus<>());
  return c;
}

/// tr(A A)/dimension
double mean_square(const Matrix& a) {
  const auto n = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(a.size()))));
  double sum = 0.0;
  for (const Complex& value : a) sum += std::norm(value);  // Hermitian
  return sum / static_cast<double>(n);
}

Model pauli_model(Lattice lattice, double zz, double field_x, double field_z) {
  std::vector<PairElement> elements;
  for (Level a = 0; a < 2; ++a) {
    for (Level b = 0; b < 2; ++b) elements.push_back({a, b, a, b, (a == b ? 1.0 : -1.0) * zz});
  }
  Model model = uniform_model(std::move(lattice), Site({0.0, 2.0 * field_z}),
                              PairInteraction::matrix(2, elements), 1.0);
  model.onsite = {{0, 1, field_x}, {1, 0, field_x}};
  return model;
}

}  // namespace

TEST(EnergyCurrents, IdentitiesHoldAsMatrices) {
  for (const auto& random : qheat_test::random_cases()) {
    const Model& model = random.model;
    const Sector sector = Sector::full(model.sites(), model.levels());
    if (sector.dimension() > 256) continue;
    const Matrix h = dense(sector, hamiltonian(model));
    const Matrix exchange_with_levels = dense_commutator(h, dense(sector, level_hamiltonian(model)));
    const bool keeps = std::all_of(exchange_with_levels.begin(), exchange_with_levels.end(),
                                   [](const Complex& value) { return std::abs(value) < 1e-12; });
    for (const auto kind : {SiteEnergy::levels, SiteEnergy::full}) {
      const bool full = kind == SiteEnergy::full;
      const std::string what = random.name + (full ? " full" : " levels");
      Matrix total(h.size());
      std::vector<Matrix> flows(as_size(model.sites()), Matrix(h.size()));
      for (const auto& [x, y] : current_pairs(model, kind)) {
        const Matrix forward = dense(sector, energy_current(model, kind, x, y));
        Matrix back = dense(sector, energy_current(model, kind, y, x));
        flows[as_size(x)] = sum_of(flows[as_size(x)], forward);
        flows[as_size(y)] = sum_of(flows[as_size(y)], back);
        expect_equal(sum_of(forward, back), Matrix(h.size()), what + ": what x gives, y gets");
      }
      for (int x = 0; x < model.sites(); ++x) {
        const Matrix energy = dense(sector, site_energy(model, kind, x));
        total = sum_of(total, energy);
        const Matrix change = dense(sector, energy_change(model, kind, x));
        expect_equal(change, dense_commutator(h, energy), what + ": i[H, h_x]");
        if (full || keeps)
          expect_equal(sum_of(change, flows[as_size(x)]), Matrix(h.size()), what + ": continuity");
      }
      if (full) {  // what flows in and out along the bonds is what changes
        std::vector<Matrix> out(as_size(model.sites()), Matrix(h.size()));
        const auto currents = full_bond_currents(model);
        for (std::size_t b = 0; b < currents.size(); ++b) {
          const Bond& bond = model.lattice.bonds()[b];
          const Matrix current = dense(sector, currents[b]);
          Matrix back = current;
          for (Complex& v : back) v = -v;
          out[as_size(bond.first)] = sum_of(out[as_size(bond.first)], current);
          out[as_size(bond.second)] = sum_of(out[as_size(bond.second)], back);
        }
        for (int x = 0; x < model.sites(); ++x)
          expect_equal(sum_of(dense(sector, energy_change(model, kind, x)), out[as_size(x)]),
                       Matrix(h.size()), what + ": continuity along bonds");
      }
      expect_equal(total, dense(sector, full ? hamiltonian(model) : level_hamiltonian(model)),
                   what + ": sum of h_x");
    }
  }
}

// physics: section 14 and the literature of the tilted Ising chain (Pauli matrices: sum ZZ + 1.4 X + 0.9045
// Z).
TEST(EnergyCurrents, TiltedIsingMoments) {
  const Model model = pauli_model(Lattice::ring(8), 1.0, 1.4, 0.9045);
  const Sector sector = Sector::full(8, 2);
  EXPECT_NEAR(mean_square(dense(sector, total_current(model, SiteEnergy::full, 0))) / 8.0,
              4.0 * 1.4 * 1.4 / 2.0, 1e-10);
  double variance = 0.0;
  TermSum<Complex> all{.levels = 2, .terms = {}};
  for (int x = 0; x < 8; ++x) add_terms(all, site_energy(model, SiteEnergy::full, x));
  Matrix h = dense(sector, all);
  Complex trace = 0.0;
  for (std::size_t k = 0; k < 256; ++k) trace += h[k * 257];
  for (std::size_t k = 0; k < 256; ++k) h[k * 257] -= trace / 256.0;
  variance = mean_square(h) / 8.0;
  EXPECT_NEAR(variance, 1.0 + 1.4 * 1.4 + 0.9045 * 0.9045, 1e-12);
}

// <J_E^2>/N = 3 lambda^4/2 for the isotropic chain: V = swap = (1 + sigma.sigma)/2
TEST(EnergyCurrents, FullCurrentOfTheIsotropicChain) {
  const double lambda = 0.7;
  Model model = uniform_model(Lattice::ring(8), Site({0.0, 1.0}), PairInteraction::exchange(2, 1.0), lambda);
  std::fill(model.energies.begin(), model.energies.end(), 0.0);
  const Sector sector = Sector::full(8, 2);
  const Matrix current = dense(sector, total_current(model, SiteEnergy::full, 0));
  EXPECT_NEAR(mean_square(current) / 8.0, 1.5 * std::pow(lambda, 4), 1e-12);
  // it is conserved
  expect_equal(dense_commutator(dense(sector, hamiltonian(model)), current), Matrix(current.size()),
               "[H, J_E]");
}

// tr(A L rho) = tr(A' rho), A' = i[H, A] + D^+(A), for the density matrices of a short evolution; L is tested
// against the dense reference.
TEST(Heisenberg, IsTheAdjointOfTheLiouvillian) {
  auto cases = qheat_test::random_jump_cases(32);
  for (auto& open : qheat_test::random_open_cases(32)) cases.push_back(std::move(open));
  for (const auto& random : cases) {
    const Model& model = random.model;
    const auto probabilities = InitialState::product(model, qheat_test::random_levels(model, 3));
    const auto counts = density_counts(model, probabilities);
    const auto space = std::make_shared<DistributedSector>(density_space(model, counts), qheat_test::world());
    std::vector<TermSum<Complex>> observables;
    for (const auto kind : {SiteEnergy::levels, SiteEnergy::full}) {
      for (int x = 0; x < model.sites(); ++x) observables.push_back(site_energy(model, kind, x));
    }
    const std::size_t count = observables.size();
    for (std::size_t k = 0; k < count; ++k) observables.push_back(rate_of_change(model, observables[k]));
    const DensityObserver observer(model, space, observables);
    const auto generator = make_liouvillian(space, model);
    auto rho = initial_density(*space, probabilities.probabilities);
    std::vector<Complex> next(rho.size());
    const auto values = [&](std::span<const Complex> of) {
      std::vector<double> measured(observer.measured());
      observer.measure(of, measured);
      const auto report = observer.report(measured).values;
      return std::vector<double>(report.begin() + static_cast<std::ptrdiff_t>(observer.layout().others()),
                                 report.end());
    };
    for (int step = 0; step < 4; ++step) {
      generator->apply(std::span<const Complex>(rho), std::span(next));
      const auto before = values(rho);
      const auto after = values(next);
      double largest = 1.0;
      for (std::size_t k = 0; k < count; ++k) largest = std::max(largest, std::abs(after[k]));
      for (std::size_t k = 0; k < count; ++k)
        EXPECT_NEAR(after[k], before[count + k], 1e-11 * largest) << random.name << ' ' << k;
      std::swap(rho, next);  // L rho is Hermitian, too
    }
  }
}

TEST(Overlaps, EqualDenseMatricesBetweenTwoVectors) {
  for (const auto& random : qheat_test::random_cases()) {
    const Model& model = random.model;
    const Sector sector = Sector::full(model.sites(), model.levels());
    if (sector.dimension() > 256) continue;
    const auto space = std::make_shared<DistributedSector>(sector, qheat_test::world());
    std::vector<TermSum<Complex>> observables;
    for (int x = 0; x < model.sites(); ++x) {
      observables.push_back(site_energy(model, SiteEnergy::full, x));
      observables.push_back(energy_change(model, SiteEnergy::levels, x));
    }
    for (const auto& [from, to] : current_pairs(model, SiteEnergy::full))
      observables.push_back(energy_current(model, SiteEnergy::full, from, to));
    const auto n = as_size(sector.dimension());
    qheat_test::brute::Generator draw(11);
    std::vector<Complex> x(n), y(n);
    for (auto& v : x) v = {draw.symmetric(), draw.symmetric()};
    for (auto& v : y) v = {draw.symmetric(), draw.symmetric()};
    const auto part = [&](const std::vector<Complex>& all) {
      return std::span(all).subspan(as_size(space->first_state()), as_size(space->local_size()));
    };
    const auto found = Overlaps(space, observables).between(part(x), part(y));
    for (std::size_t k = 0; k < observables.size(); ++k) {
      const Matrix a = dense(sector, observables[k]);
      Complex expected = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) expected += std::conj(x[i]) * a[i * n + j] * y[j];
      }
      EXPECT_LT(std::abs(found[k] - expected), 1e-11 * static_cast<double>(n)) << random.name << ' ' << k;
    }
  }
}
