#include "operators/dephasing.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "operators/block_kernels.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr int kMostSites = 255;  // differences are counted in 8 bits
constexpr int kWordBits = 64;

/// Levels of each configuration, `bits` a site, as many sites in a word as fit.
std::vector<std::uint64_t> packed(const HalfSpace& half, int bits, std::size_t words) {
  const int sites_a_word = kWordBits / bits;
  std::vector<std::uint64_t> result(as_size(half.size()) * words, 0);
  for (Index number = 0; number < half.size(); ++number) {
    const auto levels = half.configuration(number);
    std::uint64_t* word = result.data() + as_size(number) * words;
    for (int i = 0; i < half.sites(); ++i)
      word[i / sites_a_word] |= std::uint64_t{at(levels, i)} << (i % sites_a_word * bits);
  }
  return result;
}

}  // namespace

DephasingDiagonal::DephasingDiagonal(const Sector& pairs, double dephasing)
    : pairs_(pairs), dephasing_(dephasing), bits_(std::bit_width(static_cast<unsigned>(pairs.levels() - 1))) {
  const int sites = pairs.prefix().sites();
  if (sites > kMostSites)
    throw Error("dephasing of a density matrix of more than 255 sites; take fewer sites");
  const int sites_a_word = kWordBits / bits_;
  words_ = as_size((sites + sites_a_word - 1) / sites_a_word);
  for (int i = 0; i < sites_a_word; ++i) lowest_bits_ |= std::uint64_t{1} << (i * bits_);
  kets_ = packed(pairs.prefix(), bits_, words_);
  bras_ = packed(pairs.suffix(), bits_, words_);
}

void DephasingDiagonal::count_differences(const std::uint64_t* ket, Index first_bra, Index length,
                                          std::uint8_t* counts) const {
  const std::uint64_t* bra = bras_.data() + as_size(first_bra) * words_;
  if (bits_ == 1 && words_ == 1) {
    for (Index j = 0; j < length; ++j) counts[j] = static_cast<std::uint8_t>(std::popcount(*ket ^ bra[j]));
    return;
  }
  for (Index j = 0; j < length; ++j, bra += words_) {
    int count = 0;
    for (std::size_t w = 0; w < words_; ++w) {
      const std::uint64_t different = ket[w] ^ bra[w];
      std::uint64_t any = different;
      for (int bit = 1; bit < bits_; ++bit) any |= different >> bit;
      count += std::popcount(any & lowest_bits_);
    }
    counts[j] = static_cast<std::uint8_t>(count);
  }
}

template <class V>
void DephasingDiagonal::add_row(Index row, double scale, const V* x, V* y) const {
  const auto& block = at(pairs_.blocks(), pairs_.block_of_row(row));
  if (block.row_length == 0) return;
  const Index first = at(pairs_.suffix().classes(), block.suffix_class).first;
  std::array<double, kMostSites + 1> rates;
  for (int k = 0; k <= pairs_.prefix().sites(); ++k) at(rates, k) = -scale * dephasing_ * k;
  constexpr Index kPiece = 512;
  std::array<std::uint8_t, kPiece> counts;
  for (Index piece = 0; piece < block.row_length; piece += kPiece) {
    const Index length = std::min(kPiece, block.row_length - piece);
    count_differences(kets_.data() + as_size(row) * words_, first + piece, length, counts.data());
    for (Index j = 0; j < length; ++j) {
      kernels::Unit<V> own;
      kernels::Unit<V> sum;
      kernels::load(x + piece + j, own);
      kernels::load(y + piece + j, sum);
      sum += rates[at(counts, j)] * own;
      kernels::store(sum, y + piece + j);
    }
  }
}

void DephasingDiagonal::add(Index row, double scale, const Complex* x, Complex* y) const {
  add_row(row, scale, x, y);
}

void DephasingDiagonal::add(Index row, double scale, const double* x, double* y) const {
  add_row(row, scale, x, y);
}

Index DephasingDiagonal::bytes() const {
  return static_cast<Index>((kets_.size() + bras_.size()) * sizeof(std::uint64_t));
}

}  // namespace qheat
