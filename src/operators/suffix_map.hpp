#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "operators/block_kernels.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// One element of a small sparse matrix; `id` names its value in the list of all values.
struct MapEntry {
  std::int32_t destination, source;
  std::uint32_t id;
};

/// Columns [begin, end) of a row.
struct Stretch {
  Index begin, end;

  Index length() const { return end - begin; }
  /// The smallest one that holds both.
  Stretch united(Stretch other) const { return {std::min(begin, other.begin), std::max(end, other.end)}; }
};

/// Widens the stretch of `row`, or sets it.
inline void unite(std::map<Index, Stretch>& stretches, Index row, Stretch columns) {
  const auto [place, added] = stretches.try_emplace(row, columns);
  if (!added) place->second = place->second.united(columns);
}

/// Sparse matrix between two suffix classes, made to be applied many times: elements whose places rise
/// together are runs (an axpy each), the others are gathered row by row.
template <class T>
class SuffixMap {
 public:
  explicit SuffixMap(std::vector<MapEntry> entries);

  void set_values(std::span<const T> values);
  bool empty() const { return runs_.empty() && columns_.empty(); }
  /// The columns of a source row that it reads.
  Stretch sources() const { return sources_; }
  Index bytes() const;

  /// y += scale B x
  template <class V>
  void accumulate(double scale, const V* __restrict x, V* __restrict y) const {
    for (const Run& run : runs_) {
      const kernels::Source<T, V> source{x + run.source, scale * run.value};
      kernels::add_rows<T, V>(run.length, std::span(&source, 1), y + run.destination);
    }
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      kernels::Unit<V> sum;
      kernels::load(y + rows_[row], sum);
      for (std::uint32_t e = begin_[row]; e < begin_[row + 1]; ++e) {
        kernels::Unit<V> other;
        kernels::load(x + columns_[e], other);
        kernels::add_product(sum, scale * values_[e], other);
      }
      kernels::store(sum, y + rows_[row]);
    }
  }

  /// sums[id] += conj(left[j]) right[k] over the elements (j, k, id).
  void add_element_sums(const Complex* left, const Complex* right, std::span<Complex> sums) const {
    for (const Run& run : runs_)
      sums[run.id] += kernels::inner_product(run.length, left + run.destination, right + run.source);
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      for (std::uint32_t e = begin_[row]; e < begin_[row + 1]; ++e)
        sums[ids_[e]] += std::conj(left[rows_[row]]) * right[columns_[e]];
    }
  }

  /// Adds the elements on the diagonal.
  void add_diagonal(std::span<T> diagonal) const;

 private:
  struct Run {
    std::int32_t destination, source, length;
    std::uint32_t id;
    T value;
  };

  Stretch sources_{0, 0};
  std::vector<Run> runs_;
  std::vector<std::int32_t> rows_;     ///< destinations that gather
  std::vector<std::uint32_t> begin_;   ///< [rows + 1]
  std::vector<std::int32_t> columns_;  ///< sources
  std::vector<std::uint32_t> ids_;
  std::vector<T> values_;
};

}  // namespace qheat
