#pragma once

#include <memory>
#include <span>
#include <vector>

#include "operators/block_kernels.hpp"
#include "operators/row_exchange.hpp"
#include "operators/suffix_map.hpp"
#include "operators/transposition.hpp"
#include "qheat/basis/block_layout.hpp"
#include "qheat/operators/block_engine.hpp"
#include "qheat/operators/exchange_route.hpp"
#include "qheat/parallel/column_block.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// The tables of a block engine, and what it does with them.
///
/// An operator on a BlockLayout is a sum of A_j (x) B_j, A_j on rows, B_j inside them. Every element of an
/// A_j is an action
///     y[row, :] += B_j x[source row, :],
/// where B_j is a number or a small sparse matrix shared by all rows of a class. What acts inside the rows
/// alone (1 (x) B and both diagonals) is one matrix a class, applied to several rows at once.
///
/// Values are named by their numbers (ids), so that they can change while the tables stay.
template <class T>
class BlockTables {
 public:
  /// Value numbers, one list an index; their sum is a diagonal element. To some indices all `common` ones
  /// belong too, but for those that are left out: where nearly all indices share them, this keeps the lists
  /// short.
  struct Sums {
    std::vector<std::uint32_t> begin{0};
    std::vector<std::uint32_t> ids;
    std::vector<std::uint32_t> common;
    std::vector<std::uint32_t> left_out_begin{0};
    std::vector<std::uint32_t> left_out;
    std::vector<char> with_common;

    /// Ends the list of an index.
    void close() { end_list(false); }
    void close_with_common() { end_list(true); }
    /// visit(id, sign) of the index's own list.
    template <class Visit>
    void visit(std::size_t index, const Visit& visit) const {
      for (std::uint32_t e = begin[index]; e < begin[index + 1]; ++e) visit(ids[e], 1.0);
      for (std::uint32_t e = left_out_begin[index]; e < left_out_begin[index + 1]; ++e)
        visit(left_out[e], -1.0);
    }

   private:
    void end_list(bool common_too) {
      begin.push_back(static_cast<std::uint32_t>(ids.size()));
      left_out_begin.push_back(static_cast<std::uint32_t>(left_out.size()));
      with_common.push_back(common_too ? 1 : 0);
    }
  };

  explicit BlockTables(const DistributedBlocks& blocks,
                       std::unique_ptr<const RowDiagonal> row_function = nullptr);

  // Building: classes and maps first, then this rank's rows in order, then finish().

  bool has_class(int suffix_class) const;
  /// What acts inside the rows of a class of `length`; elements on the diagonal included.
  void set_class(int suffix_class, Index length, const std::vector<MapEntry>& elements);
  /// The same with the diagonal apart.
  void set_class(int suffix_class, Index length, const std::vector<MapEntry>& elements, Sums diagonal);
  /// A matrix between two classes; returns its number.
  int add_map(std::vector<MapEntry> elements);
  /// y[row, :] += (value id) x[source_row, :] for the row under way; global row numbers.
  void add_action(Index source_row, std::uint32_t id);
  /// y[row, :] += maps[map] x[source_row, :].
  void add_map_action(Index source_row, int map);
  /// Diagonal elements that rows may share, and one of them that the row under way does not have.
  void set_common_row_diagonal(const std::vector<std::uint32_t>& ids) { row_diagonal_ids_.common = ids; }
  void leave_out_of_row(std::uint32_t id) { row_diagonal_ids_.left_out.push_back(id); }
  /// Ends the row under way.
  void close_row(bool with_common_diagonal = false);
  /// Plans the exchange. Collective.
  void finish(std::span<const T> values, ExchangeRoute route);

  void set_values(std::span<const T> values);
  /// y = map.scale (A + map.shift) x + map.keep before; `before` may be y. Returns the bytes sent.
  template <class V>
  Index apply(const AffineMap& map, ColumnBlock<const V> x, ColumnBlock<const V> before,
              ColumnBlock<V> y) const;
  /// sums[id] = this rank's part of <x| (element id with the value 1) |y>. Collective.
  void element_sums(std::span<const Complex> x, std::span<const Complex> y, std::span<Complex> sums) const;
  void diagonal(std::span<T> diagonal) const;
  Index bytes() const;
  const ExchangeCounts& exchange_counts() const { return exchange_counts_; }

