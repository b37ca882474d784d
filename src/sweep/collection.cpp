#include "sweep/collection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "io/dataset_catalog.hpp"
#include "io/hdf5_file.hpp"
#include "io/job_units.hpp"
#include "parallel/on_root.hpp"
#include "parallel/unknown.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/transport/local_exponent.hpp"
#include "sweep/means.hpp"
#include "sweep/point_scalars.hpp"

namespace qheat {
namespace {

std::string numbered(const std::string& parent, Index number, Index count) {
  const auto digits = std::max<std::size_t>(4, fmt::to_string(count - 1).size());
  return fmt::format("{}/{:0{}}", parent, number, digits);
}

/// Reads what points have left, and writes it: twice, the first time to measure. On rank 0 alone.
class Collection {
 public:
  Collection(const Sweep& sweep, const PointFiles& files)
      : sweep_(sweep), files_(files), groups_(sweep.groups()), laboratory_(sweep.units()) {
    for (Index point = 0; point < sweep.points(); ++point) look_at(point);
  }

  const Lacking& lacking() const { return lacking_; }

  void write(ResultsFile& file) const {
    file.text("/job", sweep_.text());
    write_points(file);
    write_table(file);
    const auto& keys = sweep_.keys();
    if (std::any_of(keys.begin(), keys.end(), [](const SweptKey& key) { return key.averaged; }))
      write_means(file);
  }

 private:
  void look_at(Index point) {
    if (const auto why = files_.failure(point); !why.empty())
      lacking_.failures.push_back(fmt::format("point {} ({}): {}", point, sweep_.label(point), why));
    finished_.push_back(files_.is_finished(point) ? 1 : 0);
    if (finished_.back() == 0) {
      lacking_.missing.push_back(point);
      return;
    }
    for (const auto& [name, value] : point_scalars(hdf5::File::open(files_.results(point)))) {
      auto& column = scalars_.try_emplace(name, as_size(sweep_.points()), kUnknown).first->second;
      at(column, point) = value;
    }
  }

  bool is_finished(Index point) const { return at(finished_, point) != 0; }

  void write_points(ResultsFile& file) const {
    for (Index point = 0; point < sweep_.points(); ++point) {
      if (!is_finished(point)) continue;
      const std::string group = numbered("/points", point, sweep_.points());
      file.copy(files_.results(point), group);
      file.attribute(group, "values", sweep_.label(point));
    }
  }

  /// Of what is known to measure something; in laboratory units too, if the job names one for all points.
  void add_units(const std::string& dataset, const std::optional<DatasetUnit>& unit,
                 ResultsFile& file) const {
    if (!unit) return;
    file.attribute(dataset, "units", std::string(unit->text()));
    if (!laboratory_ || unit->quantity == Quantity::number) return;
    file.attribute(dataset, "laboratory_units", laboratory_->laboratory_unit(unit->quantity));
    file.attribute(dataset, "laboratory_factor", laboratory_->factor(unit->quantity));
  }

  /// A key's values at some points, as a dataset.
  void write_key(const std::string& group, std::size_t key, const std::vector<Index>& points,
                 ResultsFile& file) const {
    const SweptKey& swept = sweep_.keys()[key];
    const std::string name = group + "/" + swept.path;
    const std::vector<Index> shape = {static_cast<Index>(points.size())};
    std::vector<double> numbers;
    std::vector<std::int64_t> places;
    for (const Index point : points) {
      const std::size_t place = sweep_.value_at(point, key);
      places.push_back(static_cast<std::int64_t>(place));
      if (!swept.numbers.empty()) numbers.push_back(swept.numbers[place]);
    }
    if (!swept.numbers.empty()) {
      file.dataset(name, shape, numbers);
      if (const auto quantity = jobfile::quantity_of_key(swept.path)) add_units(name, *quantity, file);
    } else {
      file.dataset(name, shape, places);
      file.attribute(name, "values", std::span<const std::string>(swept.texts));
    }
  }

  void write_table(ResultsFile& file) const {
    std::vector<std::int64_t> points;
    for (Index point = 0; point < sweep_.points(); ++point) points.push_back(point);
    const std::vector<Index> shape = {sweep_.points()};
    file.dataset("/sweep/point", shape, points);
    file.dataset("/sweep/finished", shape, finished_);
    for (std::size_t k = 0; k < sweep_.keys().size(); ++k)
      write_key("/sweep", k, {points.begin(), points.end()}, file);
    write_scalars(file);
    std::vector<std::string> keys;
    std::vector<std::string> averaged;
    for (const SweptKey& key : sweep_.keys()) {
      keys.push_back(key.path);
      if (key.averaged) averaged.push_back(key.path);
    }
    file.attribute("/sweep", "keys", std::span<const std::string>(keys));
    file.attribute("/sweep", "combine", std::string(sweep_.is_grid() ? "grid" : "zip"));
    if (!averaged.empty()) file.attribute("/sweep", "average", std::span<const std::string>(averaged));
    if (!lacking_.failures.empty())
      file.attribute("/sweep", "failures", std::span<const std::string>(lacking_.failures));
  }

