// Real symmetric matrices by ScaLAPACK's pdsyevd, an order of magnitude faster than SLEPc's complex ones.

#include "evolution/diagonalized.hpp"
#include "evolution/real_matrix.hpp"
#include "parallel/column_exchange.hpp"

namespace qheat {
namespace {

using scalapack::ColumnExchange;
using scalapack::Matrix;
using scalapack::ProcessGrid;
using scalapack::Transposed;

std::vector<Index> sector_starts(const DistributedSector& space) {
  std::vector<Index> starts;
  for (int r = 0; r <= space.comm().size(); ++r) starts.push_back(space.partition().first_state(r));
  return starts;
}

std::vector<Index> equal_starts(const DistributedSector& space) {
  const Index ranks = space.partition().ranks();
  std::vector<Index> starts;
  for (Index r = 0; r <= ranks; ++r) starts.push_back(space.dimension() * r / ranks);
  return starts;
}

class RealDiagonalized final : public Diagonalized {
 public:
  RealDiagonalized(const DistributedSector& space, const TermSum<double>& terms)
      : grid_(space.comm(), space.dimension()),
        states_(grid_, sector_starts(space)),
        coefficients_(grid_, equal_starts(space)),
        vectors_(grid_, space.dimension(), space.dimension()) {
    Matrix<double> h = real_matrix(space, grid_, terms);
    const auto all = diagonalize(grid_, h, vectors_);
    const auto mine = all.begin() + coefficients_.first_row();
    energies_.assign(mine, mine + coefficients_.local_rows());
  }

  std::span<const double> local_energies() const override { return energies_; }

  void coefficients(ColumnBlock<const Complex> x, ColumnBlock<Complex> coefficients) const override {
    coefficients_.from_grid(product(grid_, Transposed::yes, vectors_, states_.to_grid(x)), coefficients);
  }

  void state(double t, ColumnBlock<const Complex> coefficients, ColumnBlock<Complex> x) const override {
    ColumnStorage<Complex> turned(coefficients.rows(), coefficients.columns());
    turn_phases(t, energies_, coefficients, turned.block());
    states_.from_grid(product(grid_, Transposed::no, vectors_, coefficients_.to_grid(turned.block())), x);
  }

 private:
  ProcessGrid grid_;
  ColumnExchange states_, coefficients_;
  Matrix<double> vectors_;  ///< V
  std::vector<double> energies_;
};

}  // namespace

std::unique_ptr<const Diagonalized> diagonalize_real(const DistributedSector& space,
                                                     const TermSum<double>& terms) {
  return std::make_unique<RealDiagonalized>(space, terms);
}

}  // namespace qheat