 private:
  struct Class {
    Sums diagonal_ids;
    std::vector<std::uint32_t> begin;
    std::vector<std::int32_t> column;
    std::vector<std::uint32_t> ids;
    std::vector<T> value;
  };
  /// What acts on each element of a row by itself: the class's own and maps that are diagonal.
  struct InnerDiagonal {
    std::int32_t suffix_class;
    std::vector<std::uint32_t> maps;
    std::vector<T> values;
  };
  /// The local row `source`, times the value `what` or through the map `what`.
  struct Action {
    std::int32_t source;
    std::uint32_t what;
  };
  /// The same for the row that lies `offset` states behind the start of a chunk (before the exchange is
  /// planned: the global row).
  struct Remote {
    std::int32_t row;  ///< local
    bool through_map;
    std::uint32_t what;
    Index offset;
  };
  /// Columns that are worked on together.
  template <class V>
  struct Batch {
    std::array<const V*, kernels::kLanes<V>> x;
    std::array<const V*, kernels::kLanes<V>> before;
    std::array<V*, kernels::kLanes<V>> y;
    int columns;
    AffineMap map;
  };

  bool is_local(Index row) const { return row >= first_row_ && row < first_row_ + rows_; }
  Index source_offset(const Action& action) const { return at(offset_, action.source); }
  Index row_length(std::size_t row) const { return offset_[row + 1] - offset_[row]; }
  /// Takes diagonal maps of rows to themselves from the actions.
  void collect_inner_diagonals();
  void plan_exchange(ExchangeRoute route);
  /// Of the source row, before the exchange is planned.
  Stretch columns_needed(const Remote& remote) const;
  /// Moves the remote actions of blocks that are to be transposed to the transposition.
  void take_transposed_actions(ExchangeRoute route);
  template <class V>
  void apply_batch(const Batch<V>& batch) const;
  template <class V>
  void apply_local(const Batch<V>& batch) const;
  template <class V>
  void start(std::size_t first_row, int rows, const Batch<V>& batch) const;
  template <class V>
  void add_local_actions(std::size_t row, double scale, const V* x, V* y) const;
  template <class V>
  void apply_remote(int chunk, double scale, const V* data, V* y) const;

  void add_local_sums(const Complex* x, const Complex* y, std::span<Complex> sums) const;
  void add_diagonal_sums(const Complex* x, const Complex* y, std::span<Complex> sums) const;
  void add_inner_sums(const Complex* x, const Complex* y, std::span<Complex> sums) const;
  void add_remote_sums(int chunk, const Complex* data, const Complex* x, std::span<Complex> sums) const;

  const DistributedBlocks& blocks_;
  std::unique_ptr<const RowDiagonal> row_function_;  ///< or none
  Index first_row_;
  Index rows_;
  std::vector<Index> offset_;        ///< [rows + 1] first state of each local row
  std::vector<std::int32_t> class_;  ///< [rows]
  std::vector<Class> classes_;       ///< by suffix class
  std::vector<SuffixMap<T>> maps_;
  Sums row_diagonal_ids_;  ///< [rows]
  std::vector<T> row_diagonal_;
  std::vector<std::uint32_t> action_begin_{0};  ///< [rows + 1]
  std::vector<Action> actions_;
  std::vector<std::uint32_t> map_begin_{0};
  std::vector<Action> map_actions_;
  std::vector<InnerDiagonal> inner_diagonals_;
  std::vector<std::int32_t> inner_diagonal_;  ///< [rows], -1 for those without states
  std::unique_ptr<RowExchange> exchange_;
  std::unique_ptr<Transposition> transposition_;
  ExchangeCounts exchange_counts_;
  std::vector<std::vector<Remote>> remote_;  ///< by chunk
  std::vector<T> values_;
  mutable std::vector<Complex> buffers_;
};

}  // namespace qheat
