#include "qheat/kernel/tcl_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernel/cell_algebra.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

using Matrix = CellAlgebra::Matrix;

/// sum += scale * matrix.
void add(double scale, const Matrix& matrix, Matrix& sum) {
  const auto from = matrix.values();
  const auto to = sum.values();
  for (std::size_t e = 0; e < to.size(); ++e) to[e] += scale * from[e];
}

double norm(const Communicator& comm, const Matrix& matrix) {
  double sum = 0.0;
  for (const double value : matrix.values()) sum += value * value;
  return std::sqrt(comm.sum(sum));
}

/// The terms of the kernel's series, K_0 (zero without reservoirs) ... K_n, and estimates of their rounding
/// errors.
struct Series {
  std::vector<Matrix> terms;
  std::vector<double> errors;
};

}  // namespace

struct TclKernels::Parity {
  Parity(const CellColumnLayout& layout, bool is_even) : even(is_even), algebra(layout, is_even) {}

  ColumnBlock<const double> of(const CellColumns& columns) const {
    return even ? columns.even.block() : columns.odd.block();
  }

  Series series(const PropagatorOrders::Values& g) const {
    const auto& comm = algebra.grid().comm();
    const auto& start = g.unperturbed;
    const double inverse_norm = start ? start->inverse_norm : 1.0;
    const double inverse_error = start ? start->inverse_error : 0.0;
    const Matrix inverse = start ? algebra.to_grid(of(start->inverse)) : zero();
    const auto divided = [&](const CellColumns& columns) {  // by G_0
      Matrix matrix = algebra.to_grid(of(columns));
      return start ? product(matrix, inverse) : std::move(matrix);
    };
    Series result;
    result.terms.push_back(start ? algebra.to_grid(of(start->kernel)) : zero());
    std::vector<double> kernel_sizes = {norm(comm, result.terms.front())};
    result.errors.push_back(inverse_error * kernel_sizes.front());
    std::vector<Matrix> orders;  // G_1 G_0^{-1} ...
    std::vector<double> sizes, errors;
    for (std::size_t k = 1; k < g.g.size(); ++k) {
      orders.push_back(divided(g.g[k]));
      sizes.push_back(norm(comm, orders.back()));
      errors.push_back(g.error[k] * inverse_norm + inverse_error * sizes.back());
      Matrix term = divided(g.derivative[k]);
      double error = g.derivative_error[k] * inverse_norm + inverse_error * norm(comm, term);
      for (std::size_t j = start ? 0 : 1; j < k; ++j) {
        add(-1.0, product(result.terms[j], orders[k - j - 1]), term);
        error += kernel_sizes[j] * errors[k - j - 1] + result.errors[j] * sizes[k - j - 1];
      }
      kernel_sizes.push_back(norm(comm, term));
      result.terms.push_back(std::move(term));
      result.errors.push_back(error);
    }
    return result;
  }

  Matrix zero() const { return {algebra.grid(), algebra.size(), algebra.size()}; }
  Matrix product(const Matrix& left, const Matrix& right) const {
    return scalapack::product(algebra.grid(), scalapack::Transposed::no, left, right);
  }

  bool even;
  CellAlgebra algebra;
};

TclKernels::TclKernels(std::vector<int> orders, std::vector<std::unique_ptr<PropagatorOrders>> propagators,
                       const Communicator& comm)
    : comm_(comm), orders_(std::move(orders)), propagators_(std::move(propagators)) {
  for (const auto& propagator : propagators_) {
    QHEAT_ASSERT(*std::max_element(orders_.begin(), orders_.end()) <= propagator->order());
    auto& of_sector = parities_.emplace_back();
    of_sector.push_back(std::make_unique<Parity>(propagator->layout(), true));
    if (propagator->layout().mirror().odd_size() > 0) {
      of_sector.push_back(std::make_unique<Parity>(propagator->layout(), false));
    }
  }
}

TclKernels::~TclKernels() = default;

double TclKernels::approach(double t) {
  double done = 0.0;
  for (const auto& propagator : propagators_) {
    const double share = propagator->layout().mirror().states() > 1 ? propagator->approach(t) : 1.0;
    done += share;
    if (share < 1.0) break;  // one after the other
  }
  return done / static_cast<double>(propagators_.size());
}

void TclKernels::save(StateWriter& writer) const {
  for (std::size_t s = 0; s < propagators_.size(); ++s)
    propagators_[s]->save(writer, "orders-" + std::to_string(s));
}

void TclKernels::load(StateReader& reader) {
  for (std::size_t s = 0; s < propagators_.size(); ++s)
    propagators_[s]->load(reader, "orders-" + std::to_string(s));
}

std::vector<KernelValue> TclKernels::at(double t) {
  std::vector<KernelValue> values(orders_.size());
  for (std::size_t s = 0; s < propagators_.size(); ++s) {
    const auto& layout = propagators_[s]->layout();
    std::vector<CellColumns> kernels(orders_.size(), layout.zero());
    if (layout.mirror().states() > 1) {  // nothing leaves a single cell: K = 0, without rounding errors
      const auto g = propagators_[s]->evaluate(t);
      for (const auto& parity : parities_[s]) {
        const Series series = parity->series(g);
        for (std::size_t o = 0; o < orders_.size(); ++o) {
          Matrix sum = parity->zero();
          double error = 0.0;
          for (std::size_t k = 0; k <= as_size(orders_[o]); ++k) {
            add(1.0, series.terms[k], sum);
            error += series.errors[k];
          }
          values[o].asymmetry_squared +=
              parity->algebra.asymmetry_squared(sum, scalapack::transposed(parity->algebra.grid(), sum));
          values[o].error = std::max(values[o].error, error);
          parity->algebra.from_grid(sum, parity->even ? kernels[o].even.block() : kernels[o].odd.block());
        }
      }
    }
    for (std::size_t o = 0; o < orders_.size(); ++o) {
      values[o].sectors.push_back(full_columns(layout, kernels[o]));
      balance_losses(values[o].sectors.back());
    }
  }
  for (auto& value : values) {
    const double largest = largest_element(value, comm_);
    value.error = largest > 0.0 ? value.error / largest : 0.0;
    drop_noise(value, t, comm_);
  }
  return values;
}

}  // namespace qheat
