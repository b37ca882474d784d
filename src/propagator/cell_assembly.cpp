#include "propagator/cell_assembly.hpp"

#include <algorithm>
#include <functional>
#include <numbers>
#include <numeric>

#include "operators/matrix_elements.hpp"
#include "parallel/scalapack.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// The form at one column of two lists of amplitudes, for all rows: adds scale * sum to `result`.
void add_form(const SquareForm& form, const std::vector<Amplitudes>& x, const std::vector<Amplitudes>& y,
              Index column, double scale, double* result) {
  for (const auto& [left, right, weight] : form) {
    const auto a = x[left].real.block();
    const double* x_real = a.column(column);
    const double* x_imaginary = x[left].imaginary.block().column(column);
    const double* y_real = y[right].real.block().column(column);
    const double* y_imaginary = y[right].imaginary.block().column(column);
    const Index rows = std::min(a.rows(), y[right].real.block().rows());
    const double factor = scale * weight;
    for (Index i = 0; i < rows; ++i) {
      result[i] += factor * (x_real[i] * y_real[i] + x_imaginary[i] * y_imaginary[i]);
    }
  }
}

/// One level a band: cells are states, and the mirror splits every operator.
template <class T>
class StateAssembly final : public CellAssembly<T> {
 public:
  StateAssembly(const Sector& sector, CellColumnLayout layout)
      : CellAssembly<T>(std::move(layout)), sector_(sector) {}

  Index states() const override { return sector_.dimension(); }
  const ColumnShare& column_share() const override { return this->layout().share(); }

  std::vector<SparseRows<T>> blocks(const TermSum<T>& terms) const override {
    std::vector<SparseRows<T>> result = {parity_block(terms, 1.0)};
    if (this->layout().mirror().odd_size() > 0) result.push_back(parity_block(terms, -1.0));
    return result;
  }

  /// With U_ab = (e + o)/2 and U_{Ra,b} = (e - o)/2 the squares add up to (|e|^2 + |o|^2)/2 and differ by
  /// Re(conj(e) o); where a or b is fixed, the square is half of |e|^2 and counts sqrt2 times.
  CellColumns squares(const std::vector<std::vector<Amplitudes>>& amplitudes,
                      const SquareForm& form) const override {
    const MirrorPairs& mirror = this->layout().mirror();
    const Index pairs = mirror.odd_size();
    CellColumns g = this->layout().zero();
    for (Index j = 0; j < this->layout().count(); ++j) {
      double* even = g.even.block().column(j);
      add_form(form, amplitudes.front(), amplitudes.front(), j, 1.0, even);
      const bool pair = mirror.is_pair(this->layout().first() + j);
      const auto scale = [](double* values, Index count, double factor) {
        std::transform(values, values + count, values, [&](double v) { return factor * v; });
      };
      scale(even, pairs, pair ? 0.5 : 1.0 / std::numbers::sqrt2);
      scale(even + pairs, mirror.even_size() - pairs, pair ? 1.0 / std::numbers::sqrt2 : 1.0);
      if (!pair) continue;
      add_form(form, amplitudes.back(), amplitudes.back(), j, 0.5, even);
      double* odd = g.odd.block().column(j);  // both orders: a form may weigh them differently
      add_form(form, amplitudes.front(), amplitudes.back(), j, 0.5, odd);
      add_form(form, amplitudes.back(), amplitudes.front(), j, 0.5, odd);
    }
    return g;
  }

 private:
  /// An operator between (|a> + sign |Ra>)/sqrt2 and, in the even block, fixed states.
  SparseRows<T> parity_block(const TermSum<T>& terms, double sign) const {
    const MirrorPairs& mirror = this->layout().mirror();
    const Index size = sign > 0.0 ? mirror.even_size() : mirror.odd_size();
    SparseRows<T> rows;
    for (Index row = 0; row < size; ++row) {
      visit_row(sector_, terms, mirror.representative(row), [&](Index state, T value) {
        const Index column = mirror.place(state);
        if (column >= size) return;
        double weight = state == mirror.representative(column) ? 1.0 : sign;
        if (mirror.is_pair(row) && !mirror.is_pair(column)) weight = std::numbers::sqrt2;
        if (!mirror.is_pair(row) && mirror.is_pair(column)) weight = 1.0 / std::numbers::sqrt2;
        rows.columns.push_back(column);
        rows.values.push_back(weight * value);
      });
      rows.begin.push_back(rows.values.size());
    }
    return rows;
  }

  Sector sector_;
};

/// Bands of several levels: sums over the states of both cells. The states of a cell may lie on several
/// ranks.
template <class T>
class BandAssembly final : public CellAssembly<T> {
 public:
  BandAssembly(Sector sector, const std::vector<Index>& cell_of_state, CellColumnLayout layout)
      : CellAssembly<T>(std::move(layout)),
        sector_(std::move(sector)),
        states_(order_by_cell(cell_of_state)),
        share_(sector_.dimension(), this->layout().comm().size()),
        cell_sizes_(as_size(this->layout().mirror().states())) {
    for (const Index state : states_) {
      cells_.push_back(at(cell_of_state, state));
      at(cell_sizes_, cells_.back()) += 1.0;
    }
  }

  Index states() const override { return sector_.dimension(); }
  const ColumnShare& column_share() const override { return share_; }

