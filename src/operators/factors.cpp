#include "operators/factors.hpp"

#include <fmt/format.h>

#include <cmath>

#include "operators/shell_matrix.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

using Solver = petsc::Handle<KSP, KSPDestroy>;

bool solve_with(const DistributedSector& space, KSP solver, std::vector<Complex>& b,
                std::vector<Complex>& x) {
  const petsc::Vector right = borrowed_vector(space, b);
  const petsc::Vector solution = borrowed_vector(space, x);
  QHEAT_PETSC(KSPSolve(solver, right.get(), solution.get()));
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  QHEAT_PETSC(KSPGetConvergedReason(solver, &reason));
  return reason > 0;
}

/// None if the matrix is singular. Pivots that do not decay are delayed and need more workspace than MUMPS
/// reckons with: then it tries again with more.
Solver factorized(const DistributedSector& space, Mat matrix, const std::string& remedy) {
  constexpr PetscInt kWorkspaceIncrease = 14;  // MUMPS's number of it, percent
  constexpr PetscInt kFailure = 1;             // place of its error code
  std::vector<Complex> b(as_size(space.dimension()));
  std::vector<Complex> x(b.size());
  b.front() = 1.0;
  PetscInt failure = 0;
  for (const PetscInt increase : {100, 400, 1600}) {
    Solver solver;
    PC preconditioner = nullptr;
    Mat factors = nullptr;
    QHEAT_PETSC(KSPCreate(space.comm().get(), solver.out()));
    QHEAT_PETSC(KSPSetOperators(solver.get(), matrix, matrix));
    QHEAT_PETSC(KSPSetType(solver.get(), KSPPREONLY));
    QHEAT_PETSC(KSPGetPC(solver.get(), &preconditioner));
    QHEAT_PETSC(PCSetType(preconditioner, PCLU));
    QHEAT_PETSC(PCFactorSetMatSolverType(preconditioner, MATSOLVERMUMPS));
    QHEAT_PETSC(PCFactorSetUpMatSolverType(preconditioner));
    QHEAT_PETSC(PCFactorGetMatrix(preconditioner, &factors));
    QHEAT_PETSC(MatMumpsSetIcntl(factors, kWorkspaceIncrease, increase));
    if (solve_with(space, solver.get(), b, x)) return solver;
    QHEAT_PETSC(MatMumpsGetInfog(factors, kFailure, &failure));
    const bool too_little_workspace = failure == -8 || failure == -9;
    if (!too_little_workspace) break;
  }
  constexpr PetscInt kSingularMatrix = -10;
  if (failure == kSingularMatrix || failure == 0) return {};
  throw Error(
      fmt::format("the factors of the Liouvillian could not be computed (MUMPS error {}): most likely "
                  "memory is short; {}",
                  failure, remedy));
}

}  // namespace

Factors::Factors(const DistributedSector& space, Mat matrix, const std::string& remedy)
    : space_(&space), solver_(factorized(space, matrix, remedy)) {}

bool Factors::solve(std::vector<Complex>& b, std::vector<Complex>& x) const {
  return solve_with(*space_, solver_.get(), b, x);
}

double Factors::bytes(Index elements) {
  // Measured for chains: 386 MB for 12870 elements, with an exponent that fill-in in two dimensions explains.
  return 3.9e8 * std::pow(static_cast<double>(elements) / 12870.0, 1.8);
}

}  // namespace qheat
