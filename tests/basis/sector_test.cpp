#include "qheat/basis/sector.hpp"

#include <gtest/gtest.h>

#include <set>

#include "qheat/basis/model_sectors.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using qheat::Index;
using qheat::Level;
using qheat::Partition;
using qheat::Sector;

namespace {

std::vector<Sector> sectors() {
  std::vector<Sector> all;
  all.push_back(Sector::full(1, 3));
  all.push_back(Sector::full(5, 2));
  all.emplace_back(6, std::vector<Level>{0, 1}, std::vector<int>{3, 3});
  all.emplace_back(7, std::vector<Level>{0, 1}, std::vector<int>{6, 1});
  all.emplace_back(5, std::vector<Level>{0, 1, 2}, std::vector<int>{2, 2, 1});
  all.emplace_back(4, std::vector<Level>{0, 1, 1, 1}, std::vector<int>{3, 1});
  all.emplace_back(4, std::vector<Level>{0, 1}, std::vector<int>{0, 4});
  all.push_back(Sector::pairs(3, {0, 0}, {{{3}, {3}}}));
  all.push_back(Sector::pairs(3, {0, 1}, {{{2, 1}, {2, 1}}, {{1, 2}, {1, 2}}}));
  all.push_back(Sector::pairs(3, {0, 1, 1}, {{{2, 1}, {3, 0}}, {{0, 3}, {1, 2}}}));
  return all;
}

TEST(Sector, NumbersEveryStateOnce) {
  for (const Sector& sector : sectors()) {
    std::set<std::vector<Level>> seen;
    for (Index state = 0; state < sector.dimension(); ++state) {
      std::vector<Level> configuration(static_cast<std::size_t>(sector.sites()));
      sector.configuration(state, configuration);
      EXPECT_EQ(sector.index(configuration), state);
      seen.insert(configuration);
    }
    EXPECT_EQ(static_cast<Index>(seen.size()), sector.dimension());
  }
}

TEST(Sector, HasTheDimensionOfCounting) {
  EXPECT_EQ(Sector(24, {0, 1}, {12, 12}).dimension(), 2704156);
  EXPECT_EQ(Sector(12, {0, 1, 2}, {4, 4, 4}).dimension(), 34650);
  std::vector<Level> band_of_500(501, 1);
  band_of_500[0] = 0;
  EXPECT_EQ(Sector(10, band_of_500, {9, 1}).dimension(), 5000);
}

TEST(Sector, RefusesConfigurationsOutside) {
  const Sector sector(4, {0, 1}, {2, 2});
  EXPECT_EQ(sector.index(std::vector<Level>{1, 1, 1, 0}), -1);
  EXPECT_EQ(sector.index(std::vector<Level>{1, 0, 0, 0}), -1);
}

TEST(Partition, CoversAllRowsInOrderOnAnyNumberOfRanks) {
  for (const Sector& sector : sectors()) {
    for (const int ranks : {1, 2, 3, 4, 7, 64}) {
      const Partition partition(sector.layout(), ranks);
      EXPECT_EQ(partition.first_row(0), 0);
      EXPECT_EQ(partition.first_row(ranks), sector.rows());
      EXPECT_EQ(partition.first_state(ranks), sector.dimension());
      for (int rank = 0; rank < ranks; ++rank) {
        EXPECT_GE(partition.rows(rank), 0);
        EXPECT_EQ(partition.first_state(rank), sector.first_state(partition.first_row(rank)));
        for (Index row = partition.first_row(rank); row < partition.first_row(rank + 1); ++row) {
          EXPECT_EQ(partition.owner_of_row(row), rank);
        }
      }
    }
  }
}

TEST(Partition, IsBalanced) {
  const Sector sector(20, {0, 1}, {10, 10});
  const Partition partition(sector.layout(), 4);
  for (int rank = 0; rank < 4; ++rank)
    EXPECT_NEAR(static_cast<double>(partition.states(rank)), 46189.0, 252.0);
}

TEST(ModelSectors, FollowConservation) {
  for (const auto& random : qheat_test::random_cases()) {
    const auto levels = qheat_test::random_levels(random.model, 5);
    const auto sharp = qheat::InitialState::product(random.model, levels);
    const auto hot = qheat::InitialState::thermal(
        random.model, std::vector<double>(static_cast<std::size_t>(random.model.sites()), 1.0));
    Index all_states = 1;
    for (int i = 0; i < random.model.sites(); ++i) all_states *= random.model.levels();
    Index sum = 0;
    for (const auto& counts : qheat::sector_counts(random.model, hot)) {
      sum += qheat::level_sector_dimension(random.model, counts);
      EXPECT_EQ(qheat::level_sector(random.model, counts).dimension(),
                qheat::level_sector_dimension(random.model, counts));
    }
    EXPECT_EQ(sum, all_states);
    EXPECT_EQ(qheat::sector_counts(random.model, sharp).size(), 1U);
    if (!random.model.conserves_bands()) {
      EXPECT_EQ(qheat::cell_sector(random.model, sharp).dimension(), all_states);
    }
  }
}

}  // namespace
