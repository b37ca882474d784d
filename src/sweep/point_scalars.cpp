#include "sweep/point_scalars.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string_view>
#include <vector>

#include "io/hdf5_file.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr std::array<std::string_view, 7> kScores = {
    "symmetry",      "locality",          "additivity", "spectator_independence", "energy_conservation",
    "swap_fraction", "level_independence"};

/// When a series falls below a level for the first time, between two outputs by the straight line between
/// them; 0 if it is below from the first known value on. What is NaN is not known: the line goes on from its
/// neighbours.
double falls_below(const std::vector<double>& time, const std::vector<double>& series, double level) {
  double last = std::nan("");
  double last_time = 0.0;
  for (std::size_t k = 0; k < std::min(time.size(), series.size()); ++k) {
    if (std::isnan(series[k])) continue;
    if (series[k] < level) {
      if (std::isnan(last)) return 0.0;
      return last_time + (time[k] - last_time) * (last - level) / (last - series[k]);
    }
    last = series[k];
    last_time = time[k];
  }
  return std::isnan(last) ? last : std::numeric_limits<double>::infinity();
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

class Scalars {
 public:
  explicit Scalars(const hdf5::File& file) : file_(file) {}

  std::map<std::string, double> all() {
    const auto datasets = file_.datasets("/");
    std::set<std::string> kernels;
    for (const auto& name : datasets) {
      if (name.starts_with("/timing/") || name.starts_with("/model/") || name.rfind('/') == 0) continue;
      if (file_.size(name) == 1 && file_.is_real(name)) found_[name.substr(1)] = file_.read(name).front();
      if (name.starts_with("/kernel/") && name.find('/', 8) != std::string::npos)
        kernels.insert(name.substr(0, name.find('/', 8)));
    }
    const auto time = file_.has("/time") ? file_.read("/time") : std::vector<double>{};
    for (const auto& kernel : kernels) add_kernel(kernel, time);
    add_current();
    add_diffusion();
    if (file_.has("/timing/whole_run/seconds"))
      found_["seconds"] = file_.read("/timing/whole_run/seconds").front();
    return std::move(found_);
  }

 private:
  void add_kernel(const std::string& kernel, const std::vector<double>& time) {
    for (const auto score : kScores) {
      const std::string name = kernel + "/" + std::string(score);
      if (file_.has(name) && file_.size(name) == static_cast<Index>(time.size()))
        found_[name.substr(1) + "_until"] = falls_below(time, file_.read(name), kScoreHolds);
    }
    if (file_.has(kernel + "/bond_rate") && file_.size(kernel + "/bond_rate") > 0) {
      const auto rates = file_.read(kernel + "/bond_rate");
      const auto bonds = as_size(file_.shape(kernel + "/bond_rate").back());
      found_[kernel.substr(1) + "/mean_bond_rate"] = mean(std::span(rates).last(bonds));
    }
    if (!file_.has(kernel + "/singular_times")) return;
    const auto singular = file_.read(kernel + "/singular_times");
    found_[kernel.substr(1) + "/first_singular_time"] =
        singular.empty() ? std::numeric_limits<double>::infinity() : singular.front();
  }

  void add_current() {
    for (const char* name : {"/steady/planes/current", "/steady/current"}) {
      if (!file_.has(name) || file_.size(name) == 0) continue;
      found_["steady/mean_current"] = mean(file_.read(name));
      return;
    }
  }

  /// D and what it comes from, which are attributes.
  void add_diffusion() {
    const auto add = [&](const std::string& group, const std::string& attribute, const std::string& name) {
      if (file_.has(group) && file_.has_attribute(group, attribute))
        found_[group.substr(1) + "/" + name] = file_.real_attribute(group, attribute).front();
    };
    add("/transport", "diffusion", "diffusion");
    add("/transport", "diffusion_error", "diffusion_error");
    add("/transport/pair_rate", "value", "diffusion");
    for (const auto& name : file_.datasets("/")) {
      constexpr std::string_view kSeries = "/diffusion";
      if (!name.starts_with("/transport/") || !name.ends_with(kSeries)) continue;
      const std::string group = name.substr(0, name.size() - kSeries.size());
      if (found_.contains(name.substr(1))) found_.erase(name.substr(1));  // of one time: the same number
      add(group, "value", "diffusion_value");
      add(group, "error", "diffusion_value_error");
      add(group, "edge_time", "edge_time");
      add(group, "steady_exponent", "steady_exponent");
    }
  }

  const hdf5::File& file_;
  std::map<std::string, double> found_;
};

}  // namespace

std::map<std::string, double> point_scalars(const hdf5::File& results) {
  return Scalars(results).all();
}

}  // namespace qheat
