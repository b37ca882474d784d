#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "qheat/operators/block_engine.hpp"
#include "support/brute_force.hpp"

/// Random sums of Kronecker products on random layouts, the same on all ranks.
namespace qheat_test::kronecker {

using namespace qheat;
using qheat_test::brute::Generator;

/// Uniform in [low, high].
inline Index draw(Generator& random, Index low, Index high) {
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
inline Halves random_halves(std::uint64_t seed) {
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
inline Halves full_space(Index rows, Index length) {
  Halves halves;
  halves.name = "full space of " + std::to_string(rows) + " rows";
  halves.add_class(length);
  halves.add_block(0, rows);
  return halves;
}

/// Ket and bra of two-level sites with the same number of excitations.
inline Halves ket_and_bra(int sites) {
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

inline std::vector<Halves> layouts() {
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
std::size_t value_count(const KroneckerSum<T>& sum) {
  std::size_t count = 0;
  for (const auto& product : sum.products)
    count += std::max<std::size_t>(1, product.rows.size()) * std::max<std::size_t>(1, product.inside.size());
  return count;
}

/// Whole random columns: [columns][dimension].
template <class V>
std::vector<std::vector<V>> random_columns(Index dimension, Index columns, std::uint64_t seed) {
  Generator random(seed);
  std::vector<std::vector<V>> all(static_cast<std::size_t>(columns));
  for (auto& column : all) {
    for (Index i = 0; i < dimension; ++i) column.push_back(random_number<V>(random));
  }
  return all;
}

/// This rank's part of the columns.
template <class V>
ColumnStorage<V> local_part(const DistributedBlocks& blocks, const std::vector<std::vector<V>>& columns) {
  ColumnStorage<V> part(blocks.local_size(), static_cast<Index>(columns.size()));
  for (std::size_t k = 0; k < columns.size(); ++k)
    std::copy_n(columns[k].begin() + blocks.first_state(), blocks.local_size(),
                part.block().column(static_cast<Index>(k)));
  return part;
}

}  // namespace qheat_test::kronecker
