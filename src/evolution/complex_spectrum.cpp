// Hermitian matrices by SLEPc: LAPACK on one rank, ScaLAPACK on several.

#include <fmt/format.h>
#include <slepceps.h>
#undef I

#include <algorithm>
#include <cmath>
#include <vector>

#include "evolution/diagonalized.hpp"
#include "operators/matrix_elements.hpp"
#include "parallel/petsc.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

using Solver = petsc::Handle<EPS, EPSDestroy>;

/// Rows of the dense matrices on the ranks: ScaLAPACK wants the same number on each, so the matrix is padded
/// with decoupled rows whose eigenvalues lie above all others.
struct PaddedLayout {
  explicit PaddedLayout(const DistributedSector& space)
      : dimension(space.dimension()),
        local((dimension + space.comm().size() - 1) / space.comm().size()),
        global(local * space.comm().size()),
        first(local * space.comm().rank()),
        ranks(space.comm().size()) {
    petsc::to_int(global, "the dimension of the matrix");
  }
  /// Blocks of columns are padded for the same reason.
  Index padded_columns(Index columns) const { return (columns + ranks - 1) / ranks * ranks; }
  ColumnStorage<Complex> storage(Index columns) const { return {local, padded_columns(columns)}; }

  Index dimension, local, global, first, ranks;
};

/// Moves contiguous parts of a distributed vector from one partition to another; parts are given by their
/// starts.
void redistribute(const Communicator& comm, std::span<const Index> from_starts,
                  std::span<const Index> to_starts, ColumnBlock<const Complex> from,
                  ColumnBlock<Complex> to) {
  const auto ranks = as_size(comm.size());
  const auto me = as_size(comm.rank());
  const auto overlaps = [&](std::span<const Index> mine, std::span<const Index> theirs,
                            std::vector<int>& counts, std::vector<int>& offsets) {
    for (std::size_t r = 0; r < ranks; ++r) {
      const Index begin = std::max(mine[me], theirs[r]);
      const Index end = std::min(mine[me + 1], theirs[r + 1]);
      counts.push_back(static_cast<int>(std::max<Index>(0, end - begin)));
      offsets.push_back(end > begin ? static_cast<int>(begin - mine[me]) : 0);
    }
  };
  std::vector<int> send_counts, send_offsets, receive_counts, receive_offsets;
  overlaps(from_starts, to_starts, send_counts, send_offsets);
  overlaps(to_starts, from_starts, receive_counts, receive_offsets);
  for (Index k = 0; k < from.columns(); ++k) {
    MPI_Alltoallv(from.column(k), send_counts.data(), send_offsets.data(), MPI_C_DOUBLE_COMPLEX, to.column(k),
                  receive_counts.data(), receive_offsets.data(), MPI_C_DOUBLE_COMPLEX, comm.get());
  }
}

/// A view of this rank's rows of a padded block of columns as a PETSc matrix.
petsc::Matrix view(const Communicator& comm, const PaddedLayout& layout, ColumnBlock<const Complex> block) {
  petsc::Matrix matrix;
  const PetscInt columns = petsc::to_int(block.columns(), "the number of columns");
  QHEAT_PETSC(MatCreateDense(comm.get(), static_cast<PetscInt>(layout.local), columns / comm.size(),
                             static_cast<PetscInt>(layout.global), columns,
                             const_cast<Complex*>(block.data()),
                             matrix.out()));  // PETSc does not write to it
  QHEAT_PETSC(MatAssemblyBegin(matrix.get(), MAT_FINAL_ASSEMBLY));
  QHEAT_PETSC(MatAssemblyEnd(matrix.get(), MAT_FINAL_ASSEMBLY));
  return matrix;
}

petsc::Matrix converted(Mat matrix, MatType type) {
  petsc::Matrix result;
  QHEAT_PETSC(MatConvert(matrix, type, MAT_INITIAL_MATRIX, result.out()));
  return result;
}

/// The operator's rows of the padded layout. Any rank can work out any row.
petsc::Matrix dense_matrix(const DistributedSector& space, const PaddedLayout& layout,
                           const TermSum<Complex>& terms) {
  petsc::Matrix matrix;
  const auto local = static_cast<PetscInt>(layout.local);
  const auto global = static_cast<PetscInt>(layout.global);
  QHEAT_PETSC(MatCreateDense(space.comm().get(), local, local, global, global, nullptr, matrix.out()));
  PetscScalar* values = nullptr;
  QHEAT_PETSC(MatDenseGetArrayWrite(matrix.get(), &values));
  std::fill_n(values, layout.local * layout.global, Complex{});
  double largest = 0.0;
  const Index last = std::min(layout.first + layout.local, layout.dimension);
  for (Index row = layout.first; row < last; ++row) {
    double row_sum = 0.0;
    visit_row(space.sector(), terms, row, [&](Index column, Complex value) {
      values[row - layout.first + column * layout.local] += value;
      row_sum += std::abs(value);
    });
    largest = std::max(largest, row_sum);
  }
  const double above_all = 2.0 * space.comm().max(largest) + 1.0;  // Gershgorin
  for (Index row = std::max(layout.first, layout.dimension); row < layout.first + layout.local; ++row) {
    values[row - layout.first + row * layout.local] = above_all;
  }
  QHEAT_PETSC(MatDenseRestoreArrayWrite(matrix.get(), &values));
  QHEAT_PETSC(MatAssemblyBegin(matrix.get(), MAT_FINAL_ASSEMBLY));
  QHEAT_PETSC(MatAssemblyEnd(matrix.get(), MAT_FINAL_ASSEMBLY));
  return matrix;
}

