#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "app/commands.hpp"
#include "app/guard.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {
namespace {

/// Runs a command and returns its exit code, 127 if there is no such program.
int execute(const std::vector<std::string>& words, bool silent) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) throw Error(fmt::format("cannot start {}: {}", words[0], std::strerror(errno)));
  if (child == 0) {
    if (silent && (std::freopen("/dev/null", "w", stdout) == nullptr ||
                   std::freopen("/dev/null", "w", stderr) == nullptr)) {
      _exit(127);
    }
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kExitFailure;
}

/// The first Python that has what the pictures need.
std::string find_python() {
  std::vector<std::string> candidates;
  if (const char* chosen = std::getenv("QHEAT_PYTHON"); chosen != nullptr) candidates.emplace_back(chosen);
  candidates.insert(candidates.end(), {"python3", "/usr/bin/python3"});
  // Found is not imported: that would take as long as a picture.
  const std::string ask =
      "import sys; from importlib.util import find_spec; "
      "sys.exit(None in map(find_spec, ('h5py', 'numpy', 'matplotlib')))";
  for (const auto& python : candidates) {
    if (execute({python, "-c", ask}, true) == 0) return python;
  }
  throw Error(fmt::format(
      "pictures need a Python with h5py, numpy and matplotlib; none of {} has them. Debian: apt-get "
      "install python3-h5py python3-matplotlib; elsewhere: pip install h5py matplotlib, or name one "
      "in QHEAT_PYTHON",
      fmt::join(candidates, ", ")));
}

std::filesystem::path find_script(const std::filesystem::path& program) {
  std::error_code ignored;
  auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  if (ignored) self = program;
  for (const auto& folder :
       {self.parent_path() / QHEAT_INSTALLED_PLOT_DIR, std::filesystem::path(QHEAT_SOURCE_PLOT_DIR)}) {
    if (std::filesystem::exists(folder / "qheat_plot.py")) return folder / "qheat_plot.py";
  }
  throw Error("the picture maker qheat_plot.py is not installed beside the program (share/qheat/plot)");
}

}  // namespace

int plot(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {find_python(), find_script(program).string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return execute(words, false);
}

}  // namespace qheat::app
