// G(t) and its derivatives on cells against the dense reference, element by element.

#include "qheat/propagator/population_propagator.hpp"

#include <gtest/gtest.h>

#include "qheat/evolution/chebyshev.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/operator.hpp"
#include "support/cell_reference.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

void expect_reference(const std::string& name, const Model& model, const brute::System& reference,
                      const InitialState& initial) {
  const CellSpace cells(model, initial);
  for (const CellSector& sector : cells.sectors()) {
    const auto propagator = closed_population_propagator(model, sector, qheat_test::world());
    const auto numbers = qheat_test::reference_cells(sector.cells);
    const auto difference = [&](const CellColumns& columns, const brute::RealMatrix& all) {
      return qheat_test::largest_difference(full_columns(propagator->layout(), columns),
                                            brute::restricted(all, numbers));
    };
    for (const double t : {0.0, 7.0}) {
      const auto g = propagator->evaluate(t, 2);
      EXPECT_LT(difference(g[0], brute::populations_propagator(reference, t)), 1e-11) << name << " t=" << t;
      EXPECT_LT(difference(g[1], brute::populations_propagator_derivative(reference, t)), 1e-10)
          << name << " t=" << t;
      constexpr double kStep = 1e-4;  // the second derivative by differences of the first
      auto second = brute::populations_propagator_derivative(reference, t + kStep);
      const auto before = brute::populations_propagator_derivative(reference, t - kStep);
      for (std::size_t e = 0; e < second.size(); ++e) second[e] = (second[e] - before[e]) / (2.0 * kStep);
      EXPECT_LT(difference(g[2], second), 1e-4) << name << " t=" << t;
      EXPECT_LT(propagator->error(t), 1e-12);
    }
  }
}

TEST(PopulationPropagator, EqualsTheReferenceOnRandomModels) {
  std::uint64_t seed = 30;
  for (const auto& random : qheat_test::random_cases()) {
    if (random.model.sites() * random.model.levels() > 10) continue;  // the reference is slow
    expect_reference(random.name, random.model, random.reference,
                     InitialState::product(random.model, qheat_test::random_levels(random.model, seed++)));
  }
}

TEST(PopulationPropagator, CoversAllSectorsOfAMixture) {
  const auto reference = brute::random_system(
      8, {{0, 1}, {1, 2}}, 3, 3, {.complex_v = false, .conserving = true, .onsite = false, .detuned = true});
  const auto model = qheat_test::model_of(reference, Lattice::chain(3), 8);
  expect_reference("mixture", model, reference, InitialState::thermal(model, {1.0, 2.0, 3.0}));
}

TEST(PopulationPropagator, SumsOverTheStatesOfBands) {
  for (const bool conserving : {true, false}) {
    auto reference =
        brute::random_system(5, {{0, 1}, {1, 2}}, 3, 4,
                             {.complex_v = true, .conserving = conserving, .onsite = false, .detuned = true});
    reference.band_of_level = qheat_test::uneven_bands(4);
    const auto model = qheat_test::model_of(reference, Lattice::chain(3), 5);
    expect_reference("bands", model, reference, InitialState::band_mixture(model, {0, 1, 3}));
    expect_reference("bands, mixture", model, reference, InitialState::thermal(model, {1.0, 2.0, 3.0}));
  }
}

/// V = exchange on every bond, some detuning.
brute::System exchange_system(const Lattice& lattice, int levels, double strength, bool symmetric) {
  brute::System system{.sites = lattice.sites(), .levels = levels};
  for (int i = 0; i < lattice.sites(); ++i) {
    std::vector<double> row(static_cast<std::size_t>(levels), 0.0);
    const int place = symmetric ? std::min(i, lattice.sites() - 1 - i) : i;
    for (int n = 1; n < levels; ++n) row[static_cast<std::size_t>(n)] = n + 0.1 * n * place;
    system.energies.push_back(row);
  }
  for (const Bond& bond : lattice.bonds()) {
    system.bonds.push_back(brute::exchange_bond(bond.first, bond.second, levels, strength, 0.7));
  }
  return system;
}

