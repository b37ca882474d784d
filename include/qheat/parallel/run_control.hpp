#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// Takes the state of a computation to be saved. Calls are collective and in the same order on all ranks.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  /// Values that are the same on all ranks.
  virtual void replicated(const std::string& name, std::span<const double> values) = 0;
  /// This rank's contiguous part of a vector of `global_size`, starting at `offset`.
  virtual void distributed(const std::string& name, std::span<const double> local, Index offset,
                           Index global_size) = 0;
};

/// Gives back what a StateWriter took, on any number of ranks.
class StateReader {
 public:
  virtual ~StateReader() = default;
  virtual std::vector<double> replicated(const std::string& name) = 0;
  virtual void distributed(const std::string& name, std::span<double> local, Index offset,
                           Index global_size) = 0;
};

/// The line by which long computations report progress, offer their state for saving, and learn that they
/// should stop. Work is a tree of named stages; every call is collective over the ranks of the computation.
///
/// A stage asks `restore_finished` (its results are there: skip it) and `restore_partial` (go on from there),
/// calls `offer` at every safe point, and hands its small results to `finish`.
class RunControl {
 public:
  using Save = std::function<void(StateWriter&)>;
  using Load = std::function<void(StateReader&)>;

  virtual ~RunControl() = default;
  virtual void enter(const std::string& stage) = 0;
  virtual void leave() noexcept = 0;
  /// True, after calling `load`, if an earlier run finished this stage.
  virtual bool restore_finished(const Load& load) = 0;
  /// True, after calling `load`, if an earlier run saved this stage half done.
  virtual bool restore_partial(const Load& load) = 0;
  /// The output time that this stage is at, and the last one: what the reader of a checkpoint wants to know.
  virtual void reach(double /*time*/, double /*end*/) {}
  /// A safe point; `fraction` in [0, 1] of this stage is done. May save, and throws Stopped after saving when
  /// asked to.
  virtual void offer(double fraction, const Save& save) = 0;
  /// The state of this stage at the last output, from which a run to a later end can go on. What `save`
  /// writes is what a partial state of this stage is, and contains a value "extendable".
  virtual void keep_end(const Save& /*save*/) {}
  /// This stage is done; its results (replicated values only) stay with the run. What its inner stages left
  /// goes, and so does what it left itself if it is done once more.
  virtual void finish(const Save& save) = 0;
};

/// Enters a stage for its life time.
class Stage {
 public:
  Stage(RunControl& control, const std::string& name) : control_(control) { control_.enter(name); }
  ~Stage() { control_.leave(); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

 private:
  RunControl& control_;
};

/// Runs everything to its end: no progress, no saving.
class UninterruptedRun final : public RunControl {
 public:
  void enter(const std::string&) override {}
  void leave() noexcept override {}
  bool restore_finished(const Load&) override { return false; }
  bool restore_partial(const Load&) override { return false; }
  void offer(double, const Save&) override {}
  void finish(const Save&) override {}
};

}  // namespace qheat
