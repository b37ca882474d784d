#include "qheat/kernel/exact_kernel.hpp"

#include <algorithm>
#include <cmath>

#include "kernel/cell_algebra.hpp"
#include "parallel/unknown.hpp"

namespace qheat {
namespace {

constexpr double kTimeResolution = 1e-12;  // of a singular time, relative
constexpr double kLargestDoubt =
    0.1;  // rounding over the smallest singular value: then a sign means something

ColumnBlock<const double> parity(const CellColumns& columns, bool even) {
  return even ? columns.even.block() : columns.odd.block();
}

}  // namespace

/// One parity of one sector.
struct ExactKernel::Block {
  Block(const PopulationPropagator& propagator_of_sector, bool is_even)
      : propagator(propagator_of_sector), even(is_even), algebra(propagator.layout(), even) {}

  scalapack::Factorization factorize(const CellColumns& g) const {
    return {algebra.grid(), algebra.to_grid(parity(g, even))};
  }
  /// G^{-T} G'^T = K^T.
  CellAlgebra::Matrix transposed_kernel(const scalapack::Factorization& g,
                                        const CellColumns& derivative) const {
    auto right = algebra.to_grid(parity(derivative, even));
    if (!propagator.symmetric()) right = scalapack::transposed(algebra.grid(), right);
    g.solve_transposed(right);
    return right;
  }

