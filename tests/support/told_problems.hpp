#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "qheat/io/job.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat_test {

using Strings = std::vector<std::string>;

/// The problems of a job; none if it is good.
inline Strings problems_of(const std::string& text, const std::string& name = "job.toml") {
  try {
    qheat::parse_job(text, name);
  } catch (const qheat::InputError& error) {
    return error.problems();
  }
  return {};
}

inline std::string joined(const Strings& lines) {
  std::string result;
  for (const auto& line : lines) result += line + "\n";
  return result;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// One of the problems starts with `beginning` (place and key) and contains `part`.
inline testing::AssertionResult has_problem(const Strings& problems, const std::string& beginning,
                                            const std::string& part = "") {
  const bool found = std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
    return problem.starts_with(beginning) && contains(problem, part);
  });
  if (found) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << beginning << " ... " << part << "\" in\n"
                                     << joined(problems);
}

}  // namespace qheat_test
