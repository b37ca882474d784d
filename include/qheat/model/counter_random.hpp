#pragma once

#include <array>
#include <complex>
#include <cstdint>

namespace qheat {

/// Counter-based random numbers, Philox4x32-10 (Salmon et al., SC'11, doi:10.1145/2063384.2063405). A draw is
/// a pure function of seed and counter: the same on any rank, in any order, on any number of ranks.
class CounterRandom {
 public:
  using Counter = std::array<std::uint32_t, 4>;

  explicit CounterRandom(std::uint64_t seed) : seed_(seed) {}

  /// 128 random bits.
  Counter bits(Counter counter) const;
  /// Uniform in the open interval (0, 1).
  double uniform(Counter counter) const;
  /// Standard normal.
  double normal(Counter counter) const;
  /// Cauchy with half width 1.
  double lorentzian(Counter counter) const;
  /// Complex Gaussian of mean 0 and mean square 1: real and imaginary part independent, each of variance 1/2.
  std::complex<double> complex_normal(Counter counter) const;

 private:
  std::uint64_t seed_;
};

}  // namespace qheat
