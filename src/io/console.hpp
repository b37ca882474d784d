#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <utility>

namespace qheat {

/// Writes a text for the reader of a terminal or a log. A log on a full disk is no reason for a run to fail,
/// so errors are ignored.
inline void say(std::FILE* stream, std::string_view text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

/// The same, formatted, to standard output.
template <class... Arguments>
void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  say(stdout, fmt::format(format, std::forward<Arguments>(arguments)...));
}

}  // namespace qheat
