#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "qheat/steady/steady.hpp"
#include "qheat/transport/steady_comparison.hpp"
#include "studies/study.hpp"

namespace qheat {

/// The steady states of a job: of each size in each variant of the bath, and what their comparison says.
class SteadyStudy final : public Study {
 public:
  SteadyStudy(const Job& job, const StudyContext& context);

  void describe(Report& report) const override;
  void require_possible() const override;
  Need need(int ranks, double free_bytes) const override;
  void compute() override;
  void write(ResultsFile& file) override;
  void summarize(Report& report) const override;
  /// Why states are missing, one sentence a state.
  std::vector<std::string> failures() const override { return failures_; }
  /// D of the bath as the job has it, from all sizes and rates; of a single state the inside's. One
  /// dephasing.
  DiffusionEstimate diffusion() const;

 private:
  /// The steady state of one size in one variant.
  struct Case {
    SteadyState state;
    ChainMeasurement measured;
  };

  bool compares_sizes() const { return !job_.steady->sizes.empty(); }
  bool compares_dephasings() const { return !job_.steady->dephasings.empty(); }
  Model model_of(std::size_t variant, std::size_t size) const;
  const Case& at(std::size_t variant, std::size_t size) const {
    return cases_[variant * models_.size() + size];
  }
  std::size_t dephasings() const { return std::max<std::size_t>(1, job_.steady->dephasings.size()); }
  std::string text_of(std::size_t variant) const;
  std::string verdict_text(const std::string& separator) const;
  SteadyState solve(std::size_t variant, std::size_t size);
  SteadyState solve_or_go_on(std::size_t variant, std::size_t size);
  void compare();
  std::vector<double> sizes() const;
  const SteadyComparison& comparison_of(std::size_t variant) const {
    return comparisons_[variant % dephasings()];
  }
  const ContactFit& fit_of(std::size_t variant) const {
    return comparison_of(variant).fits[variant / dephasings()];
  }
  void write_state(const std::string& group, std::size_t size, ResultsFile& file) const;
  void write_planes(const std::string& group, std::size_t size, ResultsFile& file) const;
  void write_fit(ResultsFile& file) const;
  void write_estimates(ResultsFile& file) const;
  // steady_report.cpp
  void say_state(std::size_t variant, std::size_t size, Report& report) const;
  void say_gradients(std::size_t variant, std::size_t size, Report& report) const;
  void say_sizes(std::size_t variant, Report& report) const;
  void say_fit(std::size_t variant, Report& report) const;
  void say_diffusion(Report& report) const;
  void say_comparison(Report& report) const;

  const Job& job_;
  StudyContext context_;
  std::vector<const Model*> models_;
  std::vector<SteadyVariant> variants_;
  std::size_t shown_ = 0;    ///< whose profiles are written: the bath as given if it is there
  std::vector<Case> cases_;  ///< [V][S]
  std::vector<SteadyComparison> comparisons_;  ///< one a dephasing; empty with a single state
  std::vector<std::string> failures_;
};

}  // namespace qheat
