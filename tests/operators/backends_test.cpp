// All backends of one operator against the dense reference and each other, on every number of ranks.

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "operators/assembled_operator.hpp"
#include "operators/matrix_elements.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/block_engine.hpp"
#include "qheat/operators/currents.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/operator.hpp"
#include "support/random_models.hpp"
#include "support/world.hpp"

using namespace qheat;
using qheat_test::brute::Generator;

namespace {

std::shared_ptr<const DistributedSector> space_of(const Model& model, const std::vector<int>& counts,
                                                  const Communicator& comm) {
  return std::make_shared<DistributedSector>(level_sector(model, counts), comm);
}

/// The same random vector on any number of ranks.
std::vector<Complex> random_vector(const DistributedSector& space, std::uint64_t seed) {
  std::vector<Complex> local;
  Generator random(seed);
  for (Index state = 0; state < space.dimension(); ++state) {
    const Complex value(random.symmetric(), random.symmetric());
    if (state >= space.first_state() && state < space.first_state() + space.local_size())
      local.push_back(value);
  }
  return local;
}

/// Number of a sector's state in the reference's full space.
std::size_t reference_number(const DistributedSector& space, Index state) {
  std::vector<Level> levels(static_cast<std::size_t>(space.sector().sites()));
  space.sector().configuration(state, levels);
  return qheat_test::brute::number(std::vector<int>(levels.begin(), levels.end()), space.sector().levels());
}

/// Reference matrix times vector, this rank's rows.
std::vector<Complex> reference_product(const DistributedSector& space,
                                       const qheat_test::brute::ComplexMatrix& matrix, std::size_t full,
                                       std::uint64_t seed) {
  const DistributedSector alone(space.sector(), Communicator::self());
  const auto x = random_vector(alone, seed);
  std::vector<Complex> y;
  for (Index row = space.first_state(); row < space.first_state() + space.local_size(); ++row) {
    Complex sum = 0.0;
    for (Index column = 0; column < space.dimension(); ++column) {
      sum += matrix[reference_number(space, row) * full + reference_number(space, column)] *
             x[static_cast<std::size_t>(column)];
    }
    y.push_back(sum);
  }
  return y;
}

double largest_difference(const std::vector<Complex>& a, const std::vector<Complex>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return qheat_test::world().max(largest);
}

std::vector<Backend> backends() {
  std::vector<Backend> all = {Backend::assembled, Backend::matrix_free};
  if (qheat_test::world().size() == 1) all.push_back(Backend::dense);
  return all;
}

void expect_reference(const TermSum<Complex>& terms, const qheat_test::brute::ComplexMatrix& matrix,
                      std::size_t full, const std::shared_ptr<const DistributedSector>& space,
                      const std::string& what) {
  const auto expected = reference_product(*space, matrix, full, 99);
  const auto x = random_vector(*space, 99);
  std::vector<Complex> y(x.size());
  for (const Backend backend : backends()) {
    const auto a = make_operator(space, terms, backend);
    a->apply(std::span<const Complex>(x), std::span(y));
    EXPECT_LT(largest_difference(y, expected), 1e-12) << what << ", backend " << static_cast<int>(backend);
  }
}

TEST(Backends, HamiltonianAndOutflowsEqualTheReferenceOnEverySector) {
  for (const auto& random : qheat_test::random_cases()) {
    const auto full = qheat_test::brute::dimension(random.reference);
    const auto thermal = InitialState::thermal(
        random.model, std::vector<double>(static_cast<std::size_t>(random.model.sites()), 1.0));
    const auto matrix = qheat_test::brute::hamiltonian(random.reference);
    for (const auto& counts : sector_counts(random.model, thermal)) {
      const auto space = space_of(random.model, counts, qheat_test::world());
      expect_reference(hamiltonian(random.model), matrix, full, space, random.name + " H");
    }
    for (int b = 0; b < random.model.lattice.bond_count(); ++b) {
      for (const int end : {0, 1}) {
        const auto current =
            qheat_test::brute::outflow_operator(random.reference, static_cast<std::size_t>(b), end);
        const auto all = sector_counts(random.model, thermal);
        const auto space = space_of(random.model, all[all.size() / 2], qheat_test::world());
        expect_reference(outflow(random.model, b, end == 0 ? BondEnd::first : BondEnd::second), current, full,
                         space, random.name + " outflow of bond " + std::to_string(b));
      }
    }
  }
}

TEST(Backends, AgreeOnLargerSectorsWithManyColumns) {
  struct Large {
    Model model;
    std::vector<int> counts;
  };
  std::vector<Large> cases;
  cases.push_back(
      {uniform_model(Lattice::chain(12), Site({0.0, 1.0}), PairInteraction::exchange(2), 0.3), {6, 6}});
  cases.push_back({uniform_model(Lattice({4, 3}, std::vector<bool>{true, true}), Site({0.0, 1.0}),
                                 PairInteraction::exchange(2, 0.5), 0.3),
                   {7, 5}});
  cases.push_back(
      {uniform_model(Lattice::ring(7), Site({0.0, 1.0, 2.5}), PairInteraction::exchange(3), 0.3), {3, 2, 2}});
  cases.push_back({uniform_model(Lattice({2, 2, 2}, std::vector<bool>{false, false, false}),
                                 Site({0.0, 1.0, 1.5}, {0, 1, 1}), PairInteraction::exchange(3), 0.3),
                   {5, 3}});
  for (const auto& [model, counts] : cases) {
    const auto space = space_of(model, counts, qheat_test::world());
    const auto engine = make_operator(space, hamiltonian(model), Backend::matrix_free);
    const auto matrix = make_operator(space, hamiltonian(model), Backend::assembled);
    constexpr Index columns = 3;
    ColumnStorage<Complex> x(space->local_size(), columns);
    ColumnStorage<Complex> y(space->local_size(), columns);
    ColumnStorage<Complex> z(space->local_size(), columns);
    for (Index k = 0; k < columns; ++k) {
      const auto column = random_vector(*space, static_cast<std::uint64_t>(k));
      std::copy(column.begin(), column.end(), x.block().column(k));
    }
    engine->apply(x.block(), y.block());
    matrix->apply(x.block(), z.block());
    double difference = 0.0;
    double real_difference = 0.0;
    std::vector<double> real(static_cast<std::size_t>(space->local_size()));
    std::vector<double> product(real.size());
    for (Index k = 0; k < columns; ++k) {
      std::transform(x.block().column(k), x.block().column(k) + x.block().rows(), real.begin(),
                     [](Complex v) { return v.real(); });
      engine->apply(std::span<const double>(real), std::span(product));
      for (Index i = 0; i < space->local_size(); ++i) {
        difference = std::max(difference, std::abs(y.block().column(k)[i] - z.block().column(k)[i]));
        real_difference = std::max(
            real_difference, std::abs(product[static_cast<std::size_t>(i)] - y.block().column(k)[i].real()));
      }
    }
    EXPECT_LT(difference, 1e-12);
    EXPECT_LT(real_difference, 1e-12);
    EXPECT_EQ(engine->timing().calls, 2 * columns);
  }
}

TEST(Backends, StepOfARecursionIsTheProductScaledShiftedAndAdded) {
  const auto model = uniform_model(Lattice({3, 3}, std::vector<bool>{true, false}), Site({0.0, 1.0}),
                                   PairInteraction::exchange(2, 0.7), 0.3);
  const auto space = space_of(model, {5, 4}, qheat_test::world());
  const auto x = random_vector(*space, 5);
  const auto before = random_vector(*space, 6);
  for (const Backend backend : backends()) {
    const auto a = make_operator(space, hamiltonian(model), backend);
    std::vector<Complex> product(x.size());
    a->apply(std::span<const Complex>(x), std::span(product));
    for (const AffineMap map : {AffineMap{}, AffineMap{0.4, -1.5, -1.0}, AffineMap{2.0, 0.3, 0.0}}) {
      // What is not kept must not be read.
      auto y = map.keep == 0.0 ? std::vector<Complex>(x.size(), std::nan("")) : before;
      a->apply(map, std::span<const Complex>(x), std::span(y));
      std::vector<Complex> expected(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        expected[i] = map.scale * (product[i] + map.shift * x[i]);
        if (map.keep != 0.0) expected[i] += map.keep * before[i];
      }
      EXPECT_LT(largest_difference(y, expected), 1e-13) << static_cast<int>(backend);
    }
  }
}

TEST(Backends, AssembledMatrixIsPreallocatedExactly) {
  for (const auto& random : qheat_test::random_cases()) {
    const auto counts = sector_counts(
        random.model, InitialState::product(random.model, qheat_test::random_levels(random.model, 4)));
    const auto space = space_of(random.model, counts.front(), qheat_test::world());
    const AssembledOperator h(space, hamiltonian(random.model));
    MatInfo info;
    ASSERT_EQ(MatGetInfo(h.matrix(), MAT_LOCAL, &info), 0);
    EXPECT_EQ(info.mallocs, 0.0);
    EXPECT_EQ(info.nz_unneeded, 0.0);
  }
}

TEST(BlockEngine, SendsWhatIsNeededOfARowOnce) {
  // Counted state by state: of the rows of other ranks that some matrix element of this rank's states leads
  // to, the columns from the first to the last that is needed.
  for (const auto& lattice : {Lattice::chain(12), Lattice({4, 3}, std::vector<bool>{true, false})}) {
    const auto model = uniform_model(lattice, Site({0.0, 1.0}), PairInteraction::exchange(2), 0.3);
    const auto space = space_of(model, {6, 6}, qheat_test::world());
    auto terms = hamiltonian(model);
    canonicalize(terms);
    const BlockLayout& layout = space->layout();
    const auto row_of = [&](Index state) {
      Index row = 0;
      while (layout.first_state(row + 1) <= state) ++row;
      return row;
    };
    std::map<Index, std::pair<Index, Index>> needed;  // row: first and last state
    for (Index i = 0; i < space->local_size(); ++i) {
      visit_row(space->sector(), terms, space->first_state() + i, [&](Index column, Complex) {
        const Index row = row_of(column);
        if (row >= space->first_row() && row < space->first_row() + space->local_rows()) return;
        auto& [first, last] = needed.try_emplace(row, column, column).first->second;
        first = std::min(first, column);
        last = std::max(last, column);
      });
    }
    Index states = 0;
    for (const auto& [row, stretch] : needed) states += stretch.second - stretch.first + 1;
    const BlockEngine<Complex> engine(*space, terms, ExchangeRoute::rows);
    const auto x = random_vector(*space, 2);
    std::vector<Complex> y(x.size());
    const Index sent = engine.apply(std::span<const Complex>(x), std::span(y));
    EXPECT_EQ(space->comm().sum(sent), space->comm().sum(states) * static_cast<Index>(sizeof(Complex)));
  }
}

TEST(BlockEngine, ElementSumsAddUpToExpectationValues) {
  for (const auto& random : qheat_test::random_cases()) {
    const auto counts = sector_counts(
        random.model, InitialState::product(random.model, qheat_test::random_levels(random.model, 7)));
    const auto space = space_of(random.model, counts.front(), qheat_test::world());
    auto terms = hamiltonian(random.model);
    canonicalize(terms);
    const BlockEngine<Complex> engine(*space, terms, ExchangeRoute::rows);
    std::vector<Complex> values;
    for (const auto& term : terms.terms) {
      for (const auto& e : term.elements) values.push_back(e.value);
    }
    std::vector<Complex> sums(values.size(), 7.0);
    const auto x = random_vector(*space, 21);
    engine.element_sums(x, sums);
    for (Complex& sum : sums) sum = space->comm().sum(sum);
    std::vector<Complex> y(x.size());
    engine.apply(std::span<const Complex>(x), std::span(y));
    Complex expected = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) expected += std::conj(x[i]) * y[i];
    expected = space->comm().sum(expected);
    Complex found = 0.0;
    for (std::size_t e = 0; e < values.size(); ++e) found += values[e] * sums[e];
    EXPECT_LT(std::abs(found - expected), 1e-11) << random.name;
  }
}

