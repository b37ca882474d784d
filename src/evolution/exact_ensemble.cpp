#include "qheat/evolution/exact_ensemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "qheat/evolution/open.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/parallel/rank_groups.hpp"

namespace qheat {
namespace {

constexpr double kLongestRound = 60.0;  // seconds without a safe point, as far as the plan can tell

/// Sums over realisations of the deviations from realisation 0, and of their squares, [T][Q] each: what does
/// not fluctuate has no error but rounding.
struct EnsembleSums {
  EnsembleSums(std::size_t times, std::size_t size)
      : origin(times * size), deviations(times * size), squares(times * size), truncation(times) {}
  void save(StateWriter& writer) const {
    writer.replicated("done", std::vector<double>{static_cast<double>(done)});
    writer.replicated("origin", origin);
    writer.replicated("deviations", deviations);
    writer.replicated("squares", squares);
    writer.replicated("truncation", truncation);
  }
  void load(StateReader& reader) {
    done = static_cast<int>(reader.replicated("done").front());
    origin = reader.replicated("origin");
    deviations = reader.replicated("deviations");
    squares = reader.replicated("squares");
    truncation = reader.replicated("truncation");
  }
  void add_one(const std::vector<double>& observed, const std::vector<double>& truncation_error) {
    for (std::size_t e = 0; e < observed.size(); ++e) {
      const double deviation = observed[e] - origin[e];
      deviations[e] += deviation;
      squares[e] += deviation * deviation;
    }
    for (std::size_t k = 0; k < truncation.size(); ++k)
      truncation[k] = std::max(truncation[k], truncation_error[k]);
    ++done;
  }
  /// What the ranks have added up apart.
  void add_all_ranks(EnsembleSums& round, const Communicator& comm) {
    comm.sum(round.deviations);
    comm.sum(round.squares);
    comm.max(round.truncation);
    round.done = static_cast<int>(comm.sum(Index{round.done}));
    const auto add = [](std::vector<double>& sums, const std::vector<double>& more) {
      std::transform(sums.begin(), sums.end(), more.begin(), sums.begin(), std::plus<>());
    };
    add(deviations, round.deviations);
    add(squares, round.squares);
    std::transform(truncation.begin(), truncation.end(), round.truncation.begin(), truncation.begin(),
                   [](double a, double b) { return std::max(a, b); });
    done += round.done;
  }

  int done = 0;                ///< realisations in the sums
  std::vector<double> origin;  ///< observed in realisation 0
  std::vector<double> deviations, squares;
  std::vector<double> truncation;  ///< largest so far, [T]
};

/// The control of a part of the work: its progress is that of the whole.
class PartOfRun final : public RunControl {
 public:
  PartOfRun(RunControl& whole, double before, double share) : whole_(whole), before_(before), share_(share) {}
  void enter(const std::string& stage) override { whole_.enter(stage); }
  void leave() noexcept override { whole_.leave(); }
  bool restore_finished(const Load& load) override { return whole_.restore_finished(load); }
  bool restore_partial(const Load& load) override { return whole_.restore_partial(load); }
  void reach(double time, double end) override { whole_.reach(time, end); }
  void offer(double fraction, const Save& save) override { whole_.offer(before_ + share_ * fraction, save); }
  void finish(const Save& save) override { whole_.finish(save); }

 private:
  RunControl& whole_;
  double before_, share_;
};

class EnsemblePropagation {
 public:
  EnsemblePropagation(int realizations, const DrawRealization& draw, const std::vector<double>& times,
                      const ExactOptions& options, const Communicator& comm, RunControl& control,
                      Timings& timings)
      : EnsemblePropagation(realizations, draw, draw(0), free_bytes_per_rank(comm), times, options, comm,
                            control, timings) {}

  ExactResult run() {
    {
      const Stage stage(control_, "realizations-done");
      control_.restore_finished([&](StateReader& reader) { sums_.load(reader); });
    }
    while (sums_.done < realizations_) {
      if (groups_.count() > 1) {
        do_round();
      } else {
        do_one_together();
      }
      const Stage stage(control_, "realizations-done");
      control_.finish([&](StateWriter& writer) { sums_.save(writer); });
      control_.offer(fraction(), [&](StateWriter& writer) { sums_.save(writer); });
    }
    return result();
  }

 private:
  EnsemblePropagation(int realizations, const DrawRealization& draw, const Realization& first,
                      double free_bytes, const std::vector<double>& times, const ExactOptions& options,
                      const Communicator& comm, RunControl& control, Timings& timings)
      : realizations_(realizations),
        draw_(draw),
        times_(times),
        options_(options),
        comm_(comm),
        control_(control),
        timings_(timings),
        free_bytes_(free_bytes),
        layout_(observation_layout(first.model, options)),
        groups_(comm, ensemble_groups(realizations, first, times, options, comm.size(), free_bytes)),
        sums_(times.size(), layout_.size()) {}

