#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <new>
#include <string_view>
#include <utility>

#include "io/printable.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {

/// Writes a text as it is; false if it did not reach the stream, which std::ferror then remembers.
inline bool put(std::FILE* stream, std::string_view text) noexcept {
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  return std::fflush(stream) == 0 && written;
}

/// Writes a text of one or more lines for the reader of a terminal or a log; what a file or a name brings
/// along cannot act on the terminal. False if it did not reach the stream: a log on a full disk is no reason
/// for a run to fail.
inline bool say(std::FILE* stream, std::string_view text) noexcept {
  try {
    return put(stream, printable_lines(text));
  } catch (const std::bad_alloc&) {
    return put(stream, text);
  }
}

/// The same, formatted, to standard output.
template <class... Arguments>
bool say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  return say(stdout, fmt::format(format, std::forward<Arguments>(arguments)...));
}

inline constexpr const char* kOutputLost = "standard output cannot be written; is the disk full?";

/// For commands whose only purpose is their output: throws Error if it cannot be written.
inline void say_or_fail(std::string_view text) {
  if (!say(stdout, text)) throw Error(kOutputLost);
}

}  // namespace qheat
