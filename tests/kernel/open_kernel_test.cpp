// Kernels of open systems: the exact one and the perturbation series against the dense reference and closed
// forms.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <optional>

#include "qheat/kernel/exact_kernel.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/kernel/tcl_kernel.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/propagator/open_propagator.hpp"
#include "support/cell_reference.hpp"
#include "support/random_models.hpp"
#include "support/singular_times.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

ExactKernel exact_kernel(const Model& model, const CellSpace& cells, double end) {
  std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
  UninterruptedRun control;
  for (const auto& sector : cells.sectors())
    propagators.push_back(open_population_propagator(model, sector, end, qheat_test::world(), control));
  return {std::move(propagators), qheat_test::world()};
}

TclKernels tcl_kernels(const Model& model, const CellSpace& cells, const std::vector<int>& orders,
                       double end) {
  std::vector<std::unique_ptr<PropagatorOrders>> propagators;
  UninterruptedRun control;
  const int highest = *std::max_element(orders.begin(), orders.end());
  for (const auto& sector : cells.sectors()) {
    const auto moments = std::make_shared<const CellMoments>(
        model, sector, end, CellMomentsOptions{.order = highest}, qheat_test::world(), control);
    propagators.push_back(open_propagator_orders(model, sector, moments, highest));
  }
  return {orders, std::move(propagators), qheat_test::world()};
}

/// The orders of G and G' by Taylor steps of dense density matrices, R_k' = L_0 R_k + L_1 R_{k-1}, and the
/// recursion with G_0 inverted by elimination.
class DenseSeries {
 public:
  DenseSeries(const brute::System& system, double t)
      : interaction_(brute::interaction(system)),
        unperturbed_(system),
        cell_(brute::cell_of_state(system)),
        sizes_(brute::cell_sizes(system)),
        t_(t) {
    for (auto& bond : unperturbed_.bonds) std::fill(bond.v.begin(), bond.v.end(), brute::Complex{});
    unperturbed_.onsite.clear();
  }

  /// TCL0 ... TCL<highest>, over all cells.
  std::vector<brute::RealMatrix> kernels(int highest) const {
    const std::size_t c = sizes_.size();
    const auto orders = static_cast<std::size_t>(highest) + 1;
    std::vector<brute::RealMatrix> g(orders, brute::RealMatrix(c * c));
    auto derivative = g;
    for (std::size_t from = 0; from < c; ++from) {
      const auto r = evolved(from, orders);
      const auto change = image(r);
      for (std::size_t k = 0; k < orders; ++k) {
        for (std::size_t n = 0; n < cell_.size(); ++n) {
          g[k][cell_[n] * c + from] += r[k][n * cell_.size() + n].real();
          derivative[k][cell_[n] * c + from] += change[k][n * cell_.size() + n].real();
        }
      }
    }
    std::vector<brute::RealMatrix> terms, sums;
    for (std::size_t k = 0; k < orders; ++k) {
      auto term = derivative[k];
      for (std::size_t j = 0; j < k; ++j) subtract_product(terms[j], g[k - j], term);
      terms.push_back(divided(term, g[0]));
      sums.push_back(terms.back());
      if (k == 0) continue;
      for (std::size_t e = 0; e < c * c; ++e) sums[k][e] += sums[k - 1][e];
    }
    return sums;
  }

 private:
  using Series = std::vector<brute::ComplexMatrix>;

  Series image(const Series& r) const {
    Series result;
    for (std::size_t k = 0; k < r.size(); ++k) {
      result.push_back(brute::liouvillian(unperturbed_, r[k]));
      if (k == 0) continue;
      const auto left = brute::multiply(interaction_, r[k - 1], cell_.size());
      const auto right = brute::multiply(r[k - 1], interaction_, cell_.size());
      for (std::size_t e = 0; e < left.size(); ++e)
        result[k][e] += brute::Complex(0.0, -1.0) * (left[e] - right[e]);
    }
    return result;
  }

  Series evolved(std::size_t cell, std::size_t orders) const {
    const std::size_t dimension = cell_.size();
    Series r(orders, brute::ComplexMatrix(dimension * dimension));
    for (std::size_t n = 0; n < dimension; ++n) {
      if (cell_[n] == cell) r[0][n * dimension + n] = 1.0 / sizes_[cell];
    }
    constexpr int kSteps = 8;
    constexpr int kTerms = 24;
    for (int step = 0; step < kSteps; ++step) {
      auto term = r;
      for (int m = 1; m <= kTerms; ++m) {
        term = image(term);
        for (std::size_t k = 0; k < orders; ++k) {
          for (std::size_t e = 0; e < term[k].size(); ++e) r[k][e] += term[k][e] *= t_ / kSteps / m;
        }
      }
    }
    return r;
  }

