// The memory kernel against closed forms and against its definition by projected evolution; the order of its
// quadrature and the honesty of its error.

#include "qheat/kernel/memory_kernel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "qheat/kernel/convolution_quadrature.hpp"
#include "qheat/propagator/open_propagator.hpp"
#include "support/cell_reference.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
namespace brute = qheat_test::brute;

namespace {

std::vector<double> output_times(double end, std::size_t outputs) {
  std::vector<double> times(outputs, 0.0);
  for (std::size_t k = 1; k < outputs; ++k) {
    times[k] = end * static_cast<double>(k) / static_cast<double>(outputs - 1);
  }
  return times;
}

MemoryKernel memory_kernel(const Model& model, const CellSpace& cells, const std::vector<double>& times,
                           const MemoryKernelOptions& options = {.tolerance = 1e-8}) {
  std::vector<std::unique_ptr<const PopulationPropagator>> propagators;
  UninterruptedRun control;
  for (const auto& sector : cells.sectors()) {
    propagators.push_back(
        model.bath.closed()
            ? closed_population_propagator(model, sector, qheat_test::world())
            : open_population_propagator(model, sector, times.back(), qheat_test::world(), control));
  }
  return {propagators, times, options, qheat_test::world(), control};
}

/// Two sites, one excitation; N is cos(detuning t) times 2 lambda^2 [[-1, 1], [1, -1]].
Model pair(double strength, double detuning) {
  Model model = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), strength);
  model.energies = {0.0, 1.0, 0.0, 1.0 + detuning};
  return model;
}

/// Largest error of a pair's N at an output time, all ranks.
double error_of_pair(const MemoryKernel& kernel, std::size_t output, double exact) {
  const KernelValue value = kernel.at(output);
  return qheat_test::world().max(
      qheat_test::largest_difference(value.sectors.front(), {-exact, exact, exact, -exact}));
}

/// P L e^{QLt} Q L P, Q = 1 - P, by Taylor steps of density matrices.
class Projected {
 public:
  explicit Projected(const brute::System& system)
      : system_(system), cell_(brute::cell_of_state(system)), sizes_(brute::cell_sizes(system)) {}

  /// N(t) over `cells`, row-major.
  std::vector<double> kernel(double t, const std::vector<std::size_t>& cells) const {
    std::vector<double> result(cells.size() * cells.size());
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const auto gain = probabilities(brute::liouvillian(system_, evolved(cells[c], t)));
      for (std::size_t r = 0; r < cells.size(); ++r) result[r * cells.size() + c] = gain[cells[r]];
    }
    return result;
  }

 private:
  std::vector<double> probabilities(const brute::ComplexMatrix& rho) const {
    std::vector<double> p(sizes_.size(), 0.0);
    for (std::size_t n = 0; n < cell_.size(); ++n) p[cell_[n]] += rho[n * cell_.size() + n].real();
    return p;
  }
  /// Q L rho.
  brute::ComplexMatrix irrelevant(const brute::ComplexMatrix& rho) const {
    auto image = brute::liouvillian(system_, rho);
    const auto p = probabilities(image);
    for (std::size_t n = 0; n < cell_.size(); ++n)
      image[n * cell_.size() + n] -= p[cell_[n]] / sizes_[cell_[n]];
    return image;
  }
  /// e^{QLt} Q L Pi_c / d_c.
  brute::ComplexMatrix evolved(std::size_t cell, double t) const {
    brute::ComplexMatrix rho(cell_.size() * cell_.size());
    for (std::size_t n = 0; n < cell_.size(); ++n) {
      if (cell_[n] == cell) rho[n * cell_.size() + n] = 1.0 / sizes_[cell];
    }
    rho = irrelevant(rho);
    constexpr int kSteps = 10;
    constexpr int kTerms = 22;
    for (int step = 0; step < kSteps; ++step) {
      auto term = rho;
      for (int k = 1; k <= kTerms; ++k) {
        term = irrelevant(term);
        for (std::size_t e = 0; e < term.size(); ++e) rho[e] += term[e] *= t / kSteps / k;
      }
    }
    return rho;
  }

  const brute::System& system_;
  std::vector<std::size_t> cell_;
  std::vector<double> sizes_;
};

