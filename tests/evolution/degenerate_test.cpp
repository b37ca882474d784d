// Eigenstates of models with many degenerate levels against all energies of full diagonalisation.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/eigenstates.hpp"
#include "qheat/evolution/spectrum.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "support/brute_force.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

struct Case {
  std::string name;
  Model model;
  InitialState initial;
};

/// Energies of all sectors of the initial state (real H), ascending.
std::vector<double> all_energies(const Case& test) {
  const auto& comm = qheat_test::world();
  std::vector<double> energies;
  for (const auto& counts : sector_counts(test.model, test.initial)) {
    const Spectrum spectrum(std::make_shared<DistributedSector>(level_sector(test.model, counts), comm),
                            hamiltonian(test.model));
    const auto mine = spectrum.local_energies();
    const int count = static_cast<int>(mine.size());
    std::vector<int> sizes(static_cast<std::size_t>(comm.size()));
    MPI_Allgather(&count, 1, MPI_INT, sizes.data(), 1, MPI_INT, comm.get());
    std::vector<int> begins(sizes.size(), 0);
    std::partial_sum(sizes.begin(), sizes.end() - 1, begins.begin() + 1);
    const std::size_t before = energies.size();
    energies.resize(before + static_cast<std::size_t>(begins.back() + sizes.back()));
    MPI_Allgatherv(mine.data(), count, MPI_DOUBLE, energies.data() + before, sizes.data(), begins.data(),
                   MPI_DOUBLE, comm.get());
  }
  std::sort(energies.begin(), energies.end());
  return energies;
}

Eigenstates eigenstates(const Case& test, int states, SpectrumEnd end) {
  Timings timings;
  return extreme_eigenstates(test.model, test.initial, {.states = states, .end = end, .tolerance = 1e-11},
                             qheat_test::world(), 0.0, timings);
}

std::vector<Bond> complete_graph(int sites) {
  std::vector<Bond> bonds;
  for (int i = 0; i < sites; ++i) {
    for (int j = i + 1; j < sites; ++j) bonds.push_back({i, j});
  }
  return bonds;
}

Case excited(const std::string& name, const Lattice& lattice, const Site& site, const PairInteraction& v,
             int excitations, double strength = 0.5) {
  Case test{name, uniform_model(lattice, site, v, strength), {}};
  std::vector<int> levels(static_cast<std::size_t>(lattice.sites()), 0);
  for (int k = 0; k < excitations; ++k) levels[static_cast<std::size_t>(k)] = 1;
  test.initial = InitialState::product(test.model, levels);
  return test;
}

/// All sectors.
Case mixed(const std::string& name, const Lattice& lattice, const Site& site, const PairInteraction& v,
           double strength = 0.5) {
  Case test{name, uniform_model(lattice, site, v, strength), {}};
  test.initial =
      InitialState::thermal(test.model, std::vector<double>(static_cast<std::size_t>(lattice.sites()), 1.0));
  return test;
}

std::vector<Case> cases() {
  const Site two({0.0, 1.0});
  const Site flat({0.0, 0.0});
  const auto swap = PairInteraction::exchange(2);
  const auto hop = PairInteraction::xy(2);
  std::vector<Case> all;
  all.push_back(excited("one on a torus", Lattice({15, 3}, {true, true}), flat, hop, 1));
  all.push_back(excited("two on a torus", Lattice({4, 4}, {true, true}), two, hop, 2));
  all.push_back(excited("half a torus", Lattice({4, 2}, {true, true}), two, swap, 4));
  all.push_back(excited("half a ring", Lattice::ring(10), two, hop, 5));
  all.push_back(mixed("all of a ring", Lattice::ring(7), two, swap));
  all.push_back(excited("one on a complete graph", Lattice({30}, complete_graph(30)), two, hop, 1));
  all.push_back(excited("half a complete graph", Lattice({8}, complete_graph(8)), two, swap, 4));
  all.push_back(mixed("all of a complete graph", Lattice({6}, complete_graph(6)), flat, hop));
  all.push_back(excited("bands that are one", Lattice::ring(8), Site({0.0, 0.0}, {0, 0}), swap, 0));
  all.push_back(mixed("three levels", Lattice::ring(5), Site({0.0, 1.0, 1.0}), PairInteraction::exchange(3)));
  all.push_back(excited("three levels, one band", Lattice::ring(6), Site({0.0, 0.0, 0.0}, {0, 0, 0}),
                        PairInteraction::exchange(3), 0));
  all.push_back(excited("no interaction", Lattice::chain(9), two, swap, 4, 0.0));
  all.push_back(mixed("nothing at all", Lattice::chain(6), flat, swap, 0.0));
  all.push_back(excited("a cube", Lattice({2, 2, 2}, {false, false, false}), two, swap, 4));
  qheat_test::brute::Generator random(5);
  auto graph = excited("random couplings", Lattice({9}, complete_graph(9)), two, hop, 4);
  for (double& coupling : graph.model.couplings) coupling = random.symmetric();
  all.push_back(graph);
  auto twins = excited(
      "two equal chains",
      Lattice({12}, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {6, 7}, {7, 8}, {8, 9}, {9, 10}, {10, 11}}), two,
      swap, 3);
  all.push_back(twins);
  return all;
}

