#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qheat {

/// `text` fit for one line of a terminal or a log: control characters (line ends and the escape sequences of
/// terminals among them), marks that turn the direction of writing, and bytes that are no UTF-8 are shown as
/// \x.. or \u....; cut after `limit` bytes, between two characters.
std::string printable(std::string_view text, std::size_t limit = 60);

/// The same for a text of many lines and any length: line ends and tabs stay.
std::string printable_lines(std::string_view text);

}  // namespace qheat
