// The exact kernel against closed forms and the dense reference; its singular times.

#include "qheat/kernel/exact_kernel.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "support/cell_reference.hpp"
#include "support/random_models.hpp"
#include "support/singular_times.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

ExactKernel exact_kernel(const Model& model, const CellSpace& cells) {
  std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
  for (const auto& sector : cells.sectors()) {
    propagators.push_back(closed_population_propagator(model, sector, qheat_test::world()));
  }
  return {std::move(propagators), qheat_test::world()};
}

/// Rate between two places of a single excitation, of the first sector, on all ranks.
double rate(const CellSpace& cells, const KernelValue& k, std::size_t to, std::size_t from) {
  const auto cell = [&](std::size_t site) {
    std::vector<Level> bands(static_cast<std::size_t>(cells.sites()), 0);
    bands[site] = 1;
    return cells.sectors().front().cells.index(bands);
  };
  const Index row = cell(to);
  const Index column = cell(from);
  double value = 0.0;
  const auto& sector = k.sectors.front();
  for (std::size_t j = 0; j < sector.cells.size(); ++j) {
    if (sector.cells[j] == column) value = sector.values.block().column(static_cast<Index>(j))[row];
  }
  return qheat_test::world().sum(value);
}

Model exchange_chain(int sites, double strength, double anisotropy = 1.0) {
  return uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::exchange(2, anisotropy),
                       strength);
}

TEST(ExactKernel, HasTheClosedFormsOfThreeSites) {
  constexpr double kLambda = 0.1;
  const double root = std::numbers::sqrt2 * kLambda;
  for (const double anisotropy : {1.0, 0.0}) {
    const Model model = exchange_chain(3, kLambda, anisotropy);
    const CellSpace cells(model, InitialState::product(model, {1, 0, 0}));
    ExactKernel kernel = exact_kernel(model, cells);
    for (const double t : {0.01, 1.0, 5.0}) {
      const auto k = kernel.at(t);
      const double exchange = 2 * kLambda * std::sin(3 * kLambda * t) / (1 + 2 * std::cos(3 * kLambda * t));
      const double c = std::cos(root * t);
      const double xy = root * std::sin(2 * root * t) / (3 * c * c - 1);
      EXPECT_NEAR(rate(cells, k, 0, 1), anisotropy == 1.0 ? exchange : xy, 1e-12) << t;
      EXPECT_LT(k.error, 1e-10);
    }
    if (anisotropy == 1.0) {
      EXPECT_NEAR(rate(cells, kernel.at(1.0), 0, 1), 0.0203059710843, 1e-13);
      EXPECT_NEAR(rate(cells, kernel.at(1.0), 0, 2), -1.0264147178e-4, 1e-13);
    }
    EXPECT_EQ(rate(cells, kernel.at(0.0), 0, 1), 0.0);
  }
}

TEST(ExactKernel, EqualsTheReferenceOnRandomModels) {
  std::uint64_t seed = 70;
  for (const auto& random : qheat_test::random_cases()) {
    if (random.model.sites() * random.model.levels() > 10) continue;
    const CellSpace cells(
        random.model, InitialState::product(random.model, qheat_test::random_levels(random.model, seed++)));
    ExactKernel kernel = exact_kernel(random.model, cells);
    constexpr double kTime = 0.4;
    const auto k = kernel.at(kTime);
    double square = 0.0;
    for (std::size_t s = 0; s < cells.sectors().size(); ++s) {
      const auto numbers = qheat_test::reference_cells(cells.sectors()[s].cells);
      const auto expected = brute::exact_kernel(random.reference, kTime, numbers);
      EXPECT_LT(qheat_test::largest_difference(k.sectors[s], expected), 1e-8) << random.name;
      const std::size_t n = numbers.size();
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          square += std::pow(expected[i * n + j] - expected[j * n + i], 2);
        }
      }
    }
    EXPECT_NEAR(k.asymmetry_squared, square, 1e-8 * (1.0 + square)) << random.name;
  }
}

TEST(ExactKernel, ConservesProbability) {
  const Model model = exchange_chain(6, 0.3);
  const CellSpace cells(model, InitialState::product(model, {1, 0, 1, 0, 1, 0}));
  ExactKernel kernel = exact_kernel(model, cells);
  const auto k = kernel.at(1.1);
  const double largest = largest_element(k, qheat_test::world());
  const auto columns = k.sectors.front().values.block();
  for (Index j = 0; j < columns.columns(); ++j) {
    double sum = 0.0;
    for (Index i = 0; i < columns.rows(); ++i) sum += columns.column(j)[i];
    EXPECT_LT(std::abs(sum), 1e-10 * largest);
  }
}

TEST(ExactKernel, FindsSingularTimesOfASimpleZero) {
  constexpr double kLambda = 0.1;
  const Model model = exchange_chain(3, kLambda);
  const CellSpace cells(model, InitialState::product(model, {1, 0, 0}));
  ExactKernel kernel = exact_kernel(model, cells);
  const double first = 2.0 * std::numbers::pi / (9.0 * kLambda);
  const auto found = qheat_test::singular_times(kernel, 20.0, 21);
  ASSERT_FALSE(found.empty());
  EXPECT_NEAR(found.front(), first, 1e-9);
}

