#pragma once

#include <filesystem>
#include <vector>

#include "io/toml_tree.hpp"

namespace qheat::jobfile {

/// Rows (r, V) of a potential, r ascending.
struct PotentialRows {
  std::vector<double> r, v;
};

/// From a text file of two columns; # begins a comment. Throws InputError with all problems, each with its
/// line.
PotentialRows read_potential_file(const std::filesystem::path& file);

/// What is wrong with rows however they were given, as a sentence; empty if nothing is.
std::string problem_of_rows(const PotentialRows& rows);

/// Puts the rows of the file that interaction.well.potential_file names in the place of its name, so that
/// they belong to the job like everything else. What cannot be read stays, and is told by its reader. `job`:
/// the name of the job file, beside which it lies.
void insert_potential_rows(TomlTable& root, const std::filesystem::path& job);

/// The place of a file that a job names: beside the job file, or where the program runs if the job is none
/// (a pipe).
std::filesystem::path beside_job(const std::filesystem::path& job, const std::string& file);

}  // namespace qheat::jobfile
