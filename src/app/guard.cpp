#include "app/guard.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <new>
#include <string>
#include <thread>

#include "io/console.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {
namespace {

/// True if every rank gets here within a few seconds.
bool all_ranks_arrive(const Communicator& comm) {
  constexpr auto kPatience = std::chrono::seconds(5);
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(comm.get(), &request);
  const auto start = std::chrono::steady_clock::now();
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done != 0) return true;
    if (std::chrono::steady_clock::now() - start > kPatience) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void tell(const std::string& message) {
  say(stderr, message + "\n");
}

int fail(const Communicator* comm, int code, const std::string& message) {
  if (comm == nullptr || comm->size() == 1) {
    tell(message);
    return code;
  }
  if (all_ranks_arrive(*comm)) {
    if (comm->is_root()) tell(message);
    return code;
  }
  tell(fmt::format("{} (rank {} alone)", message, comm->rank()));
  MPI_Abort(comm->get(), code);
  return code;
}

}  // namespace

int guarded(const Communicator* comm, const std::function<int()>& body) {
  try {
    return body();
  } catch (const Stopped&) {
    return kExitStopped;
  } catch (const InputError& error) {
    std::string message;
    for (const auto& problem : error.problems()) message += (message.empty() ? "" : "\n") + problem;
    if (error.problems().size() > 1) message += fmt::format("\nqheat: {} problems", error.problems().size());
    return fail(comm, kExitBadInput, error.problems().size() > 1 ? message : "qheat: " + message);
  } catch (const Error& error) {
    return fail(comm, kExitFailure, fmt::format("qheat: {}", error.what()));
  } catch (const std::bad_alloc&) {
    return fail(comm, kExitFailure, "qheat: out of memory; use more nodes, fewer sites or a smaller sector");
  } catch (const std::exception& error) {
    return fail(comm, kExitFailure,
                fmt::format("qheat: unexpected failure: {}; please report this", error.what()));
  }
}

}  // namespace qheat::app