  double fraction() const { return static_cast<double>(sums_.done) / realizations_; }

  ExactResult propagate(int number, const Communicator& comm, RunControl& control) {
    const Realization realization = draw_(number);
    ExactOptions options = options_;
    options.seed += static_cast<std::uint64_t>(number);  // sampled mixtures: independent of each other
    if (!realization.model.bath.closed()) {
      return propagate_open(realization.model, realization.initial, times_, options, comm, control, timings_);
    }
    const auto plans =
        plan_exact(realization.model, realization.initial, times_, options, comm.size(), free_bytes_);
    return propagate_exact(realization.model, realization.initial, times_, options, plans, comm, control,
                           timings_);
  }

  /// One realisation a group. A group cannot save alone, so its work is short.
  void do_round() {
    EnsembleSums round(times_.size(), layout_.size());
    const int mine = sums_.done + groups_.group();
    const bool works = !groups_.is_idle() && mine < realizations_;
    std::optional<ExactResult> found;
    UninterruptedRun to_its_end;
    if (works) found = propagate(mine, groups_.comm(), to_its_end);
    if (sums_.done == 0) {
      if (comm_.is_root()) sums_.origin = pack(layout_, found->mean);  // group 0 did realisation 0
      comm_.broadcast(std::span(sums_.origin));
    }
    round.origin = sums_.origin;
    if (works && groups_.comm().is_root()) round.add_one(pack(layout_, found->mean), found->truncation_error);
    sums_.add_all_ranks(round, comm_);
  }

  void do_one_together() {
    const Stage stage(control_, fmt::format("realization-{}", sums_.done));
    PartOfRun part(control_, fraction(), 1.0 / realizations_);
    const auto found = propagate(sums_.done, comm_, part);
    const auto observed = pack(layout_, found.mean);
    if (sums_.done == 0) sums_.origin = observed;
    sums_.add_one(observed, found.truncation_error);
    control_.finish([](StateWriter&) {});  // it is in the sums: nothing else of it is needed
  }

  ExactResult result() const {
    const double n = realizations_;
    std::vector<double> mean(sums_.origin.size());
    std::vector<double> error(mean.size());
    for (std::size_t e = 0; e < mean.size(); ++e) {
      const double shift = sums_.deviations[e] / n;
      mean[e] = sums_.origin[e] + shift;
      error[e] = std::sqrt(std::max(0.0, sums_.squares[e] / n - shift * shift) / (n - 1.0));
    }
    return {.mean = unpack(layout_, mean),
            .error = unpack(layout_, error),
            .truncation_error = sums_.truncation,
            .watch = {}};
  }

  int realizations_;
  const DrawRealization& draw_;
  const std::vector<double>& times_;
  const ExactOptions& options_;
  Communicator comm_;
  RunControl& control_;
  Timings& timings_;
  double free_bytes_;
  ObservationLayout layout_;
  RankGroups groups_;
  EnsembleSums sums_;
};

}  // namespace

namespace {

/// Seconds of one realisation on so many ranks. Throws Error if it does not fit.
double seconds_of(const Realization& one, const std::vector<double>& times, const ExactOptions& options,
                  int ranks, double free_bytes) {
  Work work;
  if (one.model.bath.closed()) {
    for (const auto& plan : plan_exact(one.model, one.initial, times, options, ranks, free_bytes))
      work += plan.work;
  } else {
    work = plan_open(one.model, one.initial, times, options, ranks, free_bytes).work;
  }
  return work.seconds() / ranks;
}

}  // namespace

int ensemble_groups(int realizations, const Realization& first, const std::vector<double>& times,
                    const ExactOptions& options, int ranks, double free_bytes) {
  const auto suits = [&](int size) {
    try {
      return seconds_of(first, times, options, size, free_bytes) <= kLongestRound;
    } catch (const Error&) {
      return false;  // too large: more ranks share it
    }
  };
  for (int size = ranks / std::min(realizations, ranks); 2 * size <= ranks; size *= 2) {
    if (suits(size)) return std::min(realizations, ranks / size);
  }
  seconds_of(first, times, options, ranks, free_bytes);
  return 1;
}

ExactResult propagate_exact_ensemble(int realizations, const DrawRealization& draw,
                                     const std::vector<double>& times, const ExactOptions& options,
                                     const Communicator& comm, RunControl& control, Timings& timings) {
  QHEAT_ASSERT(realizations >= 2);
  return EnsemblePropagation(realizations, draw, times, options, comm, control, timings).run();
}

}  // namespace qheat
