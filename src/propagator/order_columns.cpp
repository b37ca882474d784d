#include "propagator/order_columns.hpp"

#include <algorithm>
#include <cmath>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr int kTerms = 20;  // of the exponential series; the next one is below 1e-19 of the first

template <class T>
double largest_row_sum(const SparseRows<T>& rows) {
  double largest = 0.0;
  for (std::size_t row = 0; row + 1 < rows.begin.size(); ++row) {
    double sum = 0.0;
    for (std::size_t e = rows.begin[row]; e < rows.begin[row + 1]; ++e) sum += std::abs(rows.values[e]);
    largest = std::max(largest, sum);
  }
  return largest;
}

}  // namespace

template <class T>
OrderColumns<T>::OrderColumns(const SparseRows<T>& energies, SparseRows<T> interaction, double shift,
                              int order, const ColumnShare& share, int rank)
    : energies_(as_size(energies.size()), -shift), interaction_(std::move(interaction)) {
  for (std::size_t row = 0; row < energies_.size(); ++row) {
    for (std::size_t e = energies.begin[row]; e < energies.begin[row + 1]; ++e) {
      energies_[row] += std::real(energies.values[e]);
    }
  }
  double radius = 0.0;
  for (const double e : energies_) radius = std::max(radius, std::abs(e));
  norm_ = radius + largest_row_sum(interaction_);
  const Index size = energies.size();
  const ColumnShare columns = share.truncated(size);
  first_column_ = columns.first(rank);
  most_columns_ = columns.count(0);
  for (int k = 0; k <= order; ++k) orders_.emplace_back(size, columns.count(rank));
  for (Index j = 0; j < columns.count(rank); ++j) {
    orders_.front().real.block().column(j)[columns.first(rank) + j] = 1.0;
  }
}

/// y = scale (-i) (H_0 x_k + H_I x_{k-1}) for all k.
template <class T>
void OrderColumns<T>::apply(const Tiles& x, double scale, Tiles& y) const {
  for (std::size_t k = 0; k < x.size(); ++k) {
    for (std::size_t row = 0; row < energies_.size(); ++row) {
      ColumnTile::Row sum{};
      ColumnTile::add(energies_[row], x[k][row], sum);
      if (k > 0) ColumnTile::add_product(interaction_, row, x[k - 1], sum);
      ColumnTile::set_minus_i_times(scale, sum, y[k][row]);
    }
  }
}

template <class T>
Index OrderColumns<T>::steps_for(double dt) const {
  return dt == 0.0 ? 0 : std::max<Index>(1, std::llround(std::ceil(norm_ * std::abs(dt))));
}

template <class T>
double OrderColumns<T>::operations_a_step() const {
  const double elements =
      static_cast<double>(interaction_.values.size()) + 3.0 * static_cast<double>(energies_.size());
  return 4.0 * elements * kTerms * static_cast<double>(orders_.size()) * static_cast<double>(most_columns_);
}

template <class T>
void OrderColumns<T>::advance(Index steps, double dt) {
  Tiles sum = tiles();
  Tiles term = tiles();
  Tiles next = tiles();
  const Index columns = orders_.front().real.block().columns();
  for (Index first = 0; first < columns; first += ColumnTile::kColumns) {
    for (std::size_t k = 0; k < orders_.size(); ++k) sum[k].load(orders_[k], first);
    for (Index s = 0; s < steps; ++s) {
      term = sum;
      for (int m = 1; m <= kTerms; ++m) {
        apply(term, dt / m, next);
        std::swap(term, next);
        for (std::size_t k = 0; k < orders_.size(); ++k) {
          for (std::size_t row = 0; row < energies_.size(); ++row) {
            ColumnTile::add(1.0, term[k][row], sum[k][row]);
          }
        }
      }
    }
    for (std::size_t k = 0; k < orders_.size(); ++k) sum[k].store(orders_[k], first);
  }
  steps_ += steps;
}

template <class T>
std::vector<Amplitudes> OrderColumns<T>::derivatives() const {
  std::vector<Amplitudes> result;
  const auto first_order = orders_.front().real.block();
  for (std::size_t k = 0; k < orders_.size(); ++k) {
    result.emplace_back(first_order.rows(), first_order.columns());
  }
  Tiles x = tiles();
  Tiles y = tiles();
  for (Index first = 0; first < first_order.columns(); first += ColumnTile::kColumns) {
    for (std::size_t k = 0; k < orders_.size(); ++k) x[k].load(orders_[k], first);
    apply(x, 1.0, y);
    for (std::size_t k = 0; k < orders_.size(); ++k) y[k].store(result[k], first);
  }
  return result;
}

template <class T>
void OrderColumns<T>::save(StateWriter& writer, const std::string& name) const {
  const auto rows = static_cast<Index>(energies_.size());
  const auto steps = static_cast<double>(steps_);
  writer.replicated(name + "-steps", std::span(&steps, 1));
  for (std::size_t k = 0; k < orders_.size(); ++k) {
    const auto part = [&](const char* which, const ColumnStorage<double>& columns) {
      const auto block = columns.block();
      writer.distributed(name + which + std::to_string(k),
                         std::span(block.data(), as_size(rows * block.columns())), first_column_ * rows,
                         rows * rows);
    };
    part("-real-", orders_[k].real);
    part("-imaginary-", orders_[k].imaginary);
  }
}

template <class T>
void OrderColumns<T>::load(StateReader& reader, const std::string& name) {
  const auto rows = static_cast<Index>(energies_.size());
  steps_ = static_cast<Index>(reader.replicated(name + "-steps").front());
  for (std::size_t k = 0; k < orders_.size(); ++k) {
    const auto part = [&](const char* which, ColumnStorage<double>& columns) {
      const auto block = columns.block();
      reader.distributed(name + which + std::to_string(k),
                         std::span(block.data(), as_size(rows * block.columns())), first_column_ * rows,
                         rows * rows);
    };
    part("-real-", orders_[k].real);
    part("-imaginary-", orders_[k].imaginary);
  }
}

template class OrderColumns<double>;
template class OrderColumns<Complex>;

double largest_column_norm(const Amplitudes& amplitudes) {
  const auto real = amplitudes.real.block();
  const auto imaginary = amplitudes.imaginary.block();
  double largest = 0.0;
  for (Index j = 0; j < real.columns(); ++j) {
    double sum = 0.0;
    for (Index i = 0; i < real.rows(); ++i) {
      sum += real.column(j)[i] * real.column(j)[i] + imaginary.column(j)[i] * imaginary.column(j)[i];
    }
    largest = std::max(largest, sum);
  }
  return std::sqrt(largest);
}

}  // namespace qheat
