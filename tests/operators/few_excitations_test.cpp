// Few excitations on many sites: tables that hold differences from the common configuration, places that are
// searched, and set-up work that does not grow with the square of the sites.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numbers>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/observer.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/operator.hpp"
#include "support/brute_force.hpp"
#include "support/world.hpp"

using namespace qheat;
using qheat_test::brute::Generator;

namespace {

std::shared_ptr<const DistributedSector> space_of(const Model& model, const std::vector<int>& counts) {
  return std::make_shared<DistributedSector>(level_sector(model, counts), qheat_test::world());
}

/// The same random vector on any number of ranks.
std::vector<Complex> random_vector(const DistributedSector& space) {
  std::vector<Complex> local;
  Generator random(7);
  for (Index state = 0; state < space.dimension(); ++state) {
    const Complex value(random.symmetric(), random.symmetric());
    if (state >= space.first_state() && state < space.first_state() + space.local_size())
      local.push_back(value);
  }
  return local;
}

double largest_difference(const std::vector<Complex>& a, const std::vector<Complex>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return qheat_test::world().max(largest);
}

/// Products and diagonals of the engine against the matrix assembled element by element; and the energy that
/// the observer sums up against <psi|H|psi>.
void expect_assembled(const std::shared_ptr<const DistributedSector>& space, const TermSum<Complex>& terms,
                      const std::string& what) {
  const auto engine = make_operator(space, terms);
  const auto assembled = make_operator(space, terms, Backend::assembled);
  const auto x = random_vector(*space);
  std::vector<Complex> y(x.size());
  std::vector<Complex> expected(x.size());
  engine->apply(std::span<const Complex>(x), std::span(y));
  assembled->apply(std::span<const Complex>(x), std::span(expected));
  EXPECT_LT(largest_difference(y, expected), 1e-11) << what;
  engine->diagonal(y);
  assembled->diagonal(expected);
  EXPECT_LT(largest_difference(y, expected), 1e-11) << what;
}

/// A chain of 70 sites (35 a half, 69 sets of sites in each) with couplings, energies and elements of all
/// kinds that keep the levels.
Model random_chain(int levels) {
  Generator random(3);
  std::vector<double> energies(static_cast<std::size_t>(levels));
  for (std::size_t n = 1; n < energies.size(); ++n)
    energies[n] = energies[n - 1] + 1.0 + 0.3 * static_cast<double>(n);
  std::vector<PairElement> elements;
  for (int a = 0; a < levels; ++a) {
    for (int b = 0; b < levels; ++b) {
      const auto i = static_cast<Level>(a);
      const auto j = static_cast<Level>(b);
      elements.push_back({i, j, i, j, random.symmetric()});
      if (a < b) elements.push_back({i, j, j, i, Complex(random.symmetric(), random.symmetric())});
    }
  }
  auto model =
      uniform_model(Lattice::chain(70), Site(energies), PairInteraction::matrix(levels, elements, true), 0.7);
  for (double& coupling : model.couplings) coupling = 1.0 + 0.5 * random.symmetric();
  for (double& energy : model.energies) energy += 0.1 * random.symmetric();
  return model;
}

TEST(FewExcitations, ProductsAndDiagonalsAreThoseOfTheAssembledMatrix) {
  const Model two = random_chain(2);
  const Model three = random_chain(3);
  for (const auto& counts : {std::vector<int>{70, 0}, {69, 1}, {68, 2}, {1, 69}})
    expect_assembled(space_of(two, counts), hamiltonian(two), "two levels, " + std::to_string(counts[1]));
  for (const auto& counts : {std::vector<int>{69, 1, 0}, {68, 1, 1}, {1, 68, 1}, {0, 1, 69}})
    expect_assembled(space_of(three, counts), hamiltonian(three),
                     "three levels, " + std::to_string(counts[1]));
}

/// What leads from elsewhere to the common configuration must not be lost.
TEST(FewExcitations, ElementsThatLeadToTheCommonConfigurationAreKept) {
  constexpr int kHalf = 7;  // its 98 sets of up to four sites
  TermSum<Complex> terms{.levels = 2, .terms = {}};
  Generator random(11);
  const auto add = [&](std::vector<int> sites) {
    const auto all = (LocalCode{1} << sites.size()) - 1;
    const Complex up(random.symmetric(), random.symmetric());
    terms.terms.push_back(
        {std::move(sites), {{0, 0, random.symmetric()}, {0, all, up}, {all, 0, std::conj(up)}}});
  };
  for (int half = 0; half < 2; ++half) {
    for (unsigned set = 1; set < (1U << kHalf); ++set) {
      std::vector<int> sites;
      for (int i = 0; i < kHalf; ++i) {
        if ((set >> i & 1U) != 0) sites.push_back(half * kHalf + i);
      }
      if (sites.size() <= 4) add(std::move(sites));
    }
  }
  add({kHalf - 1, kHalf});
  const auto space = std::make_shared<DistributedSector>(Sector::full(2 * kHalf, 2), qheat_test::world());
  expect_assembled(space, terms, "full space");
}

/// Plane waves on a torus: what the energies must be, in a size that needs tables without squares.
TEST(FewExcitations, AMagnonOnATorusHasTheEnergyOfItsWave) {
  constexpr int kX = 60;
  constexpr int kY = 30;
  constexpr double kStrength = 0.5;
  const auto model = uniform_model(Lattice({kX, kY}, {true, true}), Site({0.0, 1.0}),
                                   PairInteraction::exchange(2), kStrength);
  const auto space = space_of(model, {kX * kY - 1, 1});
  const auto h = make_operator(space, hamiltonian(model));
  const Observer observer(model, space);
  const double kx = 2.0 * std::numbers::pi * 7 / kX;
  const double ky = 2.0 * std::numbers::pi * 4 / kY;
  std::vector<Complex> psi;
  std::vector<Level> levels(kX * kY);
  for (Index state = space->first_state(); state < space->first_state() + space->local_size(); ++state) {
    space->sector().configuration(state, levels);
    const auto site = static_cast<int>(std::find(levels.begin(), levels.end(), Level{1}) - levels.begin());
    psi.push_back(std::polar(1.0 / std::sqrt(kX * kY), kx * (site % kX) + ky * (site / kX)));
  }
  std::vector<Complex> image(psi.size());
  h->apply(std::span<const Complex>(psi), std::span(image));
  const double energy = 1.0 + kStrength * (2 * kX * kY - 4 + 2.0 * std::cos(kx) + 2.0 * std::cos(ky));
  std::vector<Complex> expected = psi;
  for (Complex& v : expected) v *= energy;
  EXPECT_LT(largest_difference(image, expected), 1e-11);
  const auto values = observer.observe(std::span<const Complex>(psi));
  const ObservationLayout layout(model);
  EXPECT_NEAR(values[layout.total_energy()], energy, 1e-9);
  EXPECT_NEAR(values[layout.norm()], 1.0, 1e-12);
  // Each bond along x carries the group velocity dE/dk of one magnon with energy 1, spread over all sites.
  EXPECT_NEAR(values[layout.current()], -2.0 * kStrength * std::sin(kx) / (kX * kY), 1e-14);
}

/// Tables, and with them the work that fills them, grow as the sites.
TEST(FewExcitations, TablesGrowAsTheSites) {
  const auto bytes = [](int sites) {
    const auto model =
        uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.5);
    return static_cast<double>(
        qheat_test::world().sum(make_operator(space_of(model, {sites - 1, 1}), hamiltonian(model))->bytes()));
  };
  EXPECT_LT(bytes(1600) / bytes(800), 2.1);
}

}  // namespace
