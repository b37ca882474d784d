// The Liouvillian of all liouvillian_backends against the dense reference and each other, on every number of
// ranks.

#include "qheat/operators/liouvillian.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "qheat/basis/model_sectors.hpp"
#include "qheat/parallel/error.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
using qheat_test::brute::ComplexMatrix;
using qheat_test::brute::Generator;

namespace {

constexpr int kLargestDimension = 81;

std::vector<Backend> liouvillian_backends() {
  std::vector<Backend> all = {Backend::assembled, Backend::matrix_free};
  if (qheat_test::world().size() == 1) all.push_back(Backend::dense);
  return all;
}

/// The same random element on any number of ranks.
std::vector<Complex> random_elements(const DistributedSector& space, std::uint64_t seed) {
  std::vector<Complex> all(static_cast<std::size_t>(space.dimension()));
  Generator random(seed);
  for (Complex& value : all) value = {random.symmetric(), random.symmetric()};
  return all;
}

std::vector<Complex> local_part(const DistributedSector& space, const std::vector<Complex>& all) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(space.first_state());
  return {first, first + static_cast<std::ptrdiff_t>(space.local_size())};
}

/// Place of an element <ket|rho|bra> in the reference's matrix.
std::size_t reference_place(const Sector& pairs, Index element) {
  std::vector<Level> levels(static_cast<std::size_t>(pairs.sites()));
  pairs.configuration(element, levels);
  return qheat_test::brute::number(std::vector<int>(levels.begin(), levels.end()), pairs.levels());
}

void expect_reference(const qheat_test::RandomCase& random, const Sector& pairs) {
  const auto space = std::make_shared<DistributedSector>(pairs, qheat_test::world());
  const std::size_t full = qheat_test::brute::dimension(random.reference);
  const auto x = random_elements(*space, 7);
  ComplexMatrix rho(full * full, 0.0);
  for (Index e = 0; e < pairs.dimension(); ++e)
    rho[reference_place(pairs, e)] = x[static_cast<std::size_t>(e)];
  auto image = qheat_test::brute::liouvillian(random.reference, rho);
  std::vector<Complex> expected;
  for (Index e = 0; e < pairs.dimension(); ++e) {
    Complex& element = image[reference_place(pairs, e)];
    expected.push_back(element);
    element = 0.0;
  }
  double outside = 0.0;
  for (const Complex& element : image) outside = std::max(outside, std::abs(element));
  EXPECT_LT(outside, 1e-12) << random.name << ": L leaves the block";
  const auto local = local_part(*space, x);
  const auto wanted = local_part(*space, expected);
  std::vector<Complex> y(local.size());
  for (const Backend backend : liouvillian_backends()) {
    const auto l = make_liouvillian(space, random.model, backend);
    l->apply(std::span<const Complex>(local), std::span(y));
    double difference = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) difference = std::max(difference, std::abs(y[i] - wanted[i]));
    EXPECT_LT(difference, 1e-12) << random.name << ", backend " << static_cast<int>(backend);
  }
}

TEST(Liouvillian, EqualsTheReference) {
  for (const auto& random : qheat_test::random_open_cases(kLargestDimension)) {
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, 3));
    expect_reference(random, density_space(random.model, density_counts(random.model, initial)));
  }
}

TEST(Liouvillian, OfJumpsEqualsTheReference) {
  for (const auto& random : qheat_test::random_jump_cases(32)) {
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, 3));
    expect_reference(random, density_space(random.model, density_counts(random.model, initial)));
  }
}

TEST(Liouvillian, EqualsTheReferenceOnBlocksOfOtherDifferences) {
  int compared = 0;
  for (const auto& random : qheat_test::random_open_cases(32)) {
    if (!random.model.hamiltonian_conserves_bands() || random.model.sites() == 1) continue;
    std::vector<int> difference(static_cast<std::size_t>(random.model.site.bands()), 0);
    difference.front() = 1;
    difference.back() = -1;
    expect_reference(random, density_space_of_difference(random.model, difference));
    ++compared;
  }
  EXPECT_GT(compared, 3);
}

