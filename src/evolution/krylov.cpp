#include "qheat/evolution/krylov.hpp"

#include <fmt/format.h>
#include <slepcmfn.h>
#undef I

#include "operators/shell_matrix.hpp"
#include "parallel/petsc.hpp"

namespace qheat {

struct KrylovEvolution::Solver {
  Complex factor;
  petsc::Matrix matrix;
  petsc::Handle<MFN, MFNDestroy> solver;
  petsc::Vector input;
  petsc::Vector output;
};

KrylovEvolution::KrylovEvolution(const Operator& a, Complex factor) : solver_(std::make_unique<Solver>()) {
  Solver& s = *solver_;
  s.factor = factor;
  s.matrix = shell_matrix(a);
  QHEAT_PETSC(MatCreateVecs(s.matrix.get(), s.input.out(), s.output.out()));
  QHEAT_PETSC(MFNCreate(a.space().comm().get(), s.solver.out()));
  QHEAT_PETSC(MFNSetOperator(s.solver.get(), s.matrix.get()));
  QHEAT_PETSC(MFNSetType(s.solver.get(), MFNKRYLOV));
  const Index subspace = std::min<Index>(30, a.space().dimension());
  QHEAT_PETSC(MFNSetDimensions(s.solver.get(), static_cast<PetscInt>(subspace)));
  FN function = nullptr;
  QHEAT_PETSC(MFNGetFN(s.solver.get(), &function));
  QHEAT_PETSC(FNSetType(function, FNEXP));
}

KrylovEvolution::~KrylovEvolution() = default;

std::vector<double> KrylovEvolution::advance(std::span<const double> dts, double tolerance,
                                             ColumnBlock<Complex> x, const Observe& observe) {
  std::vector<double> errors;
  double now = 0.0;
  for (std::size_t k = 0; k < dts.size(); ++k) {
    if (dts[k] != now) step(dts[k] - now, tolerance / static_cast<double>(dts.size()), x);
    now = dts[k];
    observe(k, 0, x);
    errors.push_back(tolerance * static_cast<double>(k + 1) / static_cast<double>(dts.size()));
  }
  return errors;
}

void KrylovEvolution::step(double dt, double tolerance, ColumnBlock<Complex> x) {
  Solver& s = *solver_;
  FN function = nullptr;
  QHEAT_PETSC(MFNGetFN(s.solver.get(), &function));
  QHEAT_PETSC(FNSetScale(function, s.factor * dt, 1.0));
  QHEAT_PETSC(MFNSetTolerances(s.solver.get(), tolerance, petsc::kOwnChoice));
  for (Index k = 0; k < x.columns(); ++k) {
    PetscScalar* values = nullptr;
    QHEAT_PETSC(VecGetArrayWrite(s.input.get(), &values));
    std::copy_n(x.column(k), x.rows(), values);
    QHEAT_PETSC(VecRestoreArrayWrite(s.input.get(), &values));
    QHEAT_PETSC(MFNSolve(s.solver.get(), s.input.get(), s.output.get()));
    MFNConvergedReason reason = MFN_CONVERGED_ITERATING;
    QHEAT_PETSC(MFNGetConvergedReason(s.solver.get(), &reason));
    if (reason < 0) {
      throw Error(
          fmt::format("the Krylov propagation did not converge to {:g} in a step of {:g} (reason {}); raise "
                      "exact.tolerance or ask for more outputs",
                      tolerance, dt, static_cast<int>(reason)));
    }
    const PetscScalar* result = nullptr;
    QHEAT_PETSC(VecGetArrayRead(s.output.get(), &result));
    std::copy_n(result, x.rows(), x.column(k));
    QHEAT_PETSC(VecRestoreArrayRead(s.output.get(), &result));
  }
}

}  // namespace qheat
