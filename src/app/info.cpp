#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "app/commands.hpp"
#include "app/results_input.hpp"
#include "io/console.hpp"
#include "io/hdf5_file.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {
namespace {

constexpr std::size_t kMostValues = 6;     // of a list that are shown
constexpr std::size_t kLongestText = 200;  // bytes

/// What is told about one file.
class Description {
 public:
  template <class... Arguments>
  void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text_ += fmt::format(format, std::forward<Arguments>(arguments)...);
  }
  /// A line with a name before a list of words, broken where it becomes too long.
  void list(const std::string& name, const std::vector<std::string>& words) {
    constexpr std::size_t kWidth = 120;
    std::string line = fmt::format("{:<22}", name);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string word = " " + words[i] + (i + 1 < words.size() ? "," : "");
      if (line.size() + word.size() > kWidth && i > 0) {
        text_ += line + "\n";
        line = std::string(22, ' ');
      }
      line += word;
    }
    text_ += line + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string attribute_or(const hdf5::File& file, const char* name, const std::string& fallback) {
  return file.has_attribute("/", name) ? printable(file.text_attribute("/", name), kLongestText) : fallback;
}

std::string shown(double value) {
  return fmt::format("{:.6g}", value);
}
std::string shown(std::int64_t value) {
  return fmt::format("{}", value);
}
std::string shown(const std::string& text) {
  return printable(text, kLongestText);
}

/// "name = value", or the first of several values.
std::string shown(const hdf5::Attribute& attribute) {
  return std::visit(
      [&](const auto& values) {
        if (values.size() == 1) return fmt::format("{} = {}", attribute.name, shown(values.front()));
        std::vector<std::string> words;
        for (std::size_t i = 0; i < std::min(values.size(), kMostValues); ++i)
          words.push_back(shown(values[i]));
        const char* more = values.size() > kMostValues ? ", ..." : "";
        return fmt::format("{} = [{}{}]", attribute.name, fmt::join(words, ", "), more);
      },
      attribute.values);
}

bool is_complete(const hdf5::File& file) {
  return file.has_attribute("/", "complete") && file.integer_attribute("/", "complete").at(0) == 1;
}

void describe_origin(const hdf5::File& file, Description& out) {
  if (const auto title = attribute_or(file, "title", ""); !title.empty()) out.say("title      {}\n", title);
  out.say("written by qheat {} ({}){}\n", attribute_or(file, "qheat_version", "?"),
          attribute_or(file, "git_revision", "?"),
          file.has_attribute("/", "created") ? " on " + attribute_or(file, "created", "") : "");
  if (file.has_attribute("/", "ranks")) {
    out.say("with       {} rank(s), PETSc {}, SLEPc {}, {} scalars, {}-bit indices\n",
            file.integer_attribute("/", "ranks").at(0), attribute_or(file, "petsc_version", "?"),
            attribute_or(file, "slepc_version", "?"), attribute_or(file, "scalar", "?"),
            file.integer_attribute("/", "index_bits").at(0));
  }
}

/// The number of a group of many alike, "/points/0003" and "/mean/0003" with all below; empty for others.
std::string number_of_many(const std::string& group) {
  for (const std::string parent : {"/points/", "/mean/"}) {
    if (!group.starts_with(parent)) continue;
    const std::string number = group.substr(parent.size(), group.find('/', parent.size()) - parent.size());
    const bool digits = number.find_first_not_of("0123456789") == std::string::npos;
    if (digits && !number.empty()) return parent + number;
  }
  return {};
}

/// Attributes, then datasets with their shapes, of each group; of many alike those of the first.
void describe_groups(const hdf5::File& file, Description& out) {
  std::map<std::string, std::vector<std::string>> groups;
  std::map<std::string, std::set<std::string>> many;
  for (const auto& dataset : file.datasets("/")) {
    const auto slash = dataset.rfind('/');
    const auto shape = file.shape(dataset);
    const auto group = dataset.rfind("/timing/", 0) == 0 ? std::string() : dataset.substr(0, slash);
    if (group.empty()) continue;
    if (const auto number = number_of_many(group); !number.empty()) {
      auto& seen = many[number.substr(0, number.rfind('/'))];
      seen.insert(number);
      if (seen.size() > 1 || group.find("/timing/") != std::string::npos) continue;
    }
    groups[group].push_back(shape.empty()
                                ? dataset.substr(slash + 1)
                                : fmt::format("{} [{}]", dataset.substr(slash + 1), fmt::join(shape, ", ")));
  }
  for (const auto& [group, datasets] : groups) {
    out.list(group, datasets);
    std::vector<std::string> attributes;
    for (const auto& attribute : file.attributes(group)) attributes.push_back(shown(attribute));
    if (!attributes.empty()) out.list("", attributes);
  }
  for (const auto& [parent, numbers] : many)
    out.say("{:<22} {} of them; above the first\n", parent, numbers.size());
}

void describe_timing(const hdf5::File& file, Description& out) {
  if (!file.has("/timing")) return;
  std::vector<std::string> phases;
  for (const auto& dataset : file.datasets("/timing")) {
    if (!dataset.ends_with("/seconds")) continue;
    phases.push_back(
        fmt::format("{} {:.3g} s", dataset.substr(8, dataset.size() - 16), file.read(dataset).at(0)));
  }
  out.list("/timing", phases);
}

void describe_results(const hdf5::File& file, Description& out) {
  if (file.has_attribute("/", "missing")) {
    for (const auto& attribute : file.attributes("/"))
      if (attribute.name == "missing") out.say("{}: could not be written\n", shown(attribute));
  }
  if (file.has("/time")) {
    const auto time = file.read("/time");
    if (!time.empty())
      out.say("time       {:g} to {:g}, {} outputs\n", time.front(), time.back(), time.size());
  }
  describe_groups(file, out);
  describe_timing(file, out);
}

/// "exact propagation/sector-0" of "/exact propagation/sector-0".
std::string stage_name(const std::string& path) {
  return path.size() > 1 ? path.substr(1) : path;
}

void describe_checkpoint(const hdf5::File& file, Description& out) {
  std::set<std::string> finished;
  for (const auto& dataset : file.datasets("/finished")) {
    const std::string stage = dataset.substr(std::string("/finished").size());
    finished.insert(stage_name(stage.substr(0, stage.rfind('/'))));
  }
  if (!finished.empty()) out.list("finished", {finished.begin(), finished.end()});
  const auto stage = stage_name(attribute_or(file, "partial_stage", "/"));
  if (stage == "/") {
    out.say("{:<22} writing the results\n", "under way");
    return;
  }
  std::string standing;
  if (file.has_attribute("/", "output_time")) {
    standing += fmt::format(": t = {:.6g} of {:.6g}", file.real_attribute("/", "output_time").at(0),
                            file.real_attribute("/", "last_output_time").at(0));
  }
  if (file.has_attribute("/", "fraction")) {
    const double fraction = file.real_attribute("/", "fraction").at(0);
    standing += fmt::format("{} {:.0f} % done", standing.empty() ? ":" : ",", std::floor(100.0 * fraction));
  }
  out.say("{:<22} {}{}\n", "under way", stage, standing);
  double doubles = 0.0;
  for (const auto& dataset : file.datasets("/partial")) doubles += static_cast<double>(file.size(dataset));
  out.say("{:<22} {:.3g} MB of its state\n", "", doubles * sizeof(double) / 1e6);
}

std::string description(const std::string& name, const hdf5::File& file) {
  const std::string type = file.has_attribute("/", "filetype") ? file.text_attribute("/", "filetype") : "";
  if (type != kResultsFileType && type != "qheat checkpoint") return {};
  const auto format = file.integer_attribute("/", "format_version");
  Description out;
  out.say("{}: {} (format {}.{}), {}\n", name, type, format.at(0), format.at(1),
          is_complete(file) ? "complete" : "NOT complete");
  describe_origin(file, out);
  if (type == kResultsFileType) {
    describe_results(file, out);
  } else {
    describe_checkpoint(file, out);
  }
  return out.text();
}

}  // namespace

int info(const std::string& name) {
  const auto file = open_for_reading(name);
  std::string text;
  try {
    text = description(name, file);
  } catch (const std::exception& error) {
    throw InputError(fmt::format("{} cannot be read: {}", name, error.what()));
  }
  if (text.empty()) throw InputError(fmt::format("{} was not written by qheat", name));
  say_or_fail(text);
  return 0;
}

}  // namespace qheat::app
