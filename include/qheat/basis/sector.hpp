#pragma once

#include <span>
#include <vector>

#include "qheat/basis/half_space.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// States with given numbers of sites in each band, or the full space; numbered by a formula.
///
/// The lattice is cut into a prefix (sites 0 .. h-1, h = N/2) and a suffix (the rest). A row is one prefix
/// configuration; its states are the suffix configurations that complete the sector, which depend on the
/// prefix only through its class. Rows of one class are consecutive and form a block, a dense rows x
/// row_length array:
///     state number = block.first_state + (row - block.first_row) * row_length + place of the suffix in its
///     class.
class Sector {
 public:
  struct Block {
    int prefix_class, suffix_class;
    Index first_row, rows, row_length, first_state;
  };

  /// `label_of_level`: which conserved count each level adds to; `counts`: sites with each label, summing to
  /// `sites`.
  Sector(int sites, const std::vector<Level>& label_of_level, const std::vector<int>& counts);
  /// All M^N states.
  static Sector full(int sites, int levels);

  int sites() const { return prefix_.sites() + suffix_.sites(); }
  int levels() const { return prefix_.levels(); }
  const std::vector<int>& counts() const { return counts_; }
  Index dimension() const { return dimension_; }
  Index rows() const { return prefix_.size(); }
  const HalfSpace& prefix() const { return prefix_; }
  const HalfSpace& suffix() const { return suffix_; }
  const std::vector<Block>& blocks() const { return blocks_; }
  /// Block that a row belongs to.
  int block_of_row(Index row) const;
  /// First state of a row; `row` may be rows(), then the dimension.
  Index first_state(Index row) const;
  /// Block of prefix class `prefix_class`.
  const Block& block_of_class(int prefix_class) const {
    return blocks_[static_cast<std::size_t>(prefix_class)];
  }

  /// Number of a configuration of all sites, -1 if it lies outside the sector.
  Index index(std::span<const Level> levels) const;
  /// Configuration of a state.
  void configuration(Index state, std::span<Level> levels) const;

 private:
  std::vector<int> counts_;
  HalfSpace prefix_;
  HalfSpace suffix_;
  std::vector<Block> blocks_;  ///< one a prefix class, in the order of the classes
  Index dimension_ = 0;
};

/// Number of states of a sector without building it.
Index sector_dimension(const std::vector<Level>& label_of_level, const std::vector<int>& counts);

/// Whole rows to ranks, contiguous, balanced by states. A rank may own nothing.
class Partition {
 public:
  Partition(const Sector& sector, int ranks);

  int ranks() const { return static_cast<int>(first_row_.size()) - 1; }
  Index first_row(int rank) const { return first_row_[static_cast<std::size_t>(rank)]; }
  Index first_state(int rank) const { return first_state_[static_cast<std::size_t>(rank)]; }
  Index rows(int rank) const { return first_row(rank + 1) - first_row(rank); }
  Index states(int rank) const { return first_state(rank + 1) - first_state(rank); }
  int owner_of_row(Index row) const;

 private:
  std::vector<Index> first_row_;    ///< [ranks + 1]
  std::vector<Index> first_state_;  ///< [ranks + 1]
};

/// A sector laid out over the ranks of a communicator.
class DistributedSector {
 public:
  DistributedSector(Sector sector, const Communicator& comm)
      : sector_(std::move(sector)), partition_(sector_, comm.size()), comm_(comm) {}

  const Sector& sector() const { return sector_; }
  const Partition& partition() const { return partition_; }
  const Communicator& comm() const { return comm_; }
  Index dimension() const { return sector_.dimension(); }
  Index local_size() const { return partition_.states(comm_.rank()); }
  Index first_state() const { return partition_.first_state(comm_.rank()); }
  Index first_row() const { return partition_.first_row(comm_.rank()); }
  Index local_rows() const { return partition_.rows(comm_.rank()); }

 private:
  Sector sector_;
  Partition partition_;
  Communicator comm_;
};

}  // namespace qheat
