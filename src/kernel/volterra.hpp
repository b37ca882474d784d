#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kernel/cell_algebra.hpp"
#include "qheat/kernel/convolution_quadrature.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// The Volterra equation N(t) = G''(t) - K_0 G'(t) - int_0^t N(u) G'(t - u) du, K_0 = G'(0), on a uniform
/// grid, for one parity of one sector.
///
/// A rank keeps its columns of N and the same rows of G' at all times. Its part of the inner dimension of all
/// products is then one product of dense matrices a time, and only the sum over the ranks travels.
class Volterra {
 public:
  /// `moves_at_once`: K_0 is not zero.
  Volterra(const CellColumnLayout& layout, bool even, bool moves_at_once);

  /// Takes G' and G'' at the next time of the grid. Collective.
  void append(const std::vector<CellColumns>& g);
  /// G'' becomes N. `report`: called at safe points with the share of the work that is done. Collective.
  void solve(double step, const std::function<void(double)>& report);
  /// N at the n-th time.
  void write(std::size_t n, CellColumns& columns) const;

 private:
  /// scale N_j G'_i, by numbers of times.
  struct Term {
    std::size_t j, i;
    double scale;
  };

  std::size_t times() const { return first_.size(); }
  std::size_t block() const { return as_size(size_ * local_); }
  std::span<double> kernel(std::size_t n) { return std::span(kernel_).subspan(n * block(), block()); }
  void solve_start(const ConvolutionQuadrature& quadrature, double step);
  void solve_last(std::size_t n, double scale);
  void add_products(std::size_t begin, std::size_t end, const std::vector<Term>& terms,
                    std::span<double> sum) const;
  void add_columns(std::size_t begin, std::size_t end, const std::vector<Term>& terms, int owner, Index first,
                   Index width, double* sum) const;

  bool even_, moves_at_once_;
  CellAlgebra algebra_;
  ColumnShare share_;
  Communicator comm_;
  Index size_, local_;
  double scale_ = 0.0;                            ///< largest element of N(0)
  std::unique_ptr<CellAlgebra::Matrix> at_once_;  ///< K_0, unless it is zero
  std::vector<ColumnStorage<double>> first_;      ///< this rank's rows of G', as columns, [times]
  std::vector<double> kernel_;  ///< this rank's columns of G'', then N, [times][local][size]
};

}  // namespace qheat
