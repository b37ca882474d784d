#pragma once

#include <optional>
#include <vector>

#include "qheat/evolution/exact_ensemble.hpp"
#include "studies/study.hpp"

namespace qheat {

/// [exact]: populations, energies and currents by exact dynamics.
class ExactStudy final : public Study {
 public:
  ExactStudy(const Job& job, const StudyContext& context);

  void describe(Report& report) const override;
  void require_possible() const override;
  Need need(int ranks, double free_bytes) const override;
  void compute() override;
  void write(ResultsFile& file) override;
  void summarize(Report& report) const override;

  /// Populations of bands, [T][N][L]; of what has been computed.
  std::vector<double> band_populations() const;

 private:
  Need need_open(int ranks) const;
  Need need_closed(int ranks) const;
  int groups_of(int ranks, double free_bytes) const;
  void describe_open(Report& report) const;
  void say_watch(Report& report, const DensityWatch& watch, double trace_drift) const;
  void write_observations(const Observations& values, const std::string& suffix, ResultsFile& file) const;
  void write_full_energy(const std::vector<double>& values, const std::string& suffix,
                         ResultsFile& file) const;

  const Job& job_;
  const Model& model_;
  StudyContext context_;
  std::vector<double> times_;
  ExactOptions options_;
  std::optional<ExactResult> result_;
};

}  // namespace qheat
