#include "sweep/point_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>

#include "io/hdf5_file.hpp"
#include "io/printable.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Whole or not at all.
void write_text(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path temporary(file.string() + ".tmp");
  std::ofstream stream(temporary, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw Error(fmt::format("{} cannot be written; is the disk full?", file.string()));
  std::filesystem::rename(temporary, file);
}

std::optional<Index> number_in(std::string_view text) {
  Index number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return {};
  return number;
}

}  // namespace

Share parse_share(const std::string& text) {
  const auto slash = text.find('/');
  const auto number = number_in(std::string_view(text).substr(0, slash));
  const auto of =
      slash == std::string::npos ? std::nullopt : number_in(std::string_view(text).substr(slash + 1));
  if (!number || !of || *number > *of) {
    throw InputError(
        fmt::format("--point: \"{}\" is no share of a sweep; give for example 3/16, the third of sixteen",
                    printable(text)));
  }
  return {*number, *of};
}

std::vector<Index> points_of(const Sweep& sweep, const Share& share) {
  std::vector<Index> points;
  for (Index point = share.number - 1; point < sweep.points(); point += share.of) points.push_back(point);
  return points;
}

PointFiles::PointFiles(const Sweep& sweep, const std::filesystem::path& output)
    : sweep_(sweep),
      folder_(output.string() + ".points"),
      digits_(static_cast<int>(std::max<std::size_t>(4, fmt::to_string(sweep.points() - 1).size()))) {}

std::filesystem::path PointFiles::beside(Index point, const char* suffix) const {
  return folder_ / fmt::format("{:0{}}{}", point, digits_, suffix);
}

std::filesystem::path PointFiles::results(Index point) const {
  return beside(point, ".h5");
}

void PointFiles::require_same_job() const {
  if (!std::filesystem::exists(job_file()) || text_of(job_file()) == sweep_.text()) return;
  throw InputError(fmt::format(
      "{} holds points of another job (the job file has changed); restore the job file, choose another "
      "output.file, or remove the folder",
      folder_.string()));
}

void PointFiles::prepare(bool keep) const {
  try {
    if (keep) require_same_job();
    std::filesystem::create_directory(folder_);
    if (!keep || !std::filesystem::exists(job_file())) write_text(job_file(), sweep_.text());
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(fmt::format("{} cannot be used: {}", folder_.string(), error.code().message()));
  }
}

bool PointFiles::is_finished(Index point) const {
  const auto name = results(point);
  std::error_code ignored;
  if (!std::filesystem::exists(name, ignored)) return false;
  try {
    const hdf5::File file = hdf5::File::open(name);
    return file.text_attribute("/", "filetype") == kResultsFileType &&
           file.integer_attribute("/", "complete").at(0) == 1 &&
           file.read_text("/job") == sweep_.job_text(point);
  } catch (const std::exception&) {
    return false;  // cut off, or anything else than results of this job
  }
}

void PointFiles::note_failure(Index point, const std::string& why) const {
  write_text(beside(point, ".failed"), why);
}

std::string PointFiles::failure(Index point) const {
  return text_of(beside(point, ".failed"));
}

void PointFiles::remove(Index point) const {
  std::error_code ignored;
  for (const char* suffix : {".h5", ".incomplete.h5", ".h5.chk", ".h5.chk.prev", ".failed"})
    std::filesystem::remove(beside(point, suffix), ignored);
}

void PointFiles::remove_folder() const {
  std::error_code ignored;
  std::filesystem::remove(job_file(), ignored);
  std::filesystem::remove(folder_, ignored);  // does nothing unless it is empty
}

}  // namespace qheat
