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
/// together are runs (an axpy each), the others are gathered one by one.
template <class T>
class SuffixMap {
 public:
  explicit SuffixMap(std::vector<MapEntry> entries);

  void set_values(std::span<const T> values);
  bool empty() const { return runs_.empty() && places_.empty(); }
  /// True if it has elements on the diagonal only.
  bool is_diagonal() const;
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
    for (std::size_t e = 0; e < places_.size(); ++e) {
      kernels::Unit<V> sum, other;
      kernels::load(y + places_[e].destination, sum);
      kernels::load(x + places_[e].source, other);
      kernels::add_product(sum, scale * values_[e], other);
      kernels::store(sum, y + places_[e].destination);
    }
  }

  /// sums[id] += conj(left[j]) right[k] over the elements (j, k, id).
  void add_element_sums(const Complex* left, const Complex* right, std::span<Complex> sums) const {
    for (const Run& run : runs_)
      sums[run.id] += kernels::inner_product(run.length, left + run.destination, right + run.source);
    for (std::size_t e = 0; e < places_.size(); ++e)
      sums[ids_[e]] += kernels::overlap(left[places_[e].destination], right[places_[e].source]);
  }

  /// Adds the elements on the diagonal.
  void add_diagonal(std::span<T> diagonal) const;

 private:
  struct Run {
    std::int32_t destination, source, length;
    std::uint32_t id;
    T value;
  };

  struct Place {
    std::int32_t destination, source;
  };

  Stretch sources_{0, 0};
  std::vector<Run> runs_;
  std::vector<Place> places_;  ///< of the others, by destination
  std::vector<std::uint32_t> ids_;
  std::vector<T> values_;
};

}  // namespace qheat