void expect_projected(const std::string& name, const Model& model, const brute::System& reference,
                      const InitialState& initial) {
  const CellSpace cells(model, initial);
  const auto times = output_times(0.8, 3);
  const MemoryKernel kernel = memory_kernel(model, cells, times);
  EXPECT_LT(kernel.error(), 2e-8) << name;
  const Projected projected(reference);
  for (std::size_t k = 0; k < times.size(); ++k) {
    const KernelValue value = kernel.at(k);
    const double largest = std::max(1e-3, largest_element(kernel.at(0), qheat_test::world()));
    for (std::size_t s = 0; s < cells.sectors().size(); ++s) {
      const auto expected = projected.kernel(times[k], qheat_test::reference_cells(cells.sectors()[s].cells));
      EXPECT_LT(qheat_test::largest_difference(value.sectors[s], expected), kernel.error() * largest + 1e-11)
          << name << " t=" << times[k];
    }
  }
}

TEST(ConvolutionQuadrature, IsExactForPolynomialsFromTheStartOn) {
  for (const std::size_t points : {std::size_t{1}, std::size_t{3}, std::size_t{8}, std::size_t{13}}) {
    const ConvolutionQuadrature quadrature(points);
    const std::size_t start = quadrature.start_points();
    EXPECT_EQ(start, std::min<std::size_t>(points, 8));
    for (std::size_t n = 0; n < points; ++n) {
      const auto end = static_cast<double>(n);
      const auto weights = quadrature.weights(n);
      const double degree = static_cast<double>(start) - 1.0;
      double sum = 0.0;
      for (std::size_t j = 0; j < weights.size(); ++j) sum += weights[j] * std::pow(j, degree);
      const double expected = std::pow(end, degree + 1.0) / (degree + 1.0);
      EXPECT_NEAR(sum, expected, 1e-12 * (1.0 + std::pow(12.0, degree))) << n;
      if (n >= start) continue;
      double convolution = 0.0;  // of u^2 (or 1) and u
      const double power = std::min(degree, 2.0);
      const double other = std::min(degree, 1.0);
      for (std::size_t i = 0; i < start; ++i) {
        for (std::size_t j = 0; j < start; ++j) {
          convolution += quadrature.start_weight(n, i, j) * std::pow(i, power) * std::pow(j, other);
        }
      }
      const double beta =
          std::tgamma(power + 1.0) * std::tgamma(other + 1.0) / std::tgamma(power + other + 2.0);
      EXPECT_NEAR(convolution, beta * std::pow(end, power + other + 1.0), 1e-10) << n;
    }
  }
}

TEST(MemoryKernel, OfAPairIsACosineOfTheDetuning) {
  constexpr double kLambda = 0.1;
  const auto times = output_times(40.0, 21);
  for (const double detuning : {0.0, 0.3, std::numbers::pi, 2.0 * std::numbers::pi}) {
    const Model model = pair(kLambda, detuning);
    const CellSpace cells(model, InitialState::product(model, {1, 0}));
    const MemoryKernel kernel = memory_kernel(model, cells, times);
    EXPECT_LT(kernel.error(), 1.1e-8);
    const double scale = 2.0 * kLambda * kLambda;
    for (std::size_t k = 0; k < times.size(); ++k) {
      EXPECT_LT(error_of_pair(kernel, k, scale * std::cos(detuning * times[k])), kernel.error() * scale)
          << detuning << ' ' << times[k];
    }
  }
}

