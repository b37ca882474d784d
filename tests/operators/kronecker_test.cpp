// The engine on sums of Kronecker products against a reference that forms every element of every product.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "qheat/operators/block_engine.hpp"
#include "support/brute_force.hpp"
#include "support/world.hpp"

using namespace qheat;
using qheat_test::brute::Generator;

namespace {

/// Uniform in [low, high].
Index draw(Generator& random, Index low, Index high) {
  const double unit = (random.symmetric() + 1.0) / 2.0;
  return std::min(high, low + static_cast<Index>(unit * static_cast<double>(high - low + 1)));
}

template <class T>
T random_number(Generator& random) {
  if constexpr (std::is_same_v<T, double>) {
    return random.symmetric();
  } else {
    const double real = random.symmetric();
    return {real, random.symmetric()};
  }
}

/// Two halves and the constraint between them.
struct Halves {
  std::string name;
  std::vector<Index> class_begin{0};
  BlockLayout layout;

  void add_class(Index length) { class_begin.push_back(class_begin.back() + length); }
  int classes() const { return static_cast<int>(class_begin.size()) - 1; }
  void add_block(int suffix_class, Index rows) {
    const auto k = static_cast<std::size_t>(suffix_class);
    layout.add_block(suffix_class, rows, suffix_class < 0 ? 0 : class_begin[k + 1] - class_begin[k]);
  }
  int class_of_row(Index row) const {
    return layout.blocks()[static_cast<std::size_t>(layout.block_of_row(row))].suffix_class;
  }
  /// Number of the state (row, inner element), -1 if they do not fit.
  Index state(Index row, Index inside) const {
    const int row_class = class_of_row(row);
    if (row_class < 0) return -1;
    const auto k = static_cast<std::size_t>(row_class);
    if (inside < class_begin[k] || inside >= class_begin[k + 1]) return -1;
    return layout.first_state(row) + inside - class_begin[k];
  }
};

/// Several classes, some of length 0, and blocks that fit none.
Halves random_halves(std::uint64_t seed) {
  Generator random(seed);
  Halves halves;
  halves.name = "random layout " + std::to_string(seed);
  const Index lengths[] = {0, 1, 2, 3, 5, 8, 19, 37};
  const Index classes = draw(random, 1, 4);
  for (Index k = 0; k < classes; ++k) halves.add_class(lengths[draw(random, 0, 7)]);
  const Index blocks = draw(random, 1, 6);
  for (Index b = 0; b < blocks; ++b)
    halves.add_block(static_cast<int>(draw(random, -1, classes - 1)), draw(random, 0, 5));
  return halves;
}

/// No constraint.
Halves full_space(Index rows, Index length) {
  Halves halves;
  halves.name = "full space of " + std::to_string(rows) + " rows";
  halves.add_class(length);
  halves.add_block(0, rows);
  return halves;
}

/// Ket and bra of two-level sites with the same number of excitations.
Halves ket_and_bra(int sites) {
  Halves halves;
  halves.name = "ket and bra of " + std::to_string(sites) + " sites";
  Index states = 1;
  for (int n = 0; n <= sites; ++n) {
    halves.add_class(states);
    halves.add_block(n, states);
    states = states * (sites - n) / (n + 1);
  }
  return halves;
}

std::vector<Halves> layouts() {
  std::vector<Halves> all;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) all.push_back(random_halves(seed));
  for (const Index rows : {1, 2, 3, 9}) all.push_back(full_space(rows, 21));  // fewer rows than ranks too
  for (const int sites : {2, 3, 4}) all.push_back(ket_and_bra(sites));
  return all;
}

template <class T>
using Elements = std::vector<HalfMatrixElement<T>>;

template <class T>
Elements<T> random_elements(Generator& random, Index dimension, bool diagonal) {
  Elements<T> elements;
  for (Index count = dimension == 0 ? 0 : draw(random, 1, 2 * dimension); count > 0; --count) {
    const Index destination = draw(random, 0, dimension - 1);
    const Index source = diagonal ? destination : draw(random, 0, dimension - 1);
    elements.push_back({destination, source, random_number<T>(random)});  // the same place twice: both count
  }
  return elements;
}

/// All kinds of products, two of each.
template <class T>
KroneckerSum<T> random_sum(const Halves& halves, std::uint64_t seed) {
  Generator random(seed);
  KroneckerSum<T> sum;
  sum.class_begin = halves.class_begin;
  const Index rows = halves.layout.rows();
  const Index inside = halves.class_begin.back();
  for (int twice = 0; twice < 2; ++twice) {
    for (const bool diagonal : {false, true}) {
      sum.products.push_back({{}, random_elements<T>(random, inside, diagonal)});
      sum.products.push_back({random_elements<T>(random, rows, diagonal), {}});
      std::erase_if(sum.products.back().rows, [&](const auto& e) {
        return halves.class_of_row(e.destination) != halves.class_of_row(e.source);
      });
      for (const bool diagonal_inside : {false, true})
        sum.products.push_back({random_elements<T>(random, rows, diagonal),
                                random_elements<T>(random, inside, diagonal_inside)});
    }
    sum.products.push_back({{}, {}});
  }
  return sum;
}

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

template <class T>
std::size_t value_count(const KroneckerSum<T>& sum) {
  std::size_t count = 0;
  for (const auto& product : sum.products)
    count += std::max<std::size_t>(1, product.rows.size()) * std::max<std::size_t>(1, product.inside.size());
  return count;
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

/// Whole random columns, the same on all ranks: [columns][dimension].
template <class V>
std::vector<std::vector<V>> random_columns(Index dimension, Index columns, std::uint64_t seed) {
  Generator random(seed);
  std::vector<std::vector<V>> all(static_cast<std::size_t>(columns));
  for (auto& column : all) {
    for (Index i = 0; i < dimension; ++i) column.push_back(random_number<V>(random));
  }
  return all;
}

/// A times the columns by the engine, this rank's part; y holds rubbish before.
template <class V, class T>
ColumnStorage<V> product_by(const BlockEngine<T>& engine, const DistributedBlocks& blocks,
                            const std::vector<std::vector<V>>& columns) {
  const auto count = static_cast<Index>(columns.size());
  ColumnStorage<V> x(blocks.local_size(), count);
  ColumnStorage<V> y(blocks.local_size(), count);
  for (Index k = 0; k < count; ++k) {
    const auto first = columns[static_cast<std::size_t>(k)].begin() + blocks.first_state();
    std::copy(first, first + blocks.local_size(), x.block().column(k));
    std::fill_n(y.block().column(k), blocks.local_size(), V(1e9));
  }
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
void expect_reference_everywhere() {
  for (const Halves& halves : layouts()) {
    const DistributedBlocks blocks(halves.layout, qheat_test::world());
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const auto sum = random_sum<T>(halves, seed);
      const std::string what = halves.name + ", sum " + std::to_string(seed);
      BlockEngine<T> engine(blocks, sum);
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
  expect_reference_everywhere<double>();
}

TEST(Kronecker, ComplexSumsEqualTheDenseReference) {
  expect_reference_everywhere<Complex>();
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
