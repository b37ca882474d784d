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
  const std::vector<DiffusionRoute>& routes() const { return here_.routes; }
  /// How energy spreads.
  const SpreadVerdict& verdict() const { return verdict_; }

 private:
  /// What is found of one lattice.
  struct Followed {
    std::vector<LatticeMode> modes;
    double susceptibility = 0.0;
    double background = 0.0;  ///< sector_background
    Correlations correlations;
    EquilibriumAnalysis all;
    std::vector<EquilibriumAnalysis> without_one;  ///< without one of the samples each: a jackknife
    double edge_time = std::numeric_limits<double>::infinity();  ///< when the excess meets itself or the edge
    std::vector<DiffusionRoute> routes;
    std::vector<double> correlation_error;  ///< Frobenius norm of the error of C over the 1-norm of C, [T]
    /// Largest error of D(t), by samples, over the largest D(t): by Green-Kubo or else spreading; 0 if exact.
    double relative_error = 0.0;
  };
  CorrelationOptions options_for(const Model& model) const;
  Need need_of(const Model& model, int ranks, double free_bytes) const;
  Followed follow(const Model& model);
  void analyse_samples(const Model& model, Followed& found) const;
  int more_samples(const Followed& found) const;
  void check_start(const Model& model, const Followed& found) const;
  void find_routes(const Lattice& lattice, Followed& found) const;
  DiffusionRoute route(TransportRoute route, const Lattice& lattice, const Followed& found) const;
  void judge();
  std::string end_in_words() const;
  void write_spreading(ResultsFile& file) const;
  void write_green_kubo(ResultsFile& file) const;
  void write_modes(ResultsFile& file) const;
  void write_site_kernel(ResultsFile& file) const;
  void write_memory(ResultsFile& file) const;
  void close_sites();
  std::vector<double> error_of_kernel() const;
  double error_of_memory() const;

  const Job& job_;
  StudyContext context_;
  std::vector<double> times_;
  EquilibriumRoutes wanted_;
  Followed here_;
  std::vector<double> singular_times_;  ///< of the site kernel
  std::vector<double> bond_rates_;      ///< of the site kernel, [T][B]; empty: no such route
  std::vector<double> closure_error_;   ///< of the site equation with them, [T]
  Followed shorter_;                    ///< of the lattice to compare with, if there is one
  SpreadVerdict verdict_;
};

}  // namespace qheat
