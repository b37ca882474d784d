#include "steady/two_starts.hpp"

#include <algorithm>
#include <cmath>

namespace qheat {
namespace {

constexpr double kFiner = 0.01;
constexpr double kFinest = 1e-14;
constexpr double kRough = 1e-8;
constexpr double kStartNorm = 10.0;  // in norms of rho

std::span<double> doubles(std::vector<Complex>& values) {
  return {reinterpret_cast<double*>(values.data()), 2 * values.size()};
}

}  // namespace

TwoStarts::TwoStarts(SteadySolver& solver, const TracedLiouvillian& a, double tolerance, double allowed,
                     Compare compare, RunControl& control)
    : solver_(solver),
      a_(a),
      tolerance_(tolerance),
      allowed_(allowed),
      compare_(std::move(compare)),
      control_(control) {}

TwoStarts::Outcome TwoStarts::solve(std::vector<Complex>& rho) {
  if (!control_.restore_partial([&](StateReader& reader) { load(reader, rho); })) {
    a_.right_hand_side(rho);
    for (Complex& v : rho) v = -v;
  }
  for (; leg_ < kLegs; ++leg_) {
    if (leg_ == kSecondStart && !has_other_) start_elsewhere(rho);
    if (!iterate(rho)) return leg_ < kFirstAgain ? Outcome::not_converged : failure();
    if (!on_second() || leg_ == kFirstAgain) continue;
    difference_ = compare_(rho, other_);
    if (difference_.apart <= allowed_ && difference_.imbalance <= allowed_) return Outcome::found;
  }
  return failure();
}

TwoStarts::Outcome TwoStarts::failure() const {
  return difference_.apart <= allowed_ ? Outcome::unbalanced : Outcome::different;
}

double TwoStarts::correction(const std::vector<Complex>& rho) const {
  return solver_.correction(on_second() && leg_ != kFirstAgain ? other_ : rho);
}

bool TwoStarts::iterate(std::vector<Complex>& rho) {
  // Slow motion, and currents much smaller than populations, make much of a small correction: then the second
  // start has to come as far as the first, and both farther, until the currents balance.
  const double finer = std::max(kFiner * tolerance_, kFinest);
  const double tolerances[kLegs] = {tolerance_, std::max(tolerance_, kRough), tolerance_, finer, finer};
  const double tolerance = tolerances[leg_];
  std::vector<Complex>& solution = on_second() && leg_ != kFirstAgain ? other_ : rho;
  const double goal = std::log(tolerance);
  const double half = on_second() ? 0.5 : 0.0;
  return solver_.iterate(tolerance, leg_ >= kFirstAgain, solution, [&](double first, double now) {
    const double start = std::log(std::max(first, 2.0 * tolerance));
    const double part = std::clamp((start - std::log(now)) / (start - goal), 0.0, 1.0);
    control_.offer(half + part / 2, [&](StateWriter& writer) { save(writer, rho); });
  });
}

void TwoStarts::start_elsewhere(const std::vector<Complex>& rho) {
  has_other_ = true;
  other_ = random_hermitian(a_.space(), kStartNorm * frobenius_norm(a_.space().comm(), rho));
  for (std::size_t i = 0; i < other_.size(); ++i) other_[i] += rho[i];
}

void TwoStarts::save(StateWriter& writer, std::vector<Complex>& rho) {
  const double place[4] = {static_cast<double>(solver_.iterations()), static_cast<double>(leg_),
                           difference_.apart, difference_.imbalance};
  writer.replicated("place", place);
  const auto& space = a_.space();
  writer.distributed("rho", doubles(rho), 2 * space.first_state(), 2 * space.dimension());
  if (on_second())
    writer.distributed("other", doubles(other_), 2 * space.first_state(), 2 * space.dimension());
}

void TwoStarts::load(StateReader& reader, std::vector<Complex>& rho) {
  const auto place = reader.replicated("place");
  solver_.add_iterations(static_cast<Index>(place[0]));
  const auto& space = a_.space();
  reader.distributed("rho", doubles(rho), 2 * space.first_state(), 2 * space.dimension());
  leg_ = static_cast<std::size_t>(place[1]);
  difference_ = {.apart = place[2], .imbalance = place[3]};
  if (!on_second()) return;
  has_other_ = true;
  other_.resize(rho.size());
  reader.distributed("other", doubles(other_), 2 * space.first_state(), 2 * space.dimension());
}

}  // namespace qheat
