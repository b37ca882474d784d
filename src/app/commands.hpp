#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qheat/parallel/communicator.hpp"

namespace qheat::app {

// One function a subcommand. They return the exit code and throw InputError (2), Error (1) and Stopped (75).

struct RunArguments {
  std::string job;
  std::optional<std::filesystem::path> out;  ///< results file; otherwise as the job says
  bool resume = false;
  double max_time = 0.0;  ///< seconds; 0: none
};

int run(const RunArguments& arguments, double started, const Communicator& comm);
int check(const std::string& job, const Communicator& comm);
int info(const std::string& results);
int plot(const std::string& program, const std::vector<std::string>& arguments);
int version();

}  // namespace qheat::app
