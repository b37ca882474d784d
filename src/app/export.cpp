#include <fmt/format.h>

#include "app/commands.hpp"
#include "app/results_input.hpp"
#include "io/console.hpp"
#include "io/csv.hpp"
#include "qheat/io/results.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {

int export_tables(const std::string& name, const std::optional<std::string>& folder) {
  const auto file = open_for_reading(name);
  if (!file.has_attribute("/", "filetype") || file.text_attribute("/", "filetype") != kResultsFileType)
    throw InputError(fmt::format("{} holds no results of qheat", name));
  const std::filesystem::path into = folder ? *folder : std::filesystem::path(name).stem().string() + "_csv";
  const int written = write_csv(file, into);
  say_or_fail(fmt::format("{} tables in {}\n", written, into.string()));
  return 0;
}

}  // namespace qheat::app
