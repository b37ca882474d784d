#include "dynamics/order_columns.hpp"

#include <algorithm>
#include <cmath>

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

/// All orders of one column, [1 + order][size].
template <class T>
struct OrderColumns<T>::Column {
  Column(std::size_t orders, std::size_t size)
      : real(orders, std::vector<double>(size)), imaginary(orders, std::vector<double>(size)) {}

  std::vector<std::vector<double>> real, imaginary;
};

template <class T>
OrderColumns<T>::OrderColumns(const SparseRows<T>& energies, SparseRows<T> interaction, double shift,
                              int order, const ColumnShare& share, int rank)
    : energies_(static_cast<std::size_t>(energies.size()), -shift), interaction_(std::move(interaction)) {
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
  for (int k = 0; k <= order; ++k) orders_.emplace_back(size, columns.count(rank));
  for (Index j = 0; j < columns.count(rank); ++j) {
    orders_.front().real.block().column(j)[columns.first(rank) + j] = 1.0;
  }
}

/// y = scale (-i) (H_0 x_k + H_I x_{k-1}) for all k.
template <class T>
void OrderColumns<T>::apply(const Column& x, double scale, Column& y) const {
  for (std::size_t k = 0; k < x.real.size(); ++k) {
    for (std::size_t row = 0; row < energies_.size(); ++row) {
      Complex sum(energies_[row] * x.real[k][row], energies_[row] * x.imaginary[k][row]);
      if (k > 0) {
        for (std::size_t e = interaction_.begin[row]; e < interaction_.begin[row + 1]; ++e) {
          const auto column = static_cast<std::size_t>(interaction_.columns[e]);
          sum += interaction_.values[e] * Complex(x.real[k - 1][column], x.imaginary[k - 1][column]);
        }
      }
      y.real[k][row] = scale * sum.imag();
      y.imaginary[k][row] = -scale * sum.real();
    }
  }
}

template <class T>
void OrderColumns<T>::advance(double dt) {
  if (dt == 0.0) return;
  const auto steps = std::max<Index>(1, std::llround(std::ceil(norm_ * std::abs(dt))));
  const double step = dt / static_cast<double>(steps);
  const std::size_t orders = orders_.size();
  Column term(orders, energies_.size());
  Column next(orders, energies_.size());
  const Index columns = orders_.front().real.block().columns();
  for (Index j = 0; j < columns; ++j) {
    for (Index s = 0; s < steps; ++s) {
      for (std::size_t k = 0; k < orders; ++k) {
        std::copy_n(orders_[k].real.block().column(j), energies_.size(), term.real[k].data());
        std::copy_n(orders_[k].imaginary.block().column(j), energies_.size(), term.imaginary[k].data());
      }
      for (int m = 1; m <= kTerms; ++m) {
        apply(term, step / m, next);
        std::swap(term, next);
        for (std::size_t k = 0; k < orders; ++k) {
          double* real = orders_[k].real.block().column(j);
          double* imaginary = orders_[k].imaginary.block().column(j);
          for (std::size_t row = 0; row < energies_.size(); ++row) {
            real[row] += term.real[k][row];
            imaginary[row] += term.imaginary[k][row];
          }
        }
      }
    }
  }
  steps_ += steps;
}

template <class T>
std::vector<Amplitudes> OrderColumns<T>::derivatives() const {
  std::vector<Amplitudes> result;
  const auto first = orders_.front().real.block();
  for (std::size_t k = 0; k < orders_.size(); ++k) result.emplace_back(first.rows(), first.columns());
  Column x(orders_.size(), energies_.size());
  Column y(orders_.size(), energies_.size());
  for (Index j = 0; j < first.columns(); ++j) {
    for (std::size_t k = 0; k < orders_.size(); ++k) {
      std::copy_n(orders_[k].real.block().column(j), energies_.size(), x.real[k].data());
      std::copy_n(orders_[k].imaginary.block().column(j), energies_.size(), x.imaginary[k].data());
    }
    apply(x, 1.0, y);
    for (std::size_t k = 0; k < orders_.size(); ++k) {
      std::copy_n(y.real[k].data(), energies_.size(), result[k].real.block().column(j));
      std::copy_n(y.imaginary[k].data(), energies_.size(), result[k].imaginary.block().column(j));
    }
  }
  return result;
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
