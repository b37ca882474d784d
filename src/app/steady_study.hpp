#pragma once

#include <string>
#include <vector>

#include "qheat/dynamics/steady.hpp"
#include "qheat/io/job.hpp"
#include "qheat/io/progress.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/transport/contact_resistance.hpp"
#include "qheat/transport/steady_gradient.hpp"

namespace qheat::app {

/// Options of the solver that a job asks for.
SteadyOptions steady_options(const SteadyRequest& request);

/// The models whose steady states a job asks for, one a size.
std::vector<const Model*> steady_models(const Job& job);

/// The steady states of a job: of each size at each rate of the reservoirs, and what their comparison says.
class SteadyStudy {
 public:
  SteadyStudy(const Job& job, const Communicator& comm, RunControl& control, Progress& progress,
              Timings& timings);

  void compute();
  void write(ResultsFile& file) const;
  /// For the reader, rank 0.
  void summarize() const;

 private:
  /// The steady state of one size at one rate.
  struct Case {
    SteadyState state;
    BulkCoefficients bulk;
    ChainResistance chain;
  };

  bool compares() const { return !job_.steady->sizes.empty(); }
  Model model_of(std::size_t rate, std::size_t size) const;
  const Case& at(std::size_t rate, std::size_t size) const { return cases_[rate * models_.size() + size]; }
  SteadyState solve(std::size_t rate, std::size_t size);
  void compare();
  std::vector<double> sizes() const;
  void write_state(const std::string& group, std::size_t size, ResultsFile& file) const;
  void write_fit(ResultsFile& file) const;
  void say_state(std::size_t rate, std::size_t size) const;
  void say_sizes(std::size_t rate) const;
  void say_fit(std::size_t rate) const;

  const Job& job_;
  Communicator comm_;
  RunControl& control_;
  Progress& progress_;
  Timings& timings_;
  std::vector<const Model*> models_;
  std::vector<double> rates_;   ///< factors of the reservoirs' rates
  std::size_t shown_rate_ = 0;  ///< whose profiles are written: factor 1 if it is there
  std::vector<Case> cases_;     ///< [R][S]
  std::vector<ContactFit> fits_;
  TransportVerdict verdict_;
};

}  // namespace qheat::app
