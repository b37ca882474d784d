#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// Seconds, calls and bytes sent of one phase, on this rank.
struct PhaseTiming {
  double seconds = 0.0;
  Index calls = 0;
  Index bytes_sent = 0;
};

/// Where the time of a run went, by phase. One object a run, passed to whoever measures.
class Timings {
 public:
  /// Times its own life time into a phase.
  class Scope {
   public:
    Scope(Timings& timings, const std::string& phase)
        : timing_(timings.phases_[phase]), start_(std::chrono::steady_clock::now()) {}
    ~Scope() {
      timing_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
      ++timing_.calls;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    PhaseTiming& timing_;
    std::chrono::steady_clock::time_point start_;
  };

  PhaseTiming& phase(const std::string& name) { return phases_[name]; }
  /// Collective: the largest seconds and calls, and the sum of bytes, over all ranks, of
  /// the phases of any.
  std::map<std::string, PhaseTiming> over_ranks(const Communicator& comm) const;

 private:
  std::vector<std::string> names_on_ranks(const Communicator& comm) const;

  std::map<std::string, PhaseTiming> phases_;
};

}  // namespace qheat
