#include "qheat/dynamics/population_propagator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "dynamics/spectral_columns.hpp"
#include "operators/matrix_elements.hpp"
#include "parallel/scalapack.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {

namespace {

/// d^k/dt^k of conj(x) y, real part, at one element.
double derivative_of_product(const std::vector<Amplitudes>& x, const std::vector<Amplitudes>& y, int k,
                             Index row, Index column) {
  constexpr std::array<std::array<double, 3>, 3> kBinomial{{{1, 0, 0}, {1, 1, 0}, {1, 2, 1}}};
  double sum = 0.0;
  for (int j = 0; j <= k; ++j) {
    const Amplitudes& left = x[static_cast<std::size_t>(j)];
    const Amplitudes& right = y[static_cast<std::size_t>(k - j)];
    sum += kBinomial[static_cast<std::size_t>(k)][static_cast<std::size_t>(j)] *
           (left.real.block().column(column)[row] * right.real.block().column(column)[row] +
            left.imaginary.block().column(column)[row] * right.imaginary.block().column(column)[row]);
  }
  return sum;
}

/// Eigenvalues are good to a few rounding errors of the largest one, eigenvectors to sqrt(n) of them.
double rounding_error(Index states, double radius, double t) {
  return std::numeric_limits<double>::epsilon() *
         (4.0 * std::sqrt(static_cast<double>(states)) + 2.0 * radius * t);
}

/// One level a band: cells are states, and the mirror splits H.
template <class T>
class OfStates final : public PopulationPropagator {
 public:
  OfStates(const Sector& sector, const TermSum<T>& hamiltonian, double shift, CellColumnLayout layout)
      : PopulationPropagator(std::move(layout)),
        even_(parity_block(sector, hamiltonian, 1.0), shift, this->layout().share(), this->layout().comm()),
        odd_(parity_block(sector, hamiltonian, -1.0), shift, this->layout().share(), this->layout().comm()) {}

  std::vector<CellColumns> evaluate(double t, int derivatives) const override {
    const auto even = even_.evolve(t, derivatives);
    const auto odd = odd_.evolve(t, derivatives);
    std::vector<CellColumns> result;
    for (int k = 0; k <= derivatives; ++k) {
      result.push_back(layout().zero());
      add_squares(even, odd, k, result.back());
    }
    return result;
  }
  double error(double t) const override {
    return rounding_error(layout().mirror().states(), std::max(even_.radius(), odd_.radius()), t);
  }

 private:
  /// H between (|a> + sign |Ra>)/sqrt2 and, for the even block, fixed states.
  SparseRows<T> parity_block(const Sector& sector, const TermSum<T>& hamiltonian, double sign) const {
    const MirrorPairs& mirror = layout().mirror();
    const Index size = sign > 0.0 ? mirror.even_size() : mirror.odd_size();
    SparseRows<T> rows;
    for (Index row = 0; row < size; ++row) {
      visit_row(sector, hamiltonian, mirror.representative(row), [&](Index state, T value) {
        const Index column = mirror.place(state);
        if (column >= size) return;
        const bool turned = state != mirror.representative(column);
        double weight = turned ? sign : 1.0;
        if (mirror.is_pair(row) && !mirror.is_pair(column)) weight = std::numbers::sqrt2;
        if (!mirror.is_pair(row) && mirror.is_pair(column)) weight = 1.0 / std::numbers::sqrt2;
        rows.columns.push_back(column);
        rows.values.push_back(weight * value);
      });
      rows.begin.push_back(rows.values.size());
    }
    return rows;
  }

  /// With U_ab = (e + o)/2 and U_{Ra,b} = (e - o)/2 the squares add up to (|e|^2 + |o|^2)/2 and differ by
  /// Re(conj(e) o); where a or b is fixed, G is half of |e|^2 and counts sqrt2 times.
  void add_squares(const std::vector<Amplitudes>& e, const std::vector<Amplitudes>& o, int derivative,
                   CellColumns& g) const {
    const MirrorPairs& mirror = layout().mirror();
    for (Index j = 0; j < layout().count(); ++j) {
      const bool pair = mirror.is_pair(layout().first() + j);
      double* even = g.even.block().column(j);
      for (Index i = 0; i < mirror.even_size(); ++i) {
        const double square = derivative_of_product(e, e, derivative, i, j);
        if (pair && mirror.is_pair(i)) {
          even[i] = (square + derivative_of_product(o, o, derivative, i, j)) / 2.0;
          g.odd.block().column(j)[i] = derivative_of_product(e, o, derivative, i, j);
        } else {
          even[i] = pair || mirror.is_pair(i) ? square / std::numbers::sqrt2 : square;
        }
      }
    }
  }

