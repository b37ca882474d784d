#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// The cells of a block, first axis fastest, shared by the ranks as layers across the last axis that there
/// is. A field holds this rank's cells and, along axes of more than one cell, a layer of others' around them:
/// [storage()].
class CellBox {
 public:
  using Axes = std::array<Index, 3>;

  /// Axes that there are not have one cell. Ranks that are too many hold none.
  CellBox(const Axes& cells, const std::array<bool, 3>& periodic, const Communicator& comm);

  const Communicator& comm() const { return comm_; }
  const Axes& cells() const { return cells_; }
  Index all_cells() const { return cells_[0] * cells_[1] * cells_[2]; }
  bool periodic(int axis) const { return at(periodic_, axis); }
  /// First of this rank's cells along an axis, and how many it has.
  Index begin(int axis) const { return at(begin_, axis); }
  Index size(int axis) const { return at(size_, axis); }
  /// Number of this rank's first cell, first axis fastest: a rank's cells are one piece of the whole.
  Index first_cell() const;
  Index local_cells() const { return size_[0] * size_[1] * size_[2]; }
  std::size_t storage() const { return storage_; }
  /// Distance in a field of neighbours along an axis; 0 where there are none.
  Index stride(int axis) const { return at(stride_, axis); }
  /// Place of a cell in a field, by its numbers on this rank.
  Index place(Index i, Index j, Index k) const {
    return origin_ + i * stride_[0] + j * stride_[1] + k * stride_[2];
  }
  /// True if the cell after this one along the axis exists: inside, on another rank, or across the period.
  bool has_next(int axis, Index number) const {
    return begin(axis) + number + 1 < at(cells_, axis) || (periodic(axis) && at(cells_, axis) > 1);
  }

  /// Calls visit(place, i, j, k) for each of this rank's cells, numbers in the whole block.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (Index k = 0; k < size_[2]; ++k) {
      for (Index j = 0; j < size_[1]; ++j) {
        for (Index i = 0; i < size_[0]; ++i)
          visit(as_size(place(i, j, k)), begin_[0] + i, begin_[1] + j, begin_[2] + k);
      }
    }
  }

  /// Fills the layer around this rank's cells, corners included; what lies outside of the block stays.
  /// Collective.
  void exchange(std::span<double> field) const;
  /// Sum over all cells of a product. Collective.
  double product(std::span<const double> a, std::span<const double> b) const;

  /// Pairs of cells along every axis that allows it without leaving a rank; none if no axis does.
  std::optional<CellBox> coarser() const;
  /// All cells on every rank.
  CellBox gathered() const { return {cells_, periodic_, Communicator::self()}; }
  /// From a field of this box to one of gathered(), inner cells alone. Collective.
  void gather(std::span<const double> field, const CellBox& whole, std::span<double> all) const;
  /// All cells in their order on rank 0, nothing on the others; of a box whose ranks have one piece each.
  /// Collective.
  std::vector<double> collect(std::span<const double> field) const;

 private:
  CellBox(const Axes& cells, const std::array<bool, 3>& periodic, const Communicator& comm,
          const std::array<std::vector<Index>, 3>& bounds);
  void place_rank();
  /// Rank of a block of the process grid.
  int rank_of(const Axes& block) const;
  /// Block of a rank; none if it holds no cells.
  std::optional<Axes> block_of(int rank) const;
  std::optional<int> neighbour(int axis, int side) const;
  void exchange_axis(int axis, std::span<double> field) const;

  Communicator comm_;
  Axes cells_;
  std::array<bool, 3> periodic_;
  std::array<std::vector<Index>, 3> bounds_;  ///< of the ranks' blocks along each axis
  Axes block_{}, begin_{}, size_{}, stride_{};
  Index origin_ = 0;
  std::size_t storage_ = 0;
};

}  // namespace qheat
