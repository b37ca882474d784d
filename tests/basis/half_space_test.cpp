#include "qheat/basis/half_space.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "qheat/parallel/error.hpp"

using qheat::HalfSpace;
using qheat::Index;
using qheat::Level;

namespace {

TEST(HalfSpace, RanksConfigurationsInLexicographicOrderOfEachClass) {
  const std::vector<Level> labels = {0, 1, 1, 2};  // a band of two levels
  const HalfSpace half(3, 2, labels, {2, 2, 1});
  Index seen = 0;
  for (const auto& c : half.classes()) {
    for (Index i = 0; i < c.size; ++i, ++seen) {
      const auto configuration = half.configuration(c.first + i);
      EXPECT_EQ(half.rank_in_class(configuration), i);
      EXPECT_EQ(half.classes()[static_cast<std::size_t>(half.class_of(configuration))].counts, c.counts);
      if (i > 0) {
        const auto before = half.configuration(c.first + i - 1);
        EXPECT_TRUE(std::lexicographical_compare(before.begin(), before.end(), configuration.begin(),
                                                 configuration.end()));
      }
    }
  }
  EXPECT_EQ(seen, half.size());
}

/// On many sites places are searched for in the table, which enumeration fills.
TEST(HalfSpace, RanksFewExcitationsOnManySites) {
  const HalfSpace half(70, 71, {0, 1, 1, 2}, {138, 2, 1});  // a band of two levels
  EXPECT_EQ(half.commonest_level(), 0);
  Index seen = 0;
  for (const auto& c : half.classes()) {
    EXPECT_EQ(c.size, qheat::configurations(c.counts, {1, 2, 1}));
    const int number = half.find_class(c.counts);
    for (Index i = 0; i < c.size; ++i, ++seen) {
      const auto configuration = half.configuration(c.first + i);
      ASSERT_EQ(half.rank_in_class(configuration), i);
      ASSERT_EQ(half.rank_in_class(number, configuration), i);
      std::vector<int> counts(3, 0);
      for (const Level level : configuration) ++counts[half.label_of(level)];
      ASSERT_EQ(counts, c.counts);
      if (i == 0) continue;
      const auto before = half.configuration(c.first + i - 1);
      ASSERT_TRUE(std::lexicographical_compare(before.begin(), before.end(), configuration.begin(),
                                               configuration.end()));
    }
  }
  EXPECT_EQ(seen, half.size());
}

TEST(HalfSpace, HoldsOnlyWhatTheOtherHalfCanComplete) {
  // one excitation on 20 sites: a half holds none or one of it
  const HalfSpace half(10, 10, {0, 1}, {19, 1});
  EXPECT_EQ(half.size(), 11);
  EXPECT_EQ(half.find_class({8, 2}), -1);
}

TEST(HalfSpace, CountsExactlyUpTo63Bits) {
  EXPECT_EQ(qheat::configurations({32, 32}, {1, 1}), 1832624140942590534);
  EXPECT_THROW(qheat::configurations({35, 35}, {1, 1}), qheat::Error);
  EXPECT_EQ(qheat::configurations({62}, {2}), Index{1} << 62);
  EXPECT_THROW(qheat::configurations({63}, {2}), qheat::Error);
}

}  // namespace