  SpectralColumns<T> even_, odd_;
};

/// Bands of several levels: sums over the states of both cells. States are ordered by cell and shared out
/// evenly, so that the states of a cell may lie on several ranks.
template <class T>
class OfBands final : public PopulationPropagator {
 public:
  OfBands(const Sector& sector, const TermSum<T>& hamiltonian, double shift,
          const std::vector<Index>& cell_of_state, CellColumnLayout layout)
      : PopulationPropagator(std::move(layout)),
        states_(order_by_cell(cell_of_state)),
        share_(sector.dimension(), this->layout().comm().size()),
        columns_(ordered(sector, hamiltonian), shift, share_, this->layout().comm()) {
    cell_sizes_.resize(static_cast<std::size_t>(this->layout().mirror().states()));
    for (const Index state : states_) {
      cells_.push_back(cell_of_state[static_cast<std::size_t>(state)]);
      cell_sizes_[static_cast<std::size_t>(cells_.back())] += 1.0;
    }
  }

  std::vector<CellColumns> evaluate(double t, int derivatives) const override {
    const auto u = columns_.evolve(t, derivatives);
    std::vector<CellColumns> result;
    for (int k = 0; k <= derivatives; ++k) {
      result.push_back(layout().zero());
      add_to_cells(u, k, result.back());
    }
    return result;
  }
  double error(double t) const override { return rounding_error(share_.size(), columns_.radius(), t); }

 private:
  static std::vector<Index> order_by_cell(const std::vector<Index>& cell_of_state) {
    std::vector<Index> states(cell_of_state.size());
    std::iota(states.begin(), states.end(), Index{0});
    std::stable_sort(states.begin(), states.end(), [&](Index a, Index b) {
      return cell_of_state[static_cast<std::size_t>(a)] < cell_of_state[static_cast<std::size_t>(b)];
    });
    return states;
  }

  SparseRows<T> ordered(const Sector& sector, const TermSum<T>& hamiltonian) const {
    std::vector<Index> place(states_.size());
    for (std::size_t k = 0; k < states_.size(); ++k) {
      place[static_cast<std::size_t>(states_[k])] = static_cast<Index>(k);
    }
    SparseRows<T> rows;
    for (const Index state : states_) {
      visit_row(sector, hamiltonian, state, [&](Index other, T value) {
        rows.columns.push_back(place[static_cast<std::size_t>(other)]);
        rows.values.push_back(value);
      });
      rows.begin.push_back(rows.values.size());
    }
    return rows;
  }

  /// Columns of cells that have states on `rank`: first and one beyond the last.
  std::pair<Index, Index> cells_of(int rank) const {
    if (share_.count(rank) == 0) return {0, 0};
    return {cells_[static_cast<std::size_t>(share_.first(rank))],
            cells_[static_cast<std::size_t>(share_.first(rank + 1) - 1)] + 1};
  }

  void add_to_cells(const std::vector<Amplitudes>& u, int derivative, CellColumns& g) const {
    const int rank = layout().comm().rank();
    const auto [first, last] = cells_of(rank);
    ColumnStorage<double> partial(layout().mirror().states(), last - first);
    for (Index j = 0; j < columns_.local_columns(); ++j) {
      const auto state = static_cast<std::size_t>(share_.first(rank) + j);
      double* column = partial.block().column(cells_[state] - first);
      const double weight = 1.0 / cell_sizes_[static_cast<std::size_t>(cells_[state])];
      for (Index i = 0; i < columns_.size(); ++i) {
        column[cells_[static_cast<std::size_t>(i)]] += weight * derivative_of_product(u, u, derivative, i, j);
      }
    }
    send_to_owners(partial.block(), g);
  }

