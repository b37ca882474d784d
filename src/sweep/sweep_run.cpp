#include "sweep/sweep_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <new>
#include <optional>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/rank_groups.hpp"
#include "qheat/parallel/shared_counter.hpp"
#include "qheat/parallel/stop_signals.hpp"
#include "studies/job_run.hpp"

namespace qheat {
namespace {

class PointsRun {
 public:
  PointsRun(const Sweep& sweep, const Survey& survey, const PointFiles& files, const SweepRunOptions& options,
            const Machine& machine, const Communicator& comm, Progress& progress)
      : sweep_(sweep),
        survey_(survey),
        files_(files),
        options_(options),
        machine_(machine),
        comm_(comm),
        progress_(progress) {}

  void run() {
    const auto points = unfinished();
    total_ = static_cast<Index>(points.size());
    std::map<int, std::vector<Index>, std::greater<>> classes;  // by ranks a point, the largest first
    for (const Index point : points) classes[need(point).ranks].push_back(point);
    for (auto& [ranks, members] : classes) {
      // Longest first: short ones fill the gaps at the end.
      std::stable_sort(members.begin(), members.end(),
                       [&](Index x, Index y) { return need(x).seconds > need(y).seconds; });
      run_class(members, comm_.size() / ranks);
      done_ += static_cast<Index>(members.size());
      begun_ = 0;
      if (comm_.any(stopped_)) throw Stopped();
    }
  }

 private:
  const PointNeed& need(Index point) const { return at(survey_.points, point); }

  /// Looks at the files of all points of the share, each on one rank. Without --resume what they hold goes.
  std::vector<Index> unfinished() const {
    const auto points = points_of(sweep_, options_.share);
    std::vector<double> finished(points.size(), 0.0);
    for (auto p = as_size(comm_.rank()); p < points.size(); p += as_size(comm_.size())) {
      if (!options_.resume) files_.remove(points[p]);
      finished[p] = options_.resume && files_.is_finished(points[p]) ? 1.0 : 0.0;
    }
    comm_.sum(std::span(finished));
    std::vector<Index> left;
    for (std::size_t p = 0; p < points.size(); ++p)
      if (finished[p] == 0.0) left.push_back(points[p]);
    if (left.size() < points.size())
      progress_.log(
          fmt::format("{} of {} points are finished already", points.size() - left.size(), points.size()));
    return left;
  }

  void run_class(const std::vector<Index>& points, int groups) {
    const RankGroups split(comm_, groups);
    SharedCounter counter(comm_);
    const Communicator& group = split.comm();
    while (!split.is_idle() && !stopped_) {
      const Index next = next_of(group, counter);
      if (next >= static_cast<Index>(points.size())) break;
      if (next < 0) {
        stopped_ = true;
        break;
      }
      run_point(at(points, next), group, counter);
      if (stopped_ && group.is_root()) counter.close();
    }
    comm_.any(false);  // the counter is needed until everybody is done
  }

  /// The number of the point that a group takes next, -1 if it is to stop.
  Index next_of(const Communicator& group, SharedCounter& counter) {
    double next = 0.0;
    if (group.is_root()) {
      const bool late = options_.max_time > 0.0 && MPI_Wtime() - options_.started > options_.max_time;
      const bool stop = late || stop_signal_received() || counter.is_closed();
      if (stop) counter.close();
      next = stop ? -1.0 : static_cast<double>(counter.next());
      begun_ = std::max(begun_, static_cast<Index>(next));
      tell_progress();
    }
    group.broadcast(std::span(&next, 1));
    return static_cast<Index>(next);
  }

  /// Of the points that have been taken.
  void tell_progress() const {
    const auto taken = static_cast<double>(std::min(done_ + begun_, total_));
    if (comm_.is_root()) progress_.update("sweep", taken / static_cast<double>(total_));
  }

  void run_point(Index point, const Communicator& group, SharedCounter& counter) {
    std::optional<std::string> failure;
    try {
      failure = compute(point, group, counter);
    } catch (const Stopped&) {
      stopped_ = true;
      return;
    } catch (const Error& error) {
      failure = error.what();
    } catch (const std::bad_alloc&) {
      failure = "out of memory; use more nodes, fewer sites or a smaller sector";
    } catch (const std::exception& error) {
      failure = fmt::format("unexpected failure: {}; please report this", error.what());
    }
    if (!failure) return;
    if (group.size() > 1 && !group.all_arrive())
      throw Error(fmt::format("point {} ({}): {}", point, sweep_.label(point), *failure));
    if (!group.is_root()) return;
    files_.note_failure(point, *failure);
    progress_.log(fmt::format("point {} ({}) failed: {}", point, sweep_.label(point), *failure));
  }

  /// Why something of the point could not be computed, if anything.
  std::optional<std::string> compute(Index point, const Communicator& group, SharedCounter& counter) const {
    const double begun = MPI_Wtime();
    const Job job = ready_job(sweep_, point);
    Machine machine = machine_;
    machine.ranks = group.size();
    require_doable(job, machine, group);
    Progress silent(false);
    Timings timings;
    const JobRun run{.job = job,
                     .output = files_.results(point),
                     .checkpoint = {.file = {},
                                    .interval = job.checkpoint_interval,
                                    .max_time = options_.max_time,
                                    .resume = options_.resume,
                                    .stop_asked =
                                        [&] {
                                          tell_progress();
                                          return counter.is_closed();
                                        }},
                     .started = options_.started,
                     .begun = begun};
    const JobOutcome outcome = run_job(run, group, silent, timings);
    if (outcome.failures.empty()) return {};
    return fmt::format("{} part(s) are NaN: {}", outcome.failures.size(), outcome.failures.front());
  }

  const Sweep& sweep_;
  const Survey& survey_;
  const PointFiles& files_;
  SweepRunOptions options_;
  const Machine& machine_;
  Communicator comm_;
  Progress& progress_;
  Index total_ = 0;
  Index done_ = 0;   ///< in the classes before
  Index begun_ = 0;  ///< of this class, as far as this rank knows
  bool stopped_ = false;
};

}  // namespace

void run_points(const Sweep& sweep, const Survey& survey, const PointFiles& files,
                const SweepRunOptions& options, const Machine& machine, const Communicator& comm,
                Progress& progress) {
  PointsRun(sweep, survey, files, options, machine, comm, progress).run();
}

}  // namespace qheat
