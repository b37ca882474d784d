#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace qheat {

/// FNV-1a: tells texts and sequences of numbers apart, no more is needed.
class Hash {
 public:
  void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3ULL; }
  void add(std::string_view text) {
    for (const unsigned char c : text) add(std::uint64_t{c});
  }
  std::string text() const { return fmt::format("{:016x}", value_); }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

}  // namespace qheat
