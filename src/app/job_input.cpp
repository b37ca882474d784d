#include "app/job_input.hpp"

#include <optional>
#include <vector>

#include "qheat/parallel/error.hpp"

namespace qheat::app {

Sweep read_sweep_on_all_ranks(const std::string& file, const Communicator& comm) {
  std::optional<Sweep> sweep;
  std::vector<std::string> problems;
  if (comm.is_root()) {
    try {
      sweep.emplace(read_job_text(file), file);
      if (!sweep->swept()) sweep->job(0);
    } catch (const InputError& error) {
      problems = error.problems();
    }
  }
  if (comm.any(!problems.empty())) {
    // Rank 0 alone speaks; the others only need to leave in the same way.
    throw InputError(comm.is_root() ? problems : std::vector<std::string>{"bad job file"});
  }
  std::string text = comm.broadcast(comm.is_root() ? sweep->text() : std::string());
  if (!comm.is_root()) sweep.emplace(std::move(text), file);
  return *std::move(sweep);
}

}  // namespace qheat::app
