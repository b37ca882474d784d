#pragma once

#include <memory>
#include <span>
#include <vector>

#include "parallel/petsc.hpp"
#include "qheat/basis/sector.hpp"
#include "qheat/model/model.hpp"

namespace qheat {

/// The inverse, on Hermitian matrices, of what is left of L - rate |mixed><1| if coherences do not join each
/// other: each decays and turns by itself, and follows the two populations that H joins it to. Eliminating
/// the coherences leaves a rate equation for the populations, TCL2's at long times with the reservoirs'
/// jumps. Good where dephasing is strong, and in any case for the slow motion of populations.
///
/// Vectors over the kets are distributed like the rows of rho, one of them is gathered; tables take 32 bytes
/// an off-diagonal element of H and 16 an element of rho.
class PopulationInverse {
 public:
  /// On blocks with the same counts in ket and bra (density_space). `diagonal`: of L, this rank's elements,
  /// not 0 but for populations. Collective.
  PopulationInverse(const Model& model, std::shared_ptr<const DistributedSector> pairs,
                    std::vector<Complex> diagonal, double rate);
  ~PopulationInverse();

  /// y = inverse of a Hermitian x; they do not overlap. Collective.
  void apply(std::span<const Complex> x, std::span<Complex> y) const;

 private:
  /// A coherence between a ket of this rank and another that H joins it to.
  struct Link {
    Index place;      ///< of the element among this rank's
    Index other;      ///< row of the other ket
    Complex element;  ///< <ket|H|other>
  };
  class Reduced;

  std::span<const Link> links_of(std::size_t ket) const;

  std::shared_ptr<const DistributedSector> space_;
  std::vector<Complex> inverse_diagonal_;
  std::vector<Index> populations_;  ///< place of each local ket's diagonal element
  std::vector<std::size_t> begin_;  ///< [local kets + 1]
  std::vector<Link> links_;
  std::unique_ptr<Reduced> reduced_;
};

}  // namespace qheat
