// Stopping at the n-th safe point and going on, whatever stage that is in; what a checkpoint refuses.

#include "qheat/io/checkpoint.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/hdf5_file.hpp"
#include "qheat/parallel/error.hpp"
#include "support/scratch_folder.hpp"
#include "support/world.hpp"

namespace {

using namespace qheat;

class Checkpoint : public qheat_test::ScratchFolder {
 protected:
  static constexpr int kStages = 3;
  static constexpr int kSteps = 4;

  CheckpointOptions options(bool resume, int stop_at = 0) {
    offers_ = 0;
    return {.file = folder_ / "a.h5.chk", .resume = resume, .stop_asked = [this, stop_at] {
              return ++offers_ == stop_at;
            }};
  }
  static RunIdentity identity(const std::string& job = "job") {
    return {.job_text = job, .digest = "model", .text_without_times = job};
  }

  /// x <- x/3 + 1 in each step, stage after stage, with a safe point after each; the last x of each stage.
  std::vector<double> compute(RunControl& control) {
    std::vector<double> results;
    for (int stage = 0; stage < kStages; ++stage) {
      const Stage here(control, "stage-" + std::to_string(stage));
      std::vector<double> x = {1.0 + stage};
      double step = 0.0;
      if (!control.restore_finished([&](StateReader& reader) { x = reader.replicated("x"); })) {
        control.restore_partial([&](StateReader& reader) {
          reader.distributed("x", x, 0, 1);
          step = reader.replicated("step").front();
        });
        for (; step < kSteps;) {
          x[0] = x[0] / 3.0 + 1.0;
          ++steps_done_;
          step += 1.0;
          control.offer(step / kSteps, [&](StateWriter& writer) {
            writer.distributed("x", x, 0, 1);
            writer.replicated("step", std::span(&step, 1));
          });
        }
        control.finish([&](StateWriter& writer) { writer.replicated("x", x); });
      }
      results.push_back(x[0]);
    }
    return results;
  }
  CheckpointedRun run(const CheckpointOptions& options, const RunIdentity& identity) {
    return {options, identity, MPI_Wtime(), qheat_test::world(), progress_};
  }
  std::vector<double> uninterrupted() {
    UninterruptedRun control;
    return compute(control);
  }

  Progress progress_{false};
  int offers_ = 0;
  int steps_done_ = 0;
};

TEST_F(Checkpoint, StoppedAtAnySafePointItGoesOnWithoutDoingAnythingTwice) {
  const auto expected = uninterrupted();
  for (int stop = 1; stop <= kStages * kSteps; ++stop) {
    steps_done_ = 0;
    {
      auto control = run(options(false, stop), identity());
      EXPECT_THROW(compute(control), Stopped) << stop;
    }
    EXPECT_EQ(steps_done_, stop);
    auto control = run(options(true), identity());
    EXPECT_EQ(compute(control), expected) << stop;
    EXPECT_EQ(steps_done_, kStages * kSteps) << stop;
    control.discard();
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
  }
}

TEST_F(Checkpoint, StoppedAgainAndAgain) {
  const auto expected = uninterrupted();
  steps_done_ = 0;
  for (int piece = 0; piece < kStages * kSteps; ++piece) {
    auto control = run(options(piece > 0, 1), identity());
    EXPECT_THROW(compute(control), Stopped);
  }
  auto control = run(options(true), identity());
  EXPECT_EQ(compute(control), expected);
  EXPECT_EQ(steps_done_, kStages * kSteps);
}

TEST_F(Checkpoint, OfAnotherJobIsRefused) {
  {
    auto control = run(options(false, 5), identity());
    EXPECT_THROW(compute(control), Stopped);
  }
  EXPECT_THROW(run(options(true), identity("another job")), InputError);
}

TEST_F(Checkpoint, ADamagedOneGivesWayToTheOneBefore) {
  {
    auto control = run(options(false, 5), identity());
    EXPECT_THROW(compute(control), Stopped);
  }
  {
    auto control = run(options(true, 3), identity());
    EXPECT_THROW(compute(control), Stopped);
  }
  const auto file = folder_ / "a.h5.chk";
  ASSERT_TRUE(std::filesystem::exists(folder_ / "a.h5.chk.prev"));
  const auto size = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, size / 2);
  steps_done_ = 0;
  auto control = run(options(true), identity());
  EXPECT_EQ(compute(control), uninterrupted());
  EXPECT_EQ(steps_done_, 2 * kStages * kSteps - 5);  // from the fifth safe point on, and once without control
}

/// One flipped bit anywhere in the numbers of a checksummed file is an error, never another number.
TEST_F(Checkpoint, ABitThatIsFlippedIsFound) {
  const auto path = folder_ / "numbers.h5";
  const std::vector<double> values(1000, 0.1);
  {
    auto file = hdf5::File::create(path, true);
    file.write("/x", {1000}, values);
    file.close();
  }
  EXPECT_EQ(hdf5::File::open(path).read("/x"), values);
  std::string bytes;
  {
    std::ifstream stream(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(stream), {});
  }
  const std::string number(reinterpret_cast<const char*>(values.data()), sizeof(double));
  const auto place = bytes.find(number + number);
  ASSERT_NE(place, std::string::npos);
  bytes[place + 3] = static_cast<char>(bytes[place + 3] ^ 1);
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_THROW(hdf5::File::open(path).read("/x"), Error);
}

}  // namespace
