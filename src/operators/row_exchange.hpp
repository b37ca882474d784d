#pragma once

#include <mpi.h>

#include <array>
#include <map>
#include <vector>

#include "qheat/basis/sector.hpp"

namespace qheat {

/// Brings the rows of other ranks that this rank needs, chunk by chunk through two buffers of bounded size.
/// The plan is made once; rows travel as they lie in the vector.
class RowExchange {
 public:
  /// `rows`: global numbers of the remote rows that this rank needs, ascending. Collective.
  RowExchange(const DistributedSector& space, const std::vector<Index>& rows);
  ~RowExchange();
  RowExchange(const RowExchange&) = delete;
  RowExchange& operator=(const RowExchange&) = delete;

  /// Where a needed row arrives.
  struct Place {
    int chunk;
    Index offset;  ///< in states, inside the chunk
  };
  Place place_of(Index row) const { return places_.at(row); }
  /// The places are only needed while an engine is built.
  void forget_places() { places_.clear(); }
  int chunks() const { return static_cast<int>(receives_.size()); }
  /// States of the longest chunk.
  Index chunk_capacity() const { return chunk_capacity_; }
  /// States that this rank sends in one exchange.
  Index states_sent() const { return states_sent_; }
  Index messages_sent() const { return static_cast<Index>(sends_.size()); }
  Index bytes() const;

  /// Runs one exchange: `local()` while the first chunks travel, then `use(chunk, data)` for each chunk in
  /// order. `buffers` holds at least 2 * chunk_capacity() elements.
  template <class V, class Local, class Use>
  void run(const V* x, V* buffers, const Local& local, const Use& use) const;

 private:
  struct Run {
    Index first, states;  ///< in states, inside the owner's part
  };
  struct Receive {
    int owner;
    Index states;
    std::vector<Run> runs;  ///< moved to the owner when the plan is made
  };
  struct Send {
    int receiver;
    std::array<MPI_Datatype, 2> types;  ///< of double and of complex elements
  };
  void exchange_plan(const Communicator& comm);

  MPI_Comm comm_;
  std::vector<Receive> receives_;
  std::vector<Send> sends_;
  std::map<Index, Place> places_;
  Index chunk_capacity_ = 0;
  Index states_sent_ = 0;
};

template <class V>
MPI_Datatype element_type();
template <>
inline MPI_Datatype element_type<double>() {
  return MPI_DOUBLE;
}
template <>
inline MPI_Datatype element_type<Complex>() {
  return MPI_C_DOUBLE_COMPLEX;
}

template <class V, class Local, class Use>
void RowExchange::run(const V* x, V* buffers, const Local& local, const Use& use) const {
  constexpr int kTag = 7;
  constexpr int kind = std::is_same_v<V, double> ? 0 : 1;
  MPI_Request pending[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  const auto receive = [&](int chunk) {
    if (chunk >= chunks()) return;
    const Receive& r = receives_[static_cast<std::size_t>(chunk)];
    MPI_Irecv(buffers + (chunk % 2) * chunk_capacity_, static_cast<int>(r.states), element_type<V>(), r.owner,
              kTag, comm_, &pending[chunk % 2]);
  };
  receive(0);
  receive(1);
  std::vector<MPI_Request> sending(sends_.size());
  for (std::size_t s = 0; s < sends_.size(); ++s) {
    MPI_Isend(x, 1, sends_[s].types[kind], sends_[s].receiver, kTag, comm_, &sending[s]);
  }
  local();
  for (int chunk = 0; chunk < chunks(); ++chunk) {
    MPI_Wait(&pending[chunk % 2], MPI_STATUS_IGNORE);
    use(chunk, static_cast<const V*>(buffers + (chunk % 2) * chunk_capacity_));
    receive(chunk + 2);
  }
  MPI_Waitall(static_cast<int>(sending.size()), sending.data(), MPI_STATUSES_IGNORE);
}

}  // namespace qheat
