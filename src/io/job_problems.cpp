#include "io/job_problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "qheat/parallel/error.hpp"

namespace qheat::jobfile {

Problems::Problems(std::string file) : file_(std::move(file)) {}

void Problems::add(Place place, std::string_view key, std::string_view message) {
  const std::string_view separator = key.empty() ? "" : ": ";
  found_.push_back({place, fmt::format("{}{}{}", key, separator, message)});
}

std::vector<std::string> Problems::sentences() const {
  auto sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& x, const Problem& y) { return x.place < y.place; });
  std::vector<std::string> sentences;
  for (const auto& [place, text] : sorted) {
    sentences.push_back(fmt::format("{}:{}:{}: {}", file_, place.line, place.column, text));
  }
  return sentences;
}

void Problems::throw_if_any() const {
  if (!empty()) throw InputError(sentences());
}

}  // namespace qheat::jobfile