  void write_scalars(ResultsFile& file) const {
    const std::vector<Index> shape = {sweep_.points()};
    for (const auto& [name, column] : scalars_) {
      const std::string dataset = "/sweep/scalar/" + name;
      file.dataset(dataset, shape, column);
      add_units(dataset, unit_of_scalar(name), file);
      if (has_exponent(name)) file.dataset(dataset + "_exponent", shape, exponent(column));
    }
  }

  /// D and kappa of a sweep over one number: how they follow it.
  bool has_exponent(const std::string& name) const {
    const auto& keys = sweep_.keys();
    if (keys.size() != 1 || keys.front().numbers.empty() || keys.front().averaged) return false;
    constexpr std::array<std::string_view, 4> kNames = {"transport/diffusion", "transport/conductivity",
                                                        "transport/pair_rate/diffusion",
                                                        "transport/pair_rate/conductivity"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  }

  std::vector<double> exponent(const std::vector<double>& column) const {
    return local_exponent(sweep_.keys().front().numbers, column);
  }

  /// The finished points of each group, and the first of all its points.
  struct Group {
    Index first = 0;
    std::vector<Index> finished;
  };
  std::vector<Group> members() const {
    std::vector<Group> groups;
    for (Index point = 0; point < sweep_.points(); ++point) {
      const auto number = as_size(at(groups_, point));
      if (number == groups.size()) groups.push_back({point, {}});
      if (is_finished(point)) groups[number].finished.push_back(point);
    }
    return groups;
  }

  void write_means(ResultsFile& file) const {
    const auto groups = members();
    std::vector<Index> firsts;
    std::vector<std::int64_t> counts;
    for (const Group& group : groups) {
      firsts.push_back(group.first);
      counts.push_back(static_cast<std::int64_t>(group.finished.size()));
    }
    for (std::size_t k = 0; k < sweep_.keys().size(); ++k)
      if (!sweep_.keys()[k].averaged) write_key("/mean", k, firsts, file);
    file.dataset("/mean/points", {static_cast<Index>(groups.size())}, counts);
    write_mean_scalars(groups, file);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (groups[g].finished.empty()) continue;
      std::vector<std::filesystem::path> results;
      for (const Index point : groups[g].finished) results.push_back(files_.results(point));
      const auto name = numbered("/mean", static_cast<Index>(g), static_cast<Index>(groups.size()));
      file.text(name + "/job", sweep_.job_text(groups[g].finished.front()));
      qheat::write_means(results, name, file);
      file.attribute(name, "points", std::span<const std::int64_t>(groups[g].finished));
    }
  }

  void write_mean_scalars(const std::vector<Group>& groups, ResultsFile& file) const {
    std::vector<std::string> names;
    for (const auto& [name, column] : scalars_) names.push_back(name);
    for (const auto& [name, column] : scalars_) {
      if (is_error_of_another(name, names)) continue;
      std::vector<double> means;
      std::vector<double> errors;
      for (const Group& group : groups) {
        MeanAndError mean(1);
        for (const Index point : group.finished) mean.add(std::span(&at(column, point), 1));
        means.push_back(group.finished.empty() ? kUnknown : mean.mean().front());
        errors.push_back(mean.error().front());
      }
      const std::vector<Index> shape = {static_cast<Index>(groups.size())};
      file.dataset("/mean/scalar/" + name, shape, means);
      file.dataset("/mean/scalar/" + name + "_error", shape, errors);
      add_units("/mean/scalar/" + name, unit_of_scalar(name), file);
      add_units("/mean/scalar/" + name + "_error", unit_of_scalar(name), file);
    }
  }

  const Sweep& sweep_;
  const PointFiles& files_;
  std::vector<Index> groups_;  ///< of each point
  std::optional<UnitSystem> laboratory_;
  std::vector<std::int64_t> finished_;
  std::map<std::string, std::vector<double>> scalars_;  ///< by name, [P]
  Lacking lacking_;
};

}  // namespace

std::string ranges_text(const std::vector<Index>& numbers) {
  std::vector<std::string> parts;
  for (std::size_t k = 0; k < numbers.size();) {
    std::size_t last = k;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    parts.push_back(last == k ? fmt::to_string(numbers[k])
                              : fmt::format("{} to {}", numbers[k], numbers[last]));
    k = last + 1;
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

Lacking collect_points(const Sweep& sweep, const PointFiles& files, const std::filesystem::path& output,
                       const Communicator& comm) {
  std::optional<Collection> collection;
  ResultsFile size(comm);
  on_root(comm, [&] { collection.emplace(sweep, files).write(size); });
  ResultsFile file(output, comm, size.bytes());
  on_root(comm, [&] { collection->write(file); });
  file.commit();
  if (!comm.is_root()) return {};
  if (collection->lacking().missing.empty()) {
    for (Index point = 0; point < sweep.points(); ++point) files.remove(point);
    files.remove_folder();
  }
  return collection->lacking();
}

}  // namespace qheat
