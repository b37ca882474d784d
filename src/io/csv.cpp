#include "io/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "io/hdf5_file.hpp"
#include "io/netcdf.hpp"
#include "io/text_file.hpp"

namespace qheat {
namespace {

/// A line of a table.
std::string line_of(const std::vector<std::string>& cells) {
  std::string text;
  for (const auto& cell : cells) text += (text.empty() ? "" : ",") + cell;
  return text + '\n';
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

/// The numbers of a dataset as texts.
std::vector<std::string> cells_of(const hdf5::File& file, const std::string& name) {
  std::vector<std::string> cells;
  const bool real = file.is_real(name);
  for (const double value : file.read(name))
    cells.push_back(real ? fmt::format("{}", value) : fmt::format("{}", static_cast<std::int64_t>(value)));
  return cells;
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// What stands along an axis of a dataset: its name, and a text for each place.
struct Axis {
  std::string name;
  std::vector<std::string> places;
};

std::vector<Axis> axes_of(const hdf5::File& file, const std::string& name) {
  const auto shape = file.shape(name);
  const auto scales = file.scales(name);
  std::vector<Axis> axes;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    Axis axis{fmt::format("axis_{}", k), {}};
    if (!scales[k].empty()) {
      axis.name = last_part(scales[k]);
      if (file.size(scales[k]) == shape[k]) axis.places = cells_of(file, scales[k]);
    }
    for (auto place = static_cast<Index>(axis.places.size()); place < shape[k]; ++place)
      axis.places.push_back(fmt::to_string(place));
    axes.push_back(std::move(axis));
  }
  return axes;
}

void write_dataset(const hdf5::File& file, const std::string& name, const std::filesystem::path& folder) {
  const auto axes = axes_of(file, name);
  const auto cells = cells_of(file, name);
  TextFile out(folder / (name.substr(1) + ".csv"));
  std::vector<std::string> line;
  for (const Axis& axis : axes) line.push_back(quoted(axis.name));
  line.push_back(quoted(last_part(name)));
  out.write(line_of(line));
  std::vector<std::size_t> place(axes.size(), 0);
  for (const auto& cell : cells) {
    for (std::size_t k = 0; k < axes.size(); ++k) line[k] = axes[k].places[place[k]];
    line.back() = cell;
    out.write(line_of(line));
    for (std::size_t k = axes.size(); k-- > 0 && ++place[k] == axes[k].places.size();) place[k] = 0;
  }
  out.finish();
}

/// A column of a table of points: a key that is no number by its texts.
std::vector<std::string> column_of(const hdf5::File& file, const std::string& name) {
  auto cells = cells_of(file, name);
  if (!file.has_attribute(name, "values")) return cells;
  for (const auto& attribute : file.attributes(name)) {
    const auto* texts = std::get_if<std::vector<std::string>>(&attribute.values);
    if (attribute.name != "values" || texts == nullptr) continue;
    const auto places = file.read(name);
    for (std::size_t p = 0; p < cells.size(); ++p)
      cells[p] = quoted(texts->at(static_cast<std::size_t>(places[p])));
  }
  return cells;
}

/// Datasets of a group that have one number a point, and of its `scalar`, as one table.
void write_table(const hdf5::File& file, const std::string& group, const std::vector<std::string>& names,
                 const std::filesystem::path& folder) {
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> columns;
  for (const auto& name : names) {
    const std::string scalar = group + "/scalar/";
    heads.push_back(quoted(name.starts_with(scalar) ? name.substr(scalar.size()) : last_part(name)));
    columns.push_back(column_of(file, name));
  }
  TextFile out(folder / (group.substr(1) + ".csv"));
  out.write(line_of(heads));
  for (std::size_t p = 0; p < columns.front().size(); ++p) {
    std::vector<std::string> line;
    for (const auto& column : columns) line.push_back(column.at(p));
    out.write(line_of(line));
  }
  out.finish();
}

/// True for /sweep/point, /mean/interaction.strength, /sweep/scalar/...; false for /mean/0000/...
bool is_in_table(const std::string& name, const std::string& group) {
  if (!name.starts_with(group + "/")) return false;
  const std::string rest = name.substr(group.size() + 1);
  return rest.starts_with("scalar/") || rest.find('/') == std::string::npos;
}

}  // namespace

int write_csv(const hdf5::File& results, const std::filesystem::path& folder) {
  int written = 0;
  std::vector<std::string> tables[2];
  const std::string groups[2] = {"/sweep", "/mean"};
  for (const auto& name : results.datasets("/")) {
    if (!results.is_numeric(name) || is_made_scale(results, name)) continue;
    bool in_table = false;
    for (std::size_t g = 0; g < 2; ++g) {
      if (!is_in_table(name, groups[g])) continue;
      tables[g].push_back(name);
      in_table = true;
    }
    if (in_table) continue;
    write_dataset(results, name, folder);
    ++written;
  }
  for (std::size_t g = 0; g < 2; ++g) {
    if (tables[g].empty()) continue;
    // Keys before numbers.
    std::stable_partition(tables[g].begin(), tables[g].end(),
                          [&](const std::string& name) { return !name.starts_with(groups[g] + "/scalar/"); });
    write_table(results, groups[g], tables[g], folder);
    ++written;
  }
  return written;
}

}  // namespace qheat
