#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "qheat/io/job.hpp"
#include "qheat/io/progress.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/parallel/timings.hpp"
#include "qheat/parallel/work.hpp"

namespace qheat {

/// What every computation is run with. What it refers to must outlive the studies.
struct StudyContext {
  Communicator comm;
  RunControl& control;
  Progress& progress;
  Timings& timings;

  /// Bytes that this rank may still use; 0: not known. Collective.
  double free_bytes() const { return free_bytes_per_rank(comm); }
};

/// What a computation takes.
struct Need {
  double bytes_per_rank = 0.0;        ///< at its peak by the quickest way, beside what stays
  double least_bytes_per_rank = 0.0;  ///< the same by the smallest way
  double kept_bytes_per_rank = 0.0;   ///< results that stay until they are written
  Work work{};                        ///< of one core, by the quickest way
  int sensible_ranks = 1;             ///< most ranks that still gain
  std::string what{};                 ///< "exact propagation of ...": what takes the memory
  std::string remedy{};               ///< what helps if it does not fit: "use ..."
};

/// Text for the reader, line by line.
class Report {
 public:
  template <class... Arguments>
  void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text_ += fmt::format(format, std::forward<Arguments>(arguments)...);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// One computation of a job. All calls are collective and in the order of their declaration; `describe`,
/// `require_possible` and `need` cost next to nothing and may stand alone.
class Study {
 public:
  Study() = default;
  virtual ~Study() = default;
  Study(const Study&) = delete;
  Study& operator=(const Study&) = delete;

  /// What will be computed, and how, for `qheat check`.
  virtual void describe(Report& report) const = 0;
  /// Throws InputError or Error, with the remedy, if it cannot be done, as far as that is known before it is
  /// begun: everything but memory, which require_fit decides on. `run` and `check` both ask here.
  virtual void require_possible() const = 0;
  /// What it takes on `ranks` ranks; `free_bytes` a rank (0: no limit) may decide on methods. Not having them
  /// is no error.
  virtual Need need(int ranks, double free_bytes) const = 0;

  /// Owns its stages: saves, restores, may stop at safe points.
  virtual void compute() = 0;
  /// May be called twice, the first time to measure.
  virtual void write(ResultsFile& file) = 0;
  /// What the reader of a log wants to know of the results.
  virtual void summarize(Report& report) const = 0;
  /// Parts that could not be computed while others were, a sentence each; NaN in the results.
  virtual std::vector<std::string> failures() const { return {}; }
};

/// The computations that a job asks for, in the order in which they are done. The job must outlive them.
std::vector<std::unique_ptr<Study>> studies_of(const Job& job, const StudyContext& context);

/// What all of them take together: one after the other, while the results of each stay.
Need total_need(const std::vector<std::unique_ptr<Study>>& studies, int ranks, double free_bytes);

}  // namespace qheat
