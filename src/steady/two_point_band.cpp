#include "steady/two_point_band.hpp"

#include <algorithm>
#include <array>

#include "qheat/model/two_point_closure.hpp"

namespace qheat {

BandLayout::BandLayout(Index sites, Index width) : sites_(sites), width_(width) {
  first_.push_back(0);
  for (Index low = 0; low < sites; ++low)
    first_.push_back(first_.back() + 1 + 2 * std::min(width, sites - 1 - low));
}

TwoPointEquation::TwoPointEquation(const Model& model)
    : hopping_(chain_hopping(model)),
      up_(static_cast<std::size_t>(model.sites())),
      loss_(static_cast<std::size_t>(model.sites())),
      loss_before_{0.0},
      dephasing_(model.bath.dephasing) {
  double onsite = 0.0;
  for (const OnsiteElement& u : model.onsite)
    if (u.a == u.b) onsite += model.strength * u.value.real() * (u.a == 1 ? 1.0 : -1.0);
  for (int i = 0; i < model.sites(); ++i) level_.push_back(model.energy(i, 1) - model.energy(i, 0) + onsite);
  for (const Reservoir& reservoir : model.bath.reservoirs) {
    const auto i = static_cast<std::size_t>(reservoir.site);
    const JumpRates rates =
        jump_rates(reservoir, model.energy(reservoir.site, 1) - model.energy(reservoir.site, 0));
    up_[i] += rates.up;
    loss_[i] += rates.up + rates.down;
  }
  for (const Complex& h : hopping_) strongest_ = std::max(strongest_, std::abs(h));
  for (const double loss : loss_) loss_before_.push_back(loss_before_.back() + loss);
}

double TwoPointEquation::damping(Index i, Index k, const BandLayout& band) const {
  const Index inner = band.width() / 2;
  if (dephasing_ > 0.0 || band.width() < 2 || band.width() >= band.sites() - 1) return 0.0;
  const Index outside = std::abs(i - k) - inner;
  if (outside <= 0) return 0.0;
  return strongest_ * static_cast<double>(outside) / static_cast<double>(band.width() - inner);
}

bool TwoPointEquation::reaches_all_sites() const {
  bool reached = false;
  for (std::size_t i = 0; i < loss_.size(); ++i) {
    reached = reached || loss_[i] > 0.0;
    const bool ends = i == hopping_.size() || hopping_[i] == Complex{};
    if (ends && !reached) return false;
    if (ends) reached = false;
  }
  return true;
}

namespace {

constexpr PetscInt kMostInRow = 5;

void set_row(Mat matrix, const TwoPointEquation& equation, const BandLayout& band, Index i, Index k) {
  std::array<PetscInt, kMostInRow> columns{};
  std::array<PetscScalar, kMostInRow> values{};
  PetscInt count = 0;
  equation.row(i, k, [&](Index to_i, Index to_k, Complex value) {
    if (!band.holds(to_i, to_k)) return;
    if (to_i == i && to_k == k) value -= equation.damping(i, k, band);
    columns[static_cast<std::size_t>(count)] = static_cast<PetscInt>(band.number(to_i, to_k));
    values[static_cast<std::size_t>(count++)] = value;
  });
  const auto row = static_cast<PetscInt>(band.number(i, k));
  QHEAT_PETSC(MatSetValues(matrix, 1, &row, count, columns.data(), values.data(), INSERT_VALUES));
}

}  // namespace

BandSolver::BandSolver(const TwoPointEquation& equation, const BandLayout& band) {
  const PetscInt size = petsc::to_int(band.size(), "the number of two-point functions");
  QHEAT_PETSC(MatCreateSeqAIJ(PETSC_COMM_SELF, size, size, kMostInRow, nullptr, matrix_.out()));
  for (Index low = 0; low < band.sites(); ++low) {
    for (Index high = low; band.holds(low, high); ++high) {
      set_row(matrix_.get(), equation, band, low, high);
      if (high != low) set_row(matrix_.get(), equation, band, high, low);
    }
  }
  QHEAT_PETSC(MatAssemblyBegin(matrix_.get(), MAT_FINAL_ASSEMBLY));
  QHEAT_PETSC(MatAssemblyEnd(matrix_.get(), MAT_FINAL_ASSEMBLY));
  PC preconditioner = nullptr;
  QHEAT_PETSC(KSPCreate(PETSC_COMM_SELF, solver_.out()));
  QHEAT_PETSC(KSPSetOperators(solver_.get(), matrix_.get(), matrix_.get()));
  QHEAT_PETSC(KSPSetType(solver_.get(), KSPPREONLY));
  QHEAT_PETSC(KSPGetPC(solver_.get(), &preconditioner));
  QHEAT_PETSC(PCSetType(preconditioner, PCLU));
  QHEAT_PETSC(PCFactorSetMatSolverType(preconditioner, MATSOLVERMUMPS));
  QHEAT_PETSC(PCFactorSetUpMatSolverType(preconditioner));
  Mat factors = nullptr;
  QHEAT_PETSC(PCFactorGetMatrix(preconditioner, &factors));
  constexpr PetscInt kWorkspaceIncrease =
      14;  // MUMPS's number of it, percent: pivots that do not decay are delayed
  QHEAT_PETSC(MatMumpsSetIcntl(factors, kWorkspaceIncrease, 200));
}

bool BandSolver::solve(std::vector<Complex>& b, std::vector<Complex>& x) const {
  const auto size = static_cast<PetscInt>(b.size());
  petsc::Vector right;
  petsc::Vector solution;
  QHEAT_PETSC(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, size, b.data(), right.out()));
  QHEAT_PETSC(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, size, x.data(), solution.out()));
  QHEAT_PETSC(KSPSolve(solver_.get(), right.get(), solution.get()));
  KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
  QHEAT_PETSC(KSPGetConvergedReason(solver_.get(), &reason));
  return reason > 0;
}

}  // namespace qheat
