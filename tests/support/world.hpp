#pragma once

#include "qheat/parallel/communicator.hpp"

namespace qheat_test {

/// All ranks of the test.
const qheat::Communicator& world();

/// Whether this is one of several ranks by day (without QHEAT_NIGHTLY). Then references that take long, which
/// every rank computes, are left to the test on one rank and to the night.
bool shared_by_day();

}  // namespace qheat_test
