#pragma once

#include <memory>
#include <span>
#include <vector>

#include "qheat/basis/sector.hpp"
#include "qheat/model/model.hpp"

namespace qheat {

/// The inverse of rho -> -i[H, rho] - damping rho, in the basis of H's eigenvectors: the preconditioner of
/// steady states. What is left to an iteration is how the dissipators differ from an even damping. Each rank
/// holds the eigenvectors, together as large as rho, and diagonalises by itself; rho is transposed between
/// ranks twice an application.
class CoherentInverse {
 public:
  /// On blocks with the same counts in ket and bra (density_space). Collective.
  CoherentInverse(const Model& model, std::shared_ptr<const DistributedSector> pairs, double damping);

  /// y = inverse of x; they do not overlap. Collective.
  void apply(std::span<const Complex> x, std::span<Complex> y) const;
  /// Bytes on a rank for so many elements of rho on `ranks` ranks.
  static double bytes_per_rank(Index elements, int ranks);

 private:
  /// One block of rho, and the rows that each rank has of it.
  struct Block {
    Index size;
    std::vector<Index> begin;      ///< [ranks + 1] rows, from 0
    std::size_t first;             ///< place of this rank's first element
    std::vector<double> energies;  ///< [size]
    std::vector<Complex> vectors;  ///< [size][size], one eigenvector after the other
    Index local_rows(int rank) const {
      return begin[static_cast<std::size_t>(rank) + 1] - begin[static_cast<std::size_t>(rank)];
    }
  };
  void find_vectors(const Model& model, int number, Block& block) const;
  enum class Side { vectors, transposed_vectors };
  /// Rows times V (an eigenvector a column) or V^T, block by block.
  void multiply(Side side, std::span<const Complex> rows, std::span<Complex> products) const;
  /// Every block becomes its transpose.
  void transpose(std::span<const Complex> x, std::span<Complex> y) const;
  void divide(std::span<Complex> rows) const;

  std::shared_ptr<const DistributedSector> space_;
  double damping_;
  std::vector<Block> blocks_;
  mutable std::vector<Complex> work_, send_, product_;
};

}  // namespace qheat