class ComplexDiagonalized final : public Diagonalized {
 public:
  ComplexDiagonalized(std::shared_ptr<const DistributedSector> space, const TermSum<Complex>& terms)
      : space_(std::move(space)), layout_(*space_), distributed_(space_->comm().size() > 1) {
    for (int r = 0; r <= space_->comm().size(); ++r) {
      sector_starts_.push_back(space_->partition().first_state(r));
      padded_starts_.push_back(std::min(layout_.local * r, layout_.dimension));
    }
    diagonalize(terms);
  }

  std::span<const double> local_energies() const override { return energies_; }

  void coefficients(ColumnBlock<const Complex> x, ColumnBlock<Complex> coefficients) const override {
    petsc::Matrix adjoint;
    QHEAT_PETSC(MatTranspose(vectors_.get(), MAT_INITIAL_MATRIX, adjoint.out()));
    QHEAT_PETSC(MatConjugate(adjoint.get()));
    ColumnStorage<Complex> padded = layout_.storage(x.columns());
    redistribute(space_->comm(), sector_starts_, padded_starts_, x,
                 padded.block().some_columns(0, x.columns()));
    multiply(adjoint.get(), padded.block(), coefficients);
  }

  void state(double t, ColumnBlock<const Complex> coefficients, ColumnBlock<Complex> x) const override {
    ColumnStorage<Complex> turned = layout_.storage(coefficients.columns());
    turn_phases(t, energies_, coefficients, turned.block());
    ColumnStorage<Complex> padded = layout_.storage(x.columns());
    multiply(vectors_.get(), turned.block(), padded.block());
    redistribute(space_->comm(), padded_starts_, sector_starts_, padded.block().some_columns(0, x.columns()),
                 x);
  }

 private:
  void diagonalize(const TermSum<Complex>& terms) {
    petsc::Matrix h = dense_matrix(*space_, layout_, terms);
    if (distributed_) h = converted(h.get(), MATSCALAPACK);
    const auto n = static_cast<PetscInt>(layout_.global);

    Solver solver;
    QHEAT_PETSC(EPSCreate(space_->comm().get(), solver.out()));
    QHEAT_PETSC(EPSSetOperators(solver.get(), h.get(), nullptr));
    QHEAT_PETSC(EPSSetProblemType(solver.get(), EPS_HEP));
    QHEAT_PETSC(EPSSetType(solver.get(), distributed_ ? EPSSCALAPACK : EPSLAPACK));
    QHEAT_PETSC(EPSSetDimensions(solver.get(), n, petsc::kOwnChoice, petsc::kOwnChoice));
    QHEAT_PETSC(EPSSetWhichEigenpairs(solver.get(), EPS_SMALLEST_REAL));
    QHEAT_PETSC(EPSSolve(solver.get()));
    PetscInt converged = 0;
    QHEAT_PETSC(EPSGetConverged(solver.get(), &converged));
    if (converged < n) throw Error(fmt::format("the eigensolver found {} of {} eigenvalues", converged, n));

    for (Index k = layout_.first; k < layout_.first + layout_.local; ++k) {
      PetscScalar energy = 0.0;
      QHEAT_PETSC(EPSGetEigenvalue(solver.get(), static_cast<PetscInt>(k), &energy, nullptr));
      energies_.push_back(PetscRealPart(energy));
    }
    BV basis = nullptr;
    QHEAT_PETSC(EPSGetBV(solver.get(), &basis));
    QHEAT_PETSC(BVSetActiveColumns(basis, 0, n));
    petsc::Matrix vectors;
    QHEAT_PETSC(BVCreateMat(basis, vectors.out()));
    vectors_ = distributed_ ? converted(vectors.get(), MATSCALAPACK) : std::move(vectors);
  }

  /// result = left * block in the padded layout, both ways of holding matrices alike.
  void multiply(Mat left, ColumnBlock<const Complex> block, ColumnBlock<Complex> result) const {
    petsc::Matrix right = view(space_->comm(), layout_, block);
    if (distributed_) right = converted(right.get(), MATSCALAPACK);
    petsc::Matrix product;
    QHEAT_PETSC(MatMatMult(left, right.get(), MAT_INITIAL_MATRIX, petsc::kOwnChoice, product.out()));
    if (distributed_) product = converted(product.get(), MATDENSE);
    const PetscScalar* values = nullptr;
    PetscInt stride = 0;
    QHEAT_PETSC(MatDenseGetArrayRead(product.get(), &values));
    QHEAT_PETSC(MatDenseGetLDA(product.get(), &stride));
    for (Index k = 0; k < result.columns(); ++k)
      std::copy_n(values + k * stride, result.rows(), result.column(k));
    QHEAT_PETSC(MatDenseRestoreArrayRead(product.get(), &values));
  }

  std::shared_ptr<const DistributedSector> space_;
  PaddedLayout layout_;
  bool distributed_;
  std::vector<Index> sector_starts_, padded_starts_;
  petsc::Matrix vectors_;  ///< V: dense on one rank, ScaLAPACK on several
  std::vector<double> energies_;
};

}  // namespace

std::unique_ptr<const Diagonalized> diagonalize_complex(std::shared_ptr<const DistributedSector> space,
                                                        const TermSum<Complex>& terms) {
  return std::make_unique<ComplexDiagonalized>(std::move(space), terms);
}

}  // namespace qheat
