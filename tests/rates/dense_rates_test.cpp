// Rate equations with kernels held as dense columns: interpolation in time, and equality with exact dynamics.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "qheat/evolution/exact.hpp"
#include "qheat/kernel/kernel_series.hpp"
#include "qheat/kernel/memory_kernel.hpp"
#include "qheat/kernel/tcl_kernel.hpp"
#include "qheat/propagator/open_propagator.hpp"
#include "qheat/rates/cell_probabilities.hpp"
#include "qheat/rates/memory_equation.hpp"
#include "qheat/rates/solve.hpp"
#include "support/largest_difference.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

using qheat_test::largest_difference;
const std::vector<double> kTimes = {0.0, 0.5, 1.0, 1.5};

std::unique_ptr<ExactKernel> exact_kernel(const Model& model, const CellSpace& cells) {
  std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
  UninterruptedRun control;
  for (const auto& sector : cells.sectors()) {
    propagators.push_back(
        model.bath.closed()
            ? closed_population_propagator(model, sector, qheat_test::world())
            : open_population_propagator(model, sector, kTimes.back(), qheat_test::world(), control));
  }
  return std::make_unique<ExactKernel>(std::move(propagators), qheat_test::world());
}

std::unique_ptr<TimeLocalKernel> tcl_kernel(const Model& model, const CellSpace& cells, int order) {
  std::vector<std::unique_ptr<PropagatorOrders>> propagators;
  for (const auto& sector : cells.sectors()) {
    propagators.push_back(closed_propagator_orders(model, sector, order, kTimes, qheat_test::world()));
  }
  return std::make_unique<TclKernel>(order, std::move(propagators), qheat_test::world());
}

DenseRates many_body(const Model& model, const InitialState& initial, const CellSpace& cells,
                     TimeLocalKernel& kernel, const std::vector<double>& times, std::size_t known) {
  UninterruptedRun control;
  Timings timings;
  return solve_many_body(model, initial, cells, kernel, times, known, 1.0, {}, qheat_test::world(), control,
                         timings);
}

/// G(t) P(0) by the propagators.
std::vector<double> exact_populations(const Model& model, const InitialState& initial,
                                      const CellSpace& cells) {
  const auto start = cell_probabilities(cells, band_populations(model, initial.probabilities));
  std::vector<double> populations;
  for (const double t : kTimes) {
    std::vector<double> p(start.size(), 0.0);
    for (const auto& sector : cells.sectors()) {
      const auto propagator = closed_population_propagator(model, sector, qheat_test::world());
      const auto g = full_columns(propagator->layout(), propagator->evaluate(t, 0).front());
      for (std::size_t j = 0; j < g.cells.size(); ++j) {
        const double weight = start[static_cast<std::size_t>(sector.first + g.cells[j])];
        const auto column = g.values.block().column_span(static_cast<Index>(j));
        for (std::size_t i = 0; i < column.size(); ++i) {
          p[static_cast<std::size_t>(sector.first) + i] += weight * column[i];
        }
      }
    }
    qheat_test::world().sum(p);
    const auto now = site_populations(cells, p);
    populations.insert(populations.end(), now.begin(), now.end());
  }
  return populations;
}

TEST(DenseRates, WithTheExactKernelAreExact) {
  std::uint64_t seed = 50;
  for (auto& random : qheat_test::random_cases()) {
    if (random.model.sites() * random.model.levels() > 10) continue;
    random.model.strength *= 0.3;  // no singular time before the end
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, seed++));
    const CellSpace cells(random.model, initial);
    const auto kernel = exact_kernel(random.model, cells);
    const auto rates = many_body(random.model, initial, cells, *kernel, kTimes, kTimes.size());
    EXPECT_LT(
        largest_difference(rates.many_body.populations, exact_populations(random.model, initial, cells)),
        1e-7)
        << random.name;
    EXPECT_EQ(rates.known_until, kTimes.back());
  }
}