  static void subtract_product(const brute::RealMatrix& a, const brute::RealMatrix& b,
                               brute::RealMatrix& sum) {
    const auto n = static_cast<std::size_t>(std::llround(std::sqrt(sum.size())));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t j = 0; j < n; ++j) sum[i * n + j] -= a[i * n + k] * b[k * n + j];
      }
    }
  }

  /// a b^{-1} by elimination in the columns, without pivots: b is close to diagonally dominant.
  static brute::RealMatrix divided(brute::RealMatrix a, brute::RealMatrix b) {
    const auto n = static_cast<std::size_t>(std::llround(std::sqrt(a.size())));
    for (std::size_t k = 0; k < n; ++k) {
      const double pivot = b[k * n + k];
      for (std::size_t i = 0; i < n; ++i) {
        a[i * n + k] /= pivot;
        b[i * n + k] /= pivot;
      }
      for (std::size_t j = 0; j < n; ++j) {
        const double factor = b[k * n + j];
        if (j == k) continue;
        for (std::size_t i = 0; i < n; ++i) {
          a[i * n + j] -= factor * a[i * n + k];
          b[i * n + j] -= factor * b[i * n + k];
        }
      }
    }
    return a;
  }

  brute::ComplexMatrix interaction_;
  brute::System unperturbed_;
  std::vector<std::size_t> cell_;
  std::vector<double> sizes_;
  double t_;
};

struct Case {
  std::string name;
  Model model;
  brute::System reference;
};

/// Two and three sites, two and three levels, complex V, reservoirs at the ends and in the middle, bands.
std::vector<Case> small_cases() {
  std::vector<Case> cases;
  std::uint64_t seed = 40;
  const auto add = [&](int sites, int levels, bool conserving, double dephasing, bool reservoirs,
                       bool bands) {
    std::vector<std::pair<int, int>> pairs;
    for (int i = 0; i + 1 < sites; ++i) pairs.emplace_back(i, i + 1);
    ++seed;
    auto reference = brute::random_system(seed, pairs, sites, levels,
                                          {.complex_v = true,
                                           .conserving = conserving,
                                           .onsite = !conserving,
                                           .detuned = true,
                                           .coupling = 0.3});
    for (auto& onsite : reference.onsite) onsite = reference.onsite.front();  // a job has one U
    reference.dephasing = dephasing;
    if (reservoirs) {
      reference.reservoirs = {{.site = 0, .temperature = 0.7, .rate = 0.4},
                              {.site = sites / 2, .temperature = 1.9, .rate = 0.3, .bose = true}};
    }
    if (bands) reference.band_of_level = qheat_test::uneven_bands(levels);
    auto model = qheat_test::model_of(reference, Lattice::chain(sites), seed);
    cases.push_back({std::to_string(sites) + " sites, " + std::to_string(levels) + " levels, seed " +
                         std::to_string(seed),
                     std::move(model), std::move(reference)});
  };
  for (const bool conserving : {true, false}) {
    add(2, 2, conserving, 0.4, false, false);
    add(2, 2, conserving, 0.0, true, false);
    add(3, 2, conserving, 0.3, true, false);
    add(2, 3, conserving, 0.2, true, false);
    add(2, 3, conserving, 0.3, true, true);
    add(2, 3, conserving, 0.3, false, true);
  }
  return cases;
}

