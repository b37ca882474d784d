#include "app/guard.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <new>
#include <string>

#include "io/console.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {
namespace {

void tell(const std::string& message) {
  say(stderr, message + "\n");
}

int fail(const Communicator* comm, int code, const std::string& message) {
  if (comm == nullptr || comm->size() == 1) {
    tell(message);
    return code;
  }
  if (comm->all_arrive()) {
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
