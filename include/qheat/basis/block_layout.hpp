#pragma once

#include <vector>

#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// An index set of two halves with a constraint between them: the sum over classes k of P_k x S_f(k).
///
/// A row is one element of the first half; its states are the elements of the second half's class that fits,
/// and lie contiguously. Rows of one class are consecutive and form a block, a dense rows x row_length array:
///     state = block.first_state + (row - block.first_row) * row_length + place inside the class.
/// A sector of the lattice is one such set (prefix and suffix configurations), a density matrix another (ket
/// and bra).
class BlockLayout {
 public:
  struct Block {
    int suffix_class;  ///< number of the second half's class, -1 if none fits
    Index first_row, rows, row_length, first_state;
  };

  /// Appends a block of `rows` rows. Throws Error beyond 63 bits.
  void add_block(int suffix_class, Index rows, Index row_length);

  const std::vector<Block>& blocks() const { return blocks_; }
  Index rows() const { return rows_; }
  Index dimension() const { return dimension_; }
  /// Number of the block that a row belongs to.
  int block_of_row(Index row) const;
  /// First state of a row; `row` may be rows(), then the dimension.
  Index first_state(Index row) const;

 private:
  std::vector<Block> blocks_;
  Index rows_ = 0;
  Index dimension_ = 0;
};

/// Whole rows to ranks, contiguous, balanced by states. A rank may own nothing.
class Partition {
 public:
  Partition(const BlockLayout& layout, int ranks);

  int ranks() const { return static_cast<int>(first_row_.size()) - 1; }
  Index first_row(int rank) const { return at(first_row_, rank); }
  Index first_state(int rank) const { return at(first_state_, rank); }
  Index rows(int rank) const { return first_row(rank + 1) - first_row(rank); }
  Index states(int rank) const { return first_state(rank + 1) - first_state(rank); }
  int owner_of_row(Index row) const;

 private:
  std::vector<Index> first_row_;    ///< [ranks + 1]
  std::vector<Index> first_state_;  ///< [ranks + 1]
};

/// A block layout over the ranks of a communicator.
class DistributedBlocks {
 public:
  DistributedBlocks(BlockLayout layout, const Communicator& comm)
      : layout_(std::move(layout)), partition_(layout_, comm.size()), comm_(comm) {}

  const BlockLayout& layout() const { return layout_; }
  const Partition& partition() const { return partition_; }
  const Communicator& comm() const { return comm_; }
  Index dimension() const { return layout_.dimension(); }
  Index local_size() const { return partition_.states(comm_.rank()); }
  Index first_state() const { return partition_.first_state(comm_.rank()); }
  Index first_row() const { return partition_.first_row(comm_.rank()); }
  Index local_rows() const { return partition_.rows(comm_.rank()); }

 private:
  BlockLayout layout_;
  Partition partition_;
  Communicator comm_;
};

}  // namespace qheat