/// The same under jumps that keep populations apart from coherences: weighted ladders of a site, also with
/// bands, and on bonds correlated loss and hops, with which K_0 is no sum over sites.
std::vector<Case> jump_cases() {
  std::vector<Case> cases;
  int number = 0;
  for (auto& one : small_cases()) {
    const auto m = static_cast<std::size_t>(one.reference.levels);
    const int last = one.reference.sites - 1;
    const bool bands = !one.reference.band_of_level.empty();
    std::vector<Complex> up(m * m), down(m * m), loss(m * m * m * m), hop(m * m * m * m);
    for (std::size_t n = 1; n < m; ++n) {
      up[n * m + n - 1] = std::sqrt(static_cast<double>(n));
      down[(n - 1) * m + n] = {0.3, 0.9 * std::sqrt(static_cast<double>(n))};
    }
    loss[0 * m * m + (m * m - 1)] = 1.0;
    hop[(m - 1) * m * m * m + m - 1] = {0.6, 0.8};  // <M-1 0|A|0 M-1>
    one.reference.jumps = {{{last}, up, 0.2}, {{last}, down, 0.3}};
    if (!bands && ++number % 2 == 0) one.reference.jumps.pop_back();
    if (!bands && number % 3 != 0) one.reference.jumps.push_back({{0, 1}, loss, 0.25});
    if (!bands) one.reference.jumps.push_back({{1, 0}, hop, 0.15});
    if (!bands && number == 1) one.reference.jumps = {{{0, 1}, hop, 0.4}};  // keeps the bands
    qheat_test::copy_bath(one.reference, one.model);
    one.name += ", jumps";
    cases.push_back(std::move(one));
  }
  return cases;
}

std::vector<Case> all_cases() {
  auto cases = small_cases();
  for (auto& one : jump_cases()) cases.push_back(std::move(one));
  return cases;
}

InitialState some_start(const Model& model) {
  return InitialState::thermal(model, std::vector<double>(static_cast<std::size_t>(model.sites()), 1.0));
}

/// Largest element of a dense matrix.
double size_of(const brute::RealMatrix& matrix) {
  double largest = 0.0;
  for (const double value : matrix) largest = std::max(largest, std::abs(value));
  return largest;
}

TEST(OpenExactKernel, EqualsTheReference) {
  for (const auto& random : all_cases()) {
    const CellSpace cells(random.model, some_start(random.model));
    ExactKernel kernel = exact_kernel(random.model, cells, 1.5);
    for (const double t : {0.3, 1.5}) {
      const auto k = kernel.at(t);
      for (std::size_t s = 0; s < cells.sectors().size(); ++s) {
        const auto numbers = qheat_test::reference_cells(cells.sectors()[s].cells);
        const auto expected = brute::exact_kernel(random.reference, t, numbers);
        EXPECT_LT(qheat_test::largest_difference(k.sectors[s], expected), 1e-9 * (1.0 + size_of(expected)))
            << random.name << " t = " << t;
        const auto columns = k.sectors[s].values.block();
        for (Index j = 0; j < columns.columns(); ++j) {
          double sum = 0.0;
          for (const double rate : columns.column_span(j)) sum += rate;
          EXPECT_LT(std::abs(sum), 1e-10 * (1e-3 + size_of(expected))) << random.name;
        }
      }
    }
  }
}

/// K(0) = P L_0 P: the jumps of the reservoirs between bands that are evenly filled.
TEST(OpenExactKernel, BeginsWithTheJumpsOfTheReservoirs) {
  for (const auto& random : all_cases()) {
    const CellSpace cells(random.model, some_start(random.model));
    ExactKernel kernel = exact_kernel(random.model, cells, 1.0);
    const auto k = kernel.at(0.0);
    const auto expected = DenseSeries(random.reference, 0.0).kernels(0).front();
    for (std::size_t s = 0; s < cells.sectors().size(); ++s) {
      const auto numbers = qheat_test::reference_cells(cells.sectors()[s].cells);
      EXPECT_LT(qheat_test::largest_difference(k.sectors[s], brute::restricted(expected, numbers)), 1e-12)
          << random.name;
    }
  }
}

TEST(OpenTclKernel, EqualsTheDenseRecursion) {
  const std::vector<int> orders = {1, 2, 3, 4};
  constexpr double kTime = 0.9;
  for (const auto& random : all_cases()) {
    const CellSpace cells(random.model, some_start(random.model));
    const auto expected = DenseSeries(random.reference, kTime).kernels(orders.back());
    const auto values = tcl_kernels(random.model, cells, orders, 1.3).at(kTime);
    for (std::size_t o = 0; o < orders.size(); ++o) {
      EXPECT_LT(values[o].error, 1e-9) << random.name;
      const auto& of_order = expected[static_cast<std::size_t>(orders[o])];
      for (std::size_t s = 0; s < cells.sectors().size(); ++s) {
        const auto numbers = qheat_test::reference_cells(cells.sectors()[s].cells);
        EXPECT_LT(qheat_test::largest_difference(values[o].sectors[s], brute::restricted(of_order, numbers)),
                  1e-10 * (1.0 + size_of(of_order)))
            << random.name << " order " << orders[o];
      }
    }
  }
}

