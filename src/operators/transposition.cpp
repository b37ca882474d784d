#include "operators/transposition.hpp"

#include <numeric>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

// Each of the two slots has buffers of this part of the local vector in all, so that both together have 1/64.
constexpr Index kSlotsAVector = 128;
constexpr Index kMostStatesASlot = Index{1} << 18;
constexpr Index kFewestStatesASlot = Index{1} << 13;  // small messages cost more than these few kilobytes

/// The rows of a block that a rank owns.
struct Rows {
  Index first, stop;
};
Rows rows_of(const BlockLayout::Block& block, const Partition& partition, int rank) {
  const auto inside = [&](Index row) {
    return std::clamp(row, block.first_row, block.first_row + block.rows);
  };
  return {inside(partition.first_row(rank)), inside(partition.first_row(rank + 1))};
}

/// Sorted rows, each once.
std::vector<Index> distinct(std::vector<Index> rows) {
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

/// [ranks + 1] where the rows of each rank begin.
std::vector<Index> begin_by_owner(const std::vector<Index>& rows, const Partition& partition, int first_rank,
                                  int last_rank) {
  std::vector<Index> begin;
  for (int rank = first_rank; rank <= last_rank; ++rank)
    begin.push_back(std::lower_bound(rows.begin(), rows.end(), partition.first_row(rank)) - rows.begin());
  begin.push_back(static_cast<Index>(rows.size()));
  return begin;
}

/// First states of this rank's rows.
std::vector<Index> own_offsets(const std::vector<Index>& rows, const DistributedBlocks& blocks) {
  std::vector<Index> offsets;
  for (const Index row : rows) {
    if (blocks.partition().owner_of_row(row) == blocks.comm().rank())
      offsets.push_back(blocks.layout().first_state(row) - blocks.first_state());
  }
  return offsets;
}

}  // namespace

ColumnSlice column_slice(const BlockLayout::Block& block, const Partition& partition, int rank) {
  const auto [first, stop] = rows_of(block, partition, rank);
  const auto column = [&](Index row) {
    return block.rows == 0 ? 0 : (row - block.first_row) * block.row_length / block.rows;
  };
  return {column(first), column(stop) - column(first)};
}

/// Slices of less than `pieces` columns leave some rounds out; each rank begins at another piece, so that
/// they do not all leave out the same.
ColumnSlice Transposition::Block::piece(int rank, Index round) const {
  const ColumnSlice& slice = at(slices, rank);
  const Index turn = (round + rank) % pieces;
  const Index first = slice.width * turn / pieces;
  return {slice.first + first, slice.width * (turn + 1) / pieces - first};
}

Transposition::Transposition(const DistributedBlocks& blocks, const std::vector<Action>& actions)
    : comm_(blocks.comm().get()) {
  const auto all = gather(blocks, actions);
  const BlockLayout& layout = blocks.layout();
  const auto belongs_here = [&](int number) {
    const auto [first, stop] = rows_of(at(layout.blocks(), number), blocks.partition(), blocks.comm().rank());
    return first < stop;
  };
  std::array<std::vector<Block>, 2> by_parity;
  std::size_t number = 0;
  for (auto start = all.begin(); start != all.end(); ++number) {
    const int block = layout.block_of_row(start->destination);
    const auto stop = std::find_if(
        start, all.end(), [&](const Action& a) { return layout.block_of_row(a.destination) != block; });
    if (belongs_here(block)) by_parity[number % 2].push_back(make_block(blocks, block, {start, stop}));
    start = stop;
  }
  // A rank shares its first and its last block at most. With every other block first, the ranks between two
  // blocks do not make the one wait for the other all along the chain of blocks.
  for (auto& list : by_parity) {
    for (Block& block : list) {
      blocks_.push_back(std::move(block));
      add_rounds(blocks_.size() - 1);
    }
  }
}

/// The actions of all ranks, by destination.
std::vector<Transposition::Action> Transposition::gather(const DistributedBlocks& blocks,
                                                         const std::vector<Action>& actions) const {
  const auto ranks = as_size(blocks.comm().size());
  if (blocks.comm().sum(static_cast<Index>(actions.size())) > INT32_MAX)
    throw Error("the operator has too many elements between ranks to transpose a block; let the rows travel");
  const auto count = static_cast<int>(actions.size());
  std::vector<int> counts(ranks);
  std::vector<int> begin(ranks + 1);
  MPI_Allgather(&count, 1, MPI_INT, counts.data(), 1, MPI_INT, comm_);
  std::partial_sum(counts.begin(), counts.end(), begin.begin() + 1);
  std::vector<Action> all(as_size(begin.back()));
  MPI_Datatype type = MPI_DATATYPE_NULL;
  MPI_Type_contiguous(sizeof(Action), MPI_BYTE, &type);
  MPI_Type_commit(&type);
  MPI_Allgatherv(actions.data(), count, type, all.data(), counts.data(), begin.data(), type, comm_);
  MPI_Type_free(&type);
  std::stable_sort(all.begin(), all.end(),
                   [](const Action& l, const Action& r) { return l.destination < r.destination; });
  return all;
}

