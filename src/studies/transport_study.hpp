#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qheat/kernel/kernel_id.hpp"
#include "qheat/kernel/markov.hpp"
#include "qheat/model/thermodynamics.hpp"
#include "qheat/model/units.hpp"
#include "qheat/transport/kernel_diffusion.hpp"
#include "studies/fluctuation_study.hpp"
#include "studies/kernel_study.hpp"
#include "studies/steady_study.hpp"
#include "studies/study.hpp"

namespace qheat {

/// [transport]: D by the kernels of the job, C_V(T) and the conductivity kappa(T) = D C_V of a site.
class TransportStudy final : public Study {
 public:
  /// `kernels`: those whose bond rates give D, if the job has any; `fluctuations`: the routes that follow
  /// them.
  TransportStudy(const Job& job, const StudyContext& context, const KernelStudy* kernels,
                 const SteadyStudy* steady, const FluctuationStudy* fluctuations);

  void describe(Report& report) const override;
  void require_possible() const override {}
  Need need(int ranks, double free_bytes) const override;
  void compute() override;
  void write(ResultsFile& file) override;
  void summarize(Report& report) const override;

 private:
  struct Route {
    KernelId id;
    std::vector<double> times;
    KernelDiffusion found;
  };

  /// The unit in which numbers are told: the laboratory's, if the job names units.
  struct Scale {
    double factor;
    std::string unit;  ///< with a space before it; empty in program units
  };
  Scale scale(Quantity quantity) const;
  double open_share() const;
  const Route* best() const;
  /// The D that is believed, with an error that holds the distance to other routes.
  struct Final {
    TransportRoute route;
    std::string name;  ///< for the reader
    double value, error;
  };
  std::optional<Final> final_diffusion() const;
  void write_steady(ResultsFile& file) const;
  void say_fluctuations(Report& report) const;
  std::vector<double> conductivity(double diffusion) const;
  void write_route(const Route& route, const std::string& group, ResultsFile& file) const;
  Route at_all_outputs(Route route) const;
  void write_pair_rate(ResultsFile& file) const;
  void write_thermodynamics(ResultsFile& file) const;
  void say_diffusion(Report& report) const;
  void say_conductivity(Report& report) const;

  const Job& job_;
  StudyContext context_;
  const KernelStudy* kernels_;
  const SteadyStudy* steady_;
  const FluctuationStudy* fluctuations_;
  std::vector<double> temperatures_;
  std::vector<Thermodynamics> heat_;  ///< [K]
  std::vector<Route> routes_;         ///< of kernels with rates of bonds, ascending
  std::optional<PairRate> pair_rate_;
};

}  // namespace qheat
