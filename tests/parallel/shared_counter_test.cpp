#include "qheat/parallel/shared_counter.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "qheat/parallel/rank_groups.hpp"
#include "support/world.hpp"

namespace {

using namespace qheat;
using qheat_test::world;

TEST(SharedCounter, GivesEachNumberToOneRank) {
  constexpr Index kCount = 200;
  SharedCounter counter(world());
  std::vector<double> given(kCount, 0.0);
  for (Index number = counter.next(); number < kCount; number = counter.next())
    given[static_cast<std::size_t>(number)] += 1.0;
  world().sum(std::span(given));
  EXPECT_EQ(given, std::vector<double>(kCount, 1.0));
  EXPECT_FALSE(counter.is_closed());
}

TEST(SharedCounter, IsClosedForAll) {
  SharedCounter counter(world());
  world().any(counter.is_closed());  // nobody has asked after it is closed
  if (world().rank() == world().size() - 1) counter.close();
  while (!counter.is_closed()) {
  }
  EXPECT_TRUE(counter.is_closed());
}

/// What a group may use of a node's memory is its share, whoever asks.
TEST(RankGroups, KnowHowManyShareTheNode) {
  const RankGroups groups(world(), world().size());
  EXPECT_EQ(groups.comm().size(), 1);
  EXPECT_EQ(groups.comm().ranks_on_node(), world().size());
}

TEST(Communicator, GathersAndBroadcastsTexts) {
  const std::string mine(static_cast<std::size_t>(world().rank()), 'a');
  const std::string all = world().gather(mine + "|");
  std::string expected;
  for (int rank = 0; rank < world().size(); ++rank)
    expected += std::string(static_cast<std::size_t>(rank), 'a') + "|";
  EXPECT_EQ(all, world().is_root() ? expected : "");
  EXPECT_EQ(world().broadcast(world().is_root() ? "word" : ""), "word");
}

}  // namespace
