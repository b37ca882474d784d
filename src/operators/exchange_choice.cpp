#include "operators/exchange_choice.hpp"

#include <map>
#include <set>

#include "operators/transposition.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr int kNone = -1;

}  // namespace

ExchangeChoice::ExchangeChoice(const DistributedBlocks& blocks, std::span<const RemoteNeed> needs,
                               ExchangeRoute route)
    : blocks_(blocks), transposed_(blocks.layout().blocks().size()) {
  std::vector<Traffic> traffic(transposed_.size());
  const Index always = count_rows(needs, traffic);
  count_transpose(needs, traffic);
  static_assert(sizeof(Traffic) == 2 * sizeof(Index));
  MPI_Allreduce(MPI_IN_PLACE, traffic.data(), 2 * static_cast<int>(traffic.size()), MPI_INT64_T, MPI_SUM,
                blocks.comm().get());
  counts_.by_rows = counts_.by_transpose = counts_.planned = blocks.comm().sum(always);
  for (std::size_t b = 0; b < traffic.size(); ++b) {
    const bool any = traffic[b].by_transpose > 0;
    const bool fewer = traffic[b].by_transpose < traffic[b].by_rows;
    transposed_[b] =
        any && (route == ExchangeRoute::transpose || (route == ExchangeRoute::automatic && fewer));
    counts_.by_rows += traffic[b].by_rows;
    counts_.by_transpose += traffic[b].by_transpose;
    counts_.planned += transposed_[b] ? traffic[b].by_transpose : traffic[b].by_rows;
    counts_.transposed_blocks += transposed_[b] ? 1 : 0;
  }
}

bool ExchangeChoice::is_transposed(const RemoteNeed& need) const {
  const int block = block_to_transpose(need);
  return block != kNone && at(transposed_, block);
}

/// The block inside which a number times a row is wanted; kNone for anything else.
int ExchangeChoice::block_to_transpose(const RemoteNeed& need) const {
  const BlockLayout& layout = blocks_.layout();
  const int block = layout.block_of_row(need.destination);
  return !need.through_map && layout.block_of_row(need.source) == block ? block : kNone;
}

/// Fills this rank's `by_rows`; returns the states that travel whatever is chosen.
Index ExchangeChoice::count_rows(std::span<const RemoteNeed> needs, std::vector<Traffic>& traffic) const {
  std::map<Index, Stretch> always;
  std::map<Index, std::pair<int, Stretch>> all;  // with the block to transpose, if any
  for (const RemoteNeed& need : needs) {
    const int block = block_to_transpose(need);
    if (block == kNone) unite(always, need.source, need.columns);
    auto& [block_of_row, columns] = all.try_emplace(need.source, block, need.columns).first->second;
    block_of_row = std::max(block_of_row, block);
    columns = columns.united(need.columns);
  }
  Index sum = 0;
  for (const auto& [row, columns] : always) sum += columns.length();
  for (const auto& [row, wanted] : all) {
    const auto& [block, columns] = wanted;
    if (block == kNone) continue;
    const auto place = always.find(row);
    at(traffic, block).by_rows += columns.length() - (place == always.end() ? 0 : place->second.length());
  }
  return sum;
}

/// Fills this rank's `by_transpose`: its sources on their way to the slices, and the sums on their way back.
void ExchangeChoice::count_transpose(std::span<const RemoteNeed> needs, std::vector<Traffic>& traffic) const {
  std::vector<char> is_source(as_size(blocks_.layout().rows()));
  std::set<Index> destinations;
  for (const RemoteNeed& need : needs) {
    if (block_to_transpose(need) == kNone) continue;
    at(is_source, need.source) = 1;
    destinations.insert(need.destination);
  }
  MPI_Allreduce(MPI_IN_PLACE, is_source.data(), static_cast<int>(is_source.size()), MPI_CHAR, MPI_MAX,
                blocks_.comm().get());
  for (Index row = blocks_.first_row(); row < blocks_.first_row() + blocks_.local_rows(); ++row) {
    const int times = at(is_source, row) + (destinations.contains(row) ? 1 : 0);
    if (times == 0) continue;
    const auto number = as_size(blocks_.layout().block_of_row(row));
    const auto& block = blocks_.layout().blocks()[number];
    const Index elsewhere =
        block.row_length - column_slice(block, blocks_.partition(), blocks_.comm().rank()).width;
    traffic[number].by_transpose += times * elsewhere;
  }
}

}  // namespace qheat
