// Spectrum and Krylov evolution against each other and against the definition, on any number of ranks.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/chebyshev.hpp"
#include "qheat/evolution/krylov.hpp"
#include "qheat/evolution/spectrum.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

double norm(const Communicator& comm, std::span<const Complex> x) {
  return std::sqrt(comm.sum(
      std::accumulate(x.begin(), x.end(), 0.0, [](double sum, Complex v) { return sum + std::norm(v); })));
}

TEST(Evolution, SpectrumReproducesTheHamiltonianAndAgreesWithKrylov) {
  for (const auto& random : qheat_test::random_cases()) {
    const auto levels = qheat_test::random_levels(random.model, 11);
    const auto initial = InitialState::product(random.model, levels);
    const auto counts = sector_counts(random.model, initial).front();
    const auto space =
        std::make_shared<DistributedSector>(level_sector(random.model, counts), qheat_test::world());
    const auto terms = hamiltonian(random.model);
    const auto h = make_operator(space, terms);
    const auto n = static_cast<std::size_t>(space->local_size());

    std::vector<Complex> x(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto state = static_cast<double>(space->first_state()) + static_cast<double>(i);
      x[i] = Complex(std::sin(1.0 + state), std::cos(3.0 * state));
    }
    const Spectrum spectrum(space, terms);
    const auto own_coefficients = static_cast<std::size_t>(spectrum.local_coefficients());
    std::vector<Complex> coefficients(own_coefficients);
    spectrum.coefficients(std::span<const Complex>(x), std::span(coefficients));
    std::vector<Complex> back(n);
    spectrum.state(0.0, std::span<const Complex>(coefficients), std::span(back));
    std::vector<Complex> difference(n);
    std::transform(x.begin(), x.end(), back.begin(), difference.begin(), std::minus<>());
    EXPECT_LT(norm(space->comm(), difference), 1e-12 * norm(space->comm(), x)) << random.name;

    // H x by the spectrum
    std::vector<Complex> scaled(own_coefficients);
    for (std::size_t k = 0; k < own_coefficients; ++k)
      scaled[k] = spectrum.local_energies()[k] * coefficients[k];
    spectrum.state(0.0, std::span<const Complex>(scaled), std::span(back));
    h->apply(std::span<const Complex>(x), std::span(difference));
    std::transform(difference.begin(), difference.end(), back.begin(), difference.begin(), std::minus<>());
    EXPECT_LT(norm(space->comm(), difference), 1e-11 * norm(space->comm(), x)) << random.name;

    spectrum.state(2.5, std::span<const Complex>(coefficients), std::span(back));
    KrylovEvolution krylov(*h);
    krylov.advance(2.5, 1e-11, std::span(x));
    std::transform(x.begin(), x.end(), back.begin(), difference.begin(), std::minus<>());
    EXPECT_LT(norm(space->comm(), difference), 1e-9 * norm(space->comm(), x)) << random.name;
  }
}

