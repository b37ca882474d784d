#include "kernel/packed_cells.hpp"

#include <algorithm>
#include <bit>

#include "qheat/parallel/index.hpp"

namespace qheat {

PackedCells::PackedCells(const Sector& cells)
    : count_(cells.dimension()),
      bits_(std::max(1, static_cast<int>(std::bit_width(static_cast<unsigned>(cells.levels() - 1))))),
      sites_a_word_(64 / bits_),
      band_mask_((std::uint64_t{1} << bits_) - 1) {
  for (int site = 0; site < sites_a_word_; ++site) lowest_bits_ |= std::uint64_t{1} << site * bits_;
  const auto words = as_size((cells.sites() + sites_a_word_ - 1) / sites_a_word_);
  words_.resize(words * stride());
  std::vector<Level> bands(as_size(cells.sites()));
  for (Index cell = 0; cell < count_; ++cell) {
    cells.configuration(cell, bands);
    for (int site = 0; site < cells.sites(); ++site) {
      const Place place = place_of(site);
      words_[place.word * stride() + as_size(cell)] |= std::uint64_t{at(bands, site)} << place.shift;
    }
  }
}

void PackedCells::distances(Index cell, std::span<double> distances) const {
  std::fill(distances.begin(), distances.end(), 0.0);
  for (std::size_t first = 0; first < words_.size(); first += stride()) {
    const std::uint64_t here = words_[first + as_size(cell)];
    for (std::size_t n = 0; n < stride(); ++n) {
      distances[n] += std::popcount(sites_in(words_[first + n] ^ here));
    }
  }
}

void PackedCells::differing_sites(Index a, Index b, std::span<int> sites) const {
  std::size_t found = 0;
  int first_site = 0;
  for (std::size_t first = 0; first < words_.size(); first += stride()) {
    std::uint64_t differing = sites_in(words_[first + as_size(a)] ^ words_[first + as_size(b)]);
    for (; differing != 0 && found < sites.size(); differing &= differing - 1) {
      sites[found++] = first_site + std::countr_zero(differing) / bits_;
    }
    first_site += sites_a_word_;
  }
}

}  // namespace qheat