class Degenerate : public testing::TestWithParam<int> {};

void expect_extreme(const Case& test, const std::vector<double>& all, int states, SpectrumEnd end) {
  const std::string what = test.name + ", " + std::to_string(states) + " states";
  const double width = std::max(all.back() - all.front(), 1.0);
  const double same = 1e-8 * width;
  const auto found = eigenstates(test, states, end);
  const std::size_t wanted = std::min(all.size(), static_cast<std::size_t>(states));
  ASSERT_EQ(found.energies.size(), wanted) << what;
  const auto energy = [&](std::size_t k) {
    return end == SpectrumEnd::lowest ? all[k] : all[all.size() - 1 - k];
  };
  int group = 0;
  for (std::size_t k = 0; k < wanted; ++k) {
    EXPECT_NEAR(found.energies[k], energy(k), 1e-9 * width) << what << ", state " << k;
    EXPECT_LT(found.residuals[k], 1e-9 * width) << what;
    EXPECT_NEAR(found.observations.total_energy[k], found.energies[k], 1e-9 * width) << what;
    EXPECT_NEAR(found.observations.norm[k], 1.0, 1e-11) << what;
    if (k > 0 && std::abs(energy(k) - energy(k - 1)) > same) ++group;
    EXPECT_EQ(found.energy_group[k], group) << what << ", state " << k;
  }
  int left_out = 0;
  for (std::size_t k = wanted; k < all.size() && std::abs(energy(k) - energy(wanted - 1)) < same; ++k)
    ++left_out;
  if (found.all_partners) {
    EXPECT_EQ(found.partners_left_out, left_out) << what;
  } else {
    EXPECT_LE(found.partners_left_out, left_out) << what;
    EXPECT_GE(found.partners_left_out, 8) << what;
  }
}

TEST_P(Degenerate, ExtremeEnergiesAreThoseOfFullDiagonalisation) {
  if (qheat_test::world().size() > 1 && GetParam() != 5)
    GTEST_SKIP() << "so many small problems take long on several ranks; one number of states is enough there";
  for (const auto& test : cases()) {
    const auto all = all_energies(test);
    for (const auto end : {SpectrumEnd::lowest, SpectrumEnd::highest})
      expect_extreme(test, all, GetParam(), end);
  }
}

INSTANTIATE_TEST_SUITE_P(States, Degenerate, testing::Values(1, 2, 5, 12));

/// All states of a degenerate level together have the symmetry of the model, whatever basis was found; a
/// state that came twice would not.
TEST(Degenerate, CompleteLevelsAreEvenOnATorus) {
  const auto test =
      excited("torus", Lattice({15, 3}, {true, true}), Site({0.0, 0.0}), PairInteraction::xy(2), 1);
  const auto found = eigenstates(test, 4, SpectrumEnd::lowest);
  for (const double energy : found.energies) EXPECT_NEAR(energy, -1.4781476007338057, 1e-10);
  EXPECT_EQ(found.partners_left_out, 0);
  EXPECT_TRUE(found.all_partners);
  for (std::size_t site = 0; site < 45; ++site) {
    double sum = 0.0;
    for (std::size_t k = 0; k < 4; ++k) sum += found.observations.populations[(k * 45 + site) * 2 + 1];
    EXPECT_NEAR(sum, 4.0 / 45.0, 1e-9);
  }
}

}  // namespace
