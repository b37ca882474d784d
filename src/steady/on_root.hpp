#pragma once

#include "parallel/on_root.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/steady/steady.hpp"

namespace qheat {

/// The state that rank 0 has, on all ranks. Collective.
void broadcast(const Communicator& comm, SteadyState& state);

/// Runs `find` on rank 0 and gives the state it found, or throws what it threw, on all ranks. Collective.
template <class Find>
SteadyState state_on_root(const Communicator& comm, const Find& find) {
  SteadyState state;
  on_root(comm, [&] { state = find(); });
  broadcast(comm, state);
  return state;
}

}  // namespace qheat
