#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/printable.hpp"

namespace qheat::jobfile {

/// Where something stands in the job file, counted from 1; columns in characters.
struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  auto operator<=>(const Place&) const = default;
};

/// Everything found in one file, told at once and in the order of the file.
class Problems {
 public:
  explicit Problems(std::string file);

  /// `key`: full path such as "lattice.shape[0]"; empty for the file as a whole.
  void add(Place place, std::string_view key, std::string_view message);
  bool empty() const { return found_.empty(); }
  /// "file:line:column: key: message", sorted by place; what shares a place keeps its order.
  std::vector<std::string> sentences() const;
  /// Throws InputError with all sentences.
  void throw_if_any() const;

 private:
  struct Problem {
    Place place;
    std::string text;
  };

  std::string file_;
  std::vector<Problem> found_;
};

}  // namespace qheat::jobfile
