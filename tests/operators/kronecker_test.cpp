// The engine on sums of Kronecker products against a reference that forms every element of every product.

#include <gtest/gtest.h>

#include <string>

#include "qheat/operators/block_engine.hpp"
#include "support/random_kronecker.hpp"
#include "support/world.hpp"

using namespace qheat;
using namespace qheat_test::kronecker;
using qheat_test::brute::Generator;

namespace {

template <class T>
Elements<T> or_identity(const Elements<T>& elements, Index dimension) {
  if (!elements.empty()) return elements;
  Elements<T> identity;
  for (Index i = 0; i < dimension; ++i) identity.push_back({i, i, T(1.0)});
  return identity;
}

/// Calls visit(destination, source, number of the value, value) for every element of the constrained space.
template <class T, class Visit>
void visit_elements(const Halves& halves, const KroneckerSum<T>& sum, const Visit& visit) {
  std::size_t first = 0;
  for (const auto& product : sum.products) {
    const auto rows = or_identity(product.rows, halves.layout.rows());
    const auto inside = or_identity(product.inside, halves.class_begin.back());
    const std::size_t row_values = std::max<std::size_t>(1, product.rows.size());
    const std::size_t inside_values = std::max<std::size_t>(1, product.inside.size());
    for (std::size_t a = 0; a < rows.size(); ++a) {
      for (std::size_t b = 0; b < inside.size(); ++b) {
        const Index destination = halves.state(rows[a].destination, inside[b].destination);
        const Index source = halves.state(rows[a].source, inside[b].source);
        if (destination < 0 || source < 0) continue;
        const std::size_t number =
            (product.rows.empty() ? 0 : a) * inside_values + (product.inside.empty() ? 0 : b);
        visit(destination, source, first + number, rows[a].value * inside[b].value);
      }
    }
    first += row_values * inside_values;
  }
}

/// Dense matrix [destination][source]; with `values` in place of the products' own if there are any.
template <class T>
std::vector<std::vector<T>> dense(const Halves& halves, const KroneckerSum<T>& sum,
                                  const std::vector<T>& values = {}) {
  const auto d = static_cast<std::size_t>(halves.layout.dimension());
  std::vector<std::vector<T>> matrix(d, std::vector<T>(d));
  visit_elements(halves, sum, [&](Index destination, Index source, std::size_t number, T value) {
    matrix[static_cast<std::size_t>(destination)][static_cast<std::size_t>(source)] +=
        values.empty() ? value : values[number];
  });
  return matrix;
}

/// A times the columns by the engine, this rank's part; y holds rubbish before.
template <class V, class T>
ColumnStorage<V> product_by(const BlockEngine<T>& engine, const DistributedBlocks& blocks,
                            const std::vector<std::vector<V>>& columns) {
  const auto x = local_part(blocks, columns);
  ColumnStorage<V> y(blocks.local_size(), x.block().columns());
  std::fill_n(y.block().data(), y.block().rows() * y.block().columns(), V(1e9));
  engine.apply(x.block(), y.block());
  return y;
}

template <class V, class T>
void expect_product(const BlockEngine<T>& engine, const DistributedBlocks& blocks,
                    const std::vector<std::vector<T>>& matrix, Index columns, const std::string& what) {
  const auto x = random_columns<V>(blocks.dimension(), columns, 5);
  const auto y = product_by<V>(engine, blocks, x);
  double largest = 0.0;
  for (Index k = 0; k < columns; ++k) {
    for (Index i = 0; i < blocks.local_size(); ++i) {
      V expected{};
      const auto& row = matrix[static_cast<std::size_t>(blocks.first_state() + i)];
      for (std::size_t j = 0; j < row.size(); ++j) expected += row[j] * x[static_cast<std::size_t>(k)][j];
      largest = std::max(largest, std::abs(y.block().column(k)[i] - expected));
    }
  }
  EXPECT_LT(largest, 1e-11) << what << ", " << columns << " columns";
}

template <class T>
void expect_products(const BlockEngine<T>& engine, const DistributedBlocks& blocks,
                     const std::vector<std::vector<T>>& matrix, const std::string& what) {
  for (const Index columns : {1, 3, 4, 5, 9}) {
    expect_product<Complex>(engine, blocks, matrix, columns, what);
    if constexpr (std::is_same_v<T, double>)
      expect_product<double>(engine, blocks, matrix, columns, what + ", real vectors");
  }
}

template <class T>
void expect_diagonal(const BlockEngine<T>& engine, const DistributedBlocks& blocks,
                     const std::vector<std::vector<T>>& matrix, const std::string& what) {
  std::vector<T> diagonal(static_cast<std::size_t>(blocks.local_size()), T(7.0));
  engine.diagonal(diagonal);
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    const std::size_t state = static_cast<std::size_t>(blocks.first_state()) + i;
    EXPECT_LT(std::abs(diagonal[i] - matrix[state][state]), 1e-12) << what << ", state " << state;
  }
}

template <class T>
void expect_reference_everywhere(ExchangeRoute route) {
  for (const Halves& halves : layouts()) {
    const DistributedBlocks blocks(halves.layout, qheat_test::world());
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const auto sum = random_sum<T>(halves, seed);
      const std::string what = halves.name + ", sum " + std::to_string(seed) + ", route " +
                               std::to_string(static_cast<int>(route));
      BlockEngine<T> engine(blocks, sum, route);
      expect_products(engine, blocks, dense(halves, sum), what);
      expect_diagonal(engine, blocks, dense(halves, sum), what);

      std::vector<T> values(value_count(sum));
      Generator random(seed + 100);
      for (T& value : values) value = random_number<T>(random);
      engine.set_values(values);
      const auto changed = dense(halves, sum, values);
      expect_products(engine, blocks, changed, what + ", new values");
      expect_diagonal(engine, blocks, changed, what + ", new values");
    }
  }
}

