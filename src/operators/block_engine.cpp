#include "qheat/operators/block_engine.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "operators/block_tables.hpp"

namespace qheat {
namespace {

using Sites = std::vector<int>;

/// Part of a local element on one half of the lattice; `id`: number of the value, or of a group.
struct HalfElement {
  LocalCode to, from;
  std::uint32_t id;
};
using HalfElements = std::map<Sites, std::vector<HalfElement>>;

void sort_by_destination(HalfElements& elements) {
  for (auto& [sites, list] : elements) {
    std::stable_sort(list.begin(), list.end(), [](const auto& l, const auto& r) { return l.to < r.to; });
  }
}

/// Calls visit(element, source configuration) for each element that leads to `configuration`.
template <class Visit>
void visit_sources(const HalfElements& elements, std::span<const Level> configuration, int levels,
                   std::vector<Level>& source, const Visit& visit) {
  source.assign(configuration.begin(), configuration.end());
  for (const auto& [sites, list] : elements) {
    const LocalCode to = code_on(configuration, sites, levels);
    auto e = std::lower_bound(list.begin(), list.end(), to,
                              [](const HalfElement& element, LocalCode code) { return element.to < code; });
    for (; e != list.end() && e->to == to; ++e) {
      write_code(e->from, sites, levels, source);
      visit(*e, source);
    }
    write_code(to, sites, levels, source);
  }
}

/// The terms cut at the middle of the lattice.
struct CutTerms {
  HalfElements prefix;               ///< ids: values
  HalfElements suffix;               ///< ids: values
  HalfElements crossing;             ///< prefix parts; ids: groups
  std::vector<HalfElements> groups;  ///< suffix parts that share a prefix part; ids: values
};

template <class T>
CutTerms cut(const TermSum<T>& terms, int prefix_sites) {
  CutTerms result;
  std::map<std::tuple<Sites, LocalCode, LocalCode>, std::uint32_t> group_number;
  std::uint32_t id = 0;
  for (const auto& term : terms.terms) {
    Sites head;
    Sites tail;
    for (const int site : term.sites) {
      if (site < prefix_sites) {
        head.push_back(site);
      } else {
        tail.push_back(site - prefix_sites);
      }
    }
    LocalCode tail_base = 1;
    for (std::size_t i = 0; i < tail.size(); ++i) tail_base *= static_cast<LocalCode>(terms.levels);
    for (const auto& e : term.elements) {
      const HalfElement tail_part{e.to % tail_base, e.from % tail_base, id++};
      const LocalCode head_to = e.to / tail_base;
      const LocalCode head_from = e.from / tail_base;
      if (head.empty()) {
        result.suffix[tail].push_back(tail_part);
      } else if (tail.empty()) {
        result.prefix[head].push_back({head_to, head_from, tail_part.id});
      } else {
        const auto next = static_cast<std::uint32_t>(result.groups.size());
        const auto [place, added] = group_number.try_emplace({head, head_to, head_from}, next);
        if (added) {
          result.groups.emplace_back();
          result.crossing[head].push_back({head_to, head_from, next});
        }
        result.groups[place->second][tail].push_back(tail_part);
      }
    }
  }
  sort_by_destination(result.prefix);
  sort_by_destination(result.suffix);
  sort_by_destination(result.crossing);
  for (auto& group : result.groups) sort_by_destination(group);
  return result;
}

/// Fills the tables of a sum of local terms on a sector.
template <class T>
class TermTables {
 public:
  TermTables(const DistributedSector& space, const TermSum<T>& terms)
      : space_(space),
        sector_(space.sector()),
        levels_(terms.levels),
        cut_(cut(terms, space.sector().prefix().sites())) {}

  void fill(BlockTables<T>& tables) {
    for (Index row = space_.first_row(); row < space_.first_row() + space_.local_rows(); ++row) {
      fill_class(tables, sector_.blocks()[static_cast<std::size_t>(sector_.block_of_row(row))].suffix_class);
      fill_row(tables, row);
    }
  }

 private:
  void fill_class(BlockTables<T>& tables, int suffix_class) const {
    if (suffix_class < 0 || tables.has_class(suffix_class)) return;
    const auto& suffix_classes = sector_.suffix().classes();
    tables.set_class(suffix_class, suffix_classes[static_cast<std::size_t>(suffix_class)].size,
                     suffix_entries(cut_.suffix, suffix_class, suffix_class));
  }