TEST(MemoryKernel, ConvergesWithTheEighthPowerOfTheStepAndTellsItsError) {
  constexpr double kLambda = 0.3;
  constexpr double kDetuning = 1.0;
  constexpr double kEnd = 20.0;
  const Model model = pair(kLambda, kDetuning);
  const CellSpace cells(model, InitialState::product(model, {1, 0}));
  double before = 0.0;
  for (const std::size_t outputs : {std::size_t{31}, std::size_t{61}, std::size_t{121}}) {
    const auto times = output_times(kEnd, outputs);
    const MemoryKernel kernel = memory_kernel(model, cells, times, {.tolerance = 1e3});
    ASSERT_EQ(kernel.finer().steps_per_output, 2U);
    const double scale = 2.0 * kLambda * kLambda;
    double error = 0.0;
    for (std::size_t k = 0; k < outputs; ++k) {
      error = std::max(error, error_of_pair(kernel, k, scale * std::cos(kDetuning * times[k])) / scale);
    }
    EXPECT_LT(error, kernel.error());
    EXPECT_GT(error, 1e-3 * kernel.error());
    if (before > 0.0) {
      EXPECT_NEAR(std::log2(before / error), 8.0, 0.7);
    }
    before = error;
  }
}

/// G'' consists of terms that are larger than N by (detuning / lambda)^2.
TEST(MemoryKernel, TellsTheRoundingOfAWeakCoupling) {
  for (const double lambda : {1e-3, 1e-5}) {
    for (const double end : {40.0, 400.0}) {
      constexpr double kDetuning = 6.0;
      const Model model = pair(lambda, kDetuning);
      const CellSpace cells(model, InitialState::product(model, {1, 0}));
      const auto times = output_times(end, 101);
      const MemoryKernel kernel = memory_kernel(model, cells, times);
      const double scale = 2.0 * lambda * lambda;
      double error = 0.0;
      for (std::size_t k = 0; k < times.size(); ++k) {
        error = std::max(error, error_of_pair(kernel, k, scale * std::cos(kDetuning * times[k])) / scale);
      }
      EXPECT_LT(error, kernel.error()) << lambda << ' ' << end;
      EXPECT_GT(error, 1e-2 * kernel.error()) << lambda << ' ' << end;
    }
  }
}

TEST(MemoryKernel, EqualsTheProjectedEvolutionOfRandomModels) {
  std::uint64_t seed = 90;
  for (const auto& random : qheat_test::random_cases()) {
    if (brute::dimension(random.reference) > 16) continue;
    expect_projected(random.name, random.model, random.reference,
                     InitialState::product(random.model, qheat_test::random_levels(random.model, seed++)));
  }
}

/// K_0 is not zero with reservoirs.
TEST(MemoryKernel, EqualsTheProjectedEvolutionOfOpenModels) {
  for (const bool conserving : {true, false}) {
    for (const int bath : {1, 2, 3}) {  // dephasing, reservoirs, both
      auto reference = brute::random_system(
          static_cast<std::uint64_t>(bath), {{0, 1}}, 2, 3,
          {.complex_v = true, .conserving = conserving, .onsite = false, .detuned = true});
      if (bath != 2) reference.dephasing = 0.4;
      if (bath != 1) reference.reservoirs = {{.site = 1, .temperature = 0.8, .rate = 0.6}};
      for (const bool bands : {false, true}) {
        if (bands) reference.band_of_level = qheat_test::uneven_bands(3);
        const auto model = qheat_test::model_of(reference, Lattice::chain(2), 5);
        expect_projected("open", model, reference, InitialState::thermal(model, {1.0, 2.0}));
      }
    }
  }
}

TEST(MemoryKernel, CoversAllSectorsOfAMixtureAndBandsOfUnequalSize) {
  auto reference = brute::random_system(
      8, {{0, 1}, {1, 2}}, 3, 3, {.complex_v = true, .conserving = true, .onsite = false, .detuned = true});
  auto model = qheat_test::model_of(reference, Lattice::chain(3), 8);
  expect_projected("mixture", model, reference, InitialState::thermal(model, {1.0, 2.0, 3.0}));
  for (const bool conserving : {true, false}) {
    reference =
        brute::random_system(5, {{0, 1}, {1, 2}}, 3, 3,
                             {.complex_v = true, .conserving = conserving, .onsite = false, .detuned = true});
    reference.band_of_level = qheat_test::uneven_bands(3);
    model = qheat_test::model_of(reference, Lattice::chain(3), 5);
    expect_projected("bands", model, reference, InitialState::band_mixture(model, {0, 1, 2}));
  }
}

