#pragma once

#include <memory>
#include <span>

#include "qheat/basis/sector.hpp"
#include "qheat/operators/local_terms.hpp"
#include "qheat/parallel/column_block.hpp"

namespace qheat {

class Diagonalized;

/// All eigenvalues and eigenvectors of a Hermitian operator, H = V diag(E) V^dagger; dense matrices
/// distributed over the ranks. A real H is diagonalised as a real matrix (ScaLAPACK), a complex one by SLEPc.
class Spectrum {
 public:
  /// Diagonalises. Collective. Throws Error if the solver fails or the matrix does not fit.
  Spectrum(std::shared_ptr<const DistributedSector> space, const TermSum<Complex>& hamiltonian);
  ~Spectrum();
  Spectrum(const Spectrum&) = delete;
  Spectrum& operator=(const Spectrum&) = delete;

  /// Number of coefficients that this rank holds; all of them together are the dimension, for a complex H
  /// padded with zeros.
  Index local_coefficients() const;
  /// Their eigenvalues, ascending over all ranks.
  std::span<const double> local_energies() const;
  /// coefficients = V^dagger x; `coefficients` has local_coefficients() rows.
  void coefficients(ColumnBlock<const Complex> x, ColumnBlock<Complex> coefficients) const;
  /// x = V e^{-iEt} coefficients.
  void state(double t, ColumnBlock<const Complex> coefficients, ColumnBlock<Complex> x) const;

  /// Bytes a rank needs at most while a matrix of this dimension, real or complex, is diagonalised and used
  /// on `ranks` ranks.
  static double bytes_per_rank(Index dimension, bool real, int ranks);

 private:
  std::unique_ptr<const Diagonalized> diagonalized_;
};

}  // namespace qheat
