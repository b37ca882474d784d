// Averages of propagators over realisations against sums of single ones.

#include "qheat/propagator/mean_propagator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "qheat/propagator/open_propagator.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

const Detuning kDetuning{.offsets = {},
                         .distribution = Detuning::Distribution::gaussian,
                         .width = 0.4,
                         .seed = 3,
                         .realizations = 1};

Realization draw(int number) {
  const Model chain = uniform_model(Lattice::chain(4), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.2);
  return {model_of_realization(chain, kDetuning, number), InitialState::product(chain, {1, 0, 1, 0})};
}

std::vector<double> all(const CellColumnLayout& layout, const CellColumns& columns) {
  const auto full = full_columns(layout, columns);
  const auto block = full.values.block();
  std::vector<double> matrix(static_cast<std::size_t>(block.rows() * block.rows()), 0.0);
  for (std::size_t j = 0; j < full.cells.size(); ++j) {
    std::copy_n(block.column(static_cast<Index>(j)), block.rows(),
                matrix.begin() + full.cells[j] * block.rows());
  }
  qheat_test::world().sum(matrix);
  return matrix;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t e = 0; e < a.size(); ++e) EXPECT_NEAR(a[e], b[e], tolerance);
}

/// Under dephasing too, whoever does which realisation.
TEST(MeanPropagator, IsTheMeanOfOpenRealizations) {
  const auto& comm = qheat_test::world();
  const auto dephased = [](int realization) {
    auto one = draw(realization);
    one.model.bath.dephasing = 0.3;
    return one;
  };
  const auto first = dephased(0);
  const CellSpace cells(first.model, first.initial);
  const CellSector& sector = cells.sectors().front();
  constexpr double kEnd = 2.0;
  constexpr double kTime = 1.7;
  for (const int realizations : {2, 5}) {
    UninterruptedRun control;
    const auto mean = mean_population_propagator(realizations, dephased, sector, kEnd, comm, control);
    const auto orders = mean_propagator_orders(realizations, dephased, sector, 2, {0.0, kEnd}, comm, control);
    std::vector<double> g, second;
    for (int r = 0; r < realizations; ++r) {
      const Model model = dephased(r).model;
      const auto one = open_population_propagator(model, sector, kEnd, comm, control);
      const CellMoments of_orders(model, sector, kEnd, {.order = 2}, comm, control);
      const auto values = all(one->layout(), one->evaluate(kTime, 1)[1]);
      const auto values_of_orders = all(of_orders.layout(), of_orders.evaluate(2, kTime, 0)[0]);
      g.resize(values.size(), 0.0);
      second.resize(values.size(), 0.0);
      for (std::size_t e = 0; e < g.size(); ++e) {
        g[e] += values[e] / realizations;
        second[e] += values_of_orders[e] / realizations;
      }
    }
    expect_near(all(mean->layout(), mean->evaluate(kTime, 1)[1]), g, 1e-12);
    expect_near(all(orders->layout(), orders->evaluate(kTime).g[2]), second, 1e-12);
  }
}

/// Fewer realisations than ranks, and more.
TEST(MeanPropagator, IsTheMeanOfTheRealizations) {
  const auto& comm = qheat_test::world();
  const auto first = draw(0);
  const CellSpace cells(first.model, first.initial);
  const CellSector& sector = cells.sectors().front();
  for (const int realizations : {2, 3, 7}) {
    UninterruptedRun control;
    const auto mean = mean_population_propagator(realizations, draw, sector, 2.0, comm, control);
    const auto orders = mean_propagator_orders(realizations, draw, sector, 3, {0.0, 2.0}, comm, control);
    constexpr double kTime = 1.7;
    std::vector<std::vector<double>> g(3);
    std::vector<double> third;
    std::vector<double> squares;
    for (int r = 0; r < realizations; ++r) {
      const auto one = closed_population_propagator(draw(r).model, sector, comm);
      const auto of_orders = closed_propagator_orders(draw(r).model, sector, 3, {0.0, 2.0}, comm);
      const auto values = one->evaluate(kTime, 2);
      const auto accumulate = [&](std::vector<double>& sum, const std::vector<double>& add, bool square) {
        sum.resize(add.size(), 0.0);
        for (std::size_t e = 0; e < sum.size(); ++e)
          sum[e] += (square ? add[e] * add[e] : add[e]) / realizations;
      };
      for (std::size_t d = 0; d < 3; ++d) accumulate(g[d], all(one->layout(), values[d]), false);
      accumulate(squares, all(one->layout(), values[0]), true);
      accumulate(third, all(of_orders->layout(), of_orders->evaluate(kTime).derivative[3]), false);
    }
    const auto values = mean->evaluate(kTime, 2);
    for (std::size_t d = 0; d < 3; ++d) expect_near(all(mean->layout(), values[d]), g[d], 1e-13);
    expect_near(all(orders->layout(), orders->evaluate(kTime).derivative[3]), third, 1e-13);
    double variance = 0.0;
    double size = 0.0;
    for (std::size_t e = 0; e < squares.size(); ++e) {
      variance += squares[e] - g[0][e] * g[0][e];
      size += g[0][e] * g[0][e];
    }
    EXPECT_NEAR(mean->error(kTime), std::sqrt(variance / (realizations - 1) / size), 1e-8);
  }
}

}  // namespace