TEST(BlockEngine, TakesNewValuesAndKnowsItsDiagonal) {
  const auto model = uniform_model(Lattice({3, 3}, std::vector<bool>{true, false}), Site({0.0, 1.0}),
                                   PairInteraction::exchange(2, 0.7), 0.3);
  const auto space = space_of(model, {5, 4}, qheat_test::world());
  const auto terms = real_part(hamiltonian(model));
  BlockEngine<double> engine(*space, terms);
  auto changed = terms;
  std::vector<double> values;
  Generator random(3);
  for (auto& term : changed.terms) {
    for (auto& e : term.elements) {
      e.value = random.symmetric();
      values.push_back(e.value);
    }
  }
  engine.set_values(values);
  const BlockEngine<double> fresh(*space, changed);
  const auto x = random_vector(*space, 8);
  std::vector<Complex> y(x.size());
  std::vector<Complex> z(x.size());
  engine.apply(std::span<const Complex>(x), std::span(y));
  fresh.apply(std::span<const Complex>(x), std::span(z));
  EXPECT_EQ(largest_difference(y, z), 0.0);

  std::vector<double> diagonal(x.size());
  engine.diagonal(diagonal);
  for (Index state = 0; state < space->dimension(); state += 5) {  // against unit vectors
    const bool mine = state >= space->first_state() && state < space->first_state() + space->local_size();
    const auto place = static_cast<std::size_t>(state - space->first_state());
    std::vector<double> unit(x.size(), 0.0);
    std::vector<double> image(x.size());
    if (mine) unit[place] = 1.0;
    engine.apply(std::span<const double>(unit), std::span(image));
    if (mine) {
      EXPECT_NEAR(image[place], diagonal[place], 1e-14);
    }
  }
}

}  // namespace
