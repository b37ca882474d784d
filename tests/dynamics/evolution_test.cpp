// Spectrum and Krylov evolution against each other and against the definition, on any number of ranks.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/dynamics/krylov.hpp"
#include "qheat/dynamics/spectrum.hpp"
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

}  // namespace