  void fill_row(BlockTables<T>& tables, Index row) {
    const auto configuration = sector_.prefix().configuration(row);
    visit_sources(cut_.prefix, configuration, levels_, source_, [&](const HalfElement& e, const auto& from) {
      const auto source = row_of(from);
      QHEAT_ASSERT(source.row >= 0);  // otherwise the operator leaves the sector
      tables.add_action(source.row, e.id);
    });
    const int block = sector_.block_of_row(row);
    visit_sources(cut_.crossing, configuration, levels_, source_,
                  [&](const HalfElement& e, const auto& from) {
                    const auto source = row_of(from);
                    if (source.block < 0) return;  // no suffix makes up for this prefix: no such state
                    tables.add_map_action(source.row, crossing_map(tables, e.id, block, source.block));
                  });
    tables.close_row();
  }

  struct Place {
    int block;
    Index row;
  };
  Place row_of(const std::vector<Level>& configuration) const {
    const HalfSpace& prefix = sector_.prefix();
    const int prefix_class = prefix.class_of(configuration);
    if (prefix_class < 0) return {-1, -1};
    return {prefix_class,
            sector_.block_of_class(prefix_class).first_row + prefix.rank_in_class(configuration)};
  }

  int crossing_map(BlockTables<T>& tables, std::uint32_t group, int block, int source_block) {
    const auto [place, added] = crossing_maps_.try_emplace({group, block}, -1);
    if (added) {
      const auto& blocks = sector_.blocks();
      place->second = tables.add_map(
          suffix_entries(cut_.groups[group], blocks[static_cast<std::size_t>(block)].suffix_class,
                         blocks[static_cast<std::size_t>(source_block)].suffix_class));
    }
    return place->second;
  }

  std::vector<MapEntry> suffix_entries(const HalfElements& elements, int destination_class,
                                       int source_class) const {
    std::vector<MapEntry> entries;
    if (destination_class < 0 || source_class < 0) return entries;
    const HalfSpace& suffix = sector_.suffix();
    const auto& to = suffix.classes()[static_cast<std::size_t>(destination_class)];
    std::vector<Level> source;
    for (Index j = 0; j < to.size; ++j) {
      visit_sources(elements, suffix.configuration(to.first + j), levels_, source,
                    [&](const HalfElement& e, const auto& from) {
                      QHEAT_ASSERT(suffix.class_of(from) == source_class);
                      entries.push_back({static_cast<std::int32_t>(j),
                                         static_cast<std::int32_t>(suffix.rank_in_class(from)), e.id});
                    });
    }
    return entries;
  }

  const DistributedSector& space_;
  const Sector& sector_;
  int levels_;
  CutTerms cut_;
  std::vector<Level> source_;
  std::map<std::pair<std::uint32_t, int>, int> crossing_maps_;  ///< (group, block)
};

/// Throws Error unless the sum fits the layout. Looks at all of both, so that all ranks throw or none does.
template <class T>
void check_fit(const BlockLayout& layout, const KroneckerSum<T>& sum) {
  const auto classes = static_cast<int>(sum.class_begin.size()) - 1;
  if (classes < 0) throw Error("a Kronecker sum without classes: class_begin needs at least a 0");
  for (const auto& block : layout.blocks()) {
    const auto k = static_cast<std::size_t>(block.suffix_class);
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
      const auto& to = layout.blocks()[static_cast<std::size_t>(layout.block_of_row(e.destination))];
      const auto& from = layout.blocks()[static_cast<std::size_t>(layout.block_of_row(e.source))];
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
      fill_class(tables, layout.blocks()[static_cast<std::size_t>(block)]);
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
    add_entries(e.product, first_id(e), blocks[static_cast<std::size_t>(block)].suffix_class,
                blocks[static_cast<std::size_t>(source_block)].suffix_class, entries);
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
  return {static_cast<int>(number), element - class_begin[static_cast<std::size_t>(number)]};
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
                            ColumnBlock<Complex> y) const {
  return tables_->apply(map, x, y);
}

template <class T>
Index BlockEngine<T>::apply(const AffineMap& map, ColumnBlock<const double> x, ColumnBlock<double> y) const {
  if constexpr (std::is_same_v<T, double>) {
    return tables_->apply(map, x, y);
  } else {
    throw Error("a complex operator does not act on real vectors");
  }
}

template <class T>
void BlockEngine<T>::set_values(std::span<const T> values) {
  tables_->set_values(values);
}

template <class T>
void BlockEngine<T>::element_sums(std::span<const Complex> x, std::span<Complex> sums) const {
  tables_->element_sums(x, sums);
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