TEST(OpenTclKernel, RefusesWhatJoinsPopulationsToCoherences) {
  auto random = small_cases().front();
  random.model.bath.jumps = {{{0, 1}, {{0, 1, 1.0}, {0, 2, 1.0}}, 0.3}};
  EXPECT_THROW(tcl_kernels(random.model, CellSpace(random.model, some_start(random.model)), {2}, 1.0),
               InputError);
}

/// With dephasing alone the recursion is the closed second-order form, at any time.
TEST(OpenTclKernel, OfSecondOrderIsTheClosedFormUnderDephasing) {
  for (const auto& random : small_cases()) {
    if (!random.reference.reservoirs.empty()) continue;
    const CellSpace cells(random.model, some_start(random.model));
    const SecondOrderKernel second_order(random.model);
    TclKernels kernels = tcl_kernels(random.model, cells, {2}, 20.0);
    for (const double t : {0.0, 0.4, 5.0, 20.0}) {
      const auto value = kernels.at(t);
      for (std::size_t s = 0; s < cells.sectors().size(); ++s) {
        const auto expected = dense_generator(cells.sectors()[s].cells, second_order.at(t));
        EXPECT_LT(qheat_test::largest_difference(value[0].sectors[s], expected), 1e-10)
            << random.name << " t = " << t;
      }
    }
  }
}

/// The error falls at least as lambda^{n+1}.
TEST(OpenTclKernel, ConvergesToTheExactKernel) {
  const std::vector<int> orders = {1, 2, 3, 4, 6};
  constexpr double kTime = 1.2;
  for (auto& random : small_cases()) {
    if (random.reference.reservoirs.empty()) continue;
    const CellSpace cells(random.model, some_start(random.model));
    const double full = random.model.strength;
    std::vector<std::vector<double>> errors;
    for (const double factor : {0.2, 0.1}) {
      random.model.strength = factor * full;
      const auto exact = exact_kernel(random.model, cells, kTime).at(kTime);
      auto& of_strength = errors.emplace_back();
      for (const auto& value : tcl_kernels(random.model, cells, orders, kTime).at(kTime)) {
        double largest = 0.0;
        const auto a = value.sectors.front().values.block();
        const auto b = exact.sectors.front().values.block();
        for (Index j = 0; j < a.columns(); ++j) {
          for (Index i = 0; i < a.rows(); ++i)
            largest = std::max(largest, std::abs(a.column(j)[i] - b.column(j)[i]));
        }
        of_strength.push_back(qheat_test::world().max(largest));
      }
    }
    for (std::size_t o = 0; o < orders.size(); ++o) {
      constexpr double kRounding = 1e-14;
      if (errors[0][o] < 1000 * kRounding) continue;
      const double power = std::log2(errors[0][o] / std::max(kRounding, errors[1][o]));
      EXPECT_GT(power, orders[o] + 0.8) << random.name << " order " << orders[o] << " error " << errors[0][o];
    }
  }
}

/// Rounding is amplified by e^{+gt}; the estimate holds it.
TEST(OpenTclKernel, EstimatesItsRounding) {
  Model model = uniform_model(Lattice::chain(3), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.05);
  model.bath.dephasing = 0.4;
  model.bath.reservoirs = {{0, 1.0, 0.6, Reservoir::Statistics::fermi}};
  const CellSpace cells(model, InitialState::product(model, {1, 0, 0}));
  TclKernels a = tcl_kernels(model, cells, {4}, 50.0);
  TclKernels b = tcl_kernels(model, cells, {4}, 41.0);  // other steps: other rounding
  double before = 0.0;
  for (const double t : {1.0, 20.0, 40.0}) {
    const auto x = a.at(t);
    const auto y = b.at(t);
    double largest = 0.0;
    const auto one = x[0].sectors.front().values.block();
    const auto other = y[0].sectors.front().values.block();
    for (Index j = 0; j < one.columns(); ++j) {
      for (Index i = 0; i < one.rows(); ++i)
        largest = std::max(largest, std::abs(one.column(j)[i] - other.column(j)[i]));
    }
    largest = qheat_test::world().max(largest) / largest_element(x[0], qheat_test::world());
    EXPECT_LT(largest, x[0].error + y[0].error) << t;
    EXPECT_GT(x[0].error, 3.0 * before);
    before = x[0].error;
  }
}

