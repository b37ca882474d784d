#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "io/printable.hpp"
#include "qheat/io/job.hpp"

namespace qheat {

std::string results_name_problem(const std::string& name) {
  const std::string wanted = "; give a file name such as \"chain.h5\"";
  if (name.empty()) return "is empty" + wanted;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), control)) return "contains a control character" + wanted;
  if (std::filesystem::path(name).extension() != ".h5")
    return fmt::format("\"{}\" does not end in .h5{}", printable(name), wanted);
  return {};
}

}  // namespace qheat
