#include "qheat/propagator/cell_columns.hpp"

#include <algorithm>
#include <numbers>
#include <span>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// A column of the whole matrix and its mirror image, [states] each.
struct ColumnPair {
  std::vector<double> column, mirrored;
};

void undo_mirror(const CellColumnLayout& layout, const CellColumns& columns, Index j, ColumnPair& whole) {
  const MirrorPairs& mirror = layout.mirror();
  const bool pair = mirror.is_pair(layout.first() + j);
  const auto even = columns.even.block().column_span(j);
  const auto odd = pair ? columns.odd.block().column_span(j) : std::span<const double>{};
  for (std::size_t i = 0; i < even.size(); ++i) {
    const auto k = static_cast<Index>(i);
    const auto row = as_size(mirror.representative(k));
    const auto row_mirrored = as_size(mirror.partner(k));
    const bool both = pair && mirror.is_pair(k);
    const double fixed = pair || mirror.is_pair(k) ? even[i] / std::numbers::sqrt2 : even[i];
    const double same = both ? (even[i] + odd[i]) / 2.0 : fixed;
    const double crossed = both ? (even[i] - odd[i]) / 2.0 : fixed;
    whole.column[row] = same;
    whole.column[row_mirrored] = crossed;
    whole.mirrored[row] = crossed;
    whole.mirrored[row_mirrored] = same;
  }
}

}  // namespace

void set_column(const CellColumnLayout& layout, Index local, std::span<const double> column,
                CellColumns& columns) {
  const MirrorPairs& mirror = layout.mirror();
  const bool pair = mirror.is_pair(layout.first() + local);
  const auto even = columns.even.block().column_span(local);
  for (std::size_t i = 0; i < even.size(); ++i) {
    const auto k = static_cast<Index>(i);
    const double same = at(column, mirror.representative(k));
    const double crossed = at(column, mirror.partner(k));
    const bool both = pair && mirror.is_pair(k);
    const double single = pair || mirror.is_pair(k) ? std::numbers::sqrt2 * same : same;
    even[i] = both ? same + crossed : single;
    if (both) columns.odd.block().column(local)[k] = same - crossed;
  }
}

FullColumns full_columns(const CellColumnLayout& layout, const CellColumns& columns) {
  const MirrorPairs& mirror = layout.mirror();
  std::vector<Index> cells;
  for (Index j = 0; j < layout.count(); ++j) {
    cells.push_back(mirror.representative(layout.first() + j));
    if (mirror.is_pair(layout.first() + j)) cells.push_back(mirror.partner(layout.first() + j));
  }
  FullColumns full{cells, ColumnStorage<double>(mirror.states(), static_cast<Index>(cells.size()))};
  const auto states = as_size(mirror.states());
  ColumnPair whole{std::vector<double>(states), std::vector<double>(states)};
  Index next = 0;
  const auto append = [&](const std::vector<double>& column) {
    const auto to = full.values.block().column_span(next++);
    std::copy(column.begin(), column.end(), to.begin());
  };
  for (Index j = 0; j < layout.count(); ++j) {
    undo_mirror(layout, columns, j, whole);
    append(whole.column);
    if (mirror.is_pair(layout.first() + j)) append(whole.mirrored);
  }
  return full;
}

}  // namespace qheat