/// The exact and the memory kernel of open systems, against density matrices.
TEST(DenseRates, OfOpenSystemsAreExact) {
  std::uint64_t seed = 50;
  int with_reservoirs = 0;
  for (auto& random : qheat_test::random_open_cases(32)) {
    random.model.strength *= 0.3;  // no singular time before the end
    with_reservoirs += random.model.bath.reservoirs.empty() ? 0 : 1;
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, seed++));
    const CellSpace cells(random.model, initial);
    UninterruptedRun control;
    Timings timings;
    const auto exact = propagate_exact(random.model, initial, kTimes, {.tolerance = 1e-12},
                                       qheat_test::world(), control, timings);
    const auto kernel = exact_kernel(random.model, cells);
    const auto rates = many_body(random.model, initial, cells, *kernel, kTimes, kTimes.size());
    EXPECT_LT(largest_difference(rates.many_body.populations, exact.mean.populations), 1e-7) << random.name;
    const MemoryKernel memory(kernel->propagators(), kTimes, {}, qheat_test::world(), control);
    const auto solution =
        solve_memory(random.model, initial, cells, memory, qheat_test::world(), control, timings);
    EXPECT_LT(largest_difference(solution.solution.populations, exact.mean.populations),
              solution.error + 1e-10)
        << random.name;
    EXPECT_LT(solution.error, 1e-6) << random.name;
  }
  EXPECT_GT(with_reservoirs, 2);
}

/// Uncoupled sites only feel their reservoirs: the site equation with them is exact.
TEST(DenseRates, OfSitesHoldTheReservoirs) {
  auto model = uniform_model(Lattice::chain(3), Site({0.0, 1.0, 1.7}), PairInteraction::exchange(3), 1e-9);
  model.bath.reservoirs = {{0, 0.7, 0.8, Reservoir::Statistics::fermi},
                           {1, 1.9, 0.3, Reservoir::Statistics::bose}};
  const auto initial = InitialState::product(model, {1, 0, 2});
  const CellSpace cells(model, initial);
  UninterruptedRun control;
  Timings timings;
  const auto exact = propagate_exact(model, initial, kTimes, {}, qheat_test::world(), control, timings);
  const auto kernel = exact_kernel(model, cells);
  const auto rates = many_body(model, initial, cells, *kernel, kTimes, kTimes.size());
  const auto sites = solve_sites(model, initial, rates, kTimes, {}, qheat_test::world(), control, timings);
  EXPECT_LT(largest_difference(sites.populations, exact.mean.populations), 1e-8);
  EXPECT_GT(largest_difference(std::vector<double>(sites.populations.end() - 9, sites.populations.end()),
                               std::vector<double>(sites.populations.begin(), sites.populations.begin() + 9)),
            0.1);
}

TEST(DenseRates, OfSecondOrderEqualTheEquationWithoutAMatrix) {
  const auto reference = qheat_test::brute::random_system(
      12, {{0, 1}, {1, 2}}, 3, 3, {.complex_v = true, .conserving = true, .onsite = false, .detuned = true});
  const auto model = qheat_test::model_of(reference, Lattice::chain(3), 12);
  const auto initial = InitialState::thermal(model, {1.0, 2.0, 3.0});
  const CellSpace cells(model, initial);
  const auto kernel = tcl_kernel(model, cells, 2);
  const auto dense = many_body(model, initial, cells, *kernel, kTimes, kTimes.size());
  UninterruptedRun control;
  Timings timings;
  const SecondOrderKernel local(model);
  const auto expected =
      solve_many_body(model, initial, local, kTimes, {}, qheat_test::world(), control, timings);
  EXPECT_LT(largest_difference(dense.many_body.populations, expected.populations), 1e-8);
  EXPECT_LT(largest_difference(dense.many_body.energy, expected.energy), 1e-8);
  const auto sites = solve_sites(model, initial, dense, kTimes, {}, qheat_test::world(), control, timings);
  const auto sites_expected =
      solve_sites(model, initial, local, kTimes, {}, qheat_test::world(), control, timings);
  EXPECT_LT(largest_difference(sites.populations, sites_expected.populations), 1e-8);
}

/// K(t) = f(t) (swap - 1) of a pair, on rank 0.
class Scaled final : public TimeLocalKernel {
 public:
  explicit Scaled(std::function<double(double)> f) : f_(std::move(f)) {}

  KernelValue at(double t) override {
    ++calls;
    KernelValue value;
    const Index columns = qheat_test::world().is_root() ? 2 : 0;
    value.sectors.push_back(
        {columns == 0 ? std::vector<Index>{} : std::vector<Index>{0, 1}, ColumnStorage<double>(2, columns)});
    const double f = f_(t);
    for (Index j = 0; j < columns; ++j) {
      value.sectors.front().values.block().column(j)[j] = -f;
      value.sectors.front().values.block().column(j)[1 - j] = f;
    }
    if (std::isnan(f)) value.error = 1.0;
    return value;
  }

  int calls = 0;

 private:
  std::function<double(double)> f_;
};

struct Pair {
  Model model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 1.0);
  InitialState initial = InitialState::product(model, {1, 0});
  CellSpace cells{model, initial};
};

