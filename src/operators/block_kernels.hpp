#pragma once

#include <algorithm>
#include <array>
#include <complex>
#include <cstring>
#include <span>
#include <type_traits>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// The inner loops of the block engine, for T (elements of the operator) and V (of the vectors) real or
/// complex. Vectors are handled as packs of doubles, so that there is one code for all of them.
namespace kernels {

using Pair = double __attribute__((vector_size(16)));
using Quad = double __attribute__((vector_size(32)));
/// One element of a vector.
template <class V>
using Unit = std::conditional_t<std::is_same_v<V, double>, double, Pair>;

template <class Pack, class V>
inline void load(const V* from, Pack& pack) {
  std::memcpy(&pack, from, sizeof(Pack));
}
template <class Pack, class V>
inline void store(const Pack& pack, V* to) {
  std::memcpy(static_cast<void*>(to), &pack, sizeof(Pack));
}

/// sum += c x, where a complex c sees the pack as complex numbers.
template <class T, class Pack>
inline void add_product(Pack& sum, T c, const Pack& x) {
  if constexpr (std::is_same_v<T, double>) {
    sum += c * x;
  } else if constexpr (sizeof(Pack) == sizeof(Pair)) {
    sum += c.real() * x + c.imag() * Pair{-1.0, 1.0} * __builtin_shufflevector(x, x, 1, 0);
  } else {
    sum += c.real() * x + c.imag() * Quad{-1.0, 1.0, -1.0, 1.0} * __builtin_shufflevector(x, x, 1, 0, 3, 2);
  }
}

/// Rows that are worked on together: an index is read once for all of them.
template <class V>
inline constexpr int kLanes = std::is_same_v<V, double> ? 8 : 4;

/// A row that is added to another with a factor.
template <class T, class V>
struct Source {
  const V* row;
  T factor;
};

/// y[0..n) += sum over the sources of factor * row[0..n); the sums stay in registers.
template <class T, class V>
inline void add_rows(Index n, std::span<const Source<T, V>> sources, V* __restrict y) {
  constexpr Index kElements = 16 * static_cast<Index>(sizeof(double)) / static_cast<Index>(sizeof(V));
  constexpr Index kQuad = kElements / 4;
  Index j = 0;
  for (; j + kElements <= n; j += kElements) {
    Quad a, b, c, d;
    load(y + j, a);
    load(y + j + kQuad, b);
    load(y + j + 2 * kQuad, c);
    load(y + j + 3 * kQuad, d);
    for (const auto& source : sources) {
      const V* x = source.row + j;
      Quad p, q, r, s;
      load(x, p);
      load(x + kQuad, q);
      load(x + 2 * kQuad, r);
      load(x + 3 * kQuad, s);
      add_product(a, source.factor, p);
      add_product(b, source.factor, q);
      add_product(c, source.factor, r);
      add_product(d, source.factor, s);
    }
    store(a, y + j);
    store(b, y + j + kQuad);
    store(c, y + j + 2 * kQuad);
    store(d, y + j + 3 * kQuad);
  }
  for (; j < n; ++j) {
    Unit<V> sum;
    load(y + j, sum);
    for (const auto& source : sources) {
      Unit<V> x;
      load(source.row + j, x);
      add_product(sum, source.factor, x);
    }
    store(sum, y + j);
  }
}

/// y[0..n) += sum of the real sources + i times the sum of the imaginary ones, all with real factors: half
/// of the work of complex factors.
inline void add_real_and_imaginary(Index n, std::span<const Source<double, Complex>> real,
                                   std::span<const Source<double, Complex>> imaginary,
                                   Complex* __restrict y) {
  constexpr Index kElements = 8;
  const Quad turn = {-1.0, 1.0, -1.0, 1.0};
  Index j = 0;
  for (; j + kElements <= n; j += kElements) {
    std::array<Quad, 4> sum;
    std::array<Quad, 4> turned{};
    for (std::size_t q = 0; q < 4; ++q) load(y + j + 2 * static_cast<Index>(q), sum[q]);
    const auto add = [&](const auto& sources, std::array<Quad, 4>& to) {
      for (const auto& source : sources) {
        for (std::size_t q = 0; q < 4; ++q) {
          Quad x;
          load(source.row + j + 2 * static_cast<Index>(q), x);
          to[q] += source.factor * x;
        }
      }
    };
    add(real, sum);
    add(imaginary, turned);
    for (std::size_t q = 0; q < 4; ++q)
      store(Quad(sum[q] + turn * __builtin_shufflevector(turned[q], turned[q], 1, 0, 3, 2)),
            y + j + 2 * static_cast<Index>(q));
  }
  for (; j < n; ++j) {
    for (const auto& source : real) y[j] += source.factor * source.row[j];
    for (const auto& source : imaginary)
      y[j] += source.factor * Complex(-source.row[j].imag(), source.row[j].real());
  }
}

/// y[0..n) += the rows that are added, as many as possible in one go.
template <class T, class V>
class RowSum {
 public:
  RowSum(Index n, V* y) : n_(n), y_(y) {}

