#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/operators/block_engine.hpp"

namespace qheat {

/// -gamma times the number of sites on which ket and bra differ, from their levels written in a few bits a
/// site.
class DephasingDiagonal final : public RowDiagonal {
 public:
  /// `pairs` must outlive this object.
  DephasingDiagonal(const Sector& pairs, double dephasing);

  void add(Index row, double scale, const Complex* x, Complex* y) const override;
  void add(Index row, double scale, const double* x, double* y) const override;
  Index bytes() const override;

 private:
  template <class V>
  void add_row(Index row, double scale, const V* x, V* y) const;
  /// Sites on which a ket differs from `length` bras that follow each other.
  void count_differences(const std::uint64_t* ket, Index first_bra, Index length, std::uint8_t* counts) const;

  const Sector& pairs_;
  double dephasing_;
  int bits_;           ///< of one site
  std::size_t words_;  ///< of one configuration
  std::uint64_t lowest_bits_ = 0;
  std::vector<std::uint64_t> kets_, bras_;  ///< [words_] each
};

}  // namespace qheat
