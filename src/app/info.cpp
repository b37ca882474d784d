#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <map>

#include "app/commands.hpp"
#include "io/hdf5_file.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {
namespace {

std::string attribute_or(const hdf5::File& file, const char* name, const std::string& fallback) {
  return file.has_attribute("/", name) ? file.text_attribute("/", name) : fallback;
}

}  // namespace

int info(const std::string& name) {
  hdf5::prepare();
  if (!std::filesystem::exists(name)) throw InputError(fmt::format("there is no file {}", name));
  const auto file = [&] {
    try {
      return hdf5::File::open(name);
    } catch (const Error&) {
      throw InputError(fmt::format("{} is no HDF5 file, or it is cut off", name));
    }
  }();
  const std::string type = attribute_or(file, "filetype", "");
  if (type != "qheat results" && type != "qheat checkpoint")
    throw InputError(fmt::format("{} was not written by qheat", name));
  const auto format = file.integer_attribute("/", "format_version");
  fmt::print("{}: {} (format {}.{}), {}\n", name, type, format.at(0), format.at(1),
             file.has_attribute("/", "complete") ? "complete" : "NOT complete");
  if (const auto title = attribute_or(file, "title", ""); !title.empty())
    fmt::print("title      {}\n", title);
  fmt::print("written by qheat {} ({}){}\n", attribute_or(file, "qheat_version", "?"),
             attribute_or(file, "git_revision", "?"),
             file.has_attribute("/", "created") ? " on " + attribute_or(file, "created", "") : "");
  if (file.has_attribute("/", "ranks")) {
    fmt::print("with       {} rank(s), PETSc {}, SLEPc {}, {} scalars, {}-bit indices\n",
               file.integer_attribute("/", "ranks").at(0), attribute_or(file, "petsc_version", "?"),
               attribute_or(file, "slepc_version", "?"), attribute_or(file, "scalar", "?"),
               file.integer_attribute("/", "index_bits").at(0));
  }
  if (file.has("/time")) {
    const auto time = file.read("/time");
    if (!time.empty())
      fmt::print("time       {:g} to {:g}, {} outputs\n", time.front(), time.back(), time.size());
  }
  std::map<std::string, std::vector<std::string>> groups;
  for (const auto& dataset : file.datasets("/")) {
    const auto slash = dataset.rfind('/');
    const auto shape = file.shape(dataset);
    const auto group = dataset.rfind("/timing/", 0) == 0 ? std::string() : dataset.substr(0, slash);
    if (group.empty()) continue;
    groups[group].push_back(shape.empty()
                                ? dataset.substr(slash + 1)
                                : fmt::format("{} [{}]", dataset.substr(slash + 1), fmt::join(shape, ", ")));
  }
  for (const auto& [group, datasets] : groups) fmt::print("{:<22} {}\n", group, fmt::join(datasets, ", "));
  if (file.has("/timing")) {
    std::string line;
    for (const auto& dataset : file.datasets("/timing")) {
      if (dataset.size() < 8 || dataset.substr(dataset.size() - 8) != "/seconds") continue;
      line += fmt::format("{}{} {:.3g} s", line.empty() ? "" : ", ", dataset.substr(8, dataset.size() - 16),
                          file.read(dataset).at(0));
    }
    fmt::print("{:<22} {}\n", "/timing", line);
  }
  return 0;
}

}  // namespace qheat::app
