// The real eigensolver against the complex one and against the operator itself, on any number of ranks.

#include "qheat/evolution/spectrum.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "evolution/diagonalized.hpp"
#include "parallel/column_exchange.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/operator.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

constexpr Index kColumns = 3;

/// The lowest `count` of the energies of all ranks, on all ranks.
std::vector<double> lowest_energies(const Communicator& comm, std::span<const double> local, Index count) {
  std::vector<int> counts(static_cast<std::size_t>(comm.size()));
  const int mine = static_cast<int>(local.size());
  MPI_Allgather(&mine, 1, MPI_INT, counts.data(), 1, MPI_INT, comm.get());
  std::vector<int> offsets;
  int total = 0;
  for (const int n : counts) {
    offsets.push_back(total);
    total += n;
  }
  std::vector<double> all(static_cast<std::size_t>(total));
  MPI_Allgatherv(local.data(), mine, MPI_DOUBLE, all.data(), counts.data(), offsets.data(), MPI_DOUBLE,
                 comm.get());
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  all.resize(static_cast<std::size_t>(count));  // behind them is padding
  return all;
}

ColumnStorage<Complex> some_vectors(const DistributedSector& space) {
  ColumnStorage<Complex> x(space.local_size(), kColumns);
  for (Index k = 0; k < kColumns; ++k) {
    for (Index i = 0; i < space.local_size(); ++i) {
      const auto state = static_cast<double>(space.first_state() + i);
      x.block().column(k)[i] = Complex(std::sin(1.0 + state + static_cast<double>(k)), std::cos(3.0 * state));
    }
  }
  return x;
}

double distance(const Communicator& comm, ColumnBlock<const Complex> a, ColumnBlock<const Complex> b) {
  double sum = 0.0;
  for (Index k = 0; k < a.columns(); ++k) {
    for (Index i = 0; i < a.rows(); ++i) sum += std::norm(a.column(k)[i] - b.column(k)[i]);
  }
  return std::sqrt(comm.sum(sum));
}

void expect_correct_spectrum(const Model& model, const std::vector<int>& counts, const std::string& name) {
  SCOPED_TRACE(name);
  const auto space = std::make_shared<DistributedSector>(level_sector(model, counts), qheat_test::world());
  const auto& comm = space->comm();
  const auto terms = hamiltonian(model);
  ASSERT_TRUE(is_real(terms));
  const Spectrum spectrum(space, terms);
  const auto reference = diagonalize_complex(space, terms);
  EXPECT_EQ(comm.sum(spectrum.local_coefficients()), space->dimension());

  const double tolerance = 1e-12 * static_cast<double>(space->dimension() + 10);
  const auto energies = lowest_energies(comm, spectrum.local_energies(), space->dimension());
  const auto expected = lowest_energies(comm, reference->local_energies(), space->dimension());
  for (std::size_t k = 0; k < energies.size(); ++k) EXPECT_NEAR(energies[k], expected[k], tolerance) << k;

  const auto x = some_vectors(*space);
  ColumnStorage<Complex> c(spectrum.local_coefficients(), kColumns);
  ColumnStorage<Complex> result(space->local_size(), kColumns);
  spectrum.coefficients(x.block(), c.block());
  spectrum.state(0.0, c.block(), result.block());
  EXPECT_LT(distance(comm, x.block(), result.block()), tolerance);

  ColumnStorage<Complex> other_c(static_cast<Index>(reference->local_energies().size()), kColumns);
  ColumnStorage<Complex> other(space->local_size(), kColumns);
  reference->coefficients(x.block(), other_c.block());
  reference->state(2.5, other_c.block(), other.block());
  spectrum.state(2.5, c.block(), result.block());
  EXPECT_LT(distance(comm, other.block(), result.block()), 10.0 * tolerance);

  // H x = V E V^T x
  for (Index k = 0; k < kColumns; ++k) {
    for (Index i = 0; i < c.block().rows(); ++i)
      c.block().column(k)[i] *= spectrum.local_energies()[static_cast<std::size_t>(i)];
  }
  spectrum.state(0.0, c.block(), result.block());
  make_operator(space, terms)->apply(x.block(), other.block());
  EXPECT_LT(distance(comm, other.block(), result.block()), 10.0 * tolerance);
}

TEST(Spectrum, RealRandomModelsAgreeWithTheComplexSolver) {
  for (const auto& random : qheat_test::random_cases()) {
    if (!is_real(hamiltonian(random.model))) continue;
    const auto initial = InitialState::product(random.model, qheat_test::random_levels(random.model, 11));
    expect_correct_spectrum(random.model, sector_counts(random.model, initial).front(), random.name);
  }
}

TEST(Spectrum, ManyBlocksAndDegenerateEnergies) {
  const auto ring = [](double strength) {
    return uniform_model(Lattice::ring(10), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.6), strength);
  };
  static_assert(2 * scalapack::kBlock < 252);  // so that every process of a 2 x 2 grid has several blocks
  expect_correct_spectrum(ring(0.8), {5, 5}, "ring: pairs of opposite momenta");
  expect_correct_spectrum(ring(0.0), {5, 5}, "all energies equal");
}

TEST(Spectrum, FewerStatesThanRanks) {
  const auto model =
      uniform_model(Lattice::chain(3), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.6), 0.8);
  expect_correct_spectrum(model, {2, 1}, "three states");
  expect_correct_spectrum(model, {3, 0}, "one state");
}

TEST(Spectrum, GroupsOfRanksWorkSideBySide) {
  // Even and odd ranks diagonalise different sectors at the same time: no call may address the world.
  const auto& world = qheat_test::world();
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(world.get(), world.rank() % 2, world.rank(), &half);
  {
    const Communicator comm(half);
    const auto model =
        uniform_model(Lattice::chain(8), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.6), 0.8);
    const std::vector<int> counts = world.rank() % 2 == 0 ? std::vector{4, 4} : std::vector{2, 6};
    const auto space = std::make_shared<DistributedSector>(level_sector(model, counts), comm);
    const Spectrum spectrum(space, hamiltonian(model));
    const auto x = some_vectors(*space);
    ColumnStorage<Complex> c(spectrum.local_coefficients(), kColumns);
    ColumnStorage<Complex> result(space->local_size(), kColumns);
    spectrum.coefficients(x.block(), c.block());
    spectrum.state(0.0, c.block(), result.block());
    EXPECT_LT(distance(comm, x.block(), result.block()), 1e-10);
  }
  MPI_Comm_free(&half);
}

TEST(BlockCyclic, CountsAndIndicesAgree) {
  for (const Index size : {0, 1, 7, 64, 65, 200}) {
    for (const int processes : {1, 2, 3}) {
      const scalapack::BlockCyclic rule{size, 16, processes};
      std::vector<Index> seen(static_cast<std::size_t>(processes));
      for (Index index = 0; index < size; ++index) {
        const int owner = rule.owner(index);
        for (int p = 0; p < processes; ++p)
          EXPECT_EQ(rule.count_below(index, p), seen[static_cast<std::size_t>(p)]);
        EXPECT_EQ(rule.global(rule.count_below(index, owner), owner), index);
        ++seen[static_cast<std::size_t>(owner)];
      }
      for (int p = 0; p < processes; ++p) EXPECT_EQ(rule.count(p), seen[static_cast<std::size_t>(p)]);
    }
  }
}

}  // namespace
