#pragma once

#include <string>

#include "qheat/io/job.hpp"

namespace qheat {

/// Fingerprint of the model that a job stands for: numbers that a checkpoint must agree with.
std::string model_digest(const Job& job);

}  // namespace qheat
