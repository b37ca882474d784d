#include "qheat/basis/block_layout.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/parallel/index.hpp"

namespace qheat {

void BlockLayout::add_block(int suffix_class, Index rows, Index row_length) {
  blocks_.push_back({suffix_class, rows_, rows, row_length, dimension_});
  rows_ = checked_sum(rows_, rows, "the rows of the basis");
  dimension_ = checked_sum(dimension_, checked_product(rows, row_length, "the sector"), "the sector");
}

int BlockLayout::block_of_row(Index row) const {
  const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), row,
                                      [](Index r, const Block& block) { return r < block.first_row; });
  return static_cast<int>(after - blocks_.begin()) - 1;
}

Index BlockLayout::first_state(Index row) const {
  if (row >= rows_) return dimension_;
  const Block& block = at(blocks_, block_of_row(row));
  return block.first_state + (row - block.first_row) * block.row_length;
}

Partition::Partition(const BlockLayout& layout, int ranks) {
  for (int rank = 0; rank <= ranks; ++rank) {
    // Boundaries at the row whose first state is nearest to an even share.
    const auto wanted = std::llround(static_cast<double>(layout.dimension()) * rank / ranks);
    Index low = 0;
    Index high = layout.rows();
    while (low < high) {
      const Index middle = low + (high - low) / 2;
      if (layout.first_state(middle) < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low > 0 && layout.first_state(low) - wanted > wanted - layout.first_state(low - 1)) --low;
    if (rank == ranks) low = layout.rows();
    first_row_.push_back(low);
    first_state_.push_back(layout.first_state(low));
  }
}

int Partition::owner_of_row(Index row) const {
  const auto after = std::upper_bound(first_row_.begin(), first_row_.end(), row);
  return static_cast<int>(after - first_row_.begin()) - 1;
}

}  // namespace qheat
