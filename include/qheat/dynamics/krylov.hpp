#pragma once

#include <memory>

#include "qheat/operators/operator.hpp"

namespace qheat {

/// x <- e^{-iHt} x by Krylov subspaces (SLEPc MFN).
class KrylovEvolution {
 public:
  /// `hamiltonian` must outlive this object.
  explicit KrylovEvolution(const Operator& hamiltonian);
  ~KrylovEvolution();
  KrylovEvolution(const KrylovEvolution&) = delete;
  KrylovEvolution& operator=(const KrylovEvolution&) = delete;

  /// Advances each column by dt; `tolerance`: relative error of this step. Throws Error if it does not
  /// converge.
  void advance(double dt, double tolerance, ColumnBlock<Complex> x);

  /// Vectors of the sector's size that it holds beside the state.
  static constexpr int kWorkVectors = 36;

 private:
  struct Solver;
  std::unique_ptr<Solver> solver_;
};

}  // namespace qheat
