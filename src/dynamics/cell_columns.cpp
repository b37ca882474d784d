#include "qheat/dynamics/cell_columns.hpp"

#include <numbers>

namespace qheat {
namespace {

/// Writes column `j` of the representatives, and for a pair the mirrored one, else null.
void write_columns(const CellColumnLayout& layout, const CellColumns& columns, Index j, double* column,
                   double* mirrored) {
  const MirrorPairs& mirror = layout.mirror();
  const bool pair = mirrored != nullptr;
  const double* even = columns.even.block().column(j);
  const double* odd = pair ? columns.odd.block().column(j) : nullptr;
  for (Index i = 0; i < mirror.even_size(); ++i) {
    const Index row = mirror.representative(i);
    const Index row_mirrored = mirror.partner(i);
    const bool both = pair && mirror.is_pair(i);
    const double fixed = pair || mirror.is_pair(i) ? even[i] / std::numbers::sqrt2 : even[i];
    const double same = both ? (even[i] + odd[i]) / 2.0 : fixed;
    const double crossed = both ? (even[i] - odd[i]) / 2.0 : fixed;
    column[row] = same;
    column[row_mirrored] = crossed;
    if (mirrored == nullptr) continue;
    mirrored[row] = crossed;
    mirrored[row_mirrored] = same;
  }
}

}  // namespace

FullColumns full_columns(const CellColumnLayout& layout, const CellColumns& columns) {
  const MirrorPairs& mirror = layout.mirror();
  std::vector<Index> cells;
  for (Index j = 0; j < layout.count(); ++j) {
    cells.push_back(mirror.representative(layout.first() + j));
    if (mirror.is_pair(layout.first() + j)) cells.push_back(mirror.partner(layout.first() + j));
  }
  FullColumns full{cells, ColumnStorage<double>(mirror.states(), static_cast<Index>(cells.size()))};
  Index next = 0;
  for (Index j = 0; j < layout.count(); ++j) {
    const bool pair = mirror.is_pair(layout.first() + j);
    double* column = full.values.block().column(next);
    write_columns(layout, columns, j, column, pair ? column + mirror.states() : nullptr);
    next += pair ? 2 : 1;
  }
  return full;
}

}  // namespace qheat
