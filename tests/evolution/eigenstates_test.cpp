// Eigenstates from one end of the spectrum against full diagonalisation of the dense reference.

#include "qheat/evolution/eigenstates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "qheat/parallel/error.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

Eigenstates eigenstates(const Model& model, const InitialState& initial, const EigenstateOptions& options) {
  Timings timings;
  return extreme_eigenstates(model, initial, options, qheat_test::world(), 0.0, timings);
}

/// <psi|A|psi> for column `state` of the reference's eigenvectors.
double expectation(const brute::ComplexMatrix& a, const brute::ComplexMatrix& vectors, std::size_t state,
                   std::size_t n) {
  Complex sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j)
      sum += std::conj(vectors[i * n + state]) * a[i * n + j] * vectors[j * n + state];
  }
  return sum.real();
}

class AgainstReference {
 public:
  explicit AgainstReference(const qheat_test::RandomCase& random)
      : random_(random),
        n_(brute::dimension(random.reference)),
        all_(brute::eigen_hermitian(brute::hamiltonian(random.reference), n_)),
        order_(n_) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return all_.values[a] < all_.values[b]; });
  }

  void expect(const Eigenstates& found, SpectrumEnd end) const {
    for (std::size_t k = 0; k < found.energies.size(); ++k) {
      const std::size_t place = end == SpectrumEnd::lowest ? k : n_ - 1 - k;
      EXPECT_NEAR(found.energies[k], energy(place), 1e-8) << random_.name << " state " << k;
      EXPECT_LT(found.residuals[k], 1e-7);
      EXPECT_NEAR(found.observations.total_energy[k], found.energies[k], 1e-8);
      if (distance_to_others(place) > 1e-3) expect_observables(found, k, order_[place]);
    }
  }

 private:
  double energy(std::size_t place) const { return all_.values[order_[place]]; }
  double distance_to_others(std::size_t place) const {
    double least = std::numeric_limits<double>::infinity();
    if (place > 0) least = energy(place) - energy(place - 1);
    if (place + 1 < n_) least = std::min(least, energy(place + 1) - energy(place));
    return least;
  }
  void expect_observables(const Eigenstates& found, std::size_t k, std::size_t column) const {
    const auto& system = random_.reference;
    for (int i = 0; i < system.sites; ++i) {
      for (int level = 0; level < system.levels; ++level) {
        double population = 0.0;
        for (std::size_t state = 0; state < n_; ++state) {
          if (brute::digits(state, system.sites, system.levels)[static_cast<std::size_t>(i)] == level)
            population += std::norm(all_.vectors[state * n_ + column]);
        }
        const auto place = (k * static_cast<std::size_t>(system.sites) + static_cast<std::size_t>(i)) *
                               static_cast<std::size_t>(system.levels) +
                           static_cast<std::size_t>(level);
        EXPECT_NEAR(found.observations.populations[place], population, 1e-5) << random_.name;
      }
    }
    for (std::size_t b = 0; b < system.bonds.size(); ++b) {
      for (std::size_t end = 0; end < 2; ++end) {
        const auto j = brute::outflow_operator(system, b, static_cast<int>(end));
        EXPECT_NEAR(found.observations.outflow[(k * system.bonds.size() + b) * 2 + end],
                    expectation(j, all_.vectors, column, n_), 1e-4)
            << random_.name;
      }
    }
  }

  const qheat_test::RandomCase& random_;
  std::size_t n_;
  brute::EigenDecomposition all_;
  std::vector<std::size_t> order_;
};

TEST(Eigenstates, OfAllSectorsAreThoseOfTheReference) {
  for (const auto& random : qheat_test::random_cases()) {
    if (brute::dimension(random.reference) > 64) continue;  // the reference is slow
    const AgainstReference reference(random);
    const auto initial = InitialState::thermal(
        random.model, std::vector<double>(static_cast<std::size_t>(random.model.sites()), 1.0));
    for (const auto end : {SpectrumEnd::lowest, SpectrumEnd::highest}) {
      const auto found = eigenstates(random.model, initial, {.states = 5, .end = end, .tolerance = 1e-12});
      ASSERT_EQ(found.energies.size(), std::min<std::size_t>(5, brute::dimension(random.reference)));
      reference.expect(found, end);
    }
  }
}

/// E_k = 2 lambda cos(pi k/(N+1)) for one excitation on an open xy chain.
TEST(Eigenstates, OfOneExcitationAreThoseOfTheOpenChain) {
  const int sites = 30;
  const auto model = uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::xy(2), 0.5);
  std::vector<int> levels(sites, 0);
  levels[4] = 1;
  const auto initial = InitialState::product(model, levels);
  const auto found = eigenstates(model, initial, {.states = 4, .end = SpectrumEnd::highest});
  for (int k = 1; k <= 4; ++k) {
    const auto place = static_cast<std::size_t>(k - 1);
    EXPECT_NEAR(found.energies[place], 1.0 + std::cos(M_PI * k / (sites + 1)), 1e-9);
    EXPECT_EQ(found.band_counts[place], (std::vector<int>{sites - 1, 1}));
  }
}

TEST(Eigenstates, AreNoMoreThanTheStates) {
  const auto model = uniform_model(Lattice::chain(3), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5);
  const auto found = eigenstates(model, InitialState::product(model, {1, 0, 0}), {.states = 100});
  EXPECT_EQ(found.energies.size(), 3U);
}

TEST(Eigenstates, ThatDoNotFitAreRefused) {
  const auto model = uniform_model(Lattice::chain(20), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5);
  std::vector<int> levels(20, 0);
  for (std::size_t i = 0; i < 10; ++i) levels[i] = 1;
  Timings timings;
  EXPECT_THROW(
      extreme_eigenstates(model, InitialState::product(model, levels), {}, qheat_test::world(), 1e6, timings),
      Error);
}

}  // namespace