TEST(Liouvillian, ActsOnOneSectorOfKetsAndAnotherOfBras) {
  for (auto random : qheat_test::random_open_cases(32)) {
    if (!random.model.hamiltonian_conserves_bands() || random.model.levels() != 2) continue;
    random.reference.reservoirs.clear();
    qheat_test::copy_bath(random.reference, random.model);
    const int n = random.model.sites();
    expect_reference(random, Sector::pairs(n, random.model.site.band_of_level(), {{{n - 1, 1}, {1, n - 1}}}));
  }
}

TEST(Liouvillian, BackendsAgreeOnLargerBlocksWithManyColumns) {
  auto chain = uniform_model(Lattice::chain(8), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.3);
  chain.bath = {.dephasing = 0.2,
                .reservoirs = {{.site = 0, .temperature = 0.5, .rate = 0.7}, {.site = 7}, {.site = 3}},
                .correlation = {}};
  auto bands =
      uniform_model(Lattice::ring(4), Site({0.0, 1.0, 1.5}, {0, 1, 1}), PairInteraction::exchange(3), 0.3);
  bands.bath = {.dephasing = 0.4, .reservoirs = {{.site = 1, .temperature = 2.0}}, .correlation = {}};
  for (const Model& model : {chain, bands}) {
    const auto counts = density_counts(
        model, InitialState::product(model, std::vector<int>(static_cast<std::size_t>(model.sites()), 1)));
    const auto space = std::make_shared<DistributedSector>(density_space(model, counts), qheat_test::world());
    EXPECT_EQ(space->dimension(), density_dimension(model, counts));
    const auto engine = make_liouvillian(space, model);
    const auto matrix = make_liouvillian(space, model, Backend::assembled);
    constexpr Index kColumns = 3;
    ColumnStorage<Complex> x(space->local_size(), kColumns), y(x), z(x);
    for (Index k = 0; k < kColumns; ++k) {
      const auto column = local_part(*space, random_elements(*space, static_cast<std::uint64_t>(k)));
      std::copy(column.begin(), column.end(), x.block().column(k));
    }
    engine->apply(x.block(), y.block());
    matrix->apply(x.block(), z.block());
    double difference = 0.0;
    for (Index k = 0; k < kColumns; ++k) {
      for (Index i = 0; i < space->local_size(); ++i)
        difference = std::max(difference, std::abs(y.block().column(k)[i] - z.block().column(k)[i]));
    }
    EXPECT_LT(difference, 1e-12);
    EXPECT_LT(engine->bytes(), matrix->bytes());
    std::vector<Complex> diagonal(static_cast<std::size_t>(space->local_size()));
    auto expected = diagonal;
    engine->diagonal(diagonal);
    matrix->diagonal(expected);
    for (std::size_t i = 0; i < diagonal.size(); ++i) EXPECT_LT(std::abs(diagonal[i] - expected[i]), 1e-13);
  }
}

TEST(Liouvillian, KeepsTheTraceAndTheGibbsProductOfOneTemperature) {
  // The exchange keeps h_p + h_q, so the Gibbs product of the reservoirs' temperature is stationary.
  auto model = uniform_model(Lattice::chain(4), Site({0.0, 1.0, 2.5}), PairInteraction::exchange(3), 0.6);
  model.bath.dephasing = 0.1;
  for (const auto statistics : {Reservoir::Statistics::fermi, Reservoir::Statistics::bose}) {
    model.bath.reservoirs = {{0, 1.3, 0.7, statistics}, {2, 1.3, 0.2, statistics}, {3, 1.3, 1.1, statistics}};
    const auto gibbs = InitialState::thermal(model, std::vector<double>(4, 1.3));
    const auto space = std::make_shared<DistributedSector>(density_space(model, density_counts(model, gibbs)),
                                                           qheat_test::world());
    const auto l = make_liouvillian(space, model);
    std::vector<Complex> rho(static_cast<std::size_t>(space->local_size()));
    std::vector<Complex> image(rho.size());
    std::vector<Level> levels(8);
    for (Index i = 0; i < space->local_size(); ++i) {
      space->sector().configuration(space->first_state() + i, levels);
      if (!std::equal(levels.begin(), levels.begin() + 4, levels.begin() + 4)) continue;
      double p = 1.0;
      for (std::size_t site = 0; site < 4; ++site) p *= gibbs.probabilities[3 * site + levels[site]];
      rho[static_cast<std::size_t>(i)] = p;
    }
    l->apply(std::span<const Complex>(rho), std::span(image));
    for (const Complex& value : image) EXPECT_LT(std::abs(value), 1e-15);
  }
}

