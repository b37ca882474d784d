#pragma once

#include <filesystem>

#include "qheat/wells/pair_potential.hpp"

namespace qheat::jobfile {

/// V(r) from a text file of two columns, r and V, r ascending; # begins a comment. Throws InputError with all
/// problems, each with its line.
PairPotential read_potential_file(const std::filesystem::path& file);

}  // namespace qheat::jobfile
