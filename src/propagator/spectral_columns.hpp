#pragma once

#include <initializer_list>
#include <vector>

#include "propagator/cell_assembly.hpp"
#include "qheat/parallel/column_block.hpp"
#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// Columns of e^{-iHt} and of its time derivatives, from all eigenvectors of a dense Hermitian H; T is double
/// for a symmetric H, which costs a quarter. A pure function of t. The columns are shared out over the ranks,
/// and so are the eigenvectors.
template <class T>
class SpectralColumns {
 public:
  /// Diagonalises. Collective. `shift`: s, an energy amid the spectrum. `share`: of the columns; cut off at
  /// the size of H.
  SpectralColumns(const SparseRows<T>& hamiltonian, double shift, const ColumnShare& share,
                  const Communicator& comm);

  Index size() const { return size_; }
  Index local_columns() const { return local_columns_; }
  /// d^k/dt^k e^{-i(H-s)t}, k = 0 .. derivatives, for this rank's columns, [k]. Collective.
  std::vector<Amplitudes> evolve(double t, int derivatives) const;
  /// Largest |E - s|, energy.
  double radius() const;

 private:
  Amplitudes evolve_by_spectrum(double t, int derivative) const;
  Amplitudes next_derivative(const Amplitudes& previous) const;
  struct Product {
    ColumnBlock<const T> coefficients;
    ColumnBlock<T> result;
  };
  void multiply_eigenvectors(std::initializer_list<Product> products) const;

  Communicator comm_;
  ColumnShare share_;
  Index size_, local_columns_;
  SparseRows<T> hamiltonian_;     ///< H - s
  std::vector<double> energies_;  ///< E - s
  std::vector<T> eigenvectors_;   ///< <state j|eigenvector k>, [local columns j][size k]
};

template <>
Amplitudes SpectralColumns<double>::evolve_by_spectrum(double t, int derivative) const;
template <>
Amplitudes SpectralColumns<Complex>::evolve_by_spectrum(double t, int derivative) const;
extern template class SpectralColumns<double>;
extern template class SpectralColumns<Complex>;

}  // namespace qheat
