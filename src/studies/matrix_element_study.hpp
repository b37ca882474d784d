#pragma once

#include <vector>

#include "qheat/wells/element_table.hpp"
#include "studies/study.hpp"

namespace qheat {

/// [matrix-elements]: elements of V between the levels of two wells, how alike they are, and resonances.
class MatrixElementStudy final : public Study {
 public:
  MatrixElementStudy(const Job& job, const StudyContext& context);

  void describe(Report& report) const override;
  void require_possible() const override {}
  Need need(int ranks, double free_bytes) const override;
  void compute() override;
  void write(ResultsFile& file) override;
  void summarize(Report& report) const override;
  std::vector<std::string> failures() const override;

 private:
  std::vector<double> weighted(const std::vector<double>& direct, const std::vector<double>& exchange,
                               bool sizes) const;
  /// Mean and standard deviation of |total| over pairs of different levels.
  struct Spread {
    double mean = 0.0;
    double deviation = 0.0;
    double error = 0.0;  ///< largest of an element
    double relative() const { return deviation / mean; }
  };
  Spread spread() const;

  const WellRequest& well_;
  int levels_;
  bool tensor_;
  StudyContext context_;
  ElementTable found_;
};

}  // namespace qheat
