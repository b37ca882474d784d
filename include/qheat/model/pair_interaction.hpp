#pragma once

#include <cstdint>
#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// One matrix element <a b| V |c d>; a, c on the first site of a bond, b, d on the second.
struct PairElement {
  Level a, b, c, d;
  Complex value;
};

/// True for an element that exchanges two different levels.
inline bool is_swap(const PairElement& e) {
  return e.a != e.b && e.a == e.d && e.b == e.c;
}

/// One matrix element <a| U |b> on a site.
struct OnsiteElement {
  Level a, b;
  Complex value;
};

/// Hermitian interaction V of two sites as a sparse matrix (physics: section Model; Eq. 13 of Wu and Segal).
/// Exchange symmetry V_{ab,cd} = V_{ba,dc} is not assumed: bonds may be oriented.
class PairInteraction {
 public:
  /// Permutation of two levels: V_{ab,cd} = delta_ad delta_bc, `anisotropy` instead of 1 on a = b.
  static PairInteraction exchange(int levels, double anisotropy = 1.0);
  /// Exchange of different levels only (anisotropy 0).
  static PairInteraction xy(int levels) { return exchange(levels, 0.0); }
  /// From listed elements. Missing Hermitian partners, and unless `oriented` the site-exchanged ones, are
  /// filled in. Throws InputError (all problems) on levels out of range, elements listed twice, and elements
  /// that differ from their listed partner by more than 1e-12.
  static PairInteraction matrix(int levels, const std::vector<PairElement>& elements, bool oriented = false);
  /// Random coupling of level 0 and a band, the levels 1 ... levels - 1: <a 0| V |0 c> is complex Gaussian of
  /// mean square 1, independent for each bond, a and c, a pure function of (seed, bond, a, c); <0 c| V |a 0>
  /// its conjugate; all others 0. Oriented.
  static PairInteraction random_bands(int levels, std::uint64_t seed, int bond);

  int levels() const { return levels_; }
  /// Nonzero elements, ascending in (a, b, c, d), each once.
  const std::vector<PairElement>& elements() const { return elements_; }
  bool is_real() const;
  /// Every element keeps the unordered pair of bands: {band(a), band(b)} = {band(c), band(d)}.
  bool conserves(const std::vector<Level>& band_of_level) const;

 private:
  int levels_ = 0;
  std::vector<PairElement> elements_;
};

/// On-site term U, Hermitian partners filled in; the same checks as PairInteraction::matrix.
std::vector<OnsiteElement> hermitian_onsite(int levels, const std::vector<OnsiteElement>& elements);

}  // namespace qheat
