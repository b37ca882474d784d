#include "io/potential_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "io/printable.hpp"
#include "qheat/io/sweep.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::jobfile {
namespace {

constexpr std::size_t kLeastRows = 4;
constexpr std::size_t kMostRows = 400;  // each is a panel or two of a quadrature with 100 digits
constexpr std::size_t kMostProblems = 20;

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

}  // namespace

PairPotential read_potential_file(const std::filesystem::path& file) {
  std::istringstream lines(read_job_text(file));
  std::vector<std::string> problems;
  std::vector<double> r, v;
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
    } else if (!r.empty() && columns[0] <= r.back()) {
      tell(fmt::format("r = {:g} does not lie above that of the row before; sort the rows", columns[0]));
    } else {
      r.push_back(columns[0]);
      v.push_back(columns[1]);
    }
  }
  if (problems.empty() && (r.size() < kLeastRows || r.size() > kMostRows))
    problems.push_back(
        fmt::format("{}: has {} rows; give {} to {}", file.string(), r.size(), kLeastRows, kMostRows));
  if (!problems.empty()) throw InputError(problems);
  return potential_through(std::move(r), std::move(v));
}

}  // namespace qheat::jobfile
