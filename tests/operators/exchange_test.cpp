// Both routes between ranks give the same products, and move as many states as they say.

#include <gtest/gtest.h>

#include "operators/transposition.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "support/random_kronecker.hpp"
#include "support/world.hpp"

using namespace qheat;
using namespace qheat_test::kronecker;

namespace {

template <class V>
double largest_difference(ColumnBlock<const V> a, ColumnBlock<const V> b) {
  double largest = 0.0;
  for (Index k = 0; k < a.columns(); ++k) {
    for (Index i = 0; i < a.rows(); ++i)
      largest = std::max(largest, std::abs(a.column(k)[i] - b.column(k)[i]));
  }
  return largest;
}

/// Compares with the first engine, which lets rows travel.
template <class V, class T>
void expect_same_products(const std::vector<BlockEngine<T>>& engines, const DistributedBlocks& blocks,
                          const std::string& what) {
  for (const Index columns : {1, 3, 4, 9}) {
    const auto x = local_part(blocks, random_columns<V>(blocks.dimension(), columns, 3));
    ColumnStorage<V> expected(blocks.local_size(), columns);
    engines[0].apply(x.block(), expected.block());
    for (const auto& engine : engines) {
      ColumnStorage<V> y(blocks.local_size(), columns);
      const Index sent = engine.apply(x.block(), y.block());
      EXPECT_LT(largest_difference<V>(y.block(), expected.block()), 1e-11)
          << what << ", " << columns << " columns";
      EXPECT_EQ(blocks.comm().sum(sent),
                engine.exchange_counts().planned * columns * static_cast<Index>(sizeof(V)))
          << what;
    }
    const AffineMap step{.scale = 0.7, .shift = -0.3, .keep = -1.0};
    engines[0].apply(step, x.block(), expected.block());
    for (const auto& engine : engines) {
      ColumnStorage<V> y(blocks.local_size(), columns);
      engines[0].apply(x.block(), y.block());
      engine.apply(step, x.block(), y.block());
      EXPECT_LT(largest_difference<V>(y.block(), expected.block()), 1e-11)
          << what << ", step of a recursion, " << columns << " columns";
    }
  }
}

/// `what` is an operator on `blocks`: terms on a sector, or a Kronecker sum.
template <class T, class Space, class Sum>
void expect_equal_routes(const Space& space, const Sum& sum, std::size_t values, const std::string& what) {
  std::vector<BlockEngine<T>> engines;
  for (const auto route : {ExchangeRoute::rows, ExchangeRoute::transpose, ExchangeRoute::automatic})
    engines.emplace_back(space, sum, route);
  const ExchangeCounts& counts = engines[2].exchange_counts();
  EXPECT_EQ(engines[0].exchange_counts().planned, counts.by_rows) << what;
  EXPECT_EQ(engines[1].exchange_counts().planned, counts.by_transpose) << what;
  EXPECT_LE(counts.planned, std::min(counts.by_rows, counts.by_transpose)) << what;
  if (space.comm().size() == 1) {
    EXPECT_EQ(counts.by_rows, 0) << what;
    EXPECT_EQ(counts.by_transpose, 0) << what;
  }
  for (const std::uint64_t seed : {0, 1}) {
    if (seed > 0) {
      Generator random(seed);
      std::vector<T> changed(values);
      for (T& value : changed) value = random_number<T>(random);
      for (auto& engine : engines) engine.set_values(changed);
    }
    expect_same_products<Complex>(engines, space, what);
    if constexpr (std::is_same_v<T, double>)
      expect_same_products<double>(engines, space, what + ", real vectors");
  }
}

template <class T>
std::size_t term_values(const TermSum<T>& terms) {
  std::size_t count = 0;
  for (const auto& term : terms.terms) count += term.elements.size();
  return count;
}

TEST(ExchangeRoutes, AgreeOnKroneckerSums) {
  auto all = layouts();
  all.push_back(full_space(300, 60));  // beyond one piece
  all.push_back(full_space(60, 300));
  all.push_back(ket_and_bra(7));
  for (const Halves& halves : all) {
    const DistributedBlocks blocks(halves.layout, qheat_test::world());
    const auto real = random_sum<double>(halves, 1);
    expect_equal_routes<double>(blocks, real, value_count(real), halves.name);
    const auto complex = random_sum<Complex>(halves, 2);
    expect_equal_routes<Complex>(blocks, complex, value_count(complex), halves.name);
  }
}

TEST(ExchangeRoutes, AgreeOnLattices) {
  struct Case {
    Model model;
    std::vector<int> counts;
  };
  const Site two({0.0, 1.0});
  const std::vector<Case> cases = {
      {uniform_model(Lattice::chain(16), two, PairInteraction::exchange(2), 0.3), {8, 8}},
      {uniform_model(Lattice::ring(13), two, PairInteraction::exchange(2), 0.3), {7, 6}},
      {uniform_model(Lattice::ring(9), Site({0.0, 1.0, 2.5}), PairInteraction::exchange(3), 0.3), {3, 3, 3}},
      {uniform_model(Lattice({4, 4}, std::vector<bool>{true, true}), two, PairInteraction::exchange(2, 0.5),
                     0.3),
       {8, 8}},
      {uniform_model(Lattice({2, 3, 2}, std::vector<bool>{false, false, false}), two,
                     PairInteraction::exchange(2, 0.5), 0.3),
       {6, 6}},
      {uniform_model(Lattice({2, 2, 2}, std::vector<bool>{false, false, false}),
                     Site({0.0, 1.0, 1.5}, {0, 1, 1}), PairInteraction::exchange(3), 0.3),
       {5, 3}}};
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const DistributedSector space(level_sector(cases[c].model, cases[c].counts), qheat_test::world());
    const auto terms = hamiltonian(cases[c].model);
    const std::string what = "case " + std::to_string(c);
    expect_equal_routes<double>(space, real_part(terms), term_values(terms), what);
    expect_equal_routes<Complex>(space, terms, term_values(terms), what);
  }
}

