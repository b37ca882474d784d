#pragma once

#include <mpi.h>

#include <array>
#include <map>
#include <span>
#include <vector>

#include "operators/suffix_map.hpp"
#include "qheat/basis/block_layout.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// Brings the rows of other ranks that this rank needs, chunk by chunk through two buffers of bounded size.
/// The plan is made once; rows travel as they lie in the vector.
class RowExchange {
 public:
  /// `rows`: global numbers of the remote rows that this rank needs, and which of their columns. Collective.
  RowExchange(const DistributedBlocks& blocks, const std::map<Index, Stretch>& rows);
  ~RowExchange();
  RowExchange(const RowExchange&) = delete;
  RowExchange& operator=(const RowExchange&) = delete;

  /// Where a needed row arrives.
  struct Place {
    int chunk;
    Index offset;  ///< where its column 0 is or would be, in states from the chunk's begin; may be negative
  };
  Place place_of(Index row) const { return places_.at(row); }
  /// The places are only needed while an engine is built.
  void forget_places() { places_.clear(); }
  int chunks() const { return static_cast<int>(receives_.size()); }
  /// States of the longest chunk.
  Index chunk_capacity() const { return chunk_capacity_; }
  /// States that this rank sends in one exchange.
  Index states_sent() const { return states_sent_; }
  Index bytes() const;

  /// Runs one exchange for each column x[k]: `local()` while the first chunks travel, then
  /// `use(chunk, k, data)` for each. `buffers` holds at least 2 * chunk_capacity() elements.
  template <class V, class Local, class Use>
  void run(std::span<const V* const> x, V* buffers, const Local& local, const Use& use) const;

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
void RowExchange::run(std::span<const V* const> x, V* buffers, const Local& local, const Use& use) const {
  constexpr int kTag = 7;
  constexpr int kind = std::is_same_v<V, double> ? 0 : 1;
  const auto columns = static_cast<int>(x.size());
  // Pieces are all columns of the first chunk, then of the second, and so on.
  const int pieces = chunks() * columns;
  MPI_Request pending[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  const auto receive = [&](int piece) {
    if (piece >= pieces) return;
    const Receive& r = at(receives_, piece / columns);
    MPI_Irecv(buffers + (piece % 2) * chunk_capacity_, static_cast<int>(r.states), element_type<V>(), r.owner,
              kTag, comm_, &pending[piece % 2]);
  };
  receive(0);
  receive(1);
  std::vector<MPI_Request> sending;
  sending.reserve(sends_.size() * x.size());
  for (const Send& send : sends_) {
    for (const V* column : x) {
      MPI_Isend(column, 1, send.types[kind], send.receiver, kTag, comm_, &sending.emplace_back());
    }
  }
  local();
  for (int piece = 0; piece < pieces; ++piece) {
    MPI_Wait(&pending[piece % 2], MPI_STATUS_IGNORE);
    use(piece / columns, as_size(piece % columns),
        static_cast<const V*>(buffers + (piece % 2) * chunk_capacity_));
    receive(piece + 2);
  }
  MPI_Waitall(static_cast<int>(sending.size()), sending.data(), MPI_STATUSES_IGNORE);
}

}  // namespace qheat
