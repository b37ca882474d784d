#include "io/printable.hpp"

#include <fmt/format.h>

namespace qheat {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;  ///< 0: no UTF-8
};

/// Number of bytes of a character that begins with `lead`, 0 if none does.
std::size_t length_after(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/// The character at the front of a text that is not empty.
Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t bytes = length_after(lead);
  if (bytes == 0 || bytes > text.size()) return {};
  if (bytes == 1) return {lead, 1};
  char32_t code = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80U) return {};
    code = (code << 6U) | (next & 0x3fU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kLeast[bytes] || code > 0x10ffff || surrogate) return {};
  return {code, bytes};
}

/// C0, DEL and C1; separators of lines; marks of direction, which can make a text read as another.
bool acts_on_terminals(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

std::string shown(std::string_view text, std::size_t limit, bool lines) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto [code, bytes] = first_of(text.substr(at));
    const std::size_t step = bytes == 0 ? 1 : bytes;
    if (at + step > limit) return result + "...";
    if (bytes == 0 ||
        (code < 0x80 && acts_on_terminals(code) && !(lines && (code == '\n' || code == '\t')))) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (code >= 0x80 && acts_on_terminals(code)) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
    } else {
      result += text.substr(at, step);
    }
    at += step;
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  return shown(text, limit, false);
}

std::string printable_lines(std::string_view text) {
  return shown(text, text.size(), true);
}

}  // namespace qheat