  void add(const V* row, T factor) {
    if (count_ == sources_.size()) finish();
    sources_[count_++] = {row, factor};
  }
  /// To be called at the end.
  void finish() {
    if (count_ > 0) add_rows<T, V>(n_, std::span(sources_.data(), count_), y_);
    count_ = 0;
  }

 private:
  Index n_;
  V* y_;
  std::size_t count_ = 0;
  std::array<Source<T, V>, 32> sources_;
};

/// A sparse matrix that acts inside rows, by destination; without its diagonal.
template <class T>
struct RowMatrix {
  std::span<const std::uint32_t> begin;  ///< [n + 1]
  std::span<const std::int32_t> column;  ///< source of each element
  std::span<const T> value;
};

/// y_r[j] = scale [(head_r + inner_r[j]) x_r[j] + sum over k of B[j,k] x_r[k]] + keep before_r[j] for R rows
/// at once; with Keep = false, `before` is not read; it may be y. `soon`: addresses of rows that will be
/// needed next, brought near the processor meanwhile.
template <int R, bool Keep, class T, class V>
inline void start_rows(const RowMatrix<T>& matrix, const T* head, const T* const* inner, double scale,
                       double keep, const V* const* x, const V* const* before, V* const* y,
                       std::span<const V* const> soon) {
  constexpr Index kLine = 64 / static_cast<Index>(sizeof(V));
  const auto n = static_cast<Index>(matrix.begin.size()) - 1;
  const std::int32_t* __restrict column = matrix.column.data();
  const T* __restrict value = matrix.value.data();
  std::uint32_t e = 0;
  for (Index line = 0; line < n; line += kLine) {
    for (const V* row : soon) __builtin_prefetch(row + line, 0, 3);
    const Index stop = std::min(n, line + kLine);
    for (Index j = line; j < stop; ++j) {
      std::array<Unit<V>, R> sum;
      for (int r = 0; r < R; ++r) {
        Unit<V> own;
        load(x[r] + j, own);
        sum[r] = Unit<V>{};
        add_product(sum[r], head[r] + inner[r][j], own);
      }
      const std::uint32_t end = matrix.begin[as_size(j) + 1];
      for (; e < end; ++e) {
        const Index k = column[e];
        const T factor = value[e];
        for (int r = 0; r < R; ++r) {
          Unit<V> other;
          load(x[r] + k, other);
          add_product(sum[r], factor, other);
        }
      }
      for (int r = 0; r < R; ++r) {
        sum[r] *= scale;
        if constexpr (Keep) {
          Unit<V> kept;
          load(before[r] + j, kept);
          sum[r] += keep * kept;
        }
        store(sum[r], y[r] + j);
      }
    }
  }
}

/// conj(a) b of complex numbers.
inline Pair conjugate_product(const Pair& a, const Pair& b) {
  return a[0] * b + a[1] * Pair{1.0, -1.0} * __builtin_shufflevector(b, b, 1, 0);
}

/// sum over j of conj(a[j]) b[j].
inline Complex inner_product(Index n, const Complex* a, const Complex* b) {
  Quad real[2] = {};
  Quad imaginary[2] = {};
  Index j = 0;
  for (; j + 4 <= n; j += 4) {
    for (int half = 0; half < 2; ++half) {
      Quad p, q;
      load(a + j + 2 * half, p);
      load(b + j + 2 * half, q);
      real[half] += p * q;
      imaginary[half] += p * __builtin_shufflevector(q, q, 1, 0, 3, 2);
    }
  }
  const Quad r = real[0] + real[1];
  const Quad i = imaginary[0] + imaginary[1];
  Complex sum(r[0] + r[1] + r[2] + r[3], i[0] - i[1] + i[2] - i[3]);
  for (; j < n; ++j) sum += std::conj(a[j]) * b[j];
  return sum;
}

/// conj(a) b without the tests for infinities of the standard's product.
inline Complex overlap(const Complex& a, const Complex& b) {
  return {a.real() * b.real() + a.imag() * b.imag(), a.real() * b.imag() - a.imag() * b.real()};
}

/// sums[id] += conj(x_r[j]) y_r[k] over the elements (j, k, id) of a sparse matrix and R rows.
template <int R>
inline void add_element_sums(std::span<const std::uint32_t> begin, const std::int32_t* column,
                             const std::uint32_t* ids, const Complex* const* x, const Complex* const* y,
                             std::span<Complex> sums) {
  std::uint32_t e = 0;
  for (Index j = 0; j + 1 < static_cast<Index>(begin.size()); ++j) {
    std::array<Pair, R> own;
    for (int r = 0; r < R; ++r) load(x[r] + j, own[r]);
    for (; e < begin[as_size(j) + 1]; ++e) {
      Pair sum{};
      for (int r = 0; r < R; ++r) {
        Pair other;
        load(y[r] + column[e], other);
        sum += conjugate_product(own[r], other);
      }
      sums[ids[e]] += Complex(sum[0], sum[1]);
    }
  }
}

}  // namespace kernels
}  // namespace qheat
