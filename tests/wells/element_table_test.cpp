#include "qheat/wells/element_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/world.hpp"

namespace {

using qheat::ElementTable;
using qheat::PairPotential;
using qheat::Resonance;
using qheat::Well;
using qheat::WellElements;

TEST(Resonances, OfTheSquareWell) {
  const auto found = qheat::resonances(Well::Shape::square, 8);
  // 1 + 49 = 25 + 25 and 1 + 64 = 16 + 49: the only sums of two squares up to 8 that are met twice
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], (Resonance{0, 6, 4, 4}));
  EXPECT_EQ(found[1], (Resonance{0, 7, 3, 6}));
}

TEST(Resonances, OfTheHarmonicWell) {
  const auto found = qheat::resonances(Well::Shape::harmonic, 4);
  // 02-11, 03-12, 13-22
  ASSERT_EQ(found.size(), 3u);
  for (const auto& [a, b, c, d] : found) {
    EXPECT_EQ(a + b, c + d);
    EXPECT_LT(a, c);
  }
}

TEST(ElementTable, HoldsTheElements) {
  constexpr int kLevels = 7;
  qheat::UninterruptedRun control;
  const PairPotential potential{.form = PairPotential::Form::inverse, .screening = 0.3};
  for (const auto shape : {Well::Shape::square, Well::Shape::harmonic}) {
    const Well well{.shape = shape, .width = 1.2, .separation = 0.7};
    const ElementTable table =
        qheat::element_table(well, potential, kLevels, true, qheat_test::world(), control);
    const WellElements elements(well, potential, kLevels);
    std::size_t n = 0;
    for (int a = 0; a < kLevels; ++a) {
      for (int b = 0; b < kLevels; ++b) {
        const auto pair = static_cast<std::size_t>(a * kLevels + b);
        EXPECT_EQ(table.direct[pair], elements.direct(a, b).value);
        EXPECT_EQ(table.exchange[pair], elements.exchange(a, b).value);
        EXPECT_EQ(table.exchange_error[pair], elements.exchange(a, b).error);
        for (int c = 0; c < kLevels; ++c) {
          for (int d = 0; d < kLevels; ++d, ++n) EXPECT_EQ(table.tensor[n], elements(a, b, c, d).value);
        }
      }
    }
    const auto all = qheat::resonances(shape, kLevels);
    EXPECT_EQ(table.resonances, all);
    ASSERT_EQ(table.resonance_elements.size(), all.size());
    for (std::size_t k = 0; k < all.size(); ++k)
      EXPECT_EQ(table.resonance_elements[k], elements(all[k][0], all[k][1], all[k][2], all[k][3]).value);
    EXPECT_LE(table.tensor_error, 1e-14);
  }
}

}  // namespace
