// The second-order kernel element by element against its definition over all pairs of states.

#include "qheat/kernel/second_order.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "qheat/basis/model_sectors.hpp"
#include "support/cell_reference.hpp"
#include "support/largest_difference.hpp"
#include "support/modular.hpp"
#include "support/random_models.hpp"

using namespace qheat;

namespace {

using qheat_test::largest_difference;
void expect_reference(const qheat_test::RandomCase& random, const InitialState& initial) {
  const SecondOrderKernel kernel(random.model);
  const Sector cells = cell_sector(random.model, initial);
  const auto numbers = qheat_test::reference_cells(cells);
  for (const double t : {0.0, 1e-6, 0.3, 5.0}) {
    const auto all = qheat_test::brute::tcl2(random.reference, t);
    const auto expected = qheat_test::brute::restricted(all, numbers);
    EXPECT_LT(largest_difference(dense_generator(cells, kernel.at(t)), expected), 1e-11)
        << random.name << ", t = " << t;
    std::vector<double> rates(static_cast<std::size_t>(random.model.lattice.bond_count()));
    kernel.bond_rates(t, cell_counts(random.model, initial), rates);
    EXPECT_LT(largest_difference(rates, qheat_test::brute::bond_rate(random.reference, expected, numbers)),
              1e-12)
        << random.name << ", t = " << t;
  }
}

TEST(SecondOrderKernel, EqualsItsDefinitionElementByElement) {
  std::uint64_t seed = 3;
  for (auto random : qheat_test::random_cases()) {
    for (const double dephasing : {0.0, 0.3}) {
      random.model.bath.dephasing = dephasing;
      random.reference.dephasing = dephasing;
      expect_reference(random,
                       InitialState::product(random.model, qheat_test::random_levels(random.model, seed++)));
    }
  }
}

TEST(SecondOrderKernel, AveragesOverCellsOfBands) {
  for (auto random : qheat_test::random_cases()) {
    if (random.model.levels() < 3 || random.model.sites() > 4) continue;
    std::vector<int> bands(static_cast<std::size_t>(random.model.levels()), 1);
    bands[0] = 0;
    if (random.model.levels() == 4) bands[3] = 2;
    random.model.site = Site(std::vector<double>(bands.size(), 0.0), bands);
    random.reference.band_of_level = bands;
    random.model.bath.dephasing = random.reference.dephasing = 0.2;
    expect_reference(
        random, InitialState::thermal(
                    random.model, std::vector<double>(static_cast<std::size_t>(random.model.sites()), 1.0)));
  }
}

TEST(SecondOrderKernel, RandomBandsEqualTheDefinition) {
  for (const int sites : {2, 3}) {
    auto model =
        qheat_test::modular_model(sites == 2 ? Lattice::chain(2) : Lattice::ring(3), {1.0, 1.1, 1.4}, 0.3, 5,
                                  {.distribution = Detuning::Distribution::uniform, .width = 0.2});
    for (const double dephasing : {0.0, 0.2}) {
      model.bath.dephasing = dephasing;
      const qheat_test::RandomCase random{"modular", model, qheat_test::reference_of(model)};
      std::vector<int> levels(static_cast<std::size_t>(sites), 0);
      levels[0] = 2;
      expect_reference(random, InitialState::band_mixture(model, levels));
      levels[1] = 1;
      expect_reference(random, InitialState::band_mixture(model, levels));
    }
  }
}

TEST(SecondOrderKernel, IntegralIsAccurateEverywhere) {
  EXPECT_DOUBLE_EQ(second_order_integral(0.0, 0.0, 3.0), 3.0);
  EXPECT_DOUBLE_EQ(second_order_integral(0.0, 2.0, 3.0), std::sin(6.0) / 2.0);
  EXPECT_NEAR(second_order_integral(1e-12, 1e-12, 1.0), 1.0, 1e-12);
  EXPECT_NEAR(second_order_integral(0.5, 0.0, 2.0), (1.0 - std::exp(-1.0)) / 0.5, 1e-15);
  EXPECT_NEAR(second_order_integral(0.5, 2.0, 1e4), 0.5 / 4.25, 1e-15);
}

TEST(SecondOrderKernel, ExchangeChainHasTheTextbookRate) {
  const auto model = uniform_model(Lattice::chain(4), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  const SecondOrderKernel kernel(model);
  std::vector<double> rates(3);
  kernel.bond_rates(1.5, {2, 2}, rates);
  for (const double w : rates) EXPECT_DOUBLE_EQ(w, 2.0 * 0.1 * 0.1 * 1.5);  // 2 lambda^2 t
  // nothing to swap
  kernel.bond_rates(1.5, {4, 0}, rates);
  for (const double w : rates) EXPECT_EQ(w, 0.0);
}

}  // namespace
