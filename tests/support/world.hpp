#pragma once

#include "qheat/parallel/communicator.hpp"

namespace qheat_test {

/// All ranks of the test.
const qheat::Communicator& world();

}  // namespace qheat_test
