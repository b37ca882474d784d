#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// The configurations of one sector's cells in as few 64-bit words as hold them, so that an exclusive or
/// tells on which sites two cells differ.
class PackedCells {
 public:
  explicit PackedCells(const Sector& cells);

  Index count() const { return count_; }
  Level band(Index cell, int site) const {
    const Place place = place_of(site);
    return static_cast<Level>(words_[place.word * stride() + as_size(cell)] >> place.shift & band_mask_);
  }
  /// Number of sites on which each cell differs from `cell`. `distances`: [count()].
  void distances(Index cell, std::span<double> distances) const;
  /// The first sites on which two cells differ; as many as `sites` has.
  void differing_sites(Index a, Index b, std::span<int> sites) const;

 private:
  struct Place {
    std::size_t word;
    int shift;
  };

  std::size_t stride() const { return as_size(count_); }
  Place place_of(int site) const { return {as_size(site / sites_a_word_), site % sites_a_word_ * bits_}; }
  /// One bit, the lowest, for each site whose bits are not all zero.
  std::uint64_t sites_in(std::uint64_t difference) const {
    std::uint64_t folded = difference;
    for (int bit = 1; bit < bits_; ++bit) folded |= difference >> bit;
    return folded & lowest_bits_;
  }

  Index count_;
  int bits_;  ///< of a site
  int sites_a_word_;
  std::uint64_t band_mask_;
  std::uint64_t lowest_bits_ = 0;
  std::vector<std::uint64_t> words_;  ///< [words][count]
};

}  // namespace qheat
