#include "io/job_problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "qheat/parallel/error.hpp"

namespace qheat::jobfile {
namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

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

std::string printable(std::string_view text, std::size_t limit) {
  const bool cut = text.size() > limit;
  if (cut) {
    while (limit > 0 && continues_character(text[limit])) --limit;
    text = text.substr(0, limit);
  }
  std::string result;
  for (const char c : text) {
    if (is_control(c)) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return cut ? result + "..." : result;
}

}  // namespace qheat::jobfile
