#pragma once

#include <span>
#include <vector>

#include "qheat/basis/block_layout.hpp"
#include "qheat/basis/half_space.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// States with given numbers of sites in each band, or the full space; numbered by a formula. Or pairs of
/// states, which number the elements of a density matrix.
///
/// The lattice is cut into a prefix (sites 0 .. h-1, h = N/2) and a suffix (the rest): the two halves of a
/// BlockLayout, with one block a class of prefix configurations.
class Sector {
 public:
  using Block = BlockLayout::Block;

  /// `label_of_level`: which conserved count each level adds to; `counts`: sites with each label, summing to
  /// `sites`.
  Sector(int sites, const std::vector<Level>& label_of_level, const std::vector<int>& counts);
  /// All M^N states.
  static Sector full(int sites, int levels);
  /// Sites with each label in the ket and in the bra.
  struct CountPair {
    std::vector<int> ket, bra;
  };
  /// The elements <ket|rho|bra> of a density matrix: each pair of counts is a block of kets x bras. As states
  /// of a lattice of twice the sites, the prefix is the ket, the suffix the bra; a row is one ket. No ket
  /// counts may come twice.
  static Sector pairs(int sites, const std::vector<Level>& label_of_level,
                      const std::vector<CountPair>& blocks);

  int sites() const { return prefix_.sites() + suffix_.sites(); }
  int levels() const { return prefix_.levels(); }
  /// Block k holds the rows of prefix class k.
  const BlockLayout& layout() const { return layout_; }
  Index dimension() const { return layout_.dimension(); }
  Index rows() const { return layout_.rows(); }
  const HalfSpace& prefix() const { return prefix_; }
  const HalfSpace& suffix() const { return suffix_; }
  const std::vector<Block>& blocks() const { return layout_.blocks(); }
  int block_of_row(Index row) const { return layout_.block_of_row(row); }
  Index first_state(Index row) const { return layout_.first_state(row); }
  /// Block of prefix class `prefix_class`.
  const Block& block_of_class(int prefix_class) const { return at(blocks(), prefix_class); }

  /// Number of a configuration of all sites, -1 if it lies outside the sector.
  Index index(std::span<const Level> levels) const;
  /// Configuration of a state.
  void configuration(Index state, std::span<Level> levels) const;

 private:
  Sector(HalfSpace prefix, HalfSpace suffix) : prefix_(std::move(prefix)), suffix_(std::move(suffix)) {}
  /// The block of the next prefix class, with the suffix class of these counts.
  void add_block(const HalfSpace::Class& prefix_class, const std::vector<int>& suffix_counts);

  HalfSpace prefix_;
  HalfSpace suffix_;
  BlockLayout layout_;
};

/// Number of states of a sector without building it.
Index sector_dimension(const std::vector<Level>& label_of_level, const std::vector<int>& counts);

/// A sector laid out over the ranks of a communicator.
class DistributedSector : public DistributedBlocks {
 public:
  DistributedSector(Sector sector, const Communicator& comm)
      : DistributedBlocks(sector.layout(), comm), sector_(std::move(sector)) {}

  const Sector& sector() const { return sector_; }

 private:
  Sector sector_;
};

}  // namespace qheat
