#include "qheat/evolution/resolvents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "operators/assembled_operator.hpp"
#include "operators/factors.hpp"
#include "parallel/petsc.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr int kNodes = ResolventEvolution::kNodes;

struct Node {
  Complex z, weight;
};

/// Of the integral over the hyperbola z = mu (1 + sin(iu - alpha)), those in the upper half plane. alpha, the
/// step in u and mu are the optimum for singularities within 10 degrees of the negative real axis; the error
/// is exp(-1.92 kNodes) there, and rounding is magnified by exp(0.48 kNodes).
std::array<Node, kNodes> nodes() {
  constexpr double kAngle = 1.0172896;
  constexpr double kExtent = 1.2405936;
  constexpr double kScale = 3.2328525;
  constexpr double kStep = kExtent / kNodes;
  constexpr double kMu = kScale * kNodes;
  std::array<Node, kNodes> nodes;
  for (int k = 0; k < kNodes; ++k) {
    const Complex argument(-kAngle, (k + 0.5) * kStep);
    const Complex z = kMu * (1.0 + std::sin(argument));
    const Complex slope = Complex(0.0, kMu) * std::cos(argument);
    at(nodes, k) = {z, kStep * std::exp(z) * slope / Complex(0.0, 2.0 * std::numbers::pi)};
  }
  return nodes;
}

/// x + x^dagger, block by block.
void add_adjoint(const Sector& pairs, std::vector<Complex>& x) {
  for (const auto& block : pairs.blocks()) {
    Complex* const first = x.data() + pairs.first_state(block.first_row);
    const Index kets = block.row_length;
    for (Index row = 0; row < kets; ++row) {
      first[row * (kets + 1)] = 2.0 * first[row * (kets + 1)].real();
      for (Index column = row + 1; column < kets; ++column) {
        Complex& upper = first[row * kets + column];
        Complex& lower = first[column * kets + row];
        const Complex sum = upper + std::conj(lower);
        upper = sum;
        lower = std::conj(sum);
      }
    }
  }
}

double trace_of(const BlockLayout::Block& block, const Complex* first) {
  double trace = 0.0;
  for (Index row = 0; row < block.row_length; ++row) trace += first[row * (block.row_length + 1)].real();
  return trace;
}

/// Gives x the trace of rho, each block's where blocks keep their own. L keeps it; rounding, which a step
/// magnifies by the fastest rate times its length, does not.
void restore_trace(const Sector& pairs, bool in_blocks, const std::vector<Complex>& rho,
                   std::vector<Complex>& x) {
  constexpr double kMost = 1e-3;  // of the trace; what errs by more is no rounding
  double before = 0.0;
  double after = 0.0;
  const auto scale = [&](Complex* first, Index size) {
    if (before == 0.0) return;
    const double factor = before / after;
    if (!(std::abs(factor - 1.0) < kMost))
      throw Error("implicit steps do not keep the trace; use exact.method = \"chebyshev\"");
    for (Index e = 0; e < size; ++e) first[e] *= factor;
  };
  for (const auto& block : pairs.blocks()) {
    const Index place = pairs.first_state(block.first_row);
    if (in_blocks) before = after = 0.0;
    before += trace_of(block, rho.data() + place);
    after += trace_of(block, x.data() + place);
    if (in_blocks) scale(x.data() + place, block.rows * block.row_length);
  }
  if (!in_blocks) scale(x.data(), static_cast<Index>(x.size()));
}

double norm_of(const std::vector<Complex>& x) {
  double square = 0.0;
  for (const Complex& element : x) square += std::norm(element);
  return std::sqrt(square);
}

double distance(const std::vector<Complex>& x, const std::vector<Complex>& y) {
  double square = 0.0;
  for (std::size_t e = 0; e < x.size(); ++e) square += std::norm(x[e] - y[e]);
  return std::sqrt(square);
}

std::span<double> doubles_of(std::vector<Complex>& x) {
  return {reinterpret_cast<double*>(x.data()), 2 * x.size()};
}

}  // namespace

struct ResolventEvolution::Generator {
  Generator(const Model& model, const Sector& pairs)
      : space(pairs, Communicator::self()), matrix(assemble(space, liouvillian(model))) {}

  /// Of z - h L.
  std::unique_ptr<Factors> factors(Complex z, double h) const {
    petsc::Matrix shifted;
    QHEAT_PETSC(MatDuplicate(matrix.get(), MAT_COPY_VALUES, shifted.out()));
    QHEAT_PETSC(MatSetOption(shifted.get(), MAT_NEW_NONZERO_ALLOCATION_ERR, PETSC_FALSE));
    QHEAT_PETSC(MatScale(shifted.get(), -h));
    QHEAT_PETSC(MatShift(shifted.get(), z));
    return std::make_unique<Factors>(
        space, shifted.get(), "use fewer sites, or exact.method = \"chebyshev\" and a smaller time.end");
  }

  DistributedSector space;
  petsc::Matrix matrix;
};

