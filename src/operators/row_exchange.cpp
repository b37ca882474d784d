#include "operators/row_exchange.hpp"

#include <algorithm>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr Index kMostStatesAChunk = Index{1} << 16;
constexpr Index kChunksAVector =
    256;  // a buffer is at most this part of the local vector, but at least one row

MPI_Datatype runs_type(const std::vector<std::pair<Index, Index>>& runs, MPI_Datatype element,
                       MPI_Aint size) {
  std::vector<int> lengths;
  std::vector<MPI_Aint> starts;
  for (const auto& [first, states] : runs) {
    lengths.push_back(static_cast<int>(states));
    starts.push_back(static_cast<MPI_Aint>(first) * size);
  }
  MPI_Datatype type = MPI_DATATYPE_NULL;
  MPI_Type_create_hindexed(static_cast<int>(runs.size()), lengths.data(), starts.data(), element, &type);
  MPI_Type_commit(&type);
  return type;
}

}  // namespace

RowExchange::RowExchange(const DistributedBlocks& blocks, const std::map<Index, Stretch>& rows)
    : comm_(blocks.comm().get()) {
  const BlockLayout& layout = blocks.layout();
  const Partition& partition = blocks.partition();
  const Index wanted = std::min(kMostStatesAChunk, blocks.local_size() / kChunksAVector);
  for (const auto& [row, columns] : rows) {
    const int owner = partition.owner_of_row(row);
    const Index first = layout.first_state(row) + columns.begin - partition.first_state(owner);
    const Index states = columns.length();
    if (receives_.empty() || receives_.back().owner != owner || receives_.back().states + states > wanted) {
      receives_.push_back({owner, 0, {}});
    }
    Receive& chunk = receives_.back();
    places_.emplace(row, Place{static_cast<int>(receives_.size()) - 1, chunk.states - columns.begin});
    if (!chunk.runs.empty() && chunk.runs.back().first + chunk.runs.back().states == first) {
      chunk.runs.back().states += states;
    } else {
      chunk.runs.push_back({first, states});
    }
    chunk.states += states;
    chunk_capacity_ = std::max(chunk_capacity_, chunk.states);
  }
  if (blocks.comm().any(chunk_capacity_ > INT32_MAX))
    throw Error("a row of the basis is longer than an MPI message; take a smaller sector");
  exchange_plan(blocks.comm());
}

void RowExchange::exchange_plan(const Communicator& comm) {
  // Each rank tells the owners what it wants: chunks as [number of runs, first, states, first, states, ...].
  const auto ranks = as_size(comm.size());
  std::vector<std::vector<Index>> wishes(ranks);
  for (Receive& chunk : receives_) {
    auto& wish = at(wishes, chunk.owner);
    wish.push_back(static_cast<Index>(chunk.runs.size()));
    for (const Run& run : chunk.runs) wish.insert(wish.end(), {run.first, run.states});
    chunk.runs = {};
  }
  std::vector<int> asked(ranks);
  std::vector<int> told(ranks);
  for (std::size_t rank = 0; rank < ranks; ++rank) asked[rank] = static_cast<int>(wishes[rank].size());
  MPI_Alltoall(asked.data(), 1, MPI_INT, told.data(), 1, MPI_INT, comm.get());
  std::vector<MPI_Request> requests;
  std::vector<std::vector<Index>> orders(ranks);
  constexpr int kPlanTag = 6;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    if (told[rank] == 0) continue;
    orders[rank].resize(as_size(told[rank]));
    MPI_Irecv(orders[rank].data(), told[rank], MPI_INT64_T, static_cast<int>(rank), kPlanTag, comm.get(),
              &requests.emplace_back());
  }
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    if (asked[rank] == 0) continue;
    MPI_Isend(wishes[rank].data(), asked[rank], MPI_INT64_T, static_cast<int>(rank), kPlanTag, comm.get(),
              &requests.emplace_back());
  }
  MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const auto& order = orders[rank];
    for (std::size_t at = 0; at < order.size();) {
      std::vector<std::pair<Index, Index>> runs;
      const auto count = as_size(order[at++]);
      for (std::size_t run = 0; run < count; ++run, at += 2) {
        runs.emplace_back(order[at], order[at + 1]);
        states_sent_ += order[at + 1];
      }
      sends_.push_back({static_cast<int>(rank),
                        {runs_type(runs, MPI_DOUBLE, sizeof(double)),
                         runs_type(runs, MPI_C_DOUBLE_COMPLEX, sizeof(Complex))}});
    }
  }
}

RowExchange::~RowExchange() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized != 0) return;
  for (auto& send : sends_) {
    for (auto& type : send.types) MPI_Type_free(&type);
  }
}

Index RowExchange::bytes() const {
  return static_cast<Index>(receives_.size() * sizeof(Receive) + sends_.size() * sizeof(Send)) +
         2 * chunk_capacity_ * static_cast<Index>(sizeof(Complex));
}

}  // namespace qheat
