#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qheat/basis/cell_space.hpp"
#include "qheat/evolution/exact_ensemble.hpp"
#include "qheat/kernel/kernel_id.hpp"
#include "qheat/kernel/kernel_series.hpp"
#include "qheat/kernel/memory_kernel.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/kernel/tcl_kernel.hpp"
#include "qheat/propagator/cell_moments.hpp"
#include "qheat/rates/solve.hpp"
#include "studies/exact_study.hpp"
#include "studies/study.hpp"

namespace qheat {

/// The kernels of a job at its output times, and the rate equations with them.
class KernelStudy final : public Study {
 public:
  /// `exact`: the exact dynamics that rate equations are held against, if the job asks for it.
  KernelStudy(const Job& job, const StudyContext& context, const ExactStudy* exact);

  void describe(Report& report) const override;
  void require_possible() const override;
  Need need(int ranks, double free_bytes) const override;
  void compute() override;
  void write(ResultsFile& file) override;
  /// Tables: deviations, and which assumptions hold when.
  void summarize(Report& report) const override;

  /// A kernel that has rates of bonds, and the times at which they are known. After compute().
  struct BondRates {
    KernelId id;
    std::vector<double> times;
    const KernelSeries* series;
  };
  std::vector<BondRates> with_bond_rates() const;

 private:
  struct Kernel {
    KernelId id;
    KernelSeries series;
    std::optional<RateSolution> many_body;
    std::optional<RateSolution> sites;
    double rates_error = 0.0;  ///< of the populations; memory equation only
  };

  bool wants(KernelId id) const;
  bool has_rates(KernelId id) const;
  Kernel& of(KernelId id);
  const SecondOrderKernel& local_kernel(KernelId id) const { return local_.at(id); }
  std::vector<double> times_of(KernelId id) const;
  void make_dense_kernels();
  void evaluate_local(Kernel& kernel);
  void evaluate_dense();
  void evaluate_memory();
  void solve_rates(Kernel& kernel);
  void solve_memory_equation(Kernel& kernel);
  std::unique_ptr<TimeLocalKernel> tcl_kernel(int order) const;
  std::unique_ptr<const PopulationPropagator> propagator(const CellSector& sector);
  void make_moments(int highest);
  std::vector<std::unique_ptr<PropagatorOrders>> orders(int highest) const;
  bool keeps_generators() const;
  std::size_t reached_outputs(const Kernel& kernel) const;
  void write_cells(ResultsFile& file) const;
  void write_series(const Kernel& kernel, ResultsFile& file) const;
  void write_scores(const Kernel& kernel, ResultsFile& file) const;
  void write_generators(ResultsFile& file);
  void write_local_generator(const Kernel& kernel, ResultsFile& file) const;
  std::optional<std::vector<double>> exact_populations() const;
  void write_rates(const Kernel& kernel, const std::optional<std::vector<double>>& exact,
                   ResultsFile& file) const;
  void say_rates(const Kernel& kernel, const std::optional<std::vector<double>>& exact, Report& report) const;
  void warn_about_uneven_start(ResultsFile& file, const std::string& group) const;

  const Job& job_;
  const ExactStudy* exact_study_;
  bool averaged_;  ///< over realisations of the detunings
  std::optional<Model> undetuned_;
  const Model& model_;  ///< without detunings where it is averaged
  DrawRealization draw_;
  std::vector<double> times_;
  StudyContext context_;
  std::optional<CellSpace> cells_;  ///< only for dense kernels and stored generators: it lists all sectors
  std::vector<Kernel> kernels_;
  std::map<KernelId, SecondOrderKernel> local_;  ///< those that are sums of terms
  std::unique_ptr<ExactKernel> exact_;
  std::vector<std::shared_ptr<const CellMoments>> moments_;  ///< of an open system's orders, [sectors]
  std::unique_ptr<TclKernels> tcl_;                          ///< of all orders that are not local
  std::unique_ptr<MemoryKernel> memory_;
};

}  // namespace qheat
