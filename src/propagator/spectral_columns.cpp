#include "propagator/spectral_columns.hpp"

#include <algorithm>
#include <cmath>

#include "parallel/scalapack.hpp"
#include "propagator/column_tile.hpp"
#include "qheat/parallel/index.hpp"

extern "C" {
void dgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n, const int* k,
            const double* alpha, const double* a, const int* lda, const double* b, const int* ldb,
            const double* beta, double* c, const int* ldc);
void zgemm_(const char* transposed_a, const char* transposed_b, const int* m, const int* n, const int* k,
            const qheat::Complex* alpha, const qheat::Complex* a, const int* lda, const qheat::Complex* b,
            const int* ldb, const qheat::Complex* beta, qheat::Complex* c, const int* ldc);
}

namespace qheat {
namespace {

using scalapack::Matrix;
using scalapack::ProcessGrid;

/// c = a^T b, without conjugation.
template <class T>
void multiply_transposed(ColumnBlock<const T> a, ColumnBlock<const T> b, T* c, Index c_stride) {
  const auto size = [](Index n) { return scalapack::to_int(n, "a dense matrix of one rank"); };
  const int m = size(a.columns());
  const int n = size(b.columns());
  const int k = size(a.rows());
  if (m == 0 || n == 0) return;
  const int lda = std::max(1, size(a.stride()));
  const int ldb = std::max(1, size(b.stride()));
  const int ldc = std::max(1, size(c_stride));
  const T one = 1.0;
  const T zero = 0.0;
  if constexpr (std::is_same_v<T, double>) {
    dgemm_("T", "N", &m, &n, &k, &one, a.data(), &lda, b.data(), &ldb, &zero, c, &ldc);
  } else {
    zgemm_("T", "N", &m, &n, &k, &one, a.data(), &lda, b.data(), &ldb, &zero, c, &ldc);
  }
}

template <class T>
Matrix<T> dense(const ProcessGrid& grid, const SparseRows<T>& rows) {
  Matrix<T> matrix(grid, rows.size(), rows.size());
  const auto& columns = matrix.column_rule();
  for (Index i = 0; i < matrix.local_rows(); ++i) {
    const auto row = as_size(matrix.row_rule().global(i, grid.row()));
    for (std::size_t e = rows.begin[row]; e < rows.begin[row + 1]; ++e) {
      if (columns.owner(rows.columns[e]) != grid.column()) continue;
      matrix.column(columns.count_below(rows.columns[e], grid.column()))[i] += rows.values[e];
    }
  }
  return matrix;
}

/// rows - shift, by one more element a row.
template <class T>
SparseRows<T> shifted(const SparseRows<T>& rows, double shift) {
  SparseRows<T> result;
  for (Index row = 0; row < rows.size(); ++row) {
    const auto r = as_size(row);
    const auto first = static_cast<std::ptrdiff_t>(rows.begin[r]);
    const auto last = static_cast<std::ptrdiff_t>(rows.begin[r + 1]);
    result.columns.insert(result.columns.end(), rows.columns.begin() + first, rows.columns.begin() + last);
    result.values.insert(result.values.end(), rows.values.begin() + first, rows.values.begin() + last);
    result.columns.push_back(row);
    result.values.push_back(-shift);
    result.begin.push_back(result.values.size());
  }
  return result;
}

/// Elements above the diagonal of a square to those below it.
void mirror_upper_triangle(double* square, Index size, Index stride) {
  constexpr Index kSide = 32;  // of the pieces that are turned: both fit into the first cache
  for (Index first = 0; first < size; first += kSide) {
    for (Index top = 0; top <= first; top += kSide) {
      for (Index i = top; i < std::min(top + kSide, size); ++i) {
        for (Index j = std::max(first, i + 1); j < std::min(first + kSide, size); ++j) {
          square[j + i * stride] = square[i + j * stride];
        }
      }
    }
  }
}

/// (-iE)^k e^{-iEt} for all energies.
std::vector<Complex> spectral_factors(std::span<const double> energies, double t, int derivative) {
  std::vector<Complex> factors;
  for (const double energy : energies) {
    factors.push_back(std::polar(1.0, -energy * t));
    for (int k = 0; k < derivative; ++k) factors.back() *= Complex(0.0, -energy);
  }
  return factors;
}

}  // namespace

template <class T>
SpectralColumns<T>::SpectralColumns(const SparseRows<T>& hamiltonian, double shift, const ColumnShare& share,
                                    const Communicator& comm)
    : comm_(comm),
      share_(share.truncated(hamiltonian.size())),
      size_(hamiltonian.size()),
      local_columns_(share_.count(comm.rank())) {
  if (size_ == 0) return;
  hamiltonian_ = shifted(hamiltonian, shift);
  const ProcessGrid grid(comm, size_);
  Matrix<T> vectors(grid, size_, size_);
  {
    Matrix<T> h = dense(grid, hamiltonian_);
    energies_ = scalapack::diagonalize(grid, h, vectors);
  }
  const Matrix<T> turned = scalapack::transposed(grid, vectors);
  const ProcessGrid all = ProcessGrid::one_row(comm);
  Matrix<T> columns(all, size_, size_, share_.block());
  scalapack::redistribute(all, turned, columns);
  eigenvectors_.assign(columns.values().begin(), columns.values().end());
}

template <class T>
double SpectralColumns<T>::radius() const {
  double radius = 0.0;
  for (const double e : energies_) radius = std::max(radius, std::abs(e));
  return radius;
}

template <class T>
std::vector<Amplitudes> SpectralColumns<T>::evolve(double t, int derivatives) const {
  // A sparse product costs about as much as so many times fewer multiplications of dense matrices.
  constexpr Index kSparsePenalty = 60;
  const bool sparse = hamiltonian_.stored() * kSparsePenalty < size_ * size_;
  std::vector<Amplitudes> result;
  for (int k = 0; k <= derivatives; ++k) {
    const bool multiply_hamiltonian = sparse && k > 0;
    result.push_back(multiply_hamiltonian ? next_derivative(result.back()) : evolve_by_spectrum(t, k));
  }
  return result;
}

template <class T>
Amplitudes SpectralColumns<T>::next_derivative(const Amplitudes& previous) const {
  Amplitudes next(size_, local_columns_);
  ColumnTile x(size_);
  ColumnTile y(size_);
  for (Index first = 0; first < local_columns_; first += ColumnTile::kColumns) {
    x.load(previous, first);
    for (std::size_t row = 0; row < y.size(); ++row) {
      ColumnTile::Row sum{};
      ColumnTile::add_product(hamiltonian_, row, x, sum);
      ColumnTile::set_minus_i_times(1.0, sum, y[row]);
    }
    y.store(next, first);
  }
  return next;
}

template <>
Amplitudes SpectralColumns<double>::evolve_by_spectrum(double t, int derivative) const {
  Amplitudes result(size_, local_columns_);
  ColumnStorage<double> cosines(size_, local_columns_);
  ColumnStorage<double> sines(size_, local_columns_);
  const auto factors = spectral_factors(energies_, t, derivative);
  for (Index j = 0; j < local_columns_; ++j) {
    const double* components = eigenvectors_.data() + j * size_;
    double* real = cosines.block().column(j);
    double* imaginary = sines.block().column(j);
    for (std::size_t k = 0; k < factors.size(); ++k) {
      real[k] = factors[k].real() * components[k];
      imaginary[k] = factors[k].imag() * components[k];
    }
  }
  multiply_eigenvectors({{cosines.block(), result.real.block()}, {sines.block(), result.imaginary.block()}});
  return result;
}

template <>
Amplitudes SpectralColumns<Complex>::evolve_by_spectrum(double t, int derivative) const {
  Amplitudes result(size_, local_columns_);
  ColumnStorage<Complex> coefficients(size_, local_columns_);
  ColumnStorage<Complex> product(size_, local_columns_);
  const auto factors = spectral_factors(energies_, t, derivative);
  for (Index j = 0; j < local_columns_; ++j) {
    const Complex* components = eigenvectors_.data() + j * size_;
    std::transform(factors.begin(), factors.end(), components, coefficients.block().column(j),
                   [](Complex factor, Complex component) { return factor * std::conj(component); });
  }
  multiply_eigenvectors({{coefficients.block(), product.block()}});
  for (Index j = 0; j < local_columns_; ++j) {
    const Complex* from = product.block().column(j);
    std::transform(from, from + size_, result.real.block().column(j), [](Complex u) { return u.real(); });
    std::transform(from, from + size_, result.imaginary.block().column(j),
                   [](Complex u) { return u.imag(); });
  }
  return result;
}

/// result = V coefficients for all products. The rows of V go around among the ranks, a panel at a time and
/// once for all products. Those of a symmetric H are symmetric: of the square on this rank's own rows only
/// the upper triangle is multiplied.
template <class T>
void SpectralColumns<T>::multiply_eigenvectors(std::initializer_list<Product> products) const {
  constexpr Index kPanel = 128;
  constexpr bool kSymmetric = std::is_same_v<T, double>;
  std::vector<T> buffer;
  for (int owner = 0; owner < comm_.size(); ++owner) {
    for (Index first = 0; first < share_.count(owner); first += kPanel) {
      const Index columns = std::min(kPanel, share_.count(owner) - first);
      const T* panel = eigenvectors_.data() + first * size_;
      if (comm_.size() > 1) {
        buffer.resize(as_size(size_ * columns));
        if (owner == comm_.rank()) std::copy_n(panel, buffer.size(), buffer.data());
        comm_.broadcast(
            std::span(reinterpret_cast<double*>(buffer.data()), buffer.size() * sizeof(T) / sizeof(double)),
            owner);
        panel = buffer.data();
      }
      const Index start = kSymmetric && owner == comm_.rank() ? first : 0;
      for (const auto& [coefficients, result] : products) {
        multiply_transposed(ColumnBlock<const T>(panel, size_, columns, size_),
                            coefficients.some_columns(start, local_columns_ - start),
                            result.column(start) + share_.first(owner) + first, result.stride());
      }
    }
  }
  if constexpr (kSymmetric) {
    for (const auto& [coefficients, result] : products) {
      mirror_upper_triangle(result.data() + share_.first(comm_.rank()), local_columns_, result.stride());
    }
  }
}

template class SpectralColumns<double>;
template class SpectralColumns<Complex>;

}  // namespace qheat
