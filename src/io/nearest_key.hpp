#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qheat::jobfile {

/// The candidate that `word` was probably meant to be: fewest slips of the keyboard (a letter missing, added,
/// wrong, or two swapped; upper and lower case alike), at most one slip in three letters. The first of
/// several equals.
std::optional<std::string> nearest_key(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace qheat::jobfile
