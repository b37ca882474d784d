#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qheat/kernel/kernel_id.hpp"
#include "qheat/kernel/markov.hpp"
#include "qheat/model/thermodynamics.hpp"
#include "qheat/model/units.hpp"
#include "qheat/transport/kernel_diffusion.hpp"
#include "studies/kernel_study.hpp"
#include "studies/study.hpp"

namespace qheat {

/// [transport]: D by the kernels of the job, C_V(T) and the conductivity kappa(T) = D C_V of a site.
class TransportStudy final : public Study {
 public:
  /// `kernels`: those whose bond rates give D, if the job has any.
  TransportStudy(const Job& job, const StudyContext& context, const KernelStudy* kernels);

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
  std::vector<double> temperatures_;
  std::vector<Thermodynamics> heat_;  ///< [K]
  std::vector<Route> routes_;         ///< of kernels with rates of bonds, ascending
  std::optional<PairRate> pair_rate_;
};

}  // namespace qheat