  /// Every rank adds up what the others have of its columns, in the order of the ranks.
  void send_to_owners(ColumnBlock<const double> partial, CellColumns& g) const {
    const Communicator& comm = layout().comm();
    const Index rows = partial.rows();
    const auto overlap = [&](int source, int owner) {  // columns of `owner` that `source` has parts of
      const auto [first, last] = cells_of(source);
      const Index low = std::max(first, layout().share().first(owner));
      const Index high = std::min(last, layout().share().first(owner + 1));
      return std::pair(low, std::max(low, high));
    };
    std::vector<int> sent;
    std::vector<int> sent_at;
    std::vector<int> received;
    std::vector<int> received_at;
    Index incoming = 0;
    for (int r = 0; r < comm.size(); ++r) {
      const auto [out_low, out_high] = overlap(comm.rank(), r);
      const auto [in_low, in_high] = overlap(r, comm.rank());
      const Index offset = out_high > out_low ? (out_low - cells_of(comm.rank()).first) * rows : 0;
      sent.push_back(scalapack::to_int((out_high - out_low) * rows, "a message"));
      sent_at.push_back(scalapack::to_int(offset, "a message"));
      received.push_back(scalapack::to_int((in_high - in_low) * rows, "a message"));
      received_at.push_back(scalapack::to_int(incoming, "a message"));
      incoming += (in_high - in_low) * rows;
    }
    std::vector<double> buffer(static_cast<std::size_t>(incoming));
    MPI_Alltoallv(partial.data(), sent.data(), sent_at.data(), MPI_DOUBLE, buffer.data(), received.data(),
                  received_at.data(), MPI_DOUBLE, comm.get());
    const double* next = buffer.data();
    for (int r = 0; r < comm.size(); ++r) {
      const auto [low, high] = overlap(r, comm.rank());
      for (Index cell = low; cell < high; ++cell, next += rows) {
        double* column = g.even.block().column(cell - layout().first());
        std::transform(next, next + rows, column, column, std::plus<>());
      }
    }
  }

  std::vector<Index> states_;  ///< ordered by cell
  ColumnShare share_;          ///< of the states
  SpectralColumns<T> columns_;
  std::vector<Index> cells_;  ///< cell of each state, in their order
  std::vector<double> cell_sizes_;
};

/// Trace of H over the number of states.
template <class T>
double mean_energy(const Sector& sector, const TermSum<T>& hamiltonian) {
  double sum = 0.0;
  for (Index state = 0; state < sector.dimension(); ++state) {
    visit_row(sector, hamiltonian, state, [&](Index other, T value) {
      if (other == state) sum += std::real(value);
    });
  }
  return sum / static_cast<double>(sector.dimension());
}

template <class T>
std::unique_ptr<const PopulationPropagator> make(const Model& model, const CellSector& sector,
                                                 const TermSum<T>& terms, bool mirrored,
                                                 const Communicator& comm) {
  const Sector& cells = sector.cells;
  if (model.site.bands() == model.levels()) {
    CellColumnLayout layout(mirrored ? MirrorPairs::site_reversal(cells) : MirrorPairs(cells.dimension()),
                            comm);
    return std::make_unique<OfStates<T>>(cells, terms, mean_energy(cells, terms), std::move(layout));
  }
  const Sector states = level_sector(model, sector.band_counts);
  return std::make_unique<OfBands<T>>(states, terms, mean_energy(states, terms),
                                      cell_of_states(model, states, cells),
                                      CellColumnLayout(MirrorPairs(cells.dimension()), comm));
}

}  // namespace

std::unique_ptr<const PopulationPropagator> closed_population_propagator(const Model& model,
                                                                         const CellSector& sector,
                                                                         const Communicator& comm) {
  const TermSum<Complex> terms = hamiltonian(model);
  const Index states = level_sector_dimension(model, sector.band_counts);
  require_memory(comm, closed_propagator_bytes_per_rank(states, is_real(terms), comm.size()),
                 fmt::format("the population propagator of a sector of {} states", states));
  const bool mirrored = is_mirror_symmetric(terms, model.sites());
  return is_real(terms) ? make(model, sector, real_part(terms), mirrored, comm)
                        : make(model, sector, terms, mirrored, comm);
}

double closed_propagator_bytes_per_rank(Index states, bool real, int ranks) {
  // While diagonalising: the matrix, its eigenvectors, and workspace of two (real) or three more. Afterwards:
  // eigenvectors, amplitudes of three derivatives with coefficients and products, propagators and factors.
  constexpr double kMatrices = 16.0;
  const auto d = static_cast<double>(states);
  return kMatrices * (real ? sizeof(double) : sizeof(Complex)) * d * d / ranks;
}

}  // namespace qheat
