#include "steady/direct_solution.hpp"

#include <optional>

#include "operators/assembled_operator.hpp"
#include "operators/factors.hpp"
#include "operators/matrix_elements.hpp"
#include "parallel/petsc.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/parallel/index.hpp"
#include "steady/refinement.hpp"

namespace qheat {
namespace {

/// -rate tr(rho) to the first row, which is a diagonal element's.
void add_trace_row(const std::vector<Index>& populations, double rate, Mat matrix) {
  QHEAT_PETSC(MatSetOption(matrix, MAT_NEW_NONZERO_ALLOCATION_ERR, PETSC_FALSE));
  const std::vector<PetscInt> columns(populations.begin(), populations.end());
  const std::vector<PetscScalar> values(columns.size(), -rate);
  const PetscInt first = 0;
  QHEAT_PETSC(MatSetValues(matrix, 1, &first, static_cast<PetscInt>(columns.size()), columns.data(),
                           values.data(), ADD_VALUES));
  QHEAT_PETSC(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  QHEAT_PETSC(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
}

class LiouvilleEquation final : public FactoredEquation {
 public:
  LiouvilleEquation(const Model& model, const DistributedSector& pairs, double rate) : rate_(rate) {
    const Sector& sector = pairs.sector();
    for (Index row = 0; row < sector.rows(); ++row) {
      const auto& block = at(sector.blocks(), sector.block_of_row(row));
      populations_.push_back(sector.first_state(row) + (row - block.first_row));
    }
    TermSum<Complex> terms = liouvillian(model);
    canonicalize(terms);
    for (Index row = 0; row < sector.dimension(); ++row) {
      visit_row(sector, terms, row, [&](Index column, Complex value) {
        entries_.push_back({column, value});
      });
      ends_.push_back(entries_.size());
    }
    matrix_ = assemble(pairs, terms);
    add_trace_row(populations_, rate, matrix_.get());
    factors_.emplace(pairs, matrix_.get(), "use fewer ranks or sites, or steady.method = \"iterative\"");
  }

  bool singular() const { return factors_->singular(); }

  /// -rate e_1 - (L - rate e_1 tr) rho.
  void residual(const std::vector<PreciseComplex>& rho, std::vector<Complex>& left) const override {
    std::size_t e = 0;
    for (std::size_t row = 0; row < left.size(); ++row) {
      PreciseComplex sum;
      for (; e < ends_[row]; ++e) sum.add_product(-entries_[e].value, at(rho, entries_[e].column));
      if (row == 0) {
        sum += -rate_;
        for (const Index place : populations_) sum.add_product(rate_, at(rho, place));
      }
      left[row] = sum.value();
    }
  }

  bool is_real() const override { return false; }
  bool solve(std::vector<Complex>& b, std::vector<Complex>& x) const override {
    return factors_->solve(b, x);
  }

 private:
  struct Entry {
    Index column;
    Complex value;
  };

  double rate_;
  std::vector<Index> populations_;
  std::vector<Entry> entries_;  ///< of L, those of one element of rho apart
  std::vector<std::size_t> ends_;
  petsc::Matrix matrix_;
  std::optional<Factors> factors_;
};

}  // namespace

DirectSolution solve_directly(const Model& model, const DistributedSector& pairs, double rate) {
  QHEAT_ASSERT(pairs.comm().size() == 1);
  const LiouvilleEquation equation(model, pairs, rate);
  if (equation.singular()) return {};
  DirectSolution solution;
  solution.rho.resize(as_size(pairs.dimension()));
  const Refinement refinement = refine(equation, solution.rho);
  solution.determined = refinement.determined;
  solution.correction = refinement.correction;
  return solution;
}

}  // namespace qheat
