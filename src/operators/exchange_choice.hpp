#pragma once

#include <span>
#include <vector>

#include "operators/suffix_map.hpp"
#include "qheat/basis/block_layout.hpp"
#include "qheat/operators/exchange_route.hpp"

namespace qheat {

/// A local row that needs a row of another rank; global numbers.
struct RemoteNeed {
  Index destination, source;
  bool through_map;
  Stretch columns;  ///< of the source row that are used
};

/// Chooses the blocks whose numbers times remote rows are added up by a Transposition instead of a
/// RowExchange: those for which fewer states travel.
class ExchangeChoice {
 public:
  /// `needs`: all of this rank. Collective.
  ExchangeChoice(const DistributedBlocks& blocks, std::span<const RemoteNeed> needs, ExchangeRoute route);

  bool is_transposed(const RemoteNeed& need) const;
  const ExchangeCounts& counts() const { return counts_; }

 private:
  /// States that travel for the numbers times remote rows of one block, all ranks together.
  struct Traffic {
    Index by_rows = 0;  ///< that travel for nothing else
    Index by_transpose = 0;
  };
  int block_to_transpose(const RemoteNeed& need) const;
  Index count_rows(std::span<const RemoteNeed> needs, std::vector<Traffic>& traffic) const;
  void count_transpose(std::span<const RemoteNeed> needs, std::vector<Traffic>& traffic) const;

  const DistributedBlocks& blocks_;
  std::vector<bool> transposed_;  ///< [blocks]
  ExchangeCounts counts_;
};

}  // namespace qheat
