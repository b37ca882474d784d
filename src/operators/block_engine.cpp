#include "qheat/operators/block_engine.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "operators/block_tables.hpp"
#include "operators/half_elements.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// Fills the tables of a sum of local terms on a sector.
template <class T>
class TermTables {
 public:
  TermTables(const DistributedSector& space, const TermSum<T>& terms)
      : space_(space),
        sector_(space.sector()),
        cut_(cut(terms, space.sector().prefix(), space.sector().suffix())) {}

  void fill(BlockTables<T>& tables) {
    tables.set_common_row_diagonal(cut_.prefix.common_diagonal());
    for (Index row = space_.first_row(); row < space_.first_row() + space_.local_rows(); ++row) {
      const int block = sector_.block_of_row(row);
      fill_class(tables, at(sector_.blocks(), block).suffix_class);
      fill_row(tables, row, block);
    }
  }

 private:
  void fill_class(BlockTables<T>& tables, int suffix_class) {
    if (suffix_class < 0 || tables.has_class(suffix_class)) return;
    const HalfSpace& suffix = sector_.suffix();
    const auto& c = at(suffix.classes(), suffix_class);
    std::vector<MapEntry> entries;
    typename BlockTables<T>::Sums diagonal;
    diagonal.common = cut_.suffix.common_diagonal();
    for (Index j = 0; j < c.size; ++j) {
      const auto configuration = suffix.configuration(c.first + j);
      const auto visit = [&](const HalfElement& e, const auto& from) {
        if (e.diagonal()) return diagonal.ids.push_back(e.id);
        QHEAT_ASSERT(suffix.class_of(from) == suffix_class);
        entries.push_back({static_cast<std::int32_t>(j),
                           static_cast<std::int32_t>(suffix.rank_in_class(suffix_class, from)), e.id});
      };
      if (cut_.suffix.is_close_to_common(configuration)) {
        cut_.suffix.visit_difference(configuration, source_, visit,
                                     [&](std::uint32_t id) { diagonal.left_out.push_back(id); });
        diagonal.close_with_common();
      } else {
        cut_.suffix.visit_sources(configuration, source_, visit);
        diagonal.close();
      }
    }
    tables.set_class(suffix_class, c.size, entries, std::move(diagonal));
  }

  void fill_row(BlockTables<T>& tables, Index row, int block) {
    const auto configuration = sector_.prefix().configuration(row);
    const auto visit = [&](const HalfElement& e, const auto& from) {
      if (e.diagonal()) return tables.add_action(row, e.id);
      const auto source = row_of(from);
      QHEAT_ASSERT(source.row >= 0);  // otherwise the operator leaves the sector
      tables.add_action(source.row, e.id);
    };
    const bool close = cut_.prefix.is_close_to_common(configuration);
    if (close) {
      cut_.prefix.visit_difference(configuration, source_, visit,
                                   [&](std::uint32_t id) { tables.leave_out_of_row(id); });
    } else {
      cut_.prefix.visit_sources(configuration, source_, visit);
    }
    cut_.crossing.visit_sources(configuration, source_, [&](const HalfElement& e, const auto& from) {
      const auto source = e.diagonal() ? Place{block, row} : row_of(from);
      if (source.block < 0) return;  // no suffix makes up for this prefix: no such state
      tables.add_map_action(source.row, crossing_map(tables, e.id, block, source.block));
    });
    tables.close_row(close);
  }

  struct Place {
    int block;
    Index row;
  };
  Place row_of(const std::vector<Level>& configuration) const {
    const HalfSpace& prefix = sector_.prefix();
    const int prefix_class = prefix.class_of(configuration);
    if (prefix_class < 0) return {-1, -1};
    return {prefix_class, sector_.block_of_class(prefix_class).first_row +
                              prefix.rank_in_class(prefix_class, configuration)};
  }

  int crossing_map(BlockTables<T>& tables, std::uint32_t group, int block, int source_block) {
    const auto [place, added] = crossing_maps_.try_emplace({group, block}, -1);
    if (added) {
      const auto& blocks = sector_.blocks();
      place->second = tables.add_map(suffix_entries(cut_.groups[group], at(blocks, block).suffix_class,
                                                    at(blocks, source_block).suffix_class));
    }
    return place->second;
  }

  std::vector<MapEntry> suffix_entries(const HalfElements& elements, int destination_class,
                                       int source_class) {
    std::vector<MapEntry> entries;
    if (destination_class < 0 || source_class < 0) return entries;
    const HalfSpace& suffix = sector_.suffix();
    const auto& to = at(suffix.classes(), destination_class);
    for (Index j = 0; j < to.size; ++j) {
      elements.visit_sources(
          suffix.configuration(to.first + j), inner_source_, [&](const HalfElement& e, const auto& from) {
            QHEAT_ASSERT(suffix.class_of(from) == source_class);
            const Index place = e.diagonal() ? j : suffix.rank_in_class(source_class, from);
            entries.push_back({static_cast<std::int32_t>(j), static_cast<std::int32_t>(place), e.id});
          });
    }
    return entries;
  }

