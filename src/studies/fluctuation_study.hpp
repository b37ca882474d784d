#pragma once

#include <limits>
#include <string>
#include <vector>

#include "qheat/fluctuations/correlations.hpp"
#include "qheat/transport/diffusion_route.hpp"
#include "qheat/transport/equilibrium_routes.hpp"
#include "qheat/transport/spread_verdict.hpp"
#include "studies/study.hpp"

namespace qheat {

/// The routes of [transport] that need equilibrium correlations: C_ij(t), the total current's, D(t) by each.
class FluctuationStudy final : public Study {
 public:
  FluctuationStudy(const Job& job, const StudyContext& context);

  void describe(Report& report) const override;
  void require_possible() const override;
  Need need(int ranks, double free_bytes) const override;
  void compute() override;
  void write(ResultsFile& file) override;
  void summarize(Report& report) const override;

  /// D by each route, in the order of the job.
  const std::vector<DiffusionRoute>& routes() const { return found_; }
  /// How energy spreads; empty without that route.
  const std::optional<SpreadVerdict>& verdict() const { return verdict_; }

 private:
  /// Values of a jackknife: all samples, and all but one each.
  struct Analyses {
    EquilibriumAnalysis all;
    std::vector<EquilibriumAnalysis> without_one;
  };
  CorrelationOptions options() const;
  EquilibriumAnalysis analysis(const CorrelationSeries& series) const;
  int more_samples(const Correlations& found) const;
  void find_routes();
  DiffusionRoute route(TransportRoute route) const;
  void check_conservation() const;
  void write_spreading(ResultsFile& file) const;
  void write_green_kubo(ResultsFile& file) const;
  void write_modes(ResultsFile& file) const;
  void write_site_kernel(ResultsFile& file) const;

  const Job& job_;
  StudyContext context_;
  std::vector<double> times_;
  EquilibriumRoutes wanted_;
  std::vector<LatticeMode> modes_;
  double susceptibility_ = 0.0;
  Correlations correlations_;
  Analyses found_analyses_;
  std::vector<DiffusionRoute> found_;
  std::optional<SpreadVerdict> verdict_;
  double edge_time_ = std::numeric_limits<double>::infinity();  ///< when the excess meets itself or the edge
};

}  // namespace qheat