/// A chain that its mirror image equals: two parities.
TEST(MemoryKernel, HoldsWithAMirrorSymmetryAndConservesProbability) {
  brute::System reference{.sites = 4, .levels = 2};
  for (int i = 0; i < 4; ++i) reference.energies.push_back({0.0, i == 0 || i == 3 ? 1.2 : 1.0});
  for (int i = 0; i < 3; ++i) reference.bonds.push_back(brute::exchange_bond(i, i + 1, 2, 0.4));
  const Model model = qheat_test::model_of(reference, Lattice::chain(4), 3);
  expect_projected("mirror", model, reference, InitialState::product(model, {1, 0, 1, 0}));
  const CellSpace cells(model, InitialState::product(model, {1, 0, 1, 0}));
  const MemoryKernel kernel = memory_kernel(model, cells, output_times(6.0, 4));
  for (std::size_t k = 0; k < kernel.outputs(); ++k) {
    const KernelValue value = kernel.at(k);
    const double largest = largest_element(kernel.at(0), qheat_test::world());
    const auto columns = value.sectors.front().values.block();
    for (Index j = 0; j < columns.columns(); ++j) {
      double sum = 0.0;
      for (const double element : columns.column_span(j)) sum += element;
      EXPECT_LT(std::abs(sum), 1e-10 * largest);
    }
  }
}

TEST(MemoryKernel, HoldsForOneCellOneTimeAndWithoutInteraction) {
  const Model alone = uniform_model(Lattice::chain(1), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.1);
  const CellSpace one(alone, InitialState::product(alone, {1}));
  EXPECT_EQ(largest_element(memory_kernel(alone, one, output_times(5.0, 3)).at(2), qheat_test::world()), 0.0);

  const Model coupled = pair(0.1, 0.5);
  const CellSpace cells(coupled, InitialState::product(coupled, {1, 0}));
  const MemoryKernel at_zero = memory_kernel(coupled, cells, {0.0});
  EXPECT_EQ(at_zero.outputs(), 1U);
  EXPECT_LT(error_of_pair(at_zero, 0, 0.02), 1e-15);
  EXPECT_LT(error_of_pair(memory_kernel(coupled, cells, {0.0, 7.0}), 1, 0.02 * std::cos(3.5)), 1e-9);

  Model diagonal = pair(0.3, 0.5);  // an interaction that moves nothing
  diagonal.interactions = {PairInteraction::matrix(2, {{0, 1, 0, 1, 0.7}, {1, 1, 1, 1, -1.1}})};
  const auto still = memory_kernel(diagonal, cells, output_times(9.0, 10)).at(9);
  EXPECT_EQ(still.error, 0.0);
  EXPECT_EQ(largest_element(still, qheat_test::world()), 0.0);

  const Model free = pair(0.0, 0.5);
  const MemoryKernel nothing = memory_kernel(free, cells, output_times(5.0, 6));
  EXPECT_LT(largest_element(nothing.at(5), qheat_test::world()), 1e-15);
}

/// Where the limit of operations forbids a resolution, the error says so.
TEST(MemoryKernel, StopsAtALimitAndTellsTheErrorReached) {
  const Model model = pair(0.1, 6.0);
  const CellSpace cells(model, InitialState::product(model, {1, 0}));
  const auto times = output_times(30.0, 16);
  const MemoryKernel kernel =
      memory_kernel(model, cells, times, {.tolerance = 1e-12, .most_operations = 1.0});
  EXPECT_GT(kernel.error(), 1e-3);
  for (std::size_t k = 0; k < times.size(); ++k) {
    if (kernel.error() >= 1.0) break;
    EXPECT_LT(error_of_pair(kernel, k, 0.02 * std::cos(6.0 * times[k])), 0.02 * kernel.error());
  }
}

}  // namespace
