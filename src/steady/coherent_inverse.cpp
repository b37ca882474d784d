#include "steady/coherent_inverse.hpp"

#include <algorithm>

#include "parallel/column_exchange.hpp"
#include "parallel/scalapack.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"
#include "steady/ket_elements.hpp"

namespace qheat {
namespace {

using scalapack::ColumnExchange;
using scalapack::Matrix;
using scalapack::ProcessGrid;

/// Side of the squares in which rows become columns, so that both fit into the first cache.
constexpr Index kSide = 16;

/// Calls visit(row, column) for all elements, square by square.
template <class Visit>
void visit_squares(Index rows, Index columns, const Visit& visit) {
  for (Index top = 0; top < rows; top += kSide) {
    for (Index left = 0; left < columns; left += kSide) {
      for (Index i = top; i < std::min(top + kSide, rows); ++i) {
        for (Index j = left; j < std::min(left + kSide, columns); ++j) visit(i, j);
      }
    }
  }
}

}  // namespace

/// One block of rho.
class CoherentInverse::Block {
 public:
  /// `begin`: first row of each rank, [ranks + 1]; `first`: place of this rank's first element.
  Block(const Communicator& comm, std::vector<Index> begin, std::size_t first)
      : grid_(comm, begin.back()), size_(begin.back()), rows_(grid_, std::move(begin)), first_(first) {}
  virtual ~Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  /// The block's part of y, of that of x.
  virtual void apply(std::span<const Complex> x, std::span<Complex> y) const = 0;

  void make_hermitian(std::span<Complex> x) const {
    const auto packed = this->packed<double>(x);
    unpack(rows_.square_to_grid<double>(packed.block()), x);
  }

 protected:
  /// This rank's rows of a Hermitian block: the sum of real and imaginary part of each element, from which
  /// they follow, or the elements themselves.
  template <class T>
  ColumnStorage<T> packed(std::span<const Complex> x) const {
    ColumnStorage<T> result(rows_.local_rows(), size());
    const Complex* from = x.data() + first_;
    visit_squares(rows_.local_rows(), size(), [&](Index i, Index j) {
      const Complex element = from[i * size() + j];
      if constexpr (std::is_same_v<T, double>) {
        result.block().column(j)[i] = element.real() + element.imag();
      } else {
        result.block().column(j)[i] = element;
      }
    });
    return result;
  }
  void unpack(const Matrix<double>& rho, std::span<Complex> y) const {
    ColumnStorage<double> own(rows_.local_rows(), size());
    ColumnStorage<double> other(rows_.local_rows(), size());
    rows_.square_from_grid(rho, own.block());
    rows_.square_from_grid(transposed(grid_, rho), other.block());
    Complex* to = y.data() + first_;
    visit_squares(rows_.local_rows(), size(), [&](Index i, Index j) {
      const double a = own.block().column(j)[i];
      const double b = other.block().column(j)[i];
      to[i * size() + j] = Complex((a + b) / 2, (a - b) / 2);
    });
  }
  void unpack(const Matrix<Complex>& rho, std::span<Complex> y) const {
    ColumnStorage<Complex> rows(rows_.local_rows(), size());
    rows_.square_from_grid(rho, rows.block());
    Complex* to = y.data() + first_;
    visit_squares(rows_.local_rows(), size(),
                  [&](Index i, Index j) { to[i * size() + j] = rows.block().column(j)[i]; });
  }

  Index size() const { return size_; }
  const ProcessGrid& grid() const { return grid_; }
  const ColumnExchange& rows() const { return rows_; }

