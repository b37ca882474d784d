// Multigrid against its own equation: solutions are those of the matrix, on any ranks, in a number of
// iterations that does not grow with the grid.

#include "qheat/heat/multigrid.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/world.hpp"

using namespace qheat;

namespace {

struct Case {
  CellBox::Axes cells;
  std::array<bool, 3> periodic;
};

/// kappa of a cell: smooth, layered, or random.
double kappa(int kind, Index i, Index j, Index k) {
  if (kind == 0) return 1.0;
  if (kind == 1) return i / 5 % 2 == 0 ? 1.0 : 0.05;
  const auto mixed = static_cast<double>((i * 7919 + j * 104729 + k * 1299709) % 1000) / 1000.0;
  return std::exp(2.0 * (mixed - 0.5));
}

Conduction conduction(const CellBox& box, int kind, double own) {
  Conduction a(box);
  const auto& n = box.cells();
  box.for_each([&](std::size_t place, Index i, Index j, Index k) {
    const double here = kappa(kind, i, j, k);
    for (int axis = 0; axis < 3; ++axis) {
      const std::array<Index, 3> cell = {i, j, k};
      if (!box.has_next(axis, at(cell, axis) - box.begin(axis)) || box.stride(axis) == 0) continue;
      auto next = cell;
      at(next, axis) = (at(next, axis) + 1) % at(n, axis);
      const double there = kappa(kind, next[0], next[1], next[2]);
      a.face(axis)[place] = 2.0 * here * there / (here + there);
    }
    a.own()[place] = own + (i == 0 && !box.periodic(0) ? 2.0 * here : 0.0);  // a face held at 0
  });
  a.update();
  return a;
}

double known(Index i, Index j, Index k) {
  return std::sin(0.7 * static_cast<double>(i)) + 0.3 * std::cos(1.3 * static_cast<double>(j * k + 1));
}

/// Iterations to the solution, whose largest error is checked.
int solved(const Case& one, int kind, double own) {
  const CellBox box(one.cells, one.periodic, qheat_test::world());
  const Conduction a = conduction(box, kind, own);
  std::vector<double> expected(box.storage()), b(box.storage()), x(box.storage(), 0.0);
  box.for_each([&](std::size_t place, Index i, Index j, Index k) { expected[place] = known(i, j, k); });
  a.apply(expected, b);
  Multigrid multigrid(a);
  const int iterations = solve(a, multigrid, b, x, 1e-12);
  double largest = 0.0;
  box.for_each([&](std::size_t place, Index, Index, Index) {
    largest = std::max(largest, std::abs(x[place] - expected[place]));
  });
  EXPECT_LT(box.comm().max(largest), 1e-7);
  return iterations;
}

}  // namespace

TEST(CellBox, ExchangesNeighbours) {
  for (const auto& one : {Case{{7, 1, 1}, {true, false, false}}, Case{{6, 5, 1}, {false, true, false}},
                          Case{{5, 4, 9}, {true, false, true}}, Case{{2, 2, 2}, {false, false, false}}}) {
    const CellBox box(one.cells, one.periodic, qheat_test::world());
    const auto number = [&](Index i, Index j, Index k) {
      return static_cast<double>(i + one.cells[0] * (j + one.cells[1] * k));
    };
    std::vector<double> field(box.storage(), -1.0);
    double count = 0.0;
    box.for_each([&](std::size_t place, Index i, Index j, Index k) {
      field[place] = number(i, j, k);
      count += 1.0;
    });
    EXPECT_EQ(box.comm().sum(count), static_cast<double>(box.all_cells()));
    box.exchange(field);
    box.for_each([&](std::size_t place, Index i, Index j, Index k) {
      for (int axis = 0; axis < 3; ++axis) {
        if (box.stride(axis) == 0) continue;
        for (const int side : {-1, 1}) {
          std::array<Index, 3> other = {i, j, k};
          at(other, axis) += side;
          const Index n = at(one.cells, axis);
          const bool outside = at(other, axis) < 0 || at(other, axis) >= n;
          at(other, axis) = (at(other, axis) + n) % n;
          const double expected =
              outside && !box.periodic(axis) ? -1.0 : number(other[0], other[1], other[2]);
          EXPECT_EQ(field[as_size(static_cast<Index>(place) + side * box.stride(axis))], expected);
        }
      }
    });
  }
}

TEST(Multigrid, SolvesOnAnyBlock) {
  for (const auto& one :
       {Case{{1, 1, 1}, {}}, Case{{2, 1, 1}, {}}, Case{{37, 1, 1}, {}},
        Case{{64, 1, 1}, {true, false, false}}, Case{{17, 12, 1}, {}}, Case{{16, 9, 1}, {false, true, false}},
        Case{{8, 8, 8}, {}}, Case{{9, 7, 5}, {true, true, false}}, Case{{20, 2, 33}, {}}}) {
    for (const int kind : {0, 1, 2}) {
      SCOPED_TRACE(testing::Message()
                   << one.cells[0] << 'x' << one.cells[1] << 'x' << one.cells[2] << ' ' << kind);
      EXPECT_LT(solved(one, kind, 0.03), 40);
      if (!one.periodic[0]) {
        EXPECT_LT(solved(one, kind, 0.0), 60);
      }
    }
  }
}

TEST(Multigrid, IterationsDoNotGrowWithTheGrid) {
  const int small = solved({{16, 16, 16}, {}}, 0, 0.0);
  const int large = solved({{64, 64, 64}, {}}, 0, 0.0);
  EXPECT_LE(large, small + 4);
  EXPECT_LE(solved({{100000, 1, 1}, {}}, 0, 0.0), 2 * solved({{1000, 1, 1}, {}}, 0, 0.0));
}
