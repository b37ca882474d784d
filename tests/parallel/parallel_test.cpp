#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <string>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"
#include "qheat/parallel/rank_groups.hpp"
#include "qheat/parallel/stop_signals.hpp"
#include "qheat/parallel/timings.hpp"
#include "support/world.hpp"

namespace qheat {
namespace {

/// Exit code of a child that runs `body`, or minus the signal that ended it.
template <class Body>
int outcome_of_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(StopSignals, TheFirstOnlyAsks) {
  for (const int signal : {SIGTERM, SIGUSR1}) {
    EXPECT_EQ(outcome_of_child([&] {
                catch_stop_signals();
                if (stop_signal_received()) return 1;
                std::raise(signal);
                return stop_signal_received() ? 0 : 2;
              }),
              0);
  }
}

TEST(StopSignals, AnEchoIsTheSameRequestAndALaterOneEndsTheProcess) {
  EXPECT_EQ(outcome_of_child([] {
              catch_stop_signals();
              std::raise(SIGTERM);
              std::raise(SIGTERM);  // batch systems send it to the step and to its shell
              sleep(4);
              std::raise(SIGTERM);
              return 0;
            }),
            -SIGTERM);
}

TEST(Memory, FreeMemoryIsToldAndRefusesWhatIsBeyondIt) {
  const Communicator& comm = qheat_test::world();
  const double free = free_bytes_per_rank(comm);
  EXPECT_GT(free, 1e6);
  EXPECT_LT(free, 1e15);
  EXPECT_NO_THROW(require_memory(comm, 1e3, "a small thing"));
  // One rank alone that needs too much ends all of them with the same message.
  try {
    require_memory(comm, comm.is_root() ? 1e18 : 0.0, "a large thing");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a large thing needs 1e+09 GB"), std::string::npos)
        << error.what();
  }
}

TEST(Timings, TheSlowestRankCounts) {
  const Communicator& comm = qheat_test::world();
  Timings timings;
  timings.phase("work").seconds = 1.0 + comm.rank();
  timings.phase("work").calls = 2;
  timings.phase("work").bytes_sent = 10;
  if (comm.is_root()) timings.phase("root only").calls = 1;
  const auto all = timings.over_ranks(comm);
  EXPECT_EQ(all.at("work").seconds, comm.size());
  EXPECT_EQ(all.at("work").calls, 2);
  EXPECT_EQ(all.at("work").bytes_sent, 10 * comm.size());
  EXPECT_EQ(all.at("root only").calls, 1);
}

TEST(RankGroups, AreEqualAndConsecutiveAndTheRestIsIdle) {
  const Communicator& comm = qheat_test::world();
  for (int count = 1; count <= comm.size(); ++count) {
    const RankGroups groups(comm, count);
    const int size = comm.size() / count;
    EXPECT_EQ(groups.count(), count);
    EXPECT_EQ(groups.is_idle(), comm.rank() >= size * count);
    if (groups.is_idle()) continue;
    EXPECT_EQ(groups.group(), comm.rank() / size);
    EXPECT_EQ(groups.comm().size(), size);
    EXPECT_EQ(groups.comm().rank(), comm.rank() % size);
  }
}

TEST(Index, ProductsAndSumsBeyond63BitsAreErrors) {
  const Index large = Index{1} << 40;
  EXPECT_EQ(checked_product(large, 4, "bytes"), large * 4);
  EXPECT_THROW(checked_product(large, large, "bytes"), Error);
  EXPECT_THROW(checked_sum(std::numeric_limits<Index>::max(), 1, "bytes"), Error);
}

}  // namespace
}  // namespace qheat
