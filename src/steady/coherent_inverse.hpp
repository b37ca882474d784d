#pragma once

#include <memory>
#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/model/model.hpp"

namespace qheat {

/// The inverse of rho -> -i[H, rho] - damping rho on Hermitian matrices, in the basis of H's eigenvectors: of
/// L only how the dissipators differ from an even damping is left out. Eigenvectors and products are spread
/// over the ranks by ScaLAPACK; eigenvectors take 8 bytes an element of rho (16 for a complex H).
class CoherentInverse {
 public:
  /// On blocks with the same counts in ket and bra (density_space); damping > 0. Collective.
  CoherentInverse(const Model& model, const DistributedSector& pairs, double damping);
  ~CoherentInverse();

  /// y = inverse of a Hermitian x, with a real H Hermitian to the last bit; they do not overlap. Collective.
  void apply(std::span<const Complex> x, std::span<Complex> y) const;
  /// x <- (x + x^+)/2 to the last bit, for an x that is Hermitian but for rounding. Collective.
  void make_hermitian(std::span<Complex> x) const;
  /// Bytes on a rank for so many elements of rho on `ranks` ranks.
  static double bytes_per_rank(Index elements, bool real, int ranks);

 private:
  class Block;
  template <class T>
  class BlockOf;

  std::vector<std::unique_ptr<Block>> blocks_;
};

}  // namespace qheat
