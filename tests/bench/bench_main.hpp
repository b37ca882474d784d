#pragma once

#include <functional>
#include <string>

#include "qheat/parallel/communicator.hpp"

namespace qheat_bench {

/// The communicator of the benchmark program.
const qheat::Communicator& world();

/// Registers a benchmark that calls `work` on all ranks; a call's time is that of the slowest rank. Ten calls
/// an entry of `repetitions`, preceded by one that does not count.
void add(const std::string& name, std::function<void()> work, int calls = 10);

/// Seconds of the slowest rank, and of the processors of all ranks.
struct Seconds {
  double wall = 0.0;
  double processor = 0.0;
};
/// What `work` takes, begun by all ranks together. Collective.
Seconds measure(const std::function<void()>& work);

/// Registers the program's benchmarks; written by each program.
void register_all();

/// A figure to be printed with the benchmark that is registered next under this name.
void note(const std::string& name, const std::string& counter, double value);

}  // namespace qheat_bench
