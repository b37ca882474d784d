#pragma once

#include <memory>

#include "qheat/evolution/state_evolution.hpp"
#include "qheat/operators/operator.hpp"

namespace qheat {

/// Evolution by Krylov subspaces (SLEPc MFN): x <- e^{factor A t} x, with A = H and factor = -i unless told
/// otherwise.
class KrylovEvolution final : public StateEvolution {
 public:
  /// `a` must outlive this object.
  explicit KrylovEvolution(const Operator& a, Complex factor = {0.0, -1.0});
  ~KrylovEvolution() override;

  using StateEvolution::advance;
  std::vector<double> advance(std::span<const double> dts, double tolerance, ColumnBlock<Complex> x,
                              const Observe& observe) override;

  /// Vectors of the sector's size that it holds beside the state.
  static constexpr int kWorkVectors = 36;

 private:
  void step(double dt, double tolerance, ColumnBlock<Complex> x);

  struct Solver;
  std::unique_ptr<Solver> solver_;
};

}  // namespace qheat