  const DistributedSector& space_;
  const Sector& sector_;
  CutTerms cut_;
  std::vector<Level> source_;
  std::vector<Level> inner_source_;                             ///< while source_ is in use
  std::map<std::pair<std::uint32_t, int>, int> crossing_maps_;  ///< (group, block)
};

/// Throws Error unless the sum fits the layout. Looks at all of both, so that all ranks throw or none does.
template <class T>
void check_fit(const BlockLayout& layout, const KroneckerSum<T>& sum) {
  const auto classes = static_cast<int>(sum.class_begin.size()) - 1;
  if (classes < 0) throw Error("a Kronecker sum without classes: class_begin needs at least a 0");
  for (const auto& block : layout.blocks()) {
    const auto k = as_size(block.suffix_class);
    const bool fits =
        block.suffix_class < 0
            ? block.row_length == 0
            : block.suffix_class < classes && block.row_length == sum.class_begin[k + 1] - sum.class_begin[k];
    if (!fits) throw Error("a Kronecker sum has other classes than its block layout");
    if (block.row_length > INT32_MAX) throw Error("a class of a Kronecker sum has more than 2^31 elements");
  }
  const auto check_range = [](const HalfMatrixElement<T>& e, Index dimension) {
    if (std::min(e.destination, e.source) < 0 || std::max(e.destination, e.source) >= dimension)
      throw Error("a Kronecker product has an element outside of its half of the block layout");
  };
  for (const auto& product : sum.products) {
    for (const auto& e : product.rows) {
      check_range(e, layout.rows());
      if (!product.inside.empty()) continue;
      const auto& to = at(layout.blocks(), layout.block_of_row(e.destination));
      const auto& from = at(layout.blocks(), layout.block_of_row(e.source));
      if (to.suffix_class != from.suffix_class && std::max(to.row_length, from.row_length) > 0)
        throw Error("a Kronecker product with the identity inside leads from row " +
                    std::to_string(e.source) + " to row " + std::to_string(e.destination) +
                    ", which hold different classes");
    }
    for (const auto& e : product.inside) check_range(e, sum.class_begin.back());
  }
}

/// Fills the tables of a sum of Kronecker products.
template <class T>
class KroneckerTables {
 public:
  KroneckerTables(const DistributedBlocks& blocks, const KroneckerSum<T>& sum) : blocks_(blocks), sum_(sum) {
    check_fit(blocks.layout(), sum);
    Index next = 0;
    for (std::size_t p = 0; p < sum.products.size(); ++p) {
      first_id_.push_back(static_cast<std::uint32_t>(next));
      next += static_cast<Index>(row_values(p) * inside_values(p));
      if (next > UINT32_MAX) throw Error("a Kronecker sum has more than 2^32 products of elements");
    }
    sort_elements_by_row();
  }

  void fill(BlockTables<T>& tables) {
    const BlockLayout& layout = blocks_.layout();
    auto next = row_elements_.begin();
    for (Index row = blocks_.first_row(); row < blocks_.first_row() + blocks_.local_rows(); ++row) {
      const int block = layout.block_of_row(row);
      fill_class(tables, at(layout.blocks(), block));
      for (; next != row_elements_.end() && next->row == row; ++next) {
        const Index source = sum_.products[next->product].rows[next->element].source;
        if (sum_.products[next->product].inside.empty()) {
          tables.add_action(source, first_id(*next));
        } else {
          tables.add_map_action(source, add_map(tables, *next, block, layout.block_of_row(source)));
        }
      }
      tables.close_row();
    }
  }

  std::vector<T> values() const {
    std::vector<T> all;
    for (const auto& product : sum_.products) {
      const std::vector<HalfMatrixElement<T>> one = {{0, 0, T(1.0)}};
      for (const auto& a : product.rows.empty() ? one : product.rows) {
        for (const auto& b : product.inside.empty() ? one : product.inside) all.push_back(a.value * b.value);
      }
    }
    return all;
  }

 private:
  /// An element of the A_j of a product; `row`: its destination.
  struct RowElement {
    Index row;
    std::size_t product, element;
  };

  std::size_t row_values(std::size_t p) const {
    return std::max<std::size_t>(1, sum_.products[p].rows.size());
  }
  std::size_t inside_values(std::size_t p) const {
    return std::max<std::size_t>(1, sum_.products[p].inside.size());
  }
  std::uint32_t first_id(const RowElement& e) const {
    return first_id_[e.product] + static_cast<std::uint32_t>(e.element * inside_values(e.product));
  }

  /// Those of this rank's rows.
  void sort_elements_by_row() {
    const Index stop = blocks_.first_row() + blocks_.local_rows();
    for (std::size_t p = 0; p < sum_.products.size(); ++p) {
      const auto& rows = sum_.products[p].rows;
      for (std::size_t e = 0; e < rows.size(); ++e) {
        if (rows[e].destination >= blocks_.first_row() && rows[e].destination < stop)
          row_elements_.push_back({rows[e].destination, p, e});
      }
    }
    std::stable_sort(row_elements_.begin(), row_elements_.end(),
                     [](const RowElement& l, const RowElement& r) { return l.row < r.row; });
  }

