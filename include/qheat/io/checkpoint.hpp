#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qheat/io/progress.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/run_control.hpp"

namespace qheat {

namespace hdf5 {
class File;
}

/// What must be the same for a checkpoint to fit a run.
struct RunIdentity {
  std::string job_text;
  std::string digest;              ///< of the model as this version builds it
  std::string text_without_times;  ///< of the job; the same in a run that this one extends
  double end = 0.0;                ///< last output time; 0: none
  std::int64_t outputs = 0;
};

struct CheckpointOptions {
  std::filesystem::path file;  ///< <output>.chk; the one before is <output>.chk.prev
  double interval = 600.0;     ///< seconds of wall time between checkpoints
  double max_time = 0.0;       ///< seconds of wall time after which the run saves and stops; 0: none
  bool resume = false;
  bool keep_state = false;                ///< the state at the last output stays as <output>.end
  std::function<bool()> stop_asked = {};  ///< asked on rank 0 at safe points: true as a signal to stop
};

/// The RunControl of the program: saves at safe points, stops on time or on a signal (throws Stopped after
/// saving), and hands an earlier run's state back, on any number of ranks. All calls are collective.
///
/// A checkpoint holds the results of all finished stages and the state of the one under way. It is written
/// beside as .tmp, flushed, and renamed; every dataset is checksummed; the `complete` mark comes last.
class CheckpointedRun final : public RunControl {
 public:
  /// `started`: MPI_Wtime() at the program's start. Throws InputError if the checkpoint found belongs to
  /// another job.
  CheckpointedRun(CheckpointOptions options, RunIdentity identity, double started, const Communicator& comm,
                  Progress& progress);
  ~CheckpointedRun() override;

  void enter(const std::string& stage) override;
  void leave() noexcept override;
  bool restore_finished(const Load& load) override;
  bool restore_partial(const Load& load) override;
  void reach(double time, double end) override;
  void offer(double fraction, const Save& save) override;
  void finish(const Save& save) override;
  void keep_end(const Save& save) override;

  /// Saves what all stages have left, once they are done and the results could not be written.
  void keep();
  /// Removes the run's checkpoints: its results are safe.
  void discard();

 private:
  using Record = std::map<std::string, std::vector<double>>;

  std::string path() const;
  void load_newest();
  bool load_file(const std::filesystem::path& file, std::string& why_not);
  bool write(const Save& save);
  std::string write_beside(const std::filesystem::path& temporary, const Save& save) const;
  std::string put(const std::filesystem::path& file, const Save& save,
                  const std::function<void()>& before_it) const;
  bool extends_earlier(const hdf5::File& file) const;
  void write_header(hdf5::File& file) const;
  void tell_failure(const std::string& failure);

  CheckpointOptions options_;
  RunIdentity identity_;
  double started_;
  Communicator comm_;
  Progress& progress_;
  std::vector<std::string> stages_;
  std::map<std::string, Record> finished_;
  std::filesystem::path partial_file_;  ///< checkpoint that holds the stage under way
  std::string partial_stage_;
  bool extending_ = false;  ///< the checkpoint is of a run to an earlier end
  /// How far the stage under way is.
  struct Standing {
    double fraction = 0.0;
    std::optional<std::pair<double, double>> time;  ///< reached, last
  };
  Standing standing_;
  double last_saved_;
  double last_offer_;
  double longest_pause_ = 0.0;  ///< between two safe points
  double longest_write_ = 0.0;
  bool saved_ = false;         ///< a usable checkpoint of this run exists
  bool newest_usable_ = true;  ///< a damaged checkpoint must not replace the good one before it
  std::string told_failure_;
  double told_at_ = 0.0;
};

/// Refuses a second run with the same output; held for its life time by rank 0, released by the system if the
/// run dies.
class OutputLock {
 public:
  /// Collective. Throws Error if another run holds the lock.
  OutputLock(const std::filesystem::path& output, const Communicator& comm);
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace qheat
