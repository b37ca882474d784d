#include "qheat/parallel/shared_counter.hpp"

namespace qheat {
namespace {

// What rank 0 holds: the next number, and 1 once it is closed.
constexpr MPI_Aint kNext = 0;
constexpr MPI_Aint kClosed = 1;

}  // namespace

SharedCounter::SharedCounter(const Communicator& comm) {
  if (comm.size() == 1) return;
  const MPI_Aint bytes = comm.is_root() ? 2 * sizeof(Index) : 0;
  Index* values = nullptr;
  MPI_Win_allocate(bytes, sizeof(Index), MPI_INFO_NULL, comm.get(), static_cast<void*>(&values), &window_);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, window_);
  if (comm.is_root()) {
    values[kNext] = 0;
    values[kClosed] = 0;
    MPI_Win_sync(window_);
  }
  MPI_Barrier(comm.get());
}

SharedCounter::~SharedCounter() {
  if (window_ == MPI_WIN_NULL) return;
  if (reading_ != MPI_REQUEST_NULL) MPI_Wait(&reading_, MPI_STATUS_IGNORE);
  MPI_Win_unlock_all(window_);
  MPI_Win_free(&window_);
}

Index SharedCounter::next() {
  if (window_ == MPI_WIN_NULL) return seen_[kNext]++;
  const Index one = 1;
  Index number = 0;
  MPI_Fetch_and_op(&one, &number, MPI_INT64_T, 0, kNext, MPI_SUM, window_);
  MPI_Win_flush(0, window_);
  return number;
}

void SharedCounter::close() {
  closed_ = true;
  if (window_ == MPI_WIN_NULL) return;
  const Index yes = 1;
  Index before = 0;
  MPI_Fetch_and_op(&yes, &before, MPI_INT64_T, 0, kClosed, MPI_REPLACE, window_);
  MPI_Win_flush(0, window_);
}

bool SharedCounter::is_closed() {
  if (closed_ || window_ == MPI_WIN_NULL) return closed_;
  if (reading_ == MPI_REQUEST_NULL) {
    MPI_Rget_accumulate(nullptr, 0, MPI_INT64_T, &seen_[kClosed], 1, MPI_INT64_T, 0, kClosed, 1, MPI_INT64_T,
                        MPI_NO_OP, window_, &reading_);
  }
  int done = 0;
  MPI_Test(&reading_, &done, MPI_STATUS_IGNORE);
  if (done != 0) closed_ = seen_[kClosed] != 0;
  return closed_;
}

}  // namespace qheat