  void fill_class(BlockTables<T>& tables, const BlockLayout::Block& block) const {
    if (block.suffix_class < 0 || tables.has_class(block.suffix_class)) return;
    std::vector<MapEntry> entries;
    for (std::size_t p = 0; p < sum_.products.size(); ++p) {
      if (!sum_.products[p].rows.empty()) continue;
      if (sum_.products[p].inside.empty()) {
        add_identity(first_id_[p], block.row_length, entries);
      } else {
        add_entries(p, first_id_[p], block.suffix_class, block.suffix_class, entries);
      }
    }
    tables.set_class(block.suffix_class, block.row_length, entries);
  }

  static void add_identity(std::uint32_t id, Index length, std::vector<MapEntry>& entries) {
    for (std::int32_t j = 0; j < length; ++j) entries.push_back({j, j, id});
  }

  /// The part of a product's inner matrix between two classes, with numbers from `first` on.
  void add_entries(std::size_t p, std::uint32_t first, int destination_class, int source_class,
                   std::vector<MapEntry>& entries) const {
    const auto& inside = sum_.products[p].inside;
    for (std::size_t e = 0; e < inside.size(); ++e) {
      const auto [to_class, to] = sum_.place_inside(inside[e].destination);
      const auto [from_class, from] = sum_.place_inside(inside[e].source);
      if (to_class == destination_class && from_class == source_class)
        entries.push_back({static_cast<std::int32_t>(to), static_cast<std::int32_t>(from),
                           first + static_cast<std::uint32_t>(e)});
    }
  }

  int add_map(BlockTables<T>& tables, const RowElement& e, int block, int source_block) const {
    const auto& blocks = blocks_.layout().blocks();
    std::vector<MapEntry> entries;
    add_entries(e.product, first_id(e), at(blocks, block).suffix_class, at(blocks, source_block).suffix_class,
                entries);
    return tables.add_map(std::move(entries));
  }

  const DistributedBlocks& blocks_;
  const KroneckerSum<T>& sum_;
  std::vector<std::uint32_t> first_id_;
  std::vector<RowElement> row_elements_;
};

}  // namespace

template <class T>
std::pair<int, Index> KroneckerSum<T>::place_inside(Index element) const {
  const auto after = std::upper_bound(class_begin.begin(), class_begin.end(), element);
  const auto number = after - class_begin.begin() - 1;
  return {static_cast<int>(number), element - at(class_begin, number)};
}

template <class T>
BlockEngine<T>::BlockEngine(const DistributedSector& space, const TermSum<T>& terms, ExchangeRoute route,
                            std::unique_ptr<const RowDiagonal> diagonal)
    : tables_(std::make_unique<BlockTables<T>>(space, std::move(diagonal))) {
  TermTables<T>(space, terms).fill(*tables_);
  std::vector<T> values;
  for (const auto& term : terms.terms) {
    for (const auto& e : term.elements) values.push_back(e.value);
  }
  tables_->finish(values, route);
}

template <class T>
BlockEngine<T>::BlockEngine(const DistributedBlocks& blocks, const KroneckerSum<T>& sum, ExchangeRoute route)
    : tables_(std::make_unique<BlockTables<T>>(blocks)) {
  KroneckerTables<T> filler(blocks, sum);
  filler.fill(*tables_);
  tables_->finish(filler.values(), route);
}

template <class T>
BlockEngine<T>::~BlockEngine() = default;
template <class T>
BlockEngine<T>::BlockEngine(BlockEngine&&) noexcept = default;

template <class T>
Index BlockEngine<T>::apply(const AffineMap& map, ColumnBlock<const Complex> x,
                            ColumnBlock<const Complex> before, ColumnBlock<Complex> y) const {
  return tables_->apply(map, x, before, y);
}

template <class T>
Index BlockEngine<T>::apply(const AffineMap& map, ColumnBlock<const double> x, ColumnBlock<double> y) const {
  if constexpr (std::is_same_v<T, double>) {
    return tables_->apply(map, x, ColumnBlock<const double>(y), y);
  } else {
    throw Error("a complex operator does not act on real vectors");
  }
}

template <class T>
void BlockEngine<T>::set_values(std::span<const T> values) {
  tables_->set_values(values);
}

template <class T>
void BlockEngine<T>::element_sums(std::span<const Complex> x, std::span<const Complex> y,
                                  std::span<Complex> sums) const {
  tables_->element_sums(x, y, sums);
}

template <class T>
void BlockEngine<T>::diagonal(std::span<T> diagonal) const {
  tables_->diagonal(diagonal);
}

template <class T>
Index BlockEngine<T>::bytes() const {
  return tables_->bytes();
}

template <class T>
const ExchangeCounts& BlockEngine<T>::exchange_counts() const {
  return tables_->exchange_counts();
}

template class BlockEngine<double>;
template class BlockEngine<Complex>;
template struct KroneckerSum<double>;
template struct KroneckerSum<Complex>;

}  // namespace qheat