 private:
  ProcessGrid grid_;
  Index size_;
  ColumnExchange rows_;
  std::size_t first_;
};

/// With a real H, rho is held as the real matrix Re rho + Im rho, from which a Hermitian rho follows: half of
/// the bytes and a quarter of the work.
template <class T>
class CoherentInverse::BlockOf final : public Block {
 public:
  BlockOf(const Communicator& comm, std::vector<Index> begin, std::size_t first, const HalfSpace& kets,
          Index first_ket, const TermSum<T>& hamiltonian, double damping)
      : Block(comm, std::move(begin), first), damping_(damping), vectors_(grid(), size(), size()) {
    Matrix<T> h(grid(), size(), size());
    const auto& columns = h.column_rule();
    for (Index i = 0; i < h.local_rows(); ++i) {
      const Index ket = first_ket + h.row_rule().global(i, grid().row());
      visit_ket_row(kets, hamiltonian, ket, [&](Index column, T value) {
        if (columns.owner(column) == grid().column())
          h.column(columns.count_below(column, grid().column()))[i] += value;
      });
    }
    energies_ = diagonalize(grid(), h, vectors_);
  }

  void apply(std::span<const Complex> x, std::span<Complex> y) const override {
    const auto packed = this->template packed<T>(x);
    unpack(solve(rows().template square_to_grid<T>(packed.block())), y);
  }

 private:
  /// From V^+ rho V = R to R_ab / (-damping - i(E_a - E_b)), and back.
  Matrix<T> solve(const Matrix<T>& rho) const {
    Matrix<T> inside = into_basis(grid(), vectors_, rho);
    const Matrix<T> turned = transposed(grid(), inside);
    for (Index j = 0; j < inside.local_columns(); ++j) {
      const Index b = inside.column_rule().global(j, grid().column());
      T* column = inside.column(j);
      const T* other = turned.column(j);
      for (Index i = 0; i < inside.local_rows(); ++i) {
        const Index a = inside.row_rule().global(i, grid().row());
        const double frequency = at(energies_, a) - at(energies_, b);
        const double square = damping_ * damping_ + frequency * frequency;
        if constexpr (std::is_same_v<T, double>) {
          column[i] = (frequency * other[i] - damping_ * column[i]) / square;
        } else {
          column[i] *= Complex(-damping_, frequency) / square;
        }
      }
    }
    return out_of_basis(grid(), vectors_, inside);
  }

  double damping_;
  Matrix<T> vectors_;
  std::vector<double> energies_;
};

CoherentInverse::CoherentInverse(const Model& model, const DistributedSector& pairs, double damping) {
  const Communicator& comm = pairs.comm();
  const Partition& partition = pairs.partition();
  const HalfSpace& kets = pairs.sector().prefix();
  TermSum<Complex> h = hamiltonian(model);
  canonicalize(h);
  std::size_t first = 0;
  std::size_t number = 0;
  for (const auto& layout : pairs.sector().blocks()) {
    QHEAT_ASSERT(layout.rows == layout.row_length);
    std::vector<Index> begin;
    for (int rank = 0; rank <= partition.ranks(); ++rank)
      begin.push_back(std::clamp<Index>(partition.first_row(rank) - layout.first_row, 0, layout.rows));
    const auto me = as_size(comm.rank());
    const auto elements = as_size((begin[me + 1] - begin[me]) * layout.row_length);
    const Index first_ket = kets.classes()[number++].first;
    if (is_real(h)) {
      blocks_.push_back(std::make_unique<BlockOf<double>>(comm, std::move(begin), first, kets, first_ket,
                                                          real_part(h), damping));
    } else {
      blocks_.push_back(
          std::make_unique<BlockOf<Complex>>(comm, std::move(begin), first, kets, first_ket, h, damping));
    }
    first += elements;
  }
}

CoherentInverse::~CoherentInverse() = default;

void CoherentInverse::apply(std::span<const Complex> x, std::span<Complex> y) const {
  for (const auto& block : blocks_) block->apply(x, y);
}

void CoherentInverse::make_hermitian(std::span<Complex> x) const {
  for (const auto& block : blocks_) block->make_hermitian(x);
}

double CoherentInverse::bytes_per_rank(Index elements, bool real, int ranks) {
  // Eigenvectors of all blocks; of the largest, which has at most half of the elements, the matrices that a
  // product, a transpose or a change of layout joins.
  constexpr double kMatrices = 1.0 + 0.5 * 6.0;
  return kMatrices * (real ? sizeof(double) : sizeof(Complex)) * static_cast<double>(elements) / ranks;
}

}  // namespace qheat
