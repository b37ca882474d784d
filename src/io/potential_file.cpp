#include "io/potential_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "io/printable.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::jobfile {
namespace {

constexpr std::size_t kLeastRows = 4;
constexpr std::size_t kMostRows = 400;  // each is a panel or two of a quadrature with 100 digits
constexpr std::size_t kMostProblems = 20;
constexpr std::uintmax_t kMostBytes = 1 << 20;
constexpr double kLargest = 1e50;

/// The finite numbers of a line; empty if it holds anything else.
std::vector<double> numbers_of(std::string line) {
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == ',' || c == ';' || c == '\t' || c == '\r'; }, ' ');
  std::istringstream words(line);
  std::vector<double> numbers;
  for (std::string word; words >> word;) {
    double number = 0.0;
    const char* const end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data() + (word.front() == '+' ? 1 : 0), end, number);
    if (error != std::errc{} || rest != end || !std::isfinite(number)) return {};
    numbers.push_back(number);
  }
  return numbers;
}

/// The text of a file of bearable size; no device, and nothing that a reader would wait for.
std::string text_of(const std::filesystem::path& file) {
  const auto cannot = [&](const std::string& why) -> InputError {
    return InputError(fmt::format("{}: the potential cannot be read: {}", printable(file.string()), why));
  };
  std::error_code failure;
  if (file.string().find('\0') != std::string::npos) throw cannot("its name holds a NUL character");
  if (!std::filesystem::exists(file, failure)) throw cannot("there is no such file");
  if (!std::filesystem::is_regular_file(file, failure)) throw cannot("it is no file of text");
  if (std::filesystem::file_size(file, failure) > kMostBytes) throw cannot("it has more than 1 MiB");
  std::ifstream stream(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) throw cannot("its permissions or the file system do not allow it");
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // byte-order mark
  return text;
}

}  // namespace

std::string problem_of_rows(const PotentialRows& rows) {
  if (rows.r.size() < kLeastRows || rows.r.size() > kMostRows)
    return fmt::format("has {} rows; give {} to {}", rows.r.size(), kLeastRows, kMostRows);
  for (std::size_t k = 0; k < rows.r.size(); ++k) {
    if (k > 0 && rows.r[k] <= rows.r[k - 1])
      return fmt::format("r = {:g} does not lie above that of the row before; sort the rows", rows.r[k]);
    if (!(std::abs(rows.r[k]) < kLargest && std::abs(rows.v[k]) < kLargest))
      return fmt::format("the row r = {:g}, V = {:g} is too large to be computed with", rows.r[k], rows.v[k]);
  }
  return {};
}

PotentialRows read_potential_file(const std::filesystem::path& file) {
  std::istringstream lines(text_of(file));
  std::vector<std::string> problems;
  PotentialRows rows;
  int number = 0;
  for (std::string line; std::getline(lines, line) && problems.size() < kMostProblems;) {
    ++number;
    line.resize(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto columns = numbers_of(line);
    const auto tell = [&](const std::string& what) {
      problems.push_back(fmt::format("{}:{}: {}", file.string(), number, what));
    };
    if (columns.size() != 2) {
      tell(fmt::format("\"{}\" is no row of two finite numbers, r and V", printable(line, 60)));
    } else if (!rows.r.empty() && columns[0] <= rows.r.back()) {
      tell(fmt::format("r = {:g} does not lie above that of the row before; sort the rows", columns[0]));
    } else {
      rows.r.push_back(columns[0]);
      rows.v.push_back(columns[1]);
    }
  }
  if (problems.empty()) {
    if (const auto problem = problem_of_rows(rows); !problem.empty())
      problems.push_back(fmt::format("{}: {}", file.string(), problem));
  }
  if (!problems.empty()) throw InputError(problems);
  return rows;
}

std::filesystem::path beside_job(const std::filesystem::path& job, const std::string& file) {
  std::error_code failure;
  const bool is_pipe =
      std::filesystem::is_fifo(job, failure) || std::filesystem::is_character_file(job, failure);
  return is_pipe ? std::filesystem::path(file) : job.parent_path() / file;
}

void insert_potential_rows(TomlTable& root, const std::filesystem::path& job) {
  constexpr std::string_view kPath = "interaction.well.potential_file";
  const TomlValue* value = value_at(root, kPath);
  const auto* name = value != nullptr ? std::get_if<std::string>(&value->data) : nullptr;
  if (name == nullptr) return;
  try {
    const PotentialRows rows = read_potential_file(beside_job(job, *name));
    TomlArray list;
    for (std::size_t k = 0; k < rows.r.size(); ++k)
      list.push_back({value->place, TomlArray{{value->place, rows.r[k]}, {value->place, rows.v[k]}}});
    assign(root, kPath, {place_of(root, kPath), std::move(list)});
  } catch (const InputError&) {
    return;  // told by the reader of [interaction.well]
  }
}

}  // namespace qheat::jobfile
