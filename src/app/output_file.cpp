#include "app/output_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <climits>

#include "io/hdf5_file.hpp"
#include "qheat/io/job.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {
namespace {

std::filesystem::path behind_links(std::filesystem::path path) {
  constexpr int kMostLinks = 40;  // as the system's own limit
  for (int link = 0; std::filesystem::is_symlink(path); ++link) {
    if (link == kMostLinks)
      throw std::filesystem::filesystem_error("links",
                                              std::make_error_code(std::errc::too_many_symbolic_link_levels));
    path = path.parent_path() / std::filesystem::read_symlink(path);
  }
  return path;
}

bool holds_results(const std::filesystem::path& file) {
  try {
    const hdf5::File open = hdf5::File::open(file);
    return open.has_attribute("/", "filetype") && open.text_attribute("/", "filetype") == kResultsFileType;
  } catch (const Error&) {
    return false;
  }
}

/// The longest of the names beside a results file, behind its own.
constexpr std::string_view kLongestSuffix = ".incomplete";

bool has_room_for_names_beside(const std::filesystem::path& file) {
  return file.filename().string().size() + kLongestSuffix.size() <= NAME_MAX;
}

std::string problem_with(const std::filesystem::path& file, const std::string& job_file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder)) return "lies in a folder that does not exist";
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return "lies in a folder that cannot be written to";
  if (!has_room_for_names_beside(file)) return "has too long a name for the files that a run keeps beside it";
  if (!std::filesystem::exists(file)) return "";
  if (std::filesystem::is_directory(file)) return "is a folder";
  if (!std::filesystem::is_regular_file(file)) return "is a device or a pipe, not a file";
  if (std::filesystem::equivalent(file, job_file)) return "is the job file";
  if (std::filesystem::file_size(file) > 0 && !holds_results(file))
    return "exists and holds no results of qheat, and will not be replaced";
  return "";
}

}  // namespace

std::filesystem::path output_file(const std::filesystem::path& wanted, const std::string& job_file,
                                  const Communicator& comm) {
  std::filesystem::path file = wanted;
  std::string problem;
  if (comm.is_root()) {
    try {
      file = behind_links(wanted);
      problem = problem_with(file, job_file);
    } catch (const std::filesystem::filesystem_error& error) {
      problem = fmt::format("cannot be used: {}", error.code().message());
    }
  }
  if (comm.any(!problem.empty())) {
    throw InputError(fmt::format("{} {}; give another --out or output.file", file.string(), problem));
  }
  return file;
}

std::filesystem::path checked_output(const std::string& name) {
  const std::string problem = results_name_problem(name);
  if (!problem.empty()) throw InputError(fmt::format("--out: {}", problem));
  return name;
}

}  // namespace qheat::app