TEST(PopulationPropagator, UsesTheMirrorOfTheLattice) {
  struct Case {
    Lattice lattice;
    int levels;
    std::vector<int> start;
  };
  const std::vector<Case> cases = {{Lattice::chain(5), 2, {1, 0, 1, 0, 0}},
                                   {Lattice::chain(4), 3, {1, 0, 2, 0}},
                                   {Lattice::ring(4), 2, {1, 0, 1, 0}},
                                   {Lattice({3, 2}, std::vector<bool>{false, false}), 2, {1, 1, 0, 1, 0, 0}}};
  for (const auto& [lattice, levels, start] : cases) {
    for (const bool symmetric : {true, false}) {
      const auto reference = exchange_system(lattice, levels, 0.4, symmetric);
      const auto model = qheat_test::model_of(reference, lattice, 1);
      ASSERT_EQ(is_mirror_symmetric(hamiltonian(model), lattice.sites()), symmetric);
      expect_reference("mirror", model, reference, InitialState::product(model, start));
    }
  }
}

/// 462 states, in several panels of the products on up to three ranks: columns against evolved states.
TEST(PopulationPropagator, OfManyStatesHoldsTheEvolvedOnes) {
  constexpr int kSites = 11;
  constexpr double kTime = 3.0;
  auto model =
      uniform_model(Lattice::chain(kSites), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.7), 0.4);
  for (const bool symmetric : {true, false}) {
    if (!symmetric) model.energies[1] += 0.3;
    const CellSpace cells(model, InitialState::product(model, {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0}));
    const auto propagator = closed_population_propagator(model, cells.sectors().front(), qheat_test::world());
    const auto values = propagator->evaluate(kTime, 1);
    const auto g = full_columns(propagator->layout(), values[0]);
    const auto derivative = full_columns(propagator->layout(), values[1]);
    // Every rank evolves its own columns, alone.
    const auto space =
        std::make_shared<const DistributedSector>(cells.sectors().front().cells, Communicator::self());
    const auto h = make_operator(space, hamiltonian(model));
    std::vector<Complex> change(static_cast<std::size_t>(space->dimension()));
    for (std::size_t j = 0; j < g.cells.size(); j += 7) {
      std::vector<Complex> psi(change.size());
      psi[static_cast<std::size_t>(g.cells[j])] = 1.0;
      ChebyshevEvolution(*h).advance(kTime, 1e-12, std::span(psi));
      h->apply(std::span<const Complex>(psi), std::span(change));
      double largest = 0.0;
      for (std::size_t i = 0; i < psi.size(); ++i) {
        const double rate = 2.0 * (std::conj(psi[i]) * Complex(0.0, -1.0) * change[i]).real();
        const auto column = static_cast<Index>(j);
        largest = std::max({largest, std::abs(g.values.block().column(column)[i] - std::norm(psi[i])),
                            std::abs(derivative.values.block().column(column)[i] - rate)});
      }
      EXPECT_LT(largest, 1e-11) << "column " << g.cells[j] << " symmetric " << symmetric;
    }
  }
}

TEST(PopulationPropagator, HoldsForOneSiteAndForNoInteraction) {
  const Model pair = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.0);
  const CellSpace cells(pair, InitialState::product(pair, {1, 0}));
  const auto propagator = closed_population_propagator(pair, cells.sectors().front(), qheat_test::world());
  const auto g = full_columns(propagator->layout(), propagator->evaluate(3.0, 0).front());
  EXPECT_LT(qheat_test::largest_difference(g, {1.0, 0.0, 0.0, 1.0}), 1e-14);

  const Model site = uniform_model(Lattice::chain(1), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.3);
  const CellSpace one(site, InitialState::product(site, {1}));
  const auto alone = closed_population_propagator(site, one.sectors().front(), qheat_test::world());
  EXPECT_LT(
      qheat_test::largest_difference(full_columns(alone->layout(), alone->evaluate(1.0, 1).back()), {0.0}),
      1e-14);
}

}  // namespace
