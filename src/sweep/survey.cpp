#include "sweep/survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "io/printable.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"
#include "studies/job_run.hpp"

namespace qheat {
namespace {

constexpr std::size_t kMostProblems = 100;  // different ones; a rank reads no further then
constexpr std::size_t kMostObstacles = 20;

/// A problem, the first point that has it, and how many points have it.
struct PointProblem {
  std::string sentence;
  Index first = 0;
  Index count = 0;
};

/// Problems of points, each once, whichever value in [sweep] it is told of.
class PointProblems {
 public:
  explicit PointProblems(const std::string& file) : file_(file) {}

  void add(const std::string& sentence, Index point, Index count = 1) {
    const auto [place, is_new] = known_.emplace(without_place(sentence), problems_.size());
    if (is_new) problems_.push_back({sentence, point, 0});
    PointProblem& problem = problems_[place->second];
    if (point < problem.first) problem = {sentence, point, problem.count};
    problem.count += count;
  }
  std::size_t different() const { return problems_.size(); }

  /// As text: one line each.
  std::string lines() const {
    std::string text;
    for (const auto& problem : problems_)
      text += fmt::format("{} {} {}\n", problem.first, problem.count, problem.sentence);
    return text;
  }
  void add_lines(const std::string& text) {
    std::istringstream stream(text);
    PointProblem problem;
    while (stream >> problem.first >> problem.count && stream.get() == ' ' &&
           std::getline(stream, problem.sentence)) {
      add(problem.sentence, problem.first, problem.count);
    }
  }
  std::vector<std::string> sentences(const Sweep& sweep) const {
    auto sorted = problems_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const PointProblem& x, const PointProblem& y) { return x.first < y.first; });
    std::vector<std::string> sentences;
    for (const auto& problem : sorted) sentences.push_back(problem.sentence + where(problem, sweep));
    return sentences;
  }

 private:
  /// What stands behind "file:line:column: ".
  std::string without_place(const std::string& sentence) const {
    const auto colon = sentence.find(": ", std::min(file_.size(), sentence.size()));
    return colon == std::string::npos ? sentence : sentence.substr(colon);
  }
  static std::string where(const PointProblem& problem, const Sweep& sweep) {
    if (!sweep.swept()) return {};
    if (problem.count == sweep.points()) return " (at all points)";
    return fmt::format(" (point {}: {}{})", problem.first, sweep.label(problem.first),
                       problem.count > 1 ? fmt::format("; {} points in all", problem.count) : "");
  }

  std::string file_;
  std::map<std::string, std::size_t> known_;
  std::vector<PointProblem> problems_;
};

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// Ranks for a point: as few as hold it; more only if there are more ranks than points.
PointNeed need_of(const std::vector<std::unique_ptr<Study>>& studies, Index points, const Machine& machine) {
  const auto bytes_of = [](const Need& need) { return need.least_bytes_per_rank + need.kept_bytes_per_rank; };
  int ranks = 1;
  Need need = total_need(studies, ranks, machine.free_bytes);
  const auto shared = static_cast<Index>(machine.ranks) / std::max<Index>(1, points);
  const auto useful = static_cast<int>(std::min<Index>(shared, need.sensible_ranks));
  while (ranks < machine.ranks && (2 * ranks <= useful || !fits_memory(bytes_of(need), machine.free_bytes))) {
    ranks = std::min(2 * ranks, machine.ranks);
    need = total_need(studies, ranks, machine.free_bytes);
  }
  return {.seconds = need.work.seconds(machine.speed) / std::min(ranks, need.sensible_ranks),
          .bytes = bytes_of(need),
          .ranks = ranks,
          .possible = fits_memory(bytes_of(need), machine.free_bytes)};
}

/// Reads a point's job and asks its computations; throws like them.
PointNeed survey_point(const Sweep& sweep, Index point, const Machine& machine) {
  const Job job = ready_job(sweep, point);
  if (job.keep_state) {
    throw InputError(fmt::format(
        "{}: output.keep_state: points of a sweep do not go on to a later end; remove it", sweep.name()));
  }
  UninterruptedRun control;
  Progress silent(false);
  Timings timings;
  const auto studies = studies_of(job, {Communicator::self(), control, silent, timings});
  require_possible(studies);
  return need_of(studies, sweep.points(), machine);
}