  std::vector<SparseRows<T>> blocks(const TermSum<T>& terms) const override {
    std::vector<Index> place(states_.size());
    for (std::size_t k = 0; k < states_.size(); ++k) {
      at(place, states_[k]) = static_cast<Index>(k);
    }
    std::vector<SparseRows<T>> result(1);
    SparseRows<T>& rows = result.front();
    for (const Index state : states_) {
      visit_row(sector_, terms, state, [&](Index other, T value) {
        rows.columns.push_back(at(place, other));
        rows.values.push_back(value);
      });
      rows.begin.push_back(rows.values.size());
    }
    return result;
  }

  CellColumns squares(const std::vector<std::vector<Amplitudes>>& amplitudes,
                      const SquareForm& form) const override {
    const int rank = this->layout().comm().rank();
    const auto [first, last] = cells_of(rank);
    ColumnStorage<double> partial(this->layout().mirror().states(), last - first);
    std::vector<double> of_states(states_.size());
    for (Index j = 0; j < share_.count(rank); ++j) {
      const Index cell = at(cells_, share_.first(rank) + j);
      std::fill(of_states.begin(), of_states.end(), 0.0);
      add_form(form, amplitudes.front(), amplitudes.front(), j, 1.0 / at(cell_sizes_, cell),
               of_states.data());
      double* column = partial.block().column(cell - first);
      for (std::size_t i = 0; i < of_states.size(); ++i) column[cells_[i]] += of_states[i];
    }
    CellColumns g = this->layout().zero();
    send_to_owners(partial.block(), g);
    return g;
  }

 private:
  static std::vector<Index> order_by_cell(const std::vector<Index>& cell_of_state) {
    std::vector<Index> states(cell_of_state.size());
    std::iota(states.begin(), states.end(), Index{0});
    std::stable_sort(states.begin(), states.end(),
                     [&](Index a, Index b) { return at(cell_of_state, a) < at(cell_of_state, b); });
    return states;
  }

  /// Cells that have states on `rank`: first and one beyond the last.
  std::pair<Index, Index> cells_of(int rank) const {
    if (share_.count(rank) == 0) return {0, 0};
    return {at(cells_, share_.first(rank)), at(cells_, share_.first(rank + 1) - 1) + 1};
  }

  /// Columns of `owner` that `source` has parts of.
  std::pair<Index, Index> overlap(int source, int owner) const {
    const auto [first, last] = cells_of(source);
    const Index low = std::max(first, this->layout().share().first(owner));
    return {low, std::max(low, std::min(last, this->layout().share().first(owner + 1)))};
  }

  /// Every rank adds up what the others have of its columns, in the order of the ranks.
  void send_to_owners(ColumnBlock<const double> partial, CellColumns& g) const {
    const Communicator& comm = this->layout().comm();
    const Index rows = partial.rows();
    const auto elements = [&](std::pair<Index, Index> columns) {
      return scalapack::to_int((columns.second - columns.first) * rows, "a message");
    };
    std::vector<int> sent;
    std::vector<int> sent_at;
    std::vector<int> received;
    std::vector<int> received_at;
    int outgoing = 0;  // the columns of one owner follow those of the one before
    int incoming = 0;
    for (int r = 0; r < comm.size(); ++r) {
      sent.push_back(elements(overlap(comm.rank(), r)));
      received.push_back(elements(overlap(r, comm.rank())));
      sent_at.push_back(outgoing);
      received_at.push_back(incoming);
      outgoing += sent.back();
      incoming += received.back();
    }
    std::vector<double> buffer(as_size(incoming));
    MPI_Alltoallv(partial.data(), sent.data(), sent_at.data(), MPI_DOUBLE, buffer.data(), received.data(),
                  received_at.data(), MPI_DOUBLE, comm.get());
    const double* next = buffer.data();
    for (int r = 0; r < comm.size(); ++r) {
      const auto [low, high] = overlap(r, comm.rank());
      for (Index cell = low; cell < high; ++cell, next += rows) {
        double* column = g.even.block().column(cell - this->layout().first());
        std::transform(next, next + rows, column, column, std::plus<>());
      }
    }
  }

  Sector sector_;
  std::vector<Index> states_;  ///< ordered by cell
  ColumnShare share_;          ///< of the states
  std::vector<Index> cells_;   ///< cell of each state, in their order
  std::vector<double> cell_sizes_;
};

}  // namespace

template <class T>
std::unique_ptr<const CellAssembly<T>> make_cell_assembly(const Model& model, const CellSector& sector,
                                                          bool mirrored, const Communicator& comm) {
  const Sector& cells = sector.cells;
  if (model.site.bands() == model.levels()) {
    CellColumnLayout layout(mirrored ? MirrorPairs::site_reversal(cells) : MirrorPairs(cells.dimension()),
                            comm);
    return std::make_unique<StateAssembly<T>>(cells, std::move(layout));
  }
  Sector states = level_sector(model, sector.band_counts);
  const auto cell_of_state = cell_of_states(model, states, cells);
  return std::make_unique<BandAssembly<T>>(std::move(states), cell_of_state,
                                           CellColumnLayout(MirrorPairs(cells.dimension()), comm));
}

template std::unique_ptr<const CellAssembly<double>> make_cell_assembly(const Model&, const CellSector&, bool,
                                                                        const Communicator&);
template std::unique_ptr<const CellAssembly<Complex>> make_cell_assembly(const Model&, const CellSector&,
                                                                         bool, const Communicator&);

}  // namespace qheat
