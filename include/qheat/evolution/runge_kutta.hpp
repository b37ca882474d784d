#pragma once

#include "qheat/evolution/density_evolution.hpp"

namespace qheat {

/// By Verner's explicit Runge-Kutta method 8(7) with adaptive steps (PETSc TS) inside equal ones: dearer than
/// polynomials of L, and shares with them nothing but the product with L.
class RungeKuttaEvolution final : public DensityEvolution {
 public:
  /// `generator` must outlive this object. Takes steps and tolerance from the plan.
  RungeKuttaEvolution(const Operator& generator, const FaberPlan& plan, double end);

  Index steps() const override { return plan_.steps; }
  /// Of the last step: its inner steps times the error that each was allowed; an estimate.
  double step_error() const override { return step_error_; }
  void step(std::span<const double> dts, std::vector<Complex>& rho, const LinearMeasurement& measure,
            std::size_t count, std::span<double> measured) override;

  /// Vectors of the size of rho that it holds beside rho: 13 stages and their derivatives, the state, what
  /// the control of the error compares.
  static constexpr int kWorkVectors = 27;

 private:
  const Operator& generator_;
  FaberPlan plan_;
  double length_;
  double step_error_ = 0.0;
};

}  // namespace qheat