/// det G = cos(2 lambda t) of a pair: two zeros between outputs of the same sign, and the first is the first.
TEST(ExactKernel, FindsBothOfTwoSingularTimesBetweenOutputs) {
  const Model model = exchange_chain(2, 0.5);
  const CellSpace cells(model, InitialState::product(model, {1, 0}));
  ExactKernel kernel = exact_kernel(model, cells);
  const auto found = qheat_test::singular_times(kernel, 12.0, 3);  // 0, 6, 12
  ASSERT_GE(found.size(), 2U);
  EXPECT_NEAR(found[0], std::numbers::pi / 2.0, 1e-9);
  EXPECT_NEAR(found[1], 3.0 * std::numbers::pi / 2.0, 1e-9);
}

TEST(ExactKernel, FindsSingularTimesThatTwoParitiesShare) {
  const Model model = uniform_model(Lattice::ring(3), Site({0.0, 1.0}), PairInteraction::xy(2), 0.1);
  const CellSpace cells(model, InitialState::product(model, {1, 0, 0}));
  // U_jk = (e^{-2ilt} - e^{ilt})/3 off the diagonal: G - 1/3 has the eigenvalue 1 - 3 * 4/9 sin^2(3lt/2),
  // twice.
  const double first = std::asin(std::sqrt(0.75)) * 2.0 / 0.3;
  ExactKernel kernel = exact_kernel(model, cells);
  const auto found = qheat_test::singular_times(kernel, 2.5 * first, 12);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NEAR(found[0], first, 1e-6 * first);
  EXPECT_NEAR(found[1], (std::numbers::pi - std::asin(std::sqrt(0.75))) * 2.0 / 0.3, 1e-5);
}

/// Four sites, all of them neighbours: G - 1/4 has the eigenvalue cos^2(2 lambda t), three times. det G
/// touches zero without a change of sign.
TEST(ExactKernel, FindsSingularTimesOfEvenOrder) {
  const Model model =
      uniform_model(Lattice({4}, std::vector<Bond>{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}),
                    Site({0.0, 1.0}), PairInteraction::xy(2), 0.1);
  const CellSpace cells(model, InitialState::product(model, {1, 0, 0, 0}));
  ExactKernel kernel = exact_kernel(model, cells);
  const auto found = qheat_test::singular_times(kernel, 20.0, 12);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(found.front(), std::numbers::pi / 0.4, 1e-4);
}

/// The even block of a pair is the number one: what its trace does is rounding and no singular time.
TEST(ExactKernel, TakesNoRoundingForASingularTime) {
  for (const double anisotropy : {1.0, 0.0}) {
    const Model model = exchange_chain(2, 0.1, anisotropy);
    const CellSpace cells(model, InitialState::product(model, {1, 0}));
    ExactKernel kernel = exact_kernel(model, cells);
    for (const int outputs : {2, 5, 6, 21, 101}) {
      for (const double end : {2.0, 5.0, 7.5})
        EXPECT_TRUE(qheat_test::singular_times(kernel, end, outputs).empty()) << outputs;
    }
    const auto found = qheat_test::singular_times(kernel, 10.0, 41);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NEAR(found.front(), std::numbers::pi / 0.4, 1e-9);
  }
}

TEST(ExactKernel, FindsThoseOfADetunedPairAndNoneWhereThereIsNone) {
  for (const double detuning : {0.1, 0.5}) {
    Model model = exchange_chain(2, 0.1);
    model.energies = {0.0, 1.0, 0.0, 1.0 + detuning};
    const CellSpace cells(model, InitialState::product(model, {1, 0}));
    ExactKernel kernel = exact_kernel(model, cells);
    const double omega = std::sqrt(detuning * detuning + 0.04);
    const double depth = 8.0 * 0.01 / (omega * omega);
    const auto found = qheat_test::singular_times(kernel, 2.0 * std::numbers::pi / omega, 30);
    const double t = 3.3;
    EXPECT_NEAR(rate(cells, kernel.at(t), 0, 1),
                0.02 * std::sin(omega * t) / omega / (1 - depth * std::pow(std::sin(omega * t / 2), 2)),
                1e-12);
    if (depth <= 1.0) {
      EXPECT_TRUE(found.empty());
      continue;
    }
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NEAR(found[0], 2.0 * std::asin(1.0 / std::sqrt(depth)) / omega, 1e-9);
  }
}

TEST(ExactKernel, IsUnknownAtASingularTime) {
  const Model model = exchange_chain(2, std::numbers::pi / 4.0);  // G = cos^2, sin^2: equal at t = 1
  const CellSpace cells(model, InitialState::product(model, {1, 0}));
  ExactKernel kernel = exact_kernel(model, cells);
  const auto k = kernel.at(1.0);
  EXPECT_GT(k.error, 1.0);
  for (const auto& sector : k.sectors) {
    for (Index j = 0; j < sector.values.block().columns(); ++j) {
      EXPECT_TRUE(std::isnan(sector.values.block().column(j)[0]));
    }
  }
}

TEST(ExactKernel, HoldsForOneCell) {
  const Model model = exchange_chain(1, 0.1);
  const CellSpace cells(model, InitialState::product(model, {1}));
  ExactKernel kernel = exact_kernel(model, cells);
  EXPECT_EQ(largest_element(kernel.at(2.0), qheat_test::world()), 0.0);
}

}  // namespace
