#pragma once

#include <cmath>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// A number as the unevaluated sum of two doubles: 32 digits. Where fast reservoirs meet slow bonds, what
/// flows is the difference of numbers that agree in more digits than a double has.
struct DoubleDouble {
  double high = 0.0;
  double low = 0.0;

  DoubleDouble() = default;
  DoubleDouble(double value) : high(value) {}
  double value() const { return high + low; }

  // One operation a statement: a compiler that contracts expressions would break the exact sums.
  DoubleDouble& operator+=(double b) {
    const double sum = high + b;
    const double part = sum - high;
    const double rest = sum - part;
    const double from_b = b - part;
    const double from_high = high - rest;
    const double error = from_high + from_b;
    low += error;
    return renormalize(sum);
  }
  DoubleDouble& operator+=(const DoubleDouble& b) {
    *this += b.high;
    low += b.low;
    return renormalize(high);
  }
  /// += a b
  DoubleDouble& add_product(double a, const DoubleDouble& b) {
    const double product = a * b.high;
    const double error = std::fma(a, b.high, -product);
    const double small = a * b.low;
    *this += product;
    low += error;
    low += small;
    return renormalize(high);
  }
  DoubleDouble operator-() const {
    DoubleDouble negative;
    negative.high = -high;
    negative.low = -low;
    return negative;
  }

 private:
  DoubleDouble& renormalize(double sum) {
    high = sum + low;
    const double part = high - sum;
    low -= part;
    return *this;
  }
};

struct PreciseComplex {
  DoubleDouble real, imag;

  PreciseComplex() = default;
  PreciseComplex(Complex value) : real(value.real()), imag(value.imag()) {}
  Complex value() const { return {real.value(), imag.value()}; }
  PreciseComplex& operator+=(Complex b) {
    real += b.real();
    imag += b.imag();
    return *this;
  }
  /// += a b
  PreciseComplex& add_product(Complex a, const PreciseComplex& b) {
    real.add_product(a.real(), b.real).add_product(-a.imag(), b.imag);
    imag.add_product(a.real(), b.imag).add_product(a.imag(), b.real);
    return *this;
  }
};

}  // namespace qheat