TEST(DenseRates, FollowAKernelBetweenOutputs) {
  const Pair pair;
  Scaled kernel([](double t) { return 1.0 + std::cos(40.0 * t); });  // many oscillations an interval
  const auto rates = many_body(pair.model, pair.initial, pair.cells, kernel, kTimes, kTimes.size());
  for (std::size_t k = 0; k < kTimes.size(); ++k) {
    const double t = kTimes[k];
    const double expected = 0.5 * (1.0 + std::exp(-2.0 * (t + std::sin(40.0 * t) / 40.0)));
    EXPECT_NEAR(rates.many_body.populations[k * 4 + 1], expected, 1e-8) << t;  // P_1(0)
    std::vector<double> w(1);
    rates.bond_rates.at(t, w);
    EXPECT_NEAR(w[0], 1.0 + std::cos(40.0 * t), 1e-7);
  }
  const auto again = BondRateSeries::from_flat(rates.bond_rates.flat());
  std::vector<double> a(1);
  std::vector<double> b(1);
  again.at(0.77, a);
  rates.bond_rates.at(0.77, b);
  EXPECT_EQ(a, b);
}

TEST(DenseRates, SaveEvaluationsWhereTheKernelIsSmooth) {
  const Pair pair;
  Scaled kernel([](double t) { return 1.0 + 0.1 * t; });
  many_body(pair.model, pair.initial, pair.cells, kernel, kTimes, kTimes.size());
  EXPECT_EQ(kernel.calls, 33);  // eleven points an interval
}

TEST(DenseRates, StopWhereTheKernelIsUnknown) {
  const Pair pair;
  Scaled kernel([](double t) { return t > 0.7 ? std::nan("") : 1.0; });
  const auto rates = many_body(pair.model, pair.initial, pair.cells, kernel, kTimes, kTimes.size());
  EXPECT_EQ(rates.known_until, 0.5);
  EXPECT_FALSE(std::isnan(rates.many_body.populations[4]));
  EXPECT_TRUE(std::isnan(rates.many_body.populations[8]));
  UninterruptedRun control;
  Timings timings;
  const auto sites =
      solve_sites(pair.model, pair.initial, rates, kTimes, {}, qheat_test::world(), control, timings);
  EXPECT_FALSE(std::isnan(sites.populations[4]));
  EXPECT_TRUE(std::isnan(sites.populations[8]));
}

TEST(DenseRates, StopBeforeAKernelThatCannotBeFollowed) {
  const Pair pair;
  Scaled kernel([](double t) { return 1.0 / (t - 0.7); });
  const auto rates = many_body(pair.model, pair.initial, pair.cells, kernel, kTimes, kTimes.size());
  EXPECT_EQ(rates.known_until, 0.5);
  EXPECT_TRUE(std::isnan(rates.many_body.populations[8]));
}

TEST(DenseRates, HoldTheStartWhereNothingIsKnown) {
  const Pair pair;
  Scaled kernel([](double) { return 1.0; });
  for (const std::size_t known : {std::size_t{0}, std::size_t{1}}) {
    const auto rates = many_body(pair.model, pair.initial, pair.cells, kernel, kTimes, known);
    EXPECT_EQ(rates.many_body.populations[1], 1.0);
    EXPECT_TRUE(std::isnan(rates.many_body.populations[5]));
    UninterruptedRun control;
    Timings timings;
    const auto sites =
        solve_sites(pair.model, pair.initial, rates, kTimes, {}, qheat_test::world(), control, timings);
    EXPECT_EQ(sites.populations[1], 1.0);
  }
}

TEST(ChebyshevPanel, IsExactForPolynomials) {
  const ChebyshevPanel panel(1.0, 3.0, 6);
  const auto f = [](double t) { return 1.0 - t + 0.5 * std::pow(t, 6); };
  for (const double t : {1.0, 1.3, 2.0, 2.9, 3.0}) {
    const auto weights = panel.weights(t);
    double value = 0.0;
    for (std::size_t j = 0; j < weights.size(); ++j) value += weights[j] * f(panel.points()[j]);
    EXPECT_NEAR(value, f(t), 1e-11);
  }
  // T_3 has one coefficient.
  for (int k = 0; k <= 6; ++k) {
    const auto weights = panel.coefficient_weights(k);
    double value = 0.0;
    for (std::size_t j = 0; j < weights.size(); ++j) {
      const double x = panel.points()[j] - 2.0;
      value += weights[j] * (4.0 * x * x * x - 3.0 * x);
    }
    EXPECT_NEAR(value, k == 3 ? 1.0 : 0.0, 1e-14);
  }
}

}  // namespace
