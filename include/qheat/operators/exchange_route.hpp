#pragma once

#include "qheat/parallel/index.hpp"

namespace qheat {

/// How numbers times rows of other ranks come about: the rows travel, or a block is transposed so that each
/// rank has all rows for some columns. What acts inside the rows too always lets the rows travel.
enum class ExchangeRoute {
  automatic,  ///< by count, for each block
  rows,
  transpose
};

/// States that travel between ranks in one product of one vector, all ranks together.
struct ExchangeCounts {
  Index by_rows = 0;       ///< if all rows travelled
  Index by_transpose = 0;  ///< if all blocks were transposed
  Index planned = 0;       ///< by the plan that is in use
  int transposed_blocks = 0;
};

}  // namespace qheat
