#include "operators/dense_operator.hpp"

#include "operators/matrix_elements.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

template <class V, class Element>
void multiply(const std::vector<Complex>& elements, ColumnBlock<const V> x, ColumnBlock<V> y,
              const Element& element) {
  const Index n = x.rows();
  for (Index k = 0; k < x.columns(); ++k) {
    for (Index row = 0; row < n; ++row) {
      V sum{};
      for (Index column = 0; column < n; ++column) {
        sum += element(at(elements, row * n + column)) * x.column(k)[column];
      }
      y.column(k)[row] = sum;
    }
  }
}

}  // namespace

DenseOperator::DenseOperator(std::shared_ptr<const DistributedSector> space, const TermSum<Complex>& terms)
    : Operator(std::move(space)), real_(qheat::is_real(terms)) {
  if (this->space().comm().size() != 1) throw Error("a dense operator lives on one rank");
  const Index n = this->space().dimension();
  elements_.resize(as_size(checked_product(n, n, "a dense matrix")));
  for (Index row = 0; row < n; ++row) {
    visit_row(this->space().sector(), terms, row,
              [&](Index column, Complex value) { at(elements_, row * n + column) += value; });
  }
}

void DenseOperator::diagonal(std::span<Complex> diagonal) const {
  for (std::size_t i = 0; i < diagonal.size(); ++i) diagonal[i] = elements_[i * diagonal.size() + i];
}

Index DenseOperator::apply_impl(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const {
  multiply(elements_, x, y, [](Complex value) { return value; });
  return 0;
}

Index DenseOperator::apply_impl(ColumnBlock<const double> x, ColumnBlock<double> y) const {
  multiply(elements_, x, y, [](Complex value) { return value.real(); });
  return 0;
}

}  // namespace qheat
