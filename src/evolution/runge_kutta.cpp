#include "qheat/evolution/runge_kutta.hpp"

#include <fmt/format.h>
#include <petscts.h>
#undef I

#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/shell_matrix.hpp"
#include "parallel/petsc.hpp"

namespace qheat {
namespace {

// An inner step may err by this share of what the whole outer one may: there are some ten of them.
constexpr double kShare = 0.1;
constexpr double kRounding = 1e-14;  // of a step, relative to rho: no less is asked for

/// One outer step. Nothing of it is left for the next, which a resumed run must repeat bit for bit.
class Integration {
 public:
  /// `allowed`: Frobenius norm of the error of an inner step.
  Integration(const Operator& generator, double first_step, double allowed, std::vector<Complex>& rho)
      : matrix_(shell_matrix(generator)), rho_(borrowed_vector(generator.space(), rho)), next_(first_step) {
    QHEAT_PETSC(TSCreate(generator.space().comm().get(), stepper_.out()));
    TS ts = stepper_.get();
    QHEAT_PETSC(TSSetOptionsPrefix(ts, "exact_"));
    QHEAT_PETSC(TSSetProblemType(ts, TS_LINEAR));
    QHEAT_PETSC(TSSetType(ts, TSRK));
    QHEAT_PETSC(TSRKSetType(ts, TSRK8VR));
    QHEAT_PETSC(TSSetRHSFunction(ts, nullptr, derivative, matrix_.get()));
    // PETSc compares the root mean square over the elements
    const double element = allowed / std::sqrt(static_cast<double>(generator.space().dimension()));
    QHEAT_PETSC(TSSetTolerances(ts, element, nullptr, 0.0, nullptr));
    QHEAT_PETSC(TSSetExactFinalTime(ts, TS_EXACTFINALTIME_STEPOVER));
    QHEAT_PETSC(TSSetMaxTime(ts, 1e300));
    QHEAT_PETSC(TSSetMaxSteps(ts, std::numeric_limits<PetscInt>::max()));
    QHEAT_PETSC(TSSetFromOptions(ts));
    QHEAT_PETSC(TSSetSolution(ts, rho_.get()));
  }

  void advance_to(double goal) {
    while (t_ < goal) take_step(goal);
  }
  Index inner_steps() const { return inner_steps_; }

 private:
  static PetscErrorCode derivative(TS, PetscReal, Vec rho, Vec result, void* matrix) {
    return petsc::guarded([&] { QHEAT_PETSC(MatMult(static_cast<Mat>(matrix), rho, result)); });
  }

  void take_step(double goal) {
    TS ts = stepper_.get();
    const double remaining = goal - t_;
    const bool reaches = next_ >= remaining * (1.0 - 1e-10);
    QHEAT_PETSC(TSSetTimeStep(ts, reaches ? remaining : next_));
    QHEAT_PETSC(TSStep(ts));
    TSConvergedReason reason = TS_CONVERGED_ITERATING;
    QHEAT_PETSC(TSGetConvergedReason(ts, &reason));
    if (reason < 0) {
      throw Error(
          fmt::format("Runge-Kutta steps of the density matrix failed (PETSc TS reason {}); raise "
                      "exact.tolerance or use exact.method = \"chebyshev\"",
                      static_cast<int>(reason)));
    }
    double proposed = 0.0;
    QHEAT_PETSC(TSGetTime(ts, &t_));
    QHEAT_PETSC(TSGetTimeStep(ts, &proposed));
    ++inner_steps_;
    const bool there = std::abs(goal - t_) <= 1e-10 * remaining;
    // a step cut short says little about the next
    next_ = there && reaches ? std::max(next_, proposed) : proposed;
    if (!there) return;
    t_ = goal;
    QHEAT_PETSC(TSSetTime(ts, goal));
  }

  petsc::Matrix matrix_;
  petsc::Vector rho_;
  petsc::Handle<TS, TSDestroy> stepper_;
  double t_ = 0.0;
  double next_;
  Index inner_steps_ = 0;
};

}  // namespace

RungeKuttaEvolution::RungeKuttaEvolution(const Operator& generator, const FaberPlan& plan, double end)
    : generator_(generator), plan_(plan), length_(end / static_cast<double>(plan_.steps)) {}

void RungeKuttaEvolution::step(std::span<const double> dts, std::vector<Complex>& rho,
                               const LinearMeasurement& measure, std::size_t count,
                               std::span<double> measured) {
  double square = 0.0;
  for (const Complex& element : rho) square += std::norm(element);
  const double norm = std::sqrt(generator_.space().comm().sum(square));
  const double relative = std::max(kShare * plan_.step_tolerance, kRounding);
  const double fastest =
      std::abs(plan_.ellipse.centre) + plan_.ellipse.real_axis + plan_.ellipse.imaginary_axis;
  const double first_step = fastest * length_ > 1.0 ? 1.0 / fastest : length_;
  Integration integration(generator_, first_step, relative * norm, rho);
  for (std::size_t k = 0; k < dts.size(); ++k) {
    integration.advance_to(dts[k]);
    measure(rho, measured.subspan(k * count, count));
  }
  integration.advance_to(length_);
  step_error_ = relative * static_cast<double>(integration.inner_steps());
}

}  // namespace qheat
