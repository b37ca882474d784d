// Perturbative kernels of any order: against the closed second order, and their convergence to the exact one.

#include "qheat/kernel/tcl_kernel.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "qheat/kernel/exact_kernel.hpp"
#include "qheat/kernel/second_order.hpp"
#include "support/cell_reference.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

const std::vector<double> kAnchors = {0.0, 0.5, 1.0, 1.5};

std::vector<KernelValue> tcl(const Model& model, const CellSpace& cells, const std::vector<int>& orders,
                             double t) {
  std::vector<std::unique_ptr<PropagatorOrders>> propagators;
  for (const auto& sector : cells.sectors()) {
    propagators.push_back(closed_propagator_orders(
        model, sector, *std::max_element(orders.begin(), orders.end()), kAnchors, qheat_test::world()));
  }
  return TclKernels(orders, std::move(propagators), qheat_test::world()).at(t);
}

KernelValue exact(const Model& model, const CellSpace& cells, double t) {
  std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
  for (const auto& sector : cells.sectors()) {
    propagators.push_back(closed_population_propagator(model, sector, qheat_test::world()));
  }
  return ExactKernel(std::move(propagators), qheat_test::world()).at(t);
}

double largest_difference(const KernelValue& a, const KernelValue& b) {
  double largest = 0.0;
  for (std::size_t s = 0; s < a.sectors.size(); ++s) {
    const auto x = a.sectors[s].values.block();
    const auto y = b.sectors[s].values.block();
    for (Index j = 0; j < x.columns(); ++j) {
      for (Index i = 0; i < x.rows(); ++i)
        largest = std::max(largest, std::abs(x.column(j)[i] - y.column(j)[i]));
    }
  }
  return qheat_test::world().max(largest);
}

TEST(TclKernel, OfSecondOrderIsTheClosedForm) {
  std::uint64_t seed = 90;
  for (auto& random : qheat_test::random_cases()) {
    if (random.model.sites() * random.model.levels() > 10) continue;
    const CellSpace cells(
        random.model, InitialState::product(random.model, qheat_test::random_levels(random.model, seed++)));
    for (const double t : {0.0, 0.7, 2.0}) {
      const auto values = tcl(random.model, cells, {1, 2}, t);
      const auto expected = brute::tcl2(random.reference, t);
      for (std::size_t s = 0; s < cells.sectors().size(); ++s) {
        const auto numbers = qheat_test::reference_cells(cells.sectors()[s].cells);
        EXPECT_LT(qheat_test::largest_difference(values[1].sectors[s], brute::restricted(expected, numbers)),
                  1e-10)
            << random.name << " t = " << t;
      }
      EXPECT_LT(largest_element(values[0], qheat_test::world()), 1e-12) << random.name;  // P L_1 P = 0
    }
  }
}

TEST(TclKernel, OfSecondOrderOnBandsIsTheClosedForm) {
  auto reference = brute::random_system(
      5, {{0, 1}, {1, 2}}, 3, 4, {.complex_v = true, .conserving = true, .onsite = false, .detuned = true});
  reference.band_of_level = qheat_test::uneven_bands(4);
  const auto model = qheat_test::model_of(reference, Lattice::chain(3), 5);
  const CellSpace cells(model, InitialState::thermal(model, {1.0, 2.0, 3.0}));
  const auto values = tcl(model, cells, {2}, 1.3);
  const auto expected = brute::tcl2(reference, 1.3);
  for (std::size_t s = 0; s < cells.sectors().size(); ++s) {
    const auto numbers = qheat_test::reference_cells(cells.sectors()[s].cells);
    EXPECT_LT(qheat_test::largest_difference(values[0].sectors[s], brute::restricted(expected, numbers)),
              1e-10);
  }
}

/// The error falls at least as lambda^{n+1}.
TEST(TclKernel, ConvergesToTheExactKernel) {
  for (const bool complex_v : {false, true}) {
    const auto reference =
        brute::random_system(17, {{0, 1}, {1, 2}}, 3, 2,
                             {.complex_v = complex_v, .conserving = false, .onsite = true, .detuned = true});
    auto model = qheat_test::model_of(reference, Lattice::chain(3), 17);
    const CellSpace cells(model, InitialState::product(model, {1, 0, 0}));
    const double full = model.strength;
    const std::vector<int> orders = {1, 2, 3, 4, 5, 6, 8};
    constexpr double kTime = 1.2;
    std::vector<std::vector<double>> errors;
    for (const double factor : {0.04, 0.02}) {
      model.strength = factor * full;
      const auto expected = exact(model, cells, kTime);
      auto& of_strength = errors.emplace_back();
      for (const auto& value : tcl(model, cells, orders, kTime)) {
        of_strength.push_back(largest_difference(value, expected));
      }
    }
    for (std::size_t o = 0; o < orders.size(); ++o) {
      constexpr double kRounding = 2e-15;
      if (errors[0][o] < 100 * kRounding) continue;
      const double power = std::log2(errors[0][o] / std::max(kRounding, errors[1][o]));
      EXPECT_GT(power, orders[o] + 0.8) << "order " << orders[o] << " error " << errors[0][o];
      EXPECT_LT(errors[0][o], 2.0 * std::pow(0.1, orders[o])) << orders[o];
    }
  }
}

TEST(TclKernel, EstimatesItsRounding) {
  const Model model = uniform_model(Lattice::chain(4), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.2);
  const CellSpace cells(model, InitialState::product(model, {1, 1, 0, 0}));
  double before = 0.0;
  for (const double t : {1.0, 10.0, 40.0}) {
    const auto values = tcl(model, cells, {2, 10}, t);
    EXPECT_LT(values[0].error, 1e-10);
    EXPECT_GT(values[1].error, before);  // secular terms grow
    before = values[1].error;
  }
  EXPECT_GT(before, 1e-12);
}

/// Going back and forth in time gives the same numbers: a resumed run depends on it.
TEST(TclKernel, IsAPureFunctionOfTime) {
  const Model model = uniform_model(Lattice::chain(4), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.2);
  const CellSpace cells(model, InitialState::product(model, {1, 0, 0, 0}));
  std::vector<std::unique_ptr<PropagatorOrders>> propagators;
  propagators.push_back(
      closed_propagator_orders(model, cells.sectors().front(), 4, kAnchors, qheat_test::world()));
  TclKernel kernel(4, std::move(propagators), qheat_test::world());
  const auto first = kernel.at(1.3);
  kernel.at(2.0);
  kernel.at(0.2);
  EXPECT_EQ(largest_difference(kernel.at(1.3), first), 0.0);
}

/// A diagonal V moves nothing: rounding is no kernel.
TEST(TclKernel, OfADiagonalInteractionIsZero) {
  const Model model = uniform_model(Lattice::chain(3), Site({0.0, 1.0}),
                                    PairInteraction::matrix(2, {{1, 1, 1, 1, 0.7}, {0, 1, 0, 1, 0.3}}), 0.4);
  const CellSpace cells(model, InitialState::thermal(model, {1.0, 1.0, 1.0}));
  for (const auto& value : tcl(model, cells, {2, 4, 6}, 1.1)) {
    EXPECT_LT(value.error, 1e-6);
    EXPECT_LT(largest_element(value, qheat_test::world()), 1e-12);
  }
}

}  // namespace
