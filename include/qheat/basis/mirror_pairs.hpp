#pragma once

#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// Pairs of states that a symmetry R of order two exchanges, and the states that it leaves alone.
///
/// A matrix A that commutes with R falls into two: with representatives a, b (one of each pair first, then
/// the fixed states f, g)
///     even_ab = A_ab + A_{Ra,b},  even_fb = sqrt2 A_fb,  even_af = sqrt2 A_af,  even_fg = A_fg,
///     odd_ab  = A_ab - A_{Ra,b}   (pairs only),
/// the elements between (|a> +- |Ra>)/sqrt2. Without a symmetry all states are fixed and `odd` is empty.
class MirrorPairs {
 public:
  /// No symmetry: every one of `states` stays where it is.
  explicit MirrorPairs(Index states);
  /// R reverses the order of the sites.
  static MirrorPairs site_reversal(const Sector& sector);

  Index states() const { return static_cast<Index>(place_.size()); }
  Index even_size() const { return static_cast<Index>(representatives_.size()); }
  Index odd_size() const { return pairs_; }
  /// The k-th representative and R of it; k < odd_size(): a pair.
  Index representative(Index k) const { return at(representatives_, k); }
  Index partner(Index k) const { return at(partners_, k); }
  bool is_pair(Index k) const { return k < pairs_; }
  /// Number of the representative of a state.
  Index place(Index state) const { return at(place_, state); }

 private:
  MirrorPairs() = default;

  std::vector<Index> representatives_, partners_, place_;
  Index pairs_ = 0;
};

/// Contiguous equal shares of `size` columns; the last ranks may own fewer or none.
class ColumnShare {
 public:
  ColumnShare(Index size, int ranks);

  Index size() const { return size_; }
  Index block() const { return block_; }
  Index first(int rank) const;
  Index count(int rank) const { return first(rank + 1) - first(rank); }
  /// The first columns of all shares, up to `size`.
  ColumnShare truncated(Index size) const {
    ColumnShare result = *this;
    result.size_ = size;
    return result;
  }
  int owner(Index column) const { return static_cast<int>(column / block_); }

 private:
  Index size_, block_;
};

}  // namespace qheat
