#include "qheat/operators/operator.hpp"

#include <chrono>

#include "operators/assembled_operator.hpp"
#include "operators/dense_operator.hpp"
#include "operators/matrix_free_operator.hpp"

namespace qheat {

template <class V, class Product>
void Operator::timed(ColumnBlock<const V> x, ColumnBlock<V> y, const Product& product) const {
  QHEAT_ASSERT(x.rows() == space_->local_size() && y.rows() == x.rows() && x.columns() == y.columns());
  const auto start = std::chrono::steady_clock::now();
  timing_.bytes_sent += product();
  timing_.calls += x.columns();
  timing_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Operator::apply(ColumnBlock<const Complex> x, ColumnBlock<Complex> y) const {
  timed(x, y, [&] { return apply_impl(x, y); });
}

void Operator::apply(ColumnBlock<const double> x, ColumnBlock<double> y) const {
  QHEAT_ASSERT(is_real());
  timed(x, y, [&] { return apply_impl(x, y); });
}

void Operator::apply(const AffineMap& map, ColumnBlock<const Complex> x, ColumnBlock<const Complex> before,
                     ColumnBlock<Complex> y) const {
  QHEAT_ASSERT(before.rows() == y.rows() && before.columns() == y.columns());
  timed(x, y, [&] { return apply_affine(map, x, before, y); });
}

Index Operator::apply_affine(const AffineMap& map, ColumnBlock<const Complex> x,
                             ColumnBlock<const Complex> before, ColumnBlock<Complex> y) const {
  ColumnStorage<Complex> product(x.rows(), x.columns());
  const Index sent = apply_impl(x, product.block());
  for (Index k = 0; k < x.columns(); ++k) {
    for (Index i = 0; i < x.rows(); ++i) {
      const Complex image = map.scale * (product.block().column(k)[i] + map.shift * x.column(k)[i]);
      y.column(k)[i] = map.keep == 0.0 ? image : image + map.keep * before.column(k)[i];
    }
  }
  return sent;
}

std::unique_ptr<Operator> make_operator(std::shared_ptr<const DistributedSector> space,
                                        TermSum<Complex> terms, Backend backend) {
  canonicalize(terms);
  switch (backend) {
    case Backend::dense:
      return std::make_unique<DenseOperator>(std::move(space), terms);
    case Backend::assembled:
      return std::make_unique<AssembledOperator>(std::move(space), terms);
    case Backend::matrix_free:
      break;
  }
  if (is_real(terms)) return std::make_unique<MatrixFreeOperator<double>>(std::move(space), real_part(terms));
  return std::make_unique<MatrixFreeOperator<Complex>>(std::move(space), terms);
}

}  // namespace qheat
