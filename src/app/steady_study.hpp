#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "qheat/io/job.hpp"
#include "qheat/io/progress.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/steady/steady.hpp"
#include "qheat/transport/contact_resistance.hpp"
#include "qheat/transport/steady_gradient.hpp"

namespace qheat::app {

/// Options of the solver that a job asks for.
SteadyOptions steady_options(const SteadyRequest& request);

/// The models whose steady states a job asks for, one a size.
std::vector<const Model*> steady_models(const Job& job);

/// What a job varies in its bath.
struct SteadyVariant {
  double rate = 1.0;       ///< factor of all reservoir rates
  double dephasing = 0.0;  ///< in place of the bath's own
};

/// All combinations, the rates outermost. Without steady.rates the factor is 1, without steady.dephasings the
/// dephasing is the bath's.
std::vector<SteadyVariant> steady_variants(const Job& job);
/// The model with the bath of a variant.
Model varied(Model model, const SteadyVariant& variant);

/// Throws Error if one of them does not fit `free_bytes` a rank (0: no limit), before any is computed.
void require_possible_steady_states(const Job& job, int ranks, double free_bytes);

/// The steady states of a job: of each size in each variant of the bath, and what their comparison says.
class SteadyStudy {
 public:
  SteadyStudy(const Job& job, const Communicator& comm, RunControl& control, Progress& progress,
              Timings& timings);

  void compute();
  void write(ResultsFile& file) const;
  /// For the reader, rank 0.
  void summarize() const;
  /// Why states are missing, one sentence a state; they are NaN in the results.
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  /// The steady state of one size in one variant.
  struct Case {
    SteadyState state;
    BulkCoefficients bulk;
    ChainResistance chain;
  };

  bool compares_sizes() const { return !job_.steady->sizes.empty(); }
  bool compares_dephasings() const { return !job_.steady->dephasings.empty(); }
  Model model_of(std::size_t variant, std::size_t size) const;
  const Case& at(std::size_t variant, std::size_t size) const {
    return cases_[variant * models_.size() + size];
  }
  std::size_t dephasings() const { return std::max<std::size_t>(1, job_.steady->dephasings.size()); }
  /// The rates of one dephasing, as numbers of variants.
  std::vector<std::size_t> variants_with(std::size_t dephasing) const;
  std::string text_of(std::size_t variant) const;
  std::string verdict_text(const std::string& separator) const;
  SteadyState solve(std::size_t variant, std::size_t size);
  SteadyState solve_or_go_on(std::size_t variant, std::size_t size);
  void compare();
  std::vector<double> sizes() const;
  void write_state(const std::string& group, std::size_t size, ResultsFile& file) const;
  void write_fit(ResultsFile& file) const;
  void say_state(std::size_t variant, std::size_t size) const;
  void say_sizes(std::size_t variant) const;
  void say_fit(std::size_t variant) const;
  void say_agreement() const;
  void say_comparison() const;

  const Job& job_;
  Communicator comm_;
  RunControl& control_;
  Progress& progress_;
  Timings& timings_;
  std::vector<const Model*> models_;
  std::vector<SteadyVariant> variants_;
  std::size_t shown_ = 0;                   ///< whose profiles are written: the bath as given if it is there
  std::vector<Case> cases_;                 ///< [V][S]
  std::vector<ContactFit> fits_;            ///< [V]
  std::vector<TransportVerdict> verdicts_;  ///< one a dephasing
  std::vector<std::string> failures_;
};

}  // namespace qheat::app
