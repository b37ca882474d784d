#pragma once

#include <exception>
#include <span>
#include <string>

#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/steady/steady.hpp"

namespace qheat {

/// The state that rank 0 has, on all ranks. Collective.
void broadcast(const Communicator& comm, SteadyState& state);

/// Runs `find` on rank 0 and gives the state it found, or throws what it threw, on all ranks. Collective.
template <class Find>
SteadyState on_root(const Communicator& comm, const Find& find) {
  SteadyState state;
  std::string failure;
  if (comm.is_root()) {
    try {
      state = find();
    } catch (const std::exception& error) {
      failure = *error.what() != '\0' ? error.what() : "the steady state failed";
    }
  }
  double length = static_cast<double>(failure.size());
  comm.broadcast(std::span(&length, 1));
  failure.resize(static_cast<std::size_t>(length));
  comm.broadcast(std::span(failure.data(), failure.size()));
  if (!failure.empty()) throw Error(failure);
  broadcast(comm, state);
  return state;
}

}  // namespace qheat
