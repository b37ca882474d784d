#include "qheat/model/lattice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

TEST(Lattice, ChainBondsFollowTheSites) {
  const Lattice chain = Lattice::chain(4);
  const std::vector<Bond> expected{{0, 1}, {1, 2}, {2, 3}};
  EXPECT_EQ(chain.bonds(), expected);
  EXPECT_EQ(chain.bonds_of(0), std::vector<int>{0});
  EXPECT_EQ(chain.bonds_of(2), (std::vector<int>{1, 2}));
}

TEST(Lattice, ARingsClosingBondStandsAtItsLastSite) {
  const std::vector<Bond> expected{{0, 1}, {1, 2}, {2, 0}};
  EXPECT_EQ(Lattice::ring(3).bonds(), expected);
}

TEST(Lattice, PeriodicAxesOfLengthTwoHaveOneBondAndOfLengthOneNone) {
  EXPECT_EQ(Lattice::ring(2).bonds(), (std::vector<Bond>{{0, 1}}));
  EXPECT_TRUE(Lattice::ring(1).bonds().empty());
}

TEST(Lattice, FirstAxisRunsFastest) {
  const Lattice square({3, 2}, {false, false});
  const std::vector<Bond> expected{{0, 1}, {0, 3}, {1, 2}, {1, 4}, {2, 5}, {3, 4}, {4, 5}};
  EXPECT_EQ(square.bonds(), expected);
}

TEST(Lattice, EveryBondOfATorusJoinsSitesOneStepApart) {
  const std::vector<int> shape{4, 3, 5};
  const Lattice torus(shape, {true, true, true});
  EXPECT_EQ(torus.sites(), 60);
  EXPECT_EQ(torus.bond_count(), 3 * 60);
  std::set<std::pair<int, int>> seen;
  for (const Bond& bond : torus.bonds()) {
    EXPECT_TRUE(seen.insert(std::minmax(bond.first, bond.second)).second);
    int steps = 0;
    int p = bond.first;
    int q = bond.second;
    for (const int length : shape) {
      const int apart = std::abs(p % length - q % length);
      steps += std::min(apart, length - apart);
      p /= length;
      q /= length;
    }
    EXPECT_EQ(steps, 1) << bond.first << " - " << bond.second;
  }
  for (int site = 0; site < torus.sites(); ++site) EXPECT_EQ(torus.bonds_of(site).size(), 6u);
}

TEST(Lattice, GraphsKeepTheirBondsAndRefuseLoopsAndDoubles) {
  const std::vector<Bond> star{{0, 1}, {0, 2}, {3, 0}};
  const Lattice graph({4}, star);
  EXPECT_TRUE(graph.explicit_graph());
  EXPECT_EQ(graph.bonds(), star);
  EXPECT_EQ(graph.bonds_of(0).size(), 3u);
  EXPECT_THROW(Lattice({4}, std::vector<Bond>{{1, 1}}), InputError);
  EXPECT_THROW(Lattice({4}, std::vector<Bond>{{0, 1}, {1, 0}}), InputError);
  EXPECT_THROW(Lattice({4}, std::vector<Bond>{{0, 4}}), InputError);
}

TEST(Lattice, RefusesImpossibleShapes) {
  EXPECT_THROW(Lattice({0}, std::vector<bool>{false}), InputError);
  EXPECT_THROW(Lattice({2, 2, 2, 2}, std::vector<bool>(4, false)), InputError);
  EXPECT_THROW(Lattice({2, 2}, std::vector<bool>{false}), InputError);
}

}  // namespace
}  // namespace qheat
