#include "operators/assembled_operator.hpp"

#include <algorithm>
#include <vector>

#include "operators/matrix_elements.hpp"
#include "operators/shell_matrix.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// One row with equal columns added up, columns ascending.
class RowCollector {
 public:
  RowCollector(const Sector& sector, const TermSum<Complex>& terms) : sector_(sector), terms_(terms) {}

  void collect(Index state) {
    entries_.clear();
    visit_row(sector_, terms_, state,
              [&](Index column, Complex value) { entries_.emplace_back(column, value); });
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const auto& l, const auto& r) { return l.first < r.first; });
    columns.clear();
    values.clear();
    for (const auto& [column, value] : entries_) {
      if (!columns.empty() && columns.back() == column) {
        values.back() += value;
      } else {
        columns.push_back(static_cast<PetscInt>(column));
        values.push_back(value);
      }
    }
  }

  std::vector<PetscInt> columns;
  std::vector<PetscScalar> values;

 private:
  const Sector& sector_;
  const TermSum<Complex>& terms_;
  std::vector<std::pair<Index, Complex>> entries_;
};

}  // namespace

petsc::Matrix assemble(const DistributedSector& space, const TermSum<Complex>& terms) {
  const PetscInt global = petsc::to_int(space.dimension(), "the dimension of the matrix");
  const auto local = static_cast<PetscInt>(space.local_size());
  const auto first = static_cast<PetscInt>(space.first_state());
  RowCollector row(space.sector(), terms);
  std::vector<PetscInt> inside(as_size(local));
  std::vector<PetscInt> outside(as_size(local));
  Index nonzeros = 0;
  for (PetscInt i = 0; i < local; ++i) {
    row.collect(first + i);
    const auto count = std::count_if(row.columns.begin(), row.columns.end(), [&](PetscInt column) {
      return column >= first && column < first + local;
    });
    at(inside, i) = static_cast<PetscInt>(count);
    at(outside, i) = static_cast<PetscInt>(static_cast<Index>(row.columns.size()) - count);
    nonzeros += static_cast<Index>(row.columns.size());
  }
  petsc::to_int(nonzeros, "the number of nonzeros on one rank");
  petsc::Matrix matrix;
  QHEAT_PETSC(MatCreate(space.comm().get(), matrix.out()));
  QHEAT_PETSC(MatSetSizes(matrix.get(), local, local, global, global));
  QHEAT_PETSC(MatSetType(matrix.get(), MATAIJ));
  QHEAT_PETSC(MatSeqAIJSetPreallocation(matrix.get(), 0, inside.data()));
  QHEAT_PETSC(MatMPIAIJSetPreallocation(matrix.get(), 0, inside.data(), 0, outside.data()));
  QHEAT_PETSC(MatSetOption(matrix.get(), MAT_NEW_NONZERO_ALLOCATION_ERR, PETSC_TRUE));
  for (PetscInt i = 0; i < local; ++i) {
    row.collect(first + i);
    const PetscInt number = first + i;
    QHEAT_PETSC(MatSetValues(matrix.get(), 1, &number, static_cast<PetscInt>(row.columns.size()),
                             row.columns.data(), row.values.data(), INSERT_VALUES));
  }
  QHEAT_PETSC(MatAssemblyBegin(matrix.get(), MAT_FINAL_ASSEMBLY));
  QHEAT_PETSC(MatAssemblyEnd(matrix.get(), MAT_FINAL_ASSEMBLY));
  return matrix;
}

AssembledOperator::AssembledOperator(std::shared_ptr<const DistributedSector> space,
                                     const TermSum<Complex>& terms)
    : Operator(std::move(space)), real_(qheat::is_real(terms)), matrix_(assemble(this->space(), terms)) {
  MatInfo info;
  QHEAT_PETSC(MatGetInfo(matrix_.get(), MAT_LOCAL, &info));
  bytes_ =
      static_cast<Index>(info.nz_allocated) * static_cast<Index>(sizeof(PetscScalar) + sizeof(PetscInt)) +
      2 * this->space().local_size() * static_cast<Index>(sizeof(PetscInt));
}

void AssembledOperator::diagonal(std::span<Complex> diagonal) const {
  const petsc::Vector target = borrowed_vector(space(), diagonal);
  QHEAT_PETSC(MatGetDiagonal(matrix_.get(), target.get()));
}

Index AssembledOperator::apply_impl(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const {
  for (Index k = 0; k < x.columns(); ++k) {
    const petsc::Vector source = borrowed_vector(space(), x.column_span(k));
    const petsc::Vector target = borrowed_vector(space(), y.column_span(k));
    QHEAT_PETSC(MatMult(matrix_.get(), source.get(), target.get()));
  }
  return 0;  // PETSc does not tell
}

Index AssembledOperator::apply_impl(ColumnBlock<const double> x, ColumnBlock<double> y) const {
  ColumnStorage<Complex> source(x.rows(), x.columns());
  ColumnStorage<Complex> target(x.rows(), x.columns());
  for (Index k = 0; k < x.columns(); ++k) std::copy_n(x.column(k), x.rows(), source.block().column(k));
  const Index sent = apply_impl(source.block(), target.block());
  for (Index k = 0; k < x.columns(); ++k) {
    std::transform(target.block().column(k), target.block().column(k) + x.rows(), y.column(k),
                   [](Complex value) { return value.real(); });
  }
  return sent;
}

}  // namespace qheat
