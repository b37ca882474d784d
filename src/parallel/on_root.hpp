#pragma once

#include <exception>
#include <string>
#include <utility>

#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {

/// Does something on rank 0, and throws what it threw, as InputError or Error, on all ranks. Collective.
template <class Action>
void on_root(const Communicator& comm, const Action& action) {
  std::string failure;
  bool bad_input = false;
  if (comm.is_root()) {
    const auto what = [](const std::exception& error) {
      return *error.what() != '\0' ? std::string(error.what()) : std::string("rank 0 failed");
    };
    try {
      action();
    } catch (const InputError& error) {
      failure = what(error);
      bad_input = true;
    } catch (const std::exception& error) {
      failure = what(error);
    }
  }
  failure = comm.broadcast(std::move(failure));
  if (failure.empty()) return;
  if (comm.any(bad_input)) throw InputError(failure);
  throw Error(failure);
}

}  // namespace qheat
