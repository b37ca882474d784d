#include "sweep/means.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "io/hdf5_file.hpp"
#include "io/netcdf.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr Index kMostAtOnce = Index{1} << 24;  // numbers that are averaged in one pass over the files

using Paths = std::vector<std::filesystem::path>;
using Shapes = std::map<std::string, std::vector<Index>>;

/// Not a result but what results refer to.
bool describes(const std::string& name) {
  return name.starts_with("/model/") || name.rfind('/') == 0 || name == "/kernel/cells" ||
         name == "/transport/temperature";
}

/// The datasets to average or to copy, with the shape that they have in all files.
Shapes common_shapes(const Paths& results) {
  Shapes shapes;
  const hdf5::File first = hdf5::File::open(results.front());
  const auto names = first.datasets("/");
  for (const auto& name : names) {
    if (name == "/job" || name.starts_with("/timing/") || is_error_of_another(name, names)) continue;
    if (is_made_scale(first, name)) continue;
    if (describes(name) || first.is_real(name)) shapes[name] = first.shape(name);
  }
  for (const auto& other : results) {
    const hdf5::File file = hdf5::File::open(other);
    std::erase_if(shapes, [&](const auto& entry) {
      return !file.has(entry.first) || file.shape(entry.first) != entry.second;
    });
  }
  return shapes;
}

Index size_of(const std::vector<Index>& shape) {
  Index size = 1;
  for (const Index length : shape) size *= length;
  return size;
}

void write_integers(const std::string& name, const std::vector<Index>& shape, std::span<const double> values,
                    ResultsFile& file) {
  const std::vector<std::int64_t> integers(values.begin(), values.end());
  file.dataset(name, shape, integers);
}

/// Gives a dataset the laboratory units that one of other results has, if it has any.
void keep_laboratory(const hdf5::File& from, const std::string& name, const std::string& dataset,
                     ResultsFile& file) {
  if (!from.has(name) || !from.has_attribute(name, "laboratory_factor")) return;
  file.attribute(dataset, "laboratory_units", from.text_attribute(name, "laboratory_units"));
  file.attribute(dataset, "laboratory_factor", from.real_attribute(name, "laboratory_factor").front());
}

/// Copies what is the same in all files.
void copy_description(const Paths& results, const std::string& name, const std::vector<Index>& shape,
                      const std::string& group, ResultsFile& file) {
  const hdf5::File first = hdf5::File::open(results.front());
  const auto values = first.read(name);
  const bool same = std::all_of(results.begin(), results.end(), [&](const std::filesystem::path& other) {
    return hdf5::File::open(other).read(name) == values;
  });
  if (!same) return;
  if (first.is_real(name)) {
    file.dataset(group + name, shape, values);
    keep_laboratory(first, name, group + name, file);
  } else {
    write_integers(group + name, shape, values, file);
  }
}

void write_batch(const Paths& results, const Shapes& shapes, const std::string& group, ResultsFile& file) {
  if (file.measures()) {
    for (const auto& [name, shape] : shapes) {
      file.dataset(group + name, shape, std::span<const double>{});
      file.dataset(group + name + "_error", shape, std::span<const double>{});
    }
    return;
  }
  std::map<std::string, MeanAndError> means;
  for (const auto& [name, shape] : shapes) means.emplace(name, as_size(size_of(shape)));
  for (const auto& one : results) {
    const hdf5::File open = hdf5::File::open(one);
    for (auto& [name, mean] : means) mean.add(open.read(name));
  }
  const hdf5::File first = hdf5::File::open(results.front());
  for (const auto& [name, mean] : means) {
    file.dataset(group + name, shapes.at(name), mean.mean());
    file.dataset(group + name + "_error", shapes.at(name), mean.error());
    keep_laboratory(first, name, group + name, file);
    keep_laboratory(first, name, group + name + "_error", file);
  }
}

}  // namespace

void MeanAndError::add(std::span<const double> values) {
  ++count_;
  for (std::size_t e = 0; e < values.size(); ++e) {
    if (count_ == 1.0) mean_[e] = values[e];
    if (values[e] == mean_[e]) continue;  // all infinite, it may be
    const double distance = values[e] - mean_[e];
    mean_[e] += std::isinf(distance) ? values[e] : distance / count_;
    squares_[e] += distance * (values[e] - mean_[e]);
  }
}

std::vector<double> MeanAndError::error() const {
  if (count_ < 2.0) return std::vector<double>(mean_.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<double> errors;
  for (const double sum : squares_) errors.push_back(std::sqrt(sum / (count_ * (count_ - 1.0))));
  return errors;
}

bool is_error_of_another(const std::string& name, const std::vector<std::string>& names) {
  constexpr std::string_view kError = "_error";
  if (!name.ends_with(kError)) return false;
  const std::string other = name.substr(0, name.size() - kError.size());
  return std::find(names.begin(), names.end(), other) != names.end();
}

void write_means(const Paths& results, const std::string& group, ResultsFile& file) {
  const Shapes shapes = common_shapes(results);
  Shapes batch;
  Index size = 0;
  const auto flush = [&] {
    write_batch(results, batch, group, file);
    batch.clear();
    size = 0;
  };
  for (const auto& [name, shape] : shapes) {
    if (describes(name)) {
      copy_description(results, name, shape, group, file);
      continue;
    }
    batch[name] = shape;
    size += size_of(shape);
    if (size > kMostAtOnce) flush();
  }
  flush();
}

}  // namespace qheat