Model dephased_chain(int sites, double strength, double dephasing) {
  Model model =
      uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::exchange(2), strength);
  model.bath.dephasing = dephasing;
  return model;
}

/// Rate from the excitation's place `from` to `to`, on all ranks.
double open_rate(const CellSpace& cells, const KernelValue& k, std::size_t to, std::size_t from) {
  const auto cell = [&](std::size_t site) {
    std::vector<Level> bands(static_cast<std::size_t>(cells.sites()), 0);
    bands[site] = 1;
    return cells.sectors().front().cells.index(bands);
  };
  double value = 0.0;
  const auto& sector = k.sectors.front();
  for (std::size_t j = 0; j < sector.cells.size(); ++j) {
    if (sector.cells[j] == cell(from)) value = sector.values.block().column(static_cast<Index>(j))[cell(to)];
  }
  return qheat_test::world().sum(value);
}

/// The difference of both populations is a damped oscillator, d'' + Gamma d' + 4 lambda^2 d = 0; K = -d'/2d.
TEST(OpenExactKernel, OfAPairIsThatOfADampedOscillator) {
  constexpr double kDephasing = 0.4;
  constexpr double kWidth = 2.0 * kDephasing;
  constexpr double kEnd = 400.0;
  {
    constexpr double kLambda = 0.15;  // below Gamma/4
    const Model model = dephased_chain(2, kLambda, kDephasing);
    const CellSpace cells(model, InitialState::product(model, {1, 0}));
    ExactKernel kernel = exact_kernel(model, cells, kEnd);
    const double root = std::sqrt(kWidth * kWidth / 4.0 - 4.0 * kLambda * kLambda);
    const double t = 3.7;
    const double expected = 2.0 * kLambda * kLambda * std::sinh(root * t) /
                            (root * std::cosh(root * t) + kWidth / 2.0 * std::sinh(root * t));
    EXPECT_NEAR(open_rate(cells, kernel.at(t), 0, 1), expected, 1e-12);
    EXPECT_NEAR(open_rate(cells, kernel.at(60.0), 0, 1),
                (kWidth - std::sqrt(kWidth * kWidth - 16.0 * kLambda * kLambda)) / 4.0, 1e-8);
    // Until G has forgotten its start, and beyond: what is left there is rounding, no singular time.
    for (const int outputs : {2, 7, 101, 402}) {
      const auto found = qheat_test::singular_times(kernel, kEnd, outputs);
      EXPECT_TRUE(found.empty()) << outputs << " outputs: " << found.size() << " found, first "
                                 << found.front();
    }
    EXPECT_FALSE(kernel.at(kEnd).error < 1.0);
  }
  constexpr double kLambda = 0.5;
  const Model model = dephased_chain(2, kLambda, kDephasing);
  const CellSpace cells(model, InitialState::product(model, {1, 0}));
  ExactKernel kernel = exact_kernel(model, cells, 30.0);
  const double frequency = std::sqrt(4.0 * kLambda * kLambda - kWidth * kWidth / 4.0);
  const auto found = qheat_test::singular_times(kernel, 20.0, 41);
  ASSERT_EQ(found.size(), 6U);
  for (std::size_t k = 0; k < found.size(); ++k) {
    const double phase = std::numbers::pi * static_cast<double>(k + 1) - std::atan(2.0 * frequency / kWidth);
    EXPECT_NEAR(found[k], phase / frequency, 1e-8);
  }
}

/// Strong dephasing: w -> 2 lambda^2/Gamma, with a relative error of the order (lambda/Gamma)^2.
TEST(OpenExactKernel, OfAChainApproachesTheMarkovRate) {
  constexpr double kLambda = 0.05;
  std::vector<double> deviations;
  for (const double dephasing : {0.25, 0.5, 1.0}) {
    const Model model = dephased_chain(4, kLambda, dephasing);
    const CellSpace cells(model, InitialState::product(model, {1, 0, 0, 0}));
    const double t = 10.0 / dephasing;
    ExactKernel kernel = exact_kernel(model, cells, t);
    const double markov = kLambda * kLambda / dephasing;
    deviations.push_back(open_rate(cells, kernel.at(t), 1, 2) / markov - 1.0);
  }
  EXPECT_LT(std::abs(deviations[0]), 0.06);
  EXPECT_NEAR(deviations[0] / deviations[1], 4.0, 0.5);
  EXPECT_NEAR(deviations[1] / deviations[2], 4.0, 0.2);
}

}  // namespace