TEST(Liouvillian, NumericalRangeOfTheDissipatorsIsBounded) {
  // Rayleigh quotients of random elements and of populations alone lie inside.
  for (auto random : qheat_test::random_open_cases(32)) {
    random.model.strength = 0.0;
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, 3));
    const auto counts = density_counts(random.model, initial);
    const auto space =
        std::make_shared<DistributedSector>(density_space(random.model, counts), qheat_test::world());
    const auto l = make_liouvillian(space, random.model);
    const auto range = dissipator_range(random.model, counts);
    EXPECT_LE(range.low, 0.0);
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const auto x = local_part(*space, random_elements(*space, seed));
      std::vector<Complex> y(x.size());
      l->apply(std::span<const Complex>(x), std::span(y));
      double norm = 0.0;
      double quotient = 0.0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        norm += std::norm(x[i]);
        quotient += (std::conj(x[i]) * y[i]).real();
      }
      quotient = space->comm().sum(quotient) / space->comm().sum(norm);
      EXPECT_GE(quotient, range.low) << random.name;
      EXPECT_LE(quotient, range.high) << random.name;
    }
  }
}

/// Of the whole dissipator as a dense matrix: eigenvalues of its Hermitian part, and of the other.
TEST(Liouvillian, NumericalRangeOfJumpsHoldsThatOfTheDenseMatrix) {
  for (auto random : qheat_test::random_jump_cases(9)) {
    auto system = random.reference;
    for (auto& bond : system.bonds) std::fill(bond.v.begin(), bond.v.end(), Complex{});
    for (auto& energies : system.energies) std::fill(energies.begin(), energies.end(), 0.0);
    system.onsite.clear();
    system.reservoirs.clear();  // whose rates are those of other levels
    random.model.bath.reservoirs.clear();
    const std::size_t full = qheat_test::brute::dimension(system);
    const std::size_t n = full * full;
    ComplexMatrix hermitian(n * n);
    ComplexMatrix other(n * n);
    for (std::size_t column = 0; column < n; ++column) {
      ComplexMatrix unit(n, 0.0);
      unit[column] = 1.0;
      const auto image = qheat_test::brute::liouvillian(system, unit);
      for (std::size_t row = 0; row < n; ++row) {
        hermitian[row * n + column] += 0.5 * image[row];
        hermitian[column * n + row] += 0.5 * std::conj(image[row]);
        other[row * n + column] += Complex(0.0, -0.5) * image[row];
        other[column * n + row] += Complex(0.0, 0.5) * std::conj(image[row]);
      }
    }
    const auto real = qheat_test::brute::eigen_hermitian(hermitian, n).values;
    const auto imaginary = qheat_test::brute::eigen_hermitian(other, n).values;
    const auto range = dissipator_range(random.model, {{}});
    const auto [low, high] = std::minmax_element(real.begin(), real.end());
    const auto [lowest, highest] = std::minmax_element(imaginary.begin(), imaginary.end());
    EXPECT_LE(range.low, *low + 1e-12) << random.name;
    EXPECT_GE(range.high, *high - 1e-12) << random.name;
    EXPECT_GE(range.imaginary, std::max(-*lowest, *highest) - 1e-12) << random.name;
    EXPECT_GT(range.low, 12.0 * *low - 1.0) << random.name << ": far too wide";
  }
}

}  // namespace
