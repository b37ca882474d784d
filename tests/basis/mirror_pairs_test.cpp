#include "qheat/basis/mirror_pairs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace qheat {
namespace {

std::vector<Sector> sectors() {
  std::vector<Sector> all;
  all.emplace_back(6, std::vector<Level>{0, 1}, std::vector<int>{3, 3});
  all.emplace_back(5, std::vector<Level>{0, 1}, std::vector<int>{3, 2});
  all.emplace_back(4, std::vector<Level>{0, 1, 1}, std::vector<int>{2, 2});
  all.push_back(Sector::full(4, 3));
  return all;
}

TEST(MirrorPairs, EveryStateHasOnePlaceAndItsPartnerTheSame) {
  for (const Sector& sector : sectors()) {
    const MirrorPairs pairs = MirrorPairs::site_reversal(sector);
    EXPECT_EQ(pairs.states(), sector.dimension());
    EXPECT_EQ(pairs.even_size() + pairs.odd_size(), sector.dimension());
    std::vector<Level> configuration(static_cast<std::size_t>(sector.sites()));
    std::vector<int> met(static_cast<std::size_t>(pairs.even_size()), 0);
    for (Index state = 0; state < sector.dimension(); ++state) {
      const Index place = pairs.place(state);
      ++met[static_cast<std::size_t>(place)];
      sector.configuration(state, configuration);
      std::reverse(configuration.begin(), configuration.end());
      const Index mirrored = sector.index(configuration);
      EXPECT_EQ(pairs.place(mirrored), place);
      EXPECT_EQ(pairs.is_pair(place), mirrored != state);
      const bool first = pairs.representative(place) == state;
      EXPECT_EQ(first ? pairs.partner(place) : pairs.representative(place), mirrored);
    }
    for (Index k = 0; k < pairs.even_size(); ++k)
      EXPECT_EQ(met[static_cast<std::size_t>(k)], pairs.is_pair(k) ? 2 : 1);
  }
}

TEST(MirrorPairs, WithoutSymmetryAllStatesAreFixed) {
  const MirrorPairs pairs(5);
  EXPECT_EQ(pairs.even_size(), 5);
  EXPECT_EQ(pairs.odd_size(), 0);
  for (Index state = 0; state < 5; ++state) EXPECT_EQ(pairs.partner(pairs.place(state)), state);
}

/// The even and odd parts of the header's formulas hold the whole trace and Frobenius norm of a matrix that
/// commutes with R.
TEST(MirrorPairs, PartsHoldTheWholeMatrix) {
  const Sector sector(5, {0, 1}, {3, 2});
  const MirrorPairs pairs = MirrorPairs::site_reversal(sector);
  const Index size = sector.dimension();
  const auto mirrored = [&](Index state) {
    const Index k = pairs.place(state);
    return pairs.representative(k) == state ? pairs.partner(k) : pairs.representative(k);
  };
  const auto element = [&](Index a, Index b) {  // a function of the pair that R keeps
    const auto f = [&](Index x, Index y) { return std::sin(1.0 + 3.7 * double(x) + 1.3 * double(y)); };
    return f(a, b) + f(mirrored(a), mirrored(b));
  };
  double trace = 0.0;
  double norm = 0.0;
  for (Index a = 0; a < size; ++a) {
    trace += element(a, a);
    for (Index b = 0; b < size; ++b) norm += element(a, b) * element(a, b);
  }
  const auto even = [&](Index a, Index b) {
    const Index i = pairs.representative(a);
    const Index j = pairs.representative(b);
    const bool pair_a = pairs.is_pair(a);
    const bool pair_b = pairs.is_pair(b);
    if (pair_a && pair_b) return element(i, j) + element(pairs.partner(a), j);
    if (pair_a != pair_b) return std::sqrt(2.0) * element(i, j);
    return element(i, j);
  };
  const auto odd = [&](Index a, Index b) {
    const Index j = pairs.representative(b);
    return element(pairs.representative(a), j) - element(pairs.partner(a), j);
  };
  double trace_of_parts = 0.0;
  double norm_of_parts = 0.0;
  for (Index a = 0; a < pairs.even_size(); ++a) {
    trace_of_parts += even(a, a);
    for (Index b = 0; b < pairs.even_size(); ++b) norm_of_parts += even(a, b) * even(a, b);
  }
  for (Index a = 0; a < pairs.odd_size(); ++a) {
    trace_of_parts += odd(a, a);
    for (Index b = 0; b < pairs.odd_size(); ++b) norm_of_parts += odd(a, b) * odd(a, b);
  }
  EXPECT_NEAR(trace_of_parts, trace, 1e-12);
  EXPECT_NEAR(norm_of_parts, norm, 1e-10);
}

TEST(ColumnShare, GivesEveryColumnToOneRank) {
  for (const Index size : {0, 1, 5, 7, 24}) {
    for (const int ranks : {1, 2, 3, 5, 11}) {
      const ColumnShare share(size, ranks);
      Index counted = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        EXPECT_EQ(share.first(rank), counted);
        for (Index column = share.first(rank); column < share.first(rank + 1); ++column)
          EXPECT_EQ(share.owner(column), rank);
        counted += share.count(rank);
      }
      EXPECT_EQ(counted, size);
    }
  }
}

}  // namespace
}  // namespace qheat