TEST(ExchangeRoutes, ATransposePassesThroughSmallBuffers) {
  const Halves halves = full_space(4000, 4000);  // large only on paper: no vector is made
  const DistributedBlocks blocks(halves.layout, qheat_test::world());
  std::vector<Transposition::Action> actions;
  for (Index row = blocks.first_row(); row < blocks.first_row() + blocks.local_rows(); ++row) {
    const Index source = (row + 2000) % 4000;
    if (blocks.partition().owner_of_row(source) != blocks.comm().rank()) actions.push_back({row, source, 0});
  }
  const Transposition transposition(blocks, actions);
  EXPECT_LT(transposition.buffer_size(), blocks.local_size() / 64 * 3 / 2);
  EXPECT_LT(transposition.bytes(), 500'000);
}

TEST(ExchangeRoutes, AutomaticTransposesWhereRowsWouldTravelOften) {
  // A dense matrix on the rows: every rank needs all rows, while a transpose moves every row to and fro once.
  const Halves halves = full_space(12, 24);  // as many rows on each of 1, 2, 3 or 4 ranks
  const DistributedBlocks blocks(halves.layout, qheat_test::world());
  KroneckerSum<double> sum{halves.class_begin, {{}}};
  for (Index i = 0; i < 144; ++i) sum.products[0].rows.push_back({i / 12, i % 12, 0.25});
  const auto counts = BlockEngine<double>(blocks, sum).exchange_counts();
  const Index ranks = qheat_test::world().size();
  EXPECT_EQ(counts.by_rows, (ranks - 1) * blocks.dimension());
  EXPECT_EQ(counts.by_transpose, 2 * (ranks - 1) * blocks.dimension() / ranks);
  EXPECT_EQ(counts.transposed_blocks, ranks > 2 ? 1 : 0);  // with two ranks they are equal
  EXPECT_EQ(counts.planned, std::min(counts.by_rows, counts.by_transpose));
}

}  // namespace
