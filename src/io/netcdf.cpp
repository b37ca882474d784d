#include "io/netcdf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "io/dataset_catalog.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr const char* kMeaning = "long_name";

std::string group_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::string name_of_dataset(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// Axes that computations share; the others stay in the group of theirs.
bool is_common(const std::string& axis) {
  constexpr std::string_view kCommon[] = {"time", "site", "level", "band", "bond", "end"};
  return std::find(std::begin(kCommon), std::end(kCommon), axis) != std::end(kCommon);
}

/// The group below the root that a dataset is in.
std::string first_group(std::string_view root, const std::string& dataset) {
  return dataset.substr(0, std::min(dataset.find('/', root.size() + 1), dataset.rfind('/')));
}

/// Kernels without a time of their own (Markov) have one, the last.
std::string resolved(hdf5::File& file, std::string_view root, std::string_view axis, Index length) {
  constexpr std::string_view kTimeOr = "time_or_";  // of [heat]: a steady state has no times
  if (axis.starts_with(kTimeOr))
    return file.has_attribute(std::string(root) + "/heat", "steps")
               ? "time"
               : std::string(axis.substr(kTimeOr.size()));
  if (axis != "kernel_time") return std::string(axis);
  const std::string time = std::string(root) + "/time";
  return file.has(time) && file.size(time) == length ? "time" : "last_time";
}

/// The path of the scale of an axis, which is made if it is not there; empty if its name is taken. Readers
/// look for names from the group of a dataset upwards: the first one must be right.
std::string scale_of(hdf5::File& file, std::string_view root, const std::string& dataset,
                     const std::string& axis, Index length) {
  const std::string beside = group_of(dataset);
  std::string group = beside;
  while (group.size() > root.size() && !file.has(fmt::format("{}/{}", group, axis))) group = group_of(group);
  std::string scale = fmt::format("{}/{}", group, axis);
  if (scale == dataset) return scale;
  if (file.has(scale)) {
    if (file.is_scale(scale) && file.size(scale) == length) return scale;
    scale = fmt::format("{}/{}", beside, axis);
    if (file.has(scale)) return {};
  } else {
    scale = fmt::format("{}/{}", is_common(axis) ? std::string(root) : first_group(root, dataset), axis);
  }
  std::vector<std::int64_t> numbers(as_size(length));
  std::iota(numbers.begin(), numbers.end(), 0);
  file.write(scale, {length}, std::span<const std::int64_t>(numbers));
  file.make_scale(scale);
  return scale;
}

void describe(hdf5::File& file, const std::string& path, const std::optional<UnitSystem>& laboratory) {
  const auto shape = file.shape(path);
  const auto match = find_in_catalog(path, shape.size());
  std::vector<std::string> axes;
  if (match) {
    for (const std::string_view axis : words_of(match->entry->axes))
      axes.push_back(resolved(file, match->root, axis, shape[axes.size()]));
    file.attribute(path, kMeaning,
                   (match->is_error ? "standard error of: " : "") + std::string(match->entry->meaning));
    const DatasetUnit& unit = match->entry->unit;
    if (!file.has_attribute(path, "units")) file.attribute(path, "units", std::string(unit.text()));
    if (laboratory && unit.quantity != Quantity::number) {
      file.attribute(path, "laboratory_units", laboratory->laboratory_unit(unit.quantity));
      file.attribute(path, "laboratory_factor", laboratory->factor(unit.quantity));
    }
  }
  const std::string root = match ? std::string(match->root) : group_of(path);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const std::string own = fmt::format("{}_axis_{}", name_of_dataset(path), axis);
    std::string scale = match ? scale_of(file, root, path, axes[axis], shape[axis]) : std::string();
    if (scale.empty()) scale = scale_of(file, group_of(path), path, own, shape[axis]);
    if (scale != path) file.attach_scale(path, static_cast<unsigned>(axis), scale);
  }
}

/// A dataset of one axis that bears the name of its axis holds its values.
bool is_coordinate(const std::string& path, std::size_t axes) {
  const auto match = axes == 1 ? find_in_catalog(path, 1) : std::nullopt;
  return match && name_of_dataset(path) == match->entry->axes;
}

}  // namespace

bool is_made_scale(const hdf5::File& file, const std::string& name) {
  return file.is_scale(name) && !file.has_attribute(name, kMeaning);
}

void add_dimension_scales(hdf5::File& file, const std::string& group, const std::set<std::string>& described,
                          const std::optional<UnitSystem>& laboratory) {
  std::vector<std::string> all = file.datasets(group);
  std::erase_if(all, [&](const std::string& path) {
    const auto before = described.upper_bound(path);  // the one that may be the beginning of the path
    return before != described.begin() && path.starts_with(*std::prev(before) + "/");
  });
  for (const std::string& path : all)
    if (is_coordinate(path, file.shape(path).size())) file.make_scale(path);
  for (const std::string& path : all) describe(file, path, laboratory);
}

}  // namespace qheat
