#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace qheat {

/// A failure that a user can cause or mend: memory, disk, a library that gave up. The message says what to
/// do. The program prints it once and ends with exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bad input: a job file or arguments that ask for something impossible. Exit code 2.
class InputError : public Error {
 public:
  explicit InputError(std::string message) : Error(message), problems_{std::move(message)} {}
  /// All problems of one input, each a full sentence with its place (file:line:column).
  explicit InputError(std::vector<std::string> problems);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<std::string> problems_;
};

/// The run was asked to stop and has saved its state. Exit code 75 (EX_TEMPFAIL), which batch systems
/// requeue.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped after a checkpoint"; }
};

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line, const char* function);

}  // namespace qheat

/// An invariant of ours: broken means a bug. Prints rank, place and condition, then aborts all ranks.
#ifdef QHEAT_ASSERTIONS
#define QHEAT_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::qheat::assertion_failed(#condition, __FILE__, __LINE__, __func__))
#else
#define QHEAT_ASSERT(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#endif
