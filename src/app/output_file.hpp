#pragma once

#include <filesystem>
#include <string>

#include "qheat/parallel/communicator.hpp"

namespace qheat::app {

/// Where the results go, behind all links. Collective. Throws InputError unless the place is free or holds
/// results of qheat: a device, a pipe, a folder, the job file or anybody's notes are not replaced.
std::filesystem::path output_file(const std::filesystem::path& wanted, const std::string& job_file,
                                  const Communicator& comm);

/// A name given on the command line, held to the same rules as output.file. Throws InputError.
std::filesystem::path checked_output(const std::string& name);

}  // namespace qheat::app
