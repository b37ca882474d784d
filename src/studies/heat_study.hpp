#pragma once

#include <array>
#include <string>
#include <vector>

#include "qheat/heat/heat_evolution.hpp"
#include "studies/study.hpp"

namespace qheat {

/// [heat]: the continuum equation on the cells of lattice.shape, in time or its steady state.
class HeatStudy final : public Study {
 public:
  HeatStudy(const Job& job, const StudyContext& context);

  void describe(Report& report) const override;
  void require_possible() const override;
  Need need(int ranks, double free_bytes) const override;
  void compute() override;
  void write(ResultsFile& file) override;
  void summarize(Report& report) const override;

 private:
  HeatProblem problem() const;
  std::vector<double> start(const HeatEquation& equation) const;
  void compute_steady(HeatEquation& equation);
  void compute_in_time(HeatEquation& equation);
  void require_inside_tables(const CellBox& box, const std::vector<double>& temperature) const;
  void require_balance(double gained, double in, double scale) const;

  const Job& job_;
  const HeatRequest& request_;
  StudyContext context_;
  std::vector<double> times_;                 ///< one of a steady state
  std::vector<double> temperature_;           ///< [T][cells], on rank 0
  std::vector<double> content_;               ///< [T]; of a capacity that depends on T: NaN
  std::array<std::vector<double>, 6> power_;  ///< into the block through each face, [T]
  double balance_ = 0.0;
  std::vector<double> iterations_;  ///< of linear solvers so far, [T]
  std::int64_t steps_ = 0;
};

}  // namespace qheat