Transposition::Block Transposition::make_block(const DistributedBlocks& blocks, int number,
                                               std::span<const Action> actions) {
  const Partition& partition = blocks.partition();
  const auto& layout = at(blocks.layout().blocks(), number);
  const int first_rank = partition.owner_of_row(layout.first_row);
  const int last_rank = partition.owner_of_row(layout.first_row + layout.rows - 1);
  std::vector<Index> sources;
  std::vector<Index> destinations;
  for (const Action& action : actions) {
    sources.push_back(action.source);
    destinations.push_back(action.destination);
  }
  sources = distinct(std::move(sources));
  destinations = distinct(std::move(destinations));

  Block block;
  block.first_rank = first_rank;
  block.me = blocks.comm().rank() - first_rank;
  for (int rank = first_rank; rank <= last_rank; ++rank)
    block.slices.push_back(column_slice(layout, partition, rank));
  block.source_begin = begin_by_owner(sources, partition, first_rank, last_rank);
  block.destination_begin = begin_by_owner(destinations, partition, first_rank, last_rank);
  block.own_sources = own_offsets(sources, blocks);
  block.own_destinations = own_offsets(destinations, blocks);
  block.term_begin.push_back(0);
  auto action = actions.begin();
  for (const Index row : destinations) {
    for (; action != actions.end() && action->destination == row; ++action) {
      const auto place = std::lower_bound(sources.begin(), sources.end(), action->source) - sources.begin();
      block.terms.push_back({static_cast<std::uint32_t>(place), action->id});
    }
    block.term_begin.push_back(static_cast<std::uint32_t>(block.terms.size()));
  }
  block.cut_into_pieces(layout.row_length, partition);
  return block;
}

/// Into so many that the buffers of no rank are larger than they may be, if a column is not.
void Transposition::Block::cut_into_pieces(Index row_length, const Partition& partition) {
  Index wanted = 1;
  Index widest = 1;
  for (int rank = 0; rank < ranks(); ++rank) {
    const Index width = at(slices, rank).width;
    const Index in_buffers = (source_begin.back() + destination_begin.back()) * width +
                             (sources(rank) + destinations(rank)) * (row_length - width);
    const Index most =
        std::clamp(partition.states(first_rank + rank) / kSlotsAVector, kFewestStatesASlot, kMostStatesASlot);
    wanted = std::max(wanted, (in_buffers + most - 1) / most);
    widest = std::max(widest, width);
  }
  pieces = std::min(wanted, widest);
}

void Transposition::add_rounds(std::size_t number) {
  const Block& block = blocks_[number];
  for (Index round = 0; round < block.pieces; ++round) {
    rounds_.push_back({number, round});
    const Index mine = block.piece(block.me, round).width;
    Index others = -mine;
    for (int rank = 0; rank < block.ranks(); ++rank) others += block.piece(rank, round).width;
    const Index sources_out = block.sources(block.me) * others;
    const Index sums_out = block.destination_begin.back() * mine;
    states_sent_ += sources_out + sums_out - block.destinations(block.me) * mine;
    most_.sources_out = std::max(most_.sources_out, sources_out);
    most_.sources_in = std::max(most_.sources_in, block.source_begin.back() * mine);
    most_.sums_out = std::max(most_.sums_out, sums_out);
    most_.sums_in = std::max(most_.sums_in, block.destinations(block.me) * others);
  }
}

Index Transposition::buffer_size() const {
  return 2 * most_.sum();
}

Index Transposition::bytes() const {
  std::size_t sum = rounds_.size() * sizeof(Round);
  for (const Block& block : blocks_) {
    sum += block.slices.size() * sizeof(ColumnSlice) + block.term_begin.size() * sizeof(std::uint32_t) +
           block.terms.size() * sizeof(Term);
    for (const auto* list :
         {&block.source_begin, &block.destination_begin, &block.own_sources, &block.own_destinations})
      sum += list->size() * sizeof(Index);
  }
  return static_cast<Index>(sum);
}

}  // namespace qheat
