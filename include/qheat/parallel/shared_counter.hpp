#pragma once

#include <mpi.h>

#include <array>

#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// Deals out the numbers 0, 1, 2, ... to whichever rank asks next, until one of them closes it. Only making
/// and destroying it are collective: no rank waits for another that computes.
class SharedCounter {
 public:
  explicit SharedCounter(const Communicator& comm);
  ~SharedCounter();
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;

  /// Each number to one caller.
  Index next();
  void close();
  /// True soon after any rank has closed it. Never waits.
  bool is_closed();

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  std::array<Index, 2> seen_{};  ///< one rank: the counter itself; otherwise what was read of it
  MPI_Request reading_ = MPI_REQUEST_NULL;
  bool closed_ = false;
};

}  // namespace qheat
