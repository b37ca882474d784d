#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qheat/parallel/communicator.hpp"
#include "sweep/point_files.hpp"

namespace qheat::app {

// One function a subcommand. They return the exit code and throw InputError (2), Error (1) and Stopped (75).

struct RunArguments {
  std::string job;
  std::optional<std::filesystem::path> out;  ///< results file; otherwise as the job says
  std::optional<Share> share;                ///< points of a sweep; otherwise all of them
  bool resume = false;
  double max_time = 0.0;  ///< seconds; 0: none
};

int run(const RunArguments& arguments, double started, const Communicator& comm);
int check(const std::string& job, const Communicator& comm);
/// Puts together what the points of a sweep have left.
int collect(const RunArguments& arguments, const Communicator& comm);
/// Writes the numbers of a results file as tables (CSV).
int export_tables(const std::string& results, const std::optional<std::string>& folder);
int info(const std::string& results);
int plot(const std::string& program, const std::vector<std::string>& arguments);
int version();

}  // namespace qheat::app
