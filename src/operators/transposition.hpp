#pragma once

#include <mpi.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "operators/block_kernels.hpp"
#include "operators/row_exchange.hpp"
#include "qheat/basis/block_layout.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// Some columns of a block.
struct ColumnSlice {
  Index first, width;
};
/// The columns of a block that a rank adds up. They are to all columns as the rank's rows are to all rows, so
/// that work and memory are as balanced as the rows.
ColumnSlice column_slice(const BlockLayout::Block& block, const Partition& partition, int rank);

/// Adds numbers times rows of other ranks, y[row, :] += c x[source, :] inside a block, by a transpose: each
/// rank gathers all source rows for a slice of the columns, adds up the sums of all ranks, and sends them
/// back.
///
/// Slices pass in pieces through two slots of bounded buffers: while one piece is added up, the next arrives
/// and the sums of the one before travel back. The tables are over the rows of this rank's blocks.
class Transposition {
 public:
  /// y[destination, :] += value(id) x[source, :], rows of one block but of two ranks; global numbers.
  struct Action {
    Index destination, source;
    std::uint32_t id;
  };

  /// `actions`: those that lead to this rank's rows. Collective.
  Transposition(const DistributedBlocks& blocks, const std::vector<Action>& actions);

  /// States that this rank sends for one vector.
  Index states_sent() const { return states_sent_; }
  /// Elements of the buffers that `run` needs.
  Index buffer_size() const;
  /// Bytes of the tables.
  Index bytes() const;

  /// Adds to y[k] `scale` times what x[k] gives, after `meanwhile()`, which runs while the first pieces
  /// travel and may set y.
  template <class T, class V, class Meanwhile>
  void run(std::span<const T> values, double scale, std::span<const V* const> x, std::span<V* const> y,
           V* buffers, const Meanwhile& meanwhile) const;

 private:
  struct Term {
    std::uint32_t source;  ///< place in the block's list of sources
    std::uint32_t id;
  };
  /// A block that this rank shares with others.
  struct Block {
    int first_rank, me;               ///< ranks of the block from first_rank on; this one is first_rank + me
    std::vector<ColumnSlice> slices;  ///< [ranks]
    std::vector<Index> source_begin;  ///< [ranks + 1] sources in the order of rows, by owner
    std::vector<Index> destination_begin;  ///< [ranks + 1]
    std::vector<Index> own_sources;        ///< first state of each, local
    std::vector<Index> own_destinations;
    std::vector<std::uint32_t> term_begin;  ///< [destinations + 1]
    std::vector<Term> terms;
    Index pieces;  ///< into which every slice is cut

    int ranks() const { return static_cast<int>(slices.size()); }
    Index sources(int rank) const { return count(source_begin, rank); }
    Index destinations(int rank) const { return count(destination_begin, rank); }
    static Index count(const std::vector<Index>& begin, int rank) {
      return begin[as_size(rank) + 1] - at(begin, rank);
    }
    void cut_into_pieces(Index row_length, const Partition& partition);
    ColumnSlice piece(int rank, Index round) const;
  };
  /// One piece of every slice of a block.
  struct Round {
    std::size_t block;
    Index number;
  };
  /// Elements in each buffer of a slot.
  struct Sizes {
    Index sources_out = 0, sources_in = 0, sums_out = 0, sums_in = 0;
    Index sum() const { return sources_out + sources_in + sums_out + sums_in; }
  };
  template <class T, class V>
  class Passage;

  std::vector<Action> gather(const DistributedBlocks& blocks, const std::vector<Action>& actions) const;
  static Block make_block(const DistributedBlocks& blocks, int number, std::span<const Action> actions);
  void add_rounds(std::size_t block);

  MPI_Comm comm_;
  std::vector<Block> blocks_;
  std::vector<Round> rounds_;
  Sizes most_;
  Index states_sent_ = 0;
};

/// One run: the pieces of all rounds and vectors on their way through the slots.
template <class T, class V>
class Transposition::Passage {
 public:
  Passage(const Transposition& plan, std::span<const T> values, double scale, std::span<const V* const> x,
          std::span<V* const> y, V* buffers)
      : plan_(plan), values_(values), scale_(scale), x_(x), y_(y) {
    for (Slot& slot : slots_) {
      slot.sources_out = buffers;
      slot.sources_in = slot.sources_out + plan.most_.sources_out;
      slot.sums_out = slot.sources_in + plan.most_.sources_in;
      slot.sums_in = slot.sums_out + plan.most_.sums_out;
      buffers += plan.most_.sum();
    }
  }

  /// Steps are all vectors of the first round, then of the second, and so on.
  std::size_t steps() const { return plan_.rounds_.size() * x_.size(); }

  /// Sends this rank's sources to the slices, and receives those of its own slice.
  void start(std::size_t step);
  /// Adds up the sums of this rank's slice and sends them back.
  void add_up(std::size_t step);
  /// Adds the sums of other slices to y.
  void finish(std::size_t step);

 private:
  struct Slot {
    V *sources_out, *sources_in, *sums_out, *sums_in;
    std::vector<MPI_Request> sources, sums;
  };
  static constexpr int kSourcesTag = 9;
  static constexpr int kSumsTag = 10;

