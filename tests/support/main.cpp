// Runs GoogleTest on all ranks: a failure on any rank fails the test on every rank, and a rank that waits in
// vain for the others (they threw before a collective call) ends the run instead of hanging.

#include <gtest/gtest.h>
#include <mpi.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "qheat/parallel/environment.hpp"
#include "support/world.hpp"

namespace qheat_test {
namespace {

const qheat::Communicator* test_world = nullptr;

/// Prints failures of ranks that have no printer of their own.
class RankPrinter final : public testing::EmptyTestEventListener {
 public:
  explicit RankPrinter(int rank) : rank_(rank) {}
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "[rank %d] %s:%d: %s\n", rank_,
                 result.file_name() != nullptr ? result.file_name() : "?", result.line_number(),
                 result.message());
  }

 private:
  int rank_;
};

class AgreeOnFailures final : public testing::EmptyTestEventListener {
 public:
  AgreeOnFailures() { MPI_Comm_dup(MPI_COMM_WORLD, &comm_); }

  void OnTestEnd(const testing::TestInfo& info) override {
    const int mine = info.result()->Failed() ? 1 : 0;
    int any = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(&mine, &any, 1, MPI_INT, MPI_MAX, comm_, &request);
    const auto start = std::chrono::steady_clock::now();
    for (int done = 0; done == 0;) {
      MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      if (done == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
      if (mine != 0 && std::chrono::steady_clock::now() - start > std::chrono::seconds(10)) {
        std::fprintf(stderr, "the other ranks do not reach the end of this failed test\n");
        MPI_Abort(MPI_COMM_WORLD, 70);
      }
    }
    if (any != 0 && mine == 0) ADD_FAILURE() << "failed on another rank";
  }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

}  // namespace

const qheat::Communicator& world() {
  return *test_world;
}

bool shared_by_day() {
  return test_world->size() > 1 && std::getenv("QHEAT_NIGHTLY") == nullptr;
}

}  // namespace qheat_test

int main(int argc, char** argv) {
  qheat::prepare_process(argv);
  qheat::Environment environment(argc, argv);
  qheat_test::test_world = &environment.world();
  testing::InitGoogleTest(&argc, argv);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (environment.world().rank() != 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new qheat_test::RankPrinter(environment.world().rank()));
  }
  if (environment.world().size() > 1) listeners.Append(new qheat_test::AgreeOnFailures);
  const int failed = RUN_ALL_TESTS();
  return environment.world().max(failed);
}