/// The needs of all ranks' points on each of them.
void share_needs(std::vector<PointNeed>& points, const Communicator& comm) {
  constexpr std::size_t kNumbers = 4;
  std::vector<double> numbers;
  for (const PointNeed& need : points)
    numbers.insert(numbers.end(), {need.seconds, need.bytes, 1.0 * need.ranks, need.possible ? 1.0 : 0.0});
  comm.sum(std::span(numbers));
  for (std::size_t p = 0; p < points.size(); ++p) {
    const double* mine = numbers.data() + kNumbers * p;
    points[p] = {mine[0], mine[1], static_cast<int>(mine[2]), mine[3] != 0.0};
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line) && lines.size() < kMostObstacles;) lines.push_back(line);
  return lines;
}

}  // namespace

Survey survey_points(const Sweep& sweep, const Machine& machine, const Communicator& comm) {
  Survey survey;
  survey.points.assign(as_size(sweep.points()), {0.0, 0.0, 0, false});
  PointProblems problems(sweep.name());
  std::string obstacles;
  const auto obstacle = [&](Index point, const std::string& why) {
    obstacles += fmt::format("point {} ({}): {}\n", point, sweep.label(point), one_line(why));
  };
  for (Index point = comm.rank(); point < sweep.points(); point += comm.size()) {
    PointNeed& need = at(survey.points, point);
    try {
      need = survey_point(sweep, point, machine);
      if (!need.possible) obstacle(point, fmt::format("needs {:.3g} GB a rank", need.bytes / 1e9));
    } catch (const InputError& error) {
      for (const auto& problem : error.problems()) problems.add(one_line(problem), point);
      if (problems.different() >= kMostProblems) break;
    } catch (const Error& error) {
      need = {.ranks = machine.ranks, .possible = false};
      obstacle(point, error.what());
    }
  }
  const std::string found = comm.gather(problems.lines());
  if (comm.any(problems.different() > 0)) {
    if (!comm.is_root()) throw InputError("bad job file");
    PointProblems all(sweep.name());
    all.add_lines(found);
    throw InputError(all.sentences(sweep));
  }
  share_needs(survey.points, comm);
  survey.obstacles = lines_of(comm.gather(obstacles));
  return survey;
}

double Survey::seconds(int ranks) const {
  std::map<int, std::pair<double, double>> classes;  // by ranks a point: sum and longest
  for (const PointNeed& need : points) {
    auto& [sum, longest] = classes[std::min(need.ranks, ranks)];
    sum += need.seconds;
    longest = std::max(longest, need.seconds);
  }
  double seconds = 0.0;
  for (const auto& [size, times] : classes) {
    const int groups = ranks / std::max(1, size);
    seconds += std::max(times.first / groups, times.second);
  }
  return seconds;
}

Index Survey::impossible() const {
  return std::count_if(points.begin(), points.end(), [](const PointNeed& need) { return !need.possible; });
}

Index Survey::largest() const {
  return std::max_element(points.begin(), points.end(),
                          [](const PointNeed& x, const PointNeed& y) { return x.bytes < y.bytes; }) -
         points.begin();
}

void describe_sweep(const Sweep& sweep, const Survey& survey, const Machine& machine, Report& report) {
  report.say("sweep           {} point(s), {}\n", sweep.points(),
             sweep.is_grid() ? "all combinations of" : "value by value of");
  for (const SweptKey& key : sweep.keys()) {
    const std::string ends = key.texts.size() > 1
                                 ? fmt::format("{} ... {}", key.texts.front(), key.texts.back())
                                 : key.texts.front();
    report.say("                {}: {} value(s), {}{}\n", printable(key.path), key.texts.size(),
               printable(ends, 80), key.averaged ? ", averaged" : "");
  }
  const Index largest = survey.largest();
  const PointNeed& most = at(survey.points, largest);
  report.say("memory          at least {:.3g} GB a rank, at point {} ({})\n",
             (machine.base_bytes + most.bytes) / 1e9, largest, sweep.label(largest));
  std::map<int, Index> classes;
  for (const PointNeed& need : survey.points) ++classes[need.ranks];
  for (const auto& [ranks, count] : classes) {
    report.say("ranks           {} point(s) on {} rank(s) each, {} at a time\n", count, ranks,
               std::min<Index>(count, machine.ranks / ranks));
  }
  report.say("time            about {} on {} rank(s), if nothing else runs here\n",
             rough_time(survey.seconds(machine.ranks)), machine.ranks);
}

}  // namespace qheat