  Slot& slot_of(std::size_t step) { return slots_[step % 2]; }
  const Round& round_of(std::size_t step) const { return plan_.rounds_[step / x_.size()]; }
  const Block& block_of(std::size_t step) const { return plan_.blocks_[round_of(step).block]; }
  void send(const V* from, Index count, int rank, int tag, std::vector<MPI_Request>& requests) const {
    if (count > 0)
      MPI_Isend(from, static_cast<int>(count), element_type<V>(), rank, tag, plan_.comm_,
                &requests.emplace_back());
  }
  void receive(V* to, Index count, int rank, int tag, std::vector<MPI_Request>& requests) const {
    if (count > 0)
      MPI_Irecv(to, static_cast<int>(count), element_type<V>(), rank, tag, plan_.comm_,
                &requests.emplace_back());
  }
  static void wait(std::vector<MPI_Request>& requests) {
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
    requests.clear();
  }
  /// Columns of rows that begin at `rows`, one row after the other.
  static V* pack(const V* x, const std::vector<Index>& rows, ColumnSlice columns, V* to) {
    for (const Index row : rows) to = std::copy_n(x + row + columns.first, columns.width, to);
    return to;
  }
  static const V* add_packed(const V* from, const std::vector<Index>& rows, ColumnSlice columns, V* y) {
    for (const Index row : rows) {
      for (V* to = y + row + columns.first; to != y + row + columns.first + columns.width; ++to)
        *to += *from++;
    }
    return from;
  }
  void add_terms(const Block& block, Index width, const V* sources, V* sums) const;

  const Transposition& plan_;
  std::span<const T> values_;
  double scale_;
  std::span<const V* const> x_;
  std::span<V* const> y_;
  std::array<Slot, 2> slots_;
};

template <class T, class V>
void Transposition::Passage<T, V>::start(std::size_t step) {
  if (step >= steps()) return;
  const Block& block = block_of(step);
  const Index round = round_of(step).number;
  const V* x = x_[step % x_.size()];
  Slot& slot = slot_of(step);
  const ColumnSlice mine = block.piece(block.me, round);
  V* out = slot.sources_out;
  for (int rank = 0; rank < block.ranks(); ++rank) {
    V* in = slot.sources_in + at(block.source_begin, rank) * mine.width;
    if (rank == block.me) {
      pack(x, block.own_sources, mine, in);
      continue;
    }
    receive(in, block.sources(rank) * mine.width, block.first_rank + rank, kSourcesTag, slot.sources);
    V* end = pack(x, block.own_sources, block.piece(rank, round), out);
    send(out, end - out, block.first_rank + rank, kSourcesTag, slot.sources);
    out = end;
  }
}

template <class T, class V>
void Transposition::Passage<T, V>::add_up(std::size_t step) {
  const Block& block = block_of(step);
  const Index round = round_of(step).number;
  Slot& slot = slot_of(step);
  const ColumnSlice mine = block.piece(block.me, round);
  wait(slot.sources);
  add_terms(block, mine.width, slot.sources_in, slot.sums_out);
  V* in = slot.sums_in;
  for (int rank = 0; rank < block.ranks(); ++rank) {
    if (rank == block.me) continue;
    const Index incoming = block.destinations(block.me) * block.piece(rank, round).width;
    receive(in, incoming, block.first_rank + rank, kSumsTag, slot.sums);
    in += incoming;
    send(slot.sums_out + at(block.destination_begin, rank) * mine.width,
         block.destinations(rank) * mine.width, block.first_rank + rank, kSumsTag, slot.sums);
  }
}

template <class T, class V>
void Transposition::Passage<T, V>::add_terms(const Block& block, Index width, const V* sources,
                                             V* sums) const {
  const std::size_t destinations = block.term_begin.size() - 1;
  std::fill_n(sums, static_cast<Index>(destinations) * width, V{});
  for (std::size_t d = 0; d < destinations && width > 0; ++d, sums += width) {
    kernels::RowSum<T, V> sum(width, sums);
    for (std::uint32_t t = block.term_begin[d]; t < block.term_begin[d + 1]; ++t)
      sum.add(sources + block.terms[t].source * width, scale_ * values_[block.terms[t].id]);
    sum.finish();
  }
}

template <class T, class V>
void Transposition::Passage<T, V>::finish(std::size_t step) {
  const Block& block = block_of(step);
  const Index round = round_of(step).number;
  V* y = y_[step % x_.size()];
  Slot& slot = slot_of(step);
  wait(slot.sums);
  const V* in = slot.sums_in;
  for (int rank = 0; rank < block.ranks(); ++rank) {
    const ColumnSlice piece = block.piece(rank, round);
    if (rank == block.me) {
      add_packed(slot.sums_out + at(block.destination_begin, rank) * piece.width, block.own_destinations,
                 piece, y);
    } else {
      in = add_packed(in, block.own_destinations, piece, y);
    }
  }
}

template <class T, class V, class Meanwhile>
void Transposition::run(std::span<const T> values, double scale, std::span<const V* const> x,
                        std::span<V* const> y, V* buffers, const Meanwhile& meanwhile) const {
  Passage<T, V> passage(*this, values, scale, x, y, buffers);
  passage.start(0);
  passage.start(1);
  meanwhile();
  for (std::size_t step = 0; step < passage.steps(); ++step) {
    passage.add_up(step);
    passage.start(step + 2);  // the sources of this step are used up and sent
    if (step > 0) passage.finish(step - 1);
  }
  if (passage.steps() > 0) passage.finish(passage.steps() - 1);
}

}  // namespace qheat
