#include "steady/two_point_band.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/model/dissipator.hpp"
#include "qheat/model/two_point_closure.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

BandLayout::BandLayout(Index sites, Index width) : sites_(sites), width_(width) {
  first_.push_back(0);
  for (Index low = 0; low < sites; ++low)
    first_.push_back(first_.back() + 1 + 2 * std::min(width, sites - 1 - low));
}

TwoPointEquation::TwoPointEquation(const Model& model)
    : up_(as_size(model.sites())),
      down_(up_.size()),
      loss_(up_.size()),
      loss_before_{0.0},
      dephasing_(dissipation(model).dephasing) {
  for (const Complex& h : chain_hopping(model)) hopping_.push_back(std::abs(h));
  double onsite = 0.0;
  for (const OnsiteElement& u : model.onsite)
    if (u.a == u.b) onsite += model.strength * u.value.real() * (u.a == 1 ? 1.0 : -1.0);
  for (int i = 0; i < model.sites(); ++i) level_.push_back(model.energy(i, 1) - model.energy(i, 0) + onsite);
  const auto rates = particle_rates(model);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    up_[i] = rates[i].up;
    down_[i] = rates[i].down;
    for (const auto* some : {&up_[i], &down_[i]})
      for (const double rate : *some) loss_[i] += rate;
  }
  for (const double h : hopping_) strongest_ = std::max(strongest_, h);
  for (const double loss : loss_) {
    loss_before_.push_back(loss_before_.back());
    loss_before_.back() += loss;
  }
}

double TwoPointEquation::rate() const {
  const double loss = *std::max_element(loss_.begin(), loss_.end());
  return strongest_ > 0.0 ? std::min(loss, strongest_) : loss;
}

double TwoPointEquation::damping(Index i, Index k, const BandLayout& band) const {
  const Index inner = band.width() / 2;
  if (dephasing_ > 0.0 || band.width() < 2 || band.width() >= band.sites() - 1) return 0.0;
  const Index outside = std::abs(i - k) - inner;
  if (outside <= 0) return 0.0;
  return strongest_ * static_cast<double>(outside) / static_cast<double>(band.width() - inner);
}

namespace {

constexpr PetscInt kMostInRow = 6;

}  // namespace

BandEquation::BandEquation(const TwoPointEquation& equation, const BandLayout& band)
    : equation_(equation), band_(band) {
  const PetscInt size = petsc::to_int(band.size(), "the number of two-point functions");
  QHEAT_PETSC(MatCreateSeqAIJ(PETSC_COMM_SELF, size, size, kMostInRow, nullptr, matrix_.out()));
  band.visit([&](Index i, Index k, BandLayout::Part part) {
    const auto row = static_cast<PetscInt>(band.number(i, k, part));
    const auto add = [&](Index to, double number) {
      const auto column = static_cast<PetscInt>(to);
      const PetscScalar value = number;
      QHEAT_PETSC(MatSetValues(matrix_.get(), 1, &row, 1, &column, &value, ADD_VALUES));
    };
    equation.row(i, k, part, [&](Index to_i, Index to_k, BandLayout::Part to_part, double value) {
      if (value != 0.0 && band.holds(to_i, to_k)) add(band.number(to_i, to_k, to_part), value);
    });
    add(row, -equation.damping(i, k, band));  // also keeps a place for the diagonal
  });
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

void BandEquation::residual(const std::vector<PreciseComplex>& x, std::vector<Complex>& left) const {
  band_.visit([&](Index i, Index k, BandLayout::Part part) {
    DoubleDouble sum;
    equation_.row(i, k, part, [&](Index to_i, Index to_k, BandLayout::Part to_part, double value) {
      if (!band_.holds(to_i, to_k)) return;
      const auto column = as_size(band_.number(to_i, to_k, to_part));
      sum.add_product(-value, x[column].real);
    });
    const auto row = as_size(band_.number(i, k, part));
    sum.add_product(equation_.damping(i, k, band_), x[row].real);
    if (i == k)
      for (const double rate : equation_.up(i)) sum += -rate;
    left[row] = sum.value();
  });
}

bool BandEquation::solve(std::vector<Complex>& b, std::vector<Complex>& x) const {
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