  const PopulationPropagator& propagator;
  bool even;
  CellAlgebra algebra;
};

ExactKernel::ExactKernel(std::vector<std::unique_ptr<const PopulationPropagator>> propagators,
                         const Communicator& comm)
    : comm_(comm), propagators_(std::move(propagators)) {
  for (const auto& propagator : propagators_) {
    blocks_.push_back(std::make_unique<Block>(*propagator, true));
    if (propagator->layout().mirror().odd_size() > 0) {
      blocks_.push_back(std::make_unique<Block>(*propagator, false));
    }
  }
}

ExactKernel::~ExactKernel() = default;

KernelValue ExactKernel::at(double t) {
  KernelValue value;
  value.condition = 1.0;
  traces_.clear();
  signs_.clear();
  meaningful_.clear();
  auto block = blocks_.begin();
  double rounding_of_g = 0.0;
  double sampling_of_g = 0.0;
  bool known = true;
  for (const auto& propagator : propagators_) {
    const auto g = propagator->evaluate(t, 1);
    const double error_here = propagator->error(t);
    const double sampling_here = propagator->sampling_error(t);
    rounding_of_g = std::max(rounding_of_g, error_here - sampling_here);
    sampling_of_g = std::max(sampling_of_g, sampling_here);
    value.averaged = value.averaged || propagator->averaged();
    CellColumns k = propagator->layout().zero();
    double norm = 0.0;
    double inverse_norm = 0.0;
    for (; block != blocks_.end() && &(*block)->propagator == propagator.get(); ++block) {
      const auto& algebra = (*block)->algebra;
      const auto factors = (*block)->factorize(g[0]);
      signs_.push_back(factors.sign());
      norm = std::max(norm, factors.norm());
      inverse_norm = std::max(inverse_norm, factors.inverse_norm());
      known = known && factors.sign() != 0;
      // Elements of G are of the size of one, however small a block has become.
      meaningful_.push_back(factors.inverse_norm() * (error_here - sampling_here) < kLargestDoubt);
      if (factors.sign() == 0) {
        traces_.push_back(kUnknown);
        continue;
      }
      const auto turned = (*block)->transposed_kernel(factors, g[1]);
      const auto matrix = scalapack::transposed(algebra.grid(), turned);
      traces_.push_back(algebra.trace(matrix));
      value.asymmetry_squared += algebra.asymmetry_squared(matrix, turned);
      algebra.from_grid(matrix, (*block)->even ? k.even.block() : k.odd.block());
    }
    value.condition = std::max(value.condition, norm * inverse_norm);
    value.sectors.push_back(full_columns(propagator->layout(), k));
    balance_losses(value.sectors.back());
  }
  value.error = value.condition * rounding_of_g;
  value.sampling = value.condition * sampling_of_g;
  if (!known || !(value.total_error() < 1.0)) {
    for (auto& sector : value.sectors) {
      const auto all = sector.values.block();
      std::fill_n(all.data(), all.rows() * all.columns(), kUnknown);
    }
    value.asymmetry_squared = kUnknown;
  }
  return value;
}

ExactKernel::Determinant ExactKernel::determinant(std::size_t block, double t) const {
  const auto factors = blocks_[block]->factorize(blocks_[block]->propagator.evaluate(t, 0).front());
  return {factors.sign(), factors.log_determinant()};
}

ExactKernel::Bracket ExactKernel::bracket(std::size_t block, double t) const {
  const Block& b = *blocks_[block];
  const auto g = b.propagator.evaluate(t, 1);
  const auto factors = b.factorize(g[0]);
  if (factors.sign() == 0) return {t, 0, std::numeric_limits<double>::infinity()};
  return {t, factors.sign(), b.algebra.trace(b.transposed_kernel(factors, g[1]))};
}

std::vector<double> ExactKernel::singular_times(std::size_t block, Bracket low, Bracket high) const {
  if (low.sign * high.sign < 0) return {crossing(block, low.t, high.t)};
  return even_zeros(block, low, high);
}

/// Where det G changes its sign: regula falsi with Illinois' halving.
double ExactKernel::crossing(std::size_t block, double low, double high) const {
  const Determinant at_low = determinant(block, low);
  const Determinant at_high = determinant(block, high);
  const double scale = std::max(at_low.log, at_high.log);
  const auto scaled = [&](const Determinant& d) { return d.sign * std::exp(d.log - scale); };
  double f_low = scaled(at_low);
  double f_high = scaled(at_high);
  constexpr int kMostSteps = 100;
  for (int step = 0; step < kMostSteps && high - low > kTimeResolution * high; ++step) {
    double t = high - f_high * (high - low) / (f_high - f_low);
    if (!(t > low && t < high)) t = (low + high) / 2.0;
    const double f = scaled(determinant(block, t));
    if (f == 0.0) return t;
    if ((f > 0.0) == (f_high > 0.0)) {
      high = t;
      f_high = f;
      f_low /= 2.0;
    } else {
      low = t;
      f_low = f;
      f_high /= 2.0;
    }
  }
  return (low + high) / 2.0;
}

/// Where d/dt ln |det G| goes through infinity between two times of the same sign: a zero of det G of even
/// order, or two of odd order; none where it goes through zero.
std::vector<double> ExactKernel::even_zeros(std::size_t block, Bracket low, Bracket high) const {
  constexpr int kPatience = 8;          // halvings until the pole has to dominate the trace
  constexpr double kResolution = 1e-7;  // a double zero is smeared out over the root of the rounding error
  // Next to a zero of order m the trace is m/(t - t0): m at least over the width of the bracket on both
  // sides.
  const auto is_pole = [&] {
    constexpr double kLeast = 1.0;  // m >= 2, less what is smooth
    return std::min(std::abs(low.trace), std::abs(high.trace)) * (high.t - low.t) > kLeast;
  };
  for (int step = 1; high.t - low.t > kResolution * high.t; ++step) {
    const Bracket middle = bracket(block, (low.t + high.t) / 2.0);
    if (middle.sign == 0) return {middle.t};
    if (middle.sign != low.sign && low.sign == high.sign)
      return {crossing(block, low.t, middle.t), crossing(block, middle.t, high.t)};
    (middle.trace < 0.0 ? low : high) = middle;
    if (step == kPatience && !is_pole()) return {};
  }
  if (!is_pole()) return {};
  return {(low.t + high.t) / 2.0};
}

void SingularTimes::advance(const ExactKernel& kernel, double t) {
  std::vector<ExactKernel::Bracket> now;
  for (std::size_t b = 0; b < kernel.signs().size(); ++b) {
    now.push_back({t, kernel.signs()[b], kernel.traces()[b]});
  }
  std::vector<double> new_ones;
  for (std::size_t b = 0; b < last_.size(); ++b) {
    // The determinant of a G that has forgotten its start is rounding, as it is at a singular time: then the
    // next one that means something tells what was between.
    if (!kernel.meaningful()[b]) {
      now[b] = last_[b];
      continue;
    }
    const bool crossed = last_[b].sign * now[b].sign < 0;
    const bool turned = last_[b].trace <= 0.0 && now[b].trace > 0.0;  // at the start it is zero
    if (!crossed && !turned) continue;
    const auto found = kernel.singular_times(b, last_[b], now[b]);
    new_ones.insert(new_ones.end(), found.begin(), found.end());
  }
  std::sort(new_ones.begin(), new_ones.end());
  constexpr double kSame = 1e-9;  // blocks that a symmetry makes equal become singular together
  for (const double one : new_ones) {
    if (found_.empty() || one > found_.back() * (1.0 + kSame)) found_.push_back(one);
  }
  last_ = std::move(now);
}

std::vector<double> SingularTimes::state() const {
  std::vector<double> state;
  for (const auto& [t, sign, trace] : last_) state.insert(state.end(), {t, static_cast<double>(sign), trace});
  return state;
}

void SingularTimes::restore(const std::vector<double>& state, std::vector<double> found) {
  last_.clear();
  for (std::size_t k = 0; k + 2 < state.size(); k += 3) {
    last_.push_back({state[k], static_cast<int>(state[k + 1]), state[k + 2]});
  }
  found_ = std::move(found);
}

}  // namespace qheat
