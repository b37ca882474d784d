#pragma once

#include <span>
#include <vector>

#include "qheat/basis/mirror_pairs.hpp"
#include "qheat/parallel/column_block.hpp"
#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// This rank's columns of a real matrix over the cells of one sector, in the form that its mirror symmetry
/// gives it (MirrorPairs): columns are representatives, contiguous on each rank.
struct CellColumns {
  CellColumns(const MirrorPairs& mirror, const ColumnShare& share, int rank)
      : even(mirror.even_size(), share.count(rank)),
        odd(mirror.odd_size(), share.truncated(mirror.odd_size()).count(rank)) {}

  ColumnStorage<double> even, odd;
};

/// Whether matrices are split by the mirror of the lattice.
enum class MirrorUse { where_the_model_has_it, never };

/// Where the columns of matrices over the cells of one sector are, and how the mirror splits them.
class CellColumnLayout {
 public:
  CellColumnLayout(MirrorPairs mirror, const Communicator& comm)
      : comm_(comm), mirror_(std::move(mirror)), share_(mirror_.even_size(), comm.size()) {}

  const Communicator& comm() const { return comm_; }
  const MirrorPairs& mirror() const { return mirror_; }
  const ColumnShare& share() const { return share_; }
  Index first() const { return share_.first(comm_.rank()); }
  Index count() const { return share_.count(comm_.rank()); }
  CellColumns zero() const { return {mirror_, share_, comm_.rank()}; }

 private:
  Communicator comm_;
  MirrorPairs mirror_;
  ColumnShare share_;
};

/// Whole columns of a matrix over the cells of one sector: those of this rank's representatives and of their
/// mirror images.
struct FullColumns {
  std::vector<Index> cells;      ///< column numbers inside the sector
  ColumnStorage<double> values;  ///< [all cells of the sector][cells.size()]
};

/// Puts a whole column, [cells of the sector], of the matrix into mirror form: that of the rank's `local`-th
/// representative.
void set_column(const CellColumnLayout& layout, Index local, std::span<const double> column,
                CellColumns& columns);

/// Undoes the mirror form.
FullColumns full_columns(const CellColumnLayout& layout, const CellColumns& columns);

}  // namespace qheat
