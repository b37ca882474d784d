#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace qheat_test {

/// A test with a folder of its own, removed with it.
class ScratchFolder : public testing::Test {
 protected:
  ScratchFolder()
      : folder_(std::filesystem::temp_directory_path() / ("qheat-test-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~ScratchFolder() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_;
};

}  // namespace qheat_test