TEST(Kronecker, RealSumsEqualTheDenseReference) {
  for (const auto route : {ExchangeRoute::automatic, ExchangeRoute::rows, ExchangeRoute::transpose})
    expect_reference_everywhere<double>(route);
}

TEST(Kronecker, ComplexSumsEqualTheDenseReference) {
  for (const auto route : {ExchangeRoute::automatic, ExchangeRoute::rows, ExchangeRoute::transpose})
    expect_reference_everywhere<Complex>(route);
}

TEST(Kronecker, EachProductAloneEqualsTheDenseReference) {
  for (const Halves& halves : layouts()) {
    const DistributedBlocks blocks(halves.layout, qheat_test::world());
    const auto all = random_sum<double>(halves, 11);
    for (std::size_t p = 0; p < all.products.size(); ++p) {
      const KroneckerSum<double> sum{all.class_begin, {all.products[p]}};
      const BlockEngine<double> engine(blocks, sum);
      const auto matrix = dense(halves, sum);
      const std::string what = halves.name + ", product " + std::to_string(p);
      expect_product<double>(engine, blocks, matrix, 2, what);
      expect_diagonal(engine, blocks, matrix, what);
    }
  }
}

TEST(Kronecker, RowsWithMoreSourcesThanAreFetchedAheadInLongVectors) {
  // Far sources are brought near the processor ahead of time, a limited number, in vectors beyond the caches.
  constexpr Index rows = 4096;
  const Halves halves = full_space(rows, 64);
  const DistributedBlocks blocks(halves.layout, qheat_test::world());
  Generator random(4);
  KroneckerSum<double> sum;
  sum.class_begin = halves.class_begin;
  for (const Index distance : {1, 500, 700, 1300, 1900, 2048, 2500, 2900, 3300, 3900}) {
    KroneckerSum<double>::Product number;
    KroneckerSum<double>::Product map;
    for (Index row = 0; row < rows; ++row) {
      number.rows.push_back({row, (row + distance) % rows, random.symmetric()});
      map.rows.push_back({row, (row + distance + 1) % rows, random.symmetric()});
    }
    map.inside = {{distance % 64, 3, 0.5}};
    sum.products.push_back(number);
    sum.products.push_back(map);
  }
  const BlockEngine<double> engine(blocks, sum);
  const auto x = random_columns<double>(blocks.dimension(), 9, 6);
  const auto y = product_by<double>(engine, blocks, x);
  std::vector<std::vector<double>> expected(x.size(), std::vector<double>(x[0].size()));
  visit_elements(halves, sum, [&](Index destination, Index source, std::size_t /*number*/, double value) {
    for (std::size_t k = 0; k < x.size(); ++k)
      expected[k][static_cast<std::size_t>(destination)] += value * x[k][static_cast<std::size_t>(source)];
  });
  double largest = 0.0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double* column = y.block().column(static_cast<Index>(k));
    for (Index i = 0; i < blocks.local_size(); ++i)
      largest = std::max(
          largest, std::abs(column[i] - expected[k][static_cast<std::size_t>(blocks.first_state() + i)]));
  }
  EXPECT_LT(largest, 1e-12);
}

/// Message of the Error that the engine throws, "" if it throws none. The same on all ranks, or it would
/// hang.
std::string complaint(const Halves& halves, const KroneckerSum<double>& sum) {
  const DistributedBlocks blocks(halves.layout, qheat_test::world());
  try {
    const BlockEngine<double> engine(blocks, sum);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Kronecker, ProductsThatLeadOutOfTheLayoutAreErrors) {
  Halves halves;
  for (const Index length : {3, 5, 3, 0}) halves.add_class(length);
  for (const int suffix_class : {0, 1, 2, 3, -1})
    halves.add_block(suffix_class, 2);  // rows 0-1, 2-3, ... 8-9
  const auto sum_of = [&](Index destination, Index source, Elements<double> inside = {}) {
    return KroneckerSum<double>{halves.class_begin, {{{{destination, source, 0.5}}, std::move(inside)}}};
  };
  EXPECT_EQ(complaint(halves, sum_of(1, 0)), "");
  EXPECT_EQ(complaint(halves, sum_of(7, 8)), "");  // neither row has states
  EXPECT_NE(complaint(halves, sum_of(2, 1)).find("row 1 to row 2"), std::string::npos);
  EXPECT_NE(complaint(halves, sum_of(0, 4)), "");  // as long, but other states
  EXPECT_NE(complaint(halves, sum_of(0, 8)), "");
  EXPECT_NE(complaint(halves, sum_of(7, 3)), "");
  EXPECT_EQ(complaint(halves, sum_of(2, 1, {{4, 0, 1.0}})), "");
  EXPECT_NE(complaint(halves, sum_of(10, 0)), "");
  EXPECT_NE(complaint(halves, sum_of(0, -1)), "");
  EXPECT_NE(complaint(halves, sum_of(0, 0, {{11, 0, 1.0}})), "");
  EXPECT_NE(complaint(halves, sum_of(0, 0, {{0, -1, 1.0}})), "");
}

TEST(Kronecker, ALayoutOfOtherClassesIsAnError) {
  Halves halves = full_space(4, 3);
  EXPECT_EQ(complaint(halves, {{0, 3}, {}}), "");
  EXPECT_NE(complaint(halves, {{0, 4}, {}}), "");
  EXPECT_NE(complaint(halves, {{0}, {}}), "");
  EXPECT_NE(complaint(halves, {{}, {}}), "");
  halves.layout.add_block(-1, 1, 3);
  EXPECT_NE(complaint(halves, {{0, 3}, {}}), "");
}

}  // namespace