TEST(Chebyshev, ErrorIsThatOfTheToleranceForLongAndShortSteps) {
  const auto model =
      uniform_model(Lattice::chain(8), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.6), 0.8);
  const auto space = std::make_shared<DistributedSector>(level_sector(model, {4, 4}), qheat_test::world());
  const auto terms = hamiltonian(model);
  const auto h = make_operator(space, terms);
  const Spectrum spectrum(space, terms);
  ChebyshevEvolution chebyshev(*h);
  double lowest = INFINITY;
  double highest = -INFINITY;
  for (const double e : spectrum.local_energies()) {
    lowest = std::min(lowest, e);
    if (e < 20.0) highest = std::max(highest, e);  // without the padding
  }
  lowest = -space->comm().max(-lowest);
  highest = space->comm().max(highest);
  EXPECT_LE(chebyshev.bounds().low, lowest);
  EXPECT_GE(chebyshev.bounds().high, highest);
  EXPECT_LT(chebyshev.bounds().high - chebyshev.bounds().low, 1.1 * (highest - lowest));

  const auto n = static_cast<std::size_t>(space->local_size());
  std::vector<Complex> start(n);
  for (std::size_t i = 0; i < n; ++i) {
    start[i] =
        std::polar(1.0 / std::sqrt(70.0), static_cast<double>(space->first_state()) + static_cast<double>(i));
  }
  std::vector<Complex> coefficients(static_cast<std::size_t>(spectrum.local_coefficients()));
  spectrum.coefficients(std::span<const Complex>(start), std::span(coefficients));
  for (const double t : {1e-3, 0.5, 20.0, -3.0, 300.0}) {
    for (const double tolerance : {1e-4, 1e-8, 1e-12}) {
      auto x = start;
      chebyshev.advance(t, tolerance, std::span(x));
      std::vector<Complex> expected(n);
      spectrum.state(t, std::span<const Complex>(coefficients), std::span(expected));
      std::transform(x.begin(), x.end(), expected.begin(), x.begin(), std::minus<>());
      EXPECT_LT(norm(space->comm(), x), tolerance + 2e-13 * (1.0 + std::abs(t))) << t << ", " << tolerance;
    }
  }
}

TEST(Chebyshev, SeveralOutputsOfOneRecursionAreThoseOfSingleSteps) {
  const auto model =
      uniform_model(Lattice::chain(8), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.6), 0.8);
  const auto space = std::make_shared<DistributedSector>(level_sector(model, {4, 4}), qheat_test::world());
  const auto h = make_operator(space, hamiltonian(model));
  const std::vector<double> dts = {0.0, 0.1, 0.1, 2.0, 7.5};
  ColumnStorage<Complex> start(space->local_size(), 2);
  for (Index k = 0; k < 2; ++k) {
    for (Index i = 0; i < start.block().rows(); ++i)
      start.block().column(k)[i] =
          std::polar(1.0 / std::sqrt(70.0), static_cast<double>((k + 1) * (space->first_state() + i)));
  }
  for (const int at_once : {1, 2, 5, 8}) {
    ChebyshevEvolution chebyshev(*h, at_once);
    ColumnStorage<Complex> x = start;
    int seen = 0;
    const auto errors = chebyshev.advance(
        dts, 1e-10, x.block(), [&](std::size_t interval, Index first, ColumnBlock<const Complex> state) {
          for (Index k = 0; k < state.columns(); ++k) {
            std::vector<Complex> single(start.block().column(first + k),
                                        start.block().column(first + k) + start.block().rows());
            KrylovEvolution(*h).advance(dts[interval], 1e-12, std::span(single));
            for (std::size_t i = 0; i < single.size(); ++i) single[i] -= state.column(k)[i];
            EXPECT_LT(norm(space->comm(), single), 2e-10) << at_once << ", interval " << interval;
            ++seen;
          }
        });
    EXPECT_EQ(seen, 10);
    ASSERT_EQ(errors.size(), dts.size());
    for (const double error : errors) EXPECT_GE(error, 0.0);
    EXPECT_LT(errors.back(), 1e-10);
  }
}

TEST(Chebyshev, BesselSeriesIsAccurate) {
  for (const double z : {0.0, 1e-8, 0.3, 5.0, 80.0, 1500.0}) {
    const auto j = bessel_series(z, 1e-13).values;
    double squares = -j[0] * j[0];
    for (const double value : j) squares += 2.0 * value * value;
    EXPECT_NEAR(squares, 1.0, 1e-12) << z;  // for all z; the library's function is good for small z only
    for (std::size_t k = 0; z < 100.0 && k < j.size(); k += 7) {
      EXPECT_NEAR(j[k], std::cyl_bessel_j(static_cast<double>(k), z), 1e-12) << z << " " << k;
    }
    EXPECT_LT(static_cast<double>(j.size()), z + 12.0 * std::cbrt(z) + 25.0);
  }
}

}  // namespace