ResolventEvolution::ResolventEvolution(const Model& model, std::shared_ptr<const DistributedSector> space,
                                       Index steps, double step_tolerance, double end, double phase)
    : space_(std::move(space)),
      generator_(std::make_unique<Generator>(model, space_->sector())),
      blocks_keep_trace_(model.bath.only_dephasing()),
      steps_(steps),
      step_tolerance_(step_tolerance),
      length_(end / static_cast<double>(steps)),
      halvings_(std::max(0, static_cast<int>(std::ceil(std::log2(phase / static_cast<double>(steps)))))) {}

ResolventEvolution::~ResolventEvolution() = default;

double ResolventEvolution::bytes_per_rank(Index elements, int ranks) {
  constexpr int kLengths = 2;  // of a part of a step and its half
  constexpr double kVectors = 6.0;
  constexpr double kMatrix = 30.0;  // nonzeros of a row, 20 bytes each, twice
  const int nodes = (kNodes + ranks - 1) / ranks;
  const auto size = static_cast<double>(elements);
  return kLengths * nodes * Factors::bytes(elements) + size * (16.0 * kVectors + 40.0 * kMatrix);
}

const ResolventEvolution::FactorsOfNodes& ResolventEvolution::factors(int halvings) {
  FactorsOfNodes& all = factors_[halvings];
  if (!all.empty()) return all;
  // What is finer than the half of this one was for motions that have decayed.
  factors_.erase(factors_.upper_bound(halvings + 1), factors_.end());
  factors_.erase(factors_.begin(), factors_.lower_bound(halvings - 1));
  const double h = std::ldexp(length_, -halvings);
  const auto rule = nodes();
  for (int k = space_->comm().rank(); k < kNodes; k += space_->comm().size())
    all.push_back(generator_->factors(at(rule, k).z, h));
  return all;
}

std::vector<Complex> ResolventEvolution::propagated(const std::vector<Complex>& rho, int halvings) {
  const FactorsOfNodes& all = factors(halvings);
  const auto rule = nodes();
  std::vector<Complex> sum(rho.size()), right(rho), solution(rho.size());
  double failures = 0.0;
  auto k = as_size(space_->comm().rank());
  for (const auto& of_node : all) {
    if (of_node->singular() || !of_node->solve(right, solution)) failures += 1.0;
    for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += rule[k].weight * solution[e];
    k += as_size(space_->comm().size());
  }
  if (space_->comm().sum(failures) > 0.0)
    throw Error("the resolvents of the Liouvillian could not be applied; use exact.method = \"chebyshev\"");
  space_->comm().sum(doubles_of(sum));
  add_adjoint(space_->sector(), sum);
  restore_trace(space_->sector(), blocks_keep_trace_, rho, sum);
  return sum;
}

/// By one step. The position is a binary fraction of it, and exact.
void ResolventEvolution::advance(std::vector<Complex>& rho) {
  constexpr int kMostParts = 2000;
  constexpr int kMostHalvings = 50;
  double position = 0.0;
  int patience = 1;  // parts until the next attempt at a longer one
  int wait = 0;
  step_error_ = 0.0;
  for (int part = 0; position < 1.0; ++part) {
    if (part >= kMostParts || halvings_ >= kMostHalvings) {
      throw Error(fmt::format(
          "implicit steps of the density matrix stay {:.1e} of the time between outputs: its oscillations do "
          "not decay, or exact.tolerance asks for more than rounding leaves; raise exact.tolerance, or use "
          "exact.method = \"chebyshev\" and a smaller time.end",
          std::ldexp(1.0, -halvings_)));
    }
    const bool may_double = halvings_ > 0 && std::fmod(position, std::ldexp(2.0, -halvings_)) == 0.0;
    if (may_double && --wait < 0) --halvings_;
    const std::vector<Complex> at_once = propagated(rho, halvings_);
    std::vector<Complex> in_two = propagated(propagated(rho, halvings_ + 1), halvings_ + 1);
    const double error = distance(at_once, in_two) / norm_of(rho);
    if (error <= step_tolerance_) {
      rho.swap(in_two);
      position += std::ldexp(1.0, -halvings_);
      step_error_ += error;
      continue;
    }
    ++halvings_;
    wait = patience = std::min(2 * patience, kMostParts);
  }
}

void ResolventEvolution::step(std::span<const double> dts, std::vector<Complex>& rho,
                              const LinearMeasurement& measure, std::size_t count,
                              std::span<double> measured) {
  constexpr double kSame = 1e-9;
  const auto begin = as_size(space_->first_state());
  std::size_t k = 0;
  for (; k < dts.size() && dts[k] <= kSame * length_; ++k) measure(rho, measured.subspan(k * count, count));
  std::vector<Complex> whole(as_size(space_->dimension()));
  std::copy(rho.begin(), rho.end(), whole.begin() + static_cast<std::ptrdiff_t>(begin));
  space_->comm().sum(doubles_of(whole));
  advance(whole);
  std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(begin), rho.size(), rho.begin());
  for (; k < dts.size(); ++k) {
    QHEAT_ASSERT(dts[k] >= (1.0 - kSame) * length_);
    measure(rho, measured.subspan(k * count, count));
  }
}

}  // namespace qheat
