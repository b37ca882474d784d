#include "dynamics/coherent_inverse.hpp"

#include <slepceps.h>
#undef I

#include <algorithm>
#include <cstdint>

#include "parallel/petsc.hpp"
#include "qheat/operators/hamiltonian.hpp"

namespace qheat {
namespace {

/// A dense matrix of PETSc's around columns that lie one after the other.
petsc::Matrix borrowed(Index rows, Index columns, std::span<const Complex> data) {
  petsc::Matrix matrix;
  QHEAT_PETSC(MatCreateSeqDense(PETSC_COMM_SELF, petsc::to_int(rows, "a block of the density matrix"),
                                static_cast<PetscInt>(columns), const_cast<Complex*>(data.data()),
                                matrix.out()));
  return matrix;
}

void conjugate(std::span<Complex> x) {
  for (Complex& v : x) v = std::conj(v);
}

/// Hermitian eigenvectors one after the other, in the place of the matrix; and their eigenvalues.
std::vector<double> diagonalize(Index size, std::vector<Complex>& matrix) {
  petsc::Matrix h;
  petsc::Handle<EPS, EPSDestroy> solver;
  petsc::Vector vector;
  std::vector<double> values;
  std::vector<Complex> vectors(matrix.size());
  {
    const petsc::Matrix given = borrowed(size, size, matrix);
    QHEAT_PETSC(MatDuplicate(given.get(), MAT_COPY_VALUES, h.out()));
  }
  QHEAT_PETSC(EPSCreate(PETSC_COMM_SELF, solver.out()));
  QHEAT_PETSC(EPSSetOperators(solver.get(), h.get(), nullptr));
  QHEAT_PETSC(EPSSetProblemType(solver.get(), EPS_HEP));
  QHEAT_PETSC(EPSSetType(solver.get(), EPSLAPACK));
  QHEAT_PETSC(EPSSolve(solver.get()));
  QHEAT_PETSC(MatCreateVecs(h.get(), vector.out(), nullptr));
  PetscInt found = 0;
  QHEAT_PETSC(EPSGetConverged(solver.get(), &found));
  if (found < size) throw Error("the eigenvectors of the Hamiltonian did not converge");
  for (PetscInt k = 0; k < static_cast<PetscInt>(size); ++k) {
    PetscScalar value = 0.0;
    const PetscScalar* elements = nullptr;
    QHEAT_PETSC(EPSGetEigenpair(solver.get(), k, &value, nullptr, vector.get(), nullptr));
    values.push_back(PetscRealPart(value));
    QHEAT_PETSC(VecGetArrayRead(vector.get(), &elements));
    std::copy_n(elements, size, vectors.begin() + k * size);
    QHEAT_PETSC(VecRestoreArrayRead(vector.get(), &elements));
  }
  matrix = std::move(vectors);
  return values;
}

}  // namespace

CoherentInverse::CoherentInverse(const Model& model, std::shared_ptr<const DistributedSector> pairs,
                                 double damping)
    : space_(std::move(pairs)),
      damping_(damping),
      work_(static_cast<std::size_t>(space_->local_size())),
      send_(work_.size()),
      product_(work_.size()) {
  if (space_->local_size() > INT32_MAX)
    throw Error("a rank has more than 2^31 elements of the density matrix; use more ranks");
  const Partition& partition = space_->partition();
  std::size_t first = 0;
  int number = 0;
  for (const auto& layout : space_->sector().blocks()) {
    QHEAT_ASSERT(layout.rows == layout.row_length);
    Block block{.size = layout.rows, .begin = {}, .first = first, .energies = {}, .vectors = {}};
    for (int rank = 0; rank <= partition.ranks(); ++rank)
      block.begin.push_back(std::clamp<Index>(partition.first_row(rank) - layout.first_row, 0, layout.rows));
    first += static_cast<std::size_t>(block.local_rows(space_->comm().rank()) * block.size);
    find_vectors(model, number++, block);
    blocks_.push_back(std::move(block));
  }
}

void CoherentInverse::find_vectors(const Model& model, int number, Block& block) const {
  const HalfSpace& kets = space_->sector().prefix();
  const Index first = kets.classes()[static_cast<std::size_t>(number)].first;
  const auto n = static_cast<std::size_t>(block.size);
  block.vectors.assign(n * n, Complex{});
  const TermSum<Complex> h = hamiltonian(model);
  std::vector<Level> source;
  for (std::size_t row = 0; row < n; ++row) {
    const auto ket = kets.configuration(first + static_cast<Index>(row));
    source.assign(ket.begin(), ket.end());
    for (const auto& term : h.terms) {
      const LocalCode to = code_on(ket, term.sites, h.levels);
      for (const auto& e : term.elements) {
        if (e.to != to) continue;
        write_code(e.from, term.sites, h.levels, source);
        block.vectors[row + n * static_cast<std::size_t>(kets.rank_in_class(source))] += e.value;
      }
      write_code(to, term.sites, h.levels, source);
    }
  }
  block.energies = qheat::diagonalize(block.size, block.vectors);
}

void CoherentInverse::multiply(Side side, std::span<const Complex> rows, std::span<Complex> products) const {
  for (const Block& block : blocks_) {
    const Index count = block.local_rows(space_->comm().rank());
    if (count == 0) continue;
    const auto elements = static_cast<std::size_t>(count * block.size);
    const petsc::Matrix vectors = borrowed(block.size, block.size, block.vectors);
    const petsc::Matrix columns =
        borrowed(block.size, count, rows.subspan(block.first, elements));  // our rows
    petsc::Matrix product;
    if (side == Side::vectors) {
      QHEAT_PETSC(MatTransposeMatMult(vectors.get(), columns.get(), MAT_INITIAL_MATRIX, 1.0, product.out()));
    } else {
      QHEAT_PETSC(MatMatMult(vectors.get(), columns.get(), MAT_INITIAL_MATRIX, 1.0, product.out()));
    }
    const PetscScalar* values = nullptr;
    QHEAT_PETSC(MatDenseGetArrayRead(product.get(), &values));
    std::copy_n(values, elements, products.begin() + static_cast<std::ptrdiff_t>(block.first));
    QHEAT_PETSC(MatDenseRestoreArrayRead(product.get(), &values));
  }
}

void CoherentInverse::transpose(std::span<const Complex> x, std::span<Complex> y) const {
  const Communicator& comm = space_->comm();
  const int me = comm.rank();
  const auto ranks = static_cast<std::size_t>(comm.size());
  std::vector<int> counts(ranks, 0);
  std::vector<int> starts(ranks, 0);
  std::size_t packed = 0;
  for (int rank = 0; rank < comm.size(); ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    starts[r] = static_cast<int>(packed);
    for (const Block& block : blocks_) {
      const Complex* rows = x.data() + block.first;
      for (Index column = block.begin[r]; column < block.begin[r + 1]; ++column) {
        for (Index row = 0; row < block.local_rows(me); ++row)
          send_[packed++] = rows[row * block.size + column];
      }
    }
    counts[r] = static_cast<int>(packed) - starts[r];
  }
  // What a rank gets from another has as many elements as what it sends there: blocks are square.
  MPI_Alltoallv(send_.data(), counts.data(), starts.data(), MPI_C_DOUBLE_COMPLEX, work_.data(), counts.data(),
                starts.data(), MPI_C_DOUBLE_COMPLEX, comm.get());
  const Complex* next = work_.data();
  for (std::size_t r = 0; r < ranks; ++r) {
    for (const Block& block : blocks_) {
      Complex* rows = y.data() + block.first;
      const Index length = block.begin[r + 1] - block.begin[r];
      for (Index row = 0; row < block.local_rows(me); ++row, next += length)
        std::copy(next, next + length, rows + row * block.size + block.begin[r]);
    }
  }
}

void CoherentInverse::divide(std::span<Complex> rows) const {
  const auto me = static_cast<std::size_t>(space_->comm().rank());
  for (const Block& block : blocks_) {
    Complex* element = rows.data() + block.first;
    for (Index b = block.begin[me]; b < block.begin[me + 1]; ++b) {
      for (const double energy : block.energies)
        *element++ /= Complex(-damping_, block.energies[static_cast<std::size_t>(b)] - energy);
    }
  }
}

void CoherentInverse::apply(std::span<const Complex> x, std::span<Complex> y) const {
  // x = V z V^+: the transpose of x V, conjugated, times V is z^+. Back: z^T V^T is (V z)^T, and (V z) V^+ is
  // the conjugate of (V z)* V^T.
  multiply(Side::vectors, x, y);
  transpose(y, product_);
  conjugate(product_);
  multiply(Side::vectors, product_, y);
  conjugate(y);
  divide(y);
  multiply(Side::transposed_vectors, y, product_);
  transpose(product_, y);
  conjugate(y);
  multiply(Side::transposed_vectors, y, product_);
  std::transform(product_.begin(), product_.end(), y.begin(), [](Complex v) { return std::conj(v); });
}

double CoherentInverse::bytes_per_rank(Index elements, int ranks) {
  constexpr double kDiagonalizing = 2.0;  // workspace of the largest block, itself less than all of them
  return 16.0 * static_cast<double>(elements) * (1.0 + kDiagonalizing + 4.0 / ranks);
}

}  // namespace qheat
