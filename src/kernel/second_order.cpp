#include "qheat/kernel/second_order.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernel/second_order_terms.hpp"
#include "operators/matrix_elements.hpp"
#include "qheat/kernel/correlation_line.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kNegligible = 1e-10;  // change of a probability
constexpr double kNoticeable = 2e-9;   // 5 % of it are negligible

/// How well the mismatch is known in products with a time.
double uncertainty(const Transition& change) {
  return change.rounding + 2.0 * kEpsilon * std::abs(change.mismatch);
}

}  // namespace

double second_order_integral(double decay, double mismatch, double t) {
  const double a = -decay * t;
  const double b = mismatch * t;
  const double size = std::hypot(a, b);
  if (size == 0.0) return t;
  if (a == 0.0) return t * std::sin(b) / b;
  // e^{a + ib} - 1 without cancellation
  const double half_sine = std::sin(b / 2);
  const double real = std::expm1(a) * std::cos(b) - 2.0 * half_sine * half_sine;
  const double imaginary = std::exp(a) * std::sin(b);
  return t * (real * (a / size) + imaginary * (b / size)) / size;
}

double second_order_error(double decay, double mismatch, double rounding, double t) {
  if (t == 0.0) return 0.0;
  const double phase = (rounding + 2.0 * kEpsilon * std::abs(mismatch)) * t;
  const double size = std::hypot(decay, mismatch);
  // |d/dDelta| of the part that oscillates and of the one that is left when it has decayed; neither is wrong
  // by more than twice itself.
  const double oscillating = std::exp(-decay * t) / size * std::min(2.0, phase);
  const double lasting = 2.0 / size * std::min(1.0, phase / (size * t));
  const double by_argument =
      size * t > 1.0 ? oscillating + lasting : t * std::min(1.0, phase * std::min(1.0, phase + size * t));
  constexpr double kOperations = 8.0;
  return by_argument + kOperations * kEpsilon * std::min(t, 1.0 / size);
}

/// Lines of a bath without a closed form, for a list of transitions: the integrals up to the begin of each
/// panel are kept, 8 bytes a transition and panel (some thirty), so a time costs one panel.
class SecondOrderKernel::CorrelationLines {
 public:
  CorrelationLines(const BathCorrelation& bath, std::span<const Transition> transitions) {
    for (int s = 1; s <= kMostChangedSites; ++s) integrals_.emplace_back(bath, s);
    for (const Transition& transition : transitions) {
      const auto& integral = of(transition);
      first_.push_back(whole_.size());
      whole_.resize(whole_.size() + integral.panels() + 1);
      integral.whole_panels(transition.mismatch, std::span(whole_).subspan(first_.back()));
    }
  }

  void integrate(double t, std::span<const Transition> transitions, bool with_errors,
                 std::span<LineValue> lines) const {
    std::vector<std::pair<std::size_t, CorrelationIntegral::Panel>> last;
    for (const auto& integral : integrals_) last.push_back(integral.up_to(t));
    for (std::size_t n = 0; n < transitions.size(); ++n) {
      const auto& [number, part] = last[as_size(transitions[n].changed_sites) - 1];
      lines[n].value = whole_[first_[n] + number];
      if (!part.coefficients.empty())
        lines[n].value += CorrelationIntegral::integral(part, transitions[n].mismatch);
      if (with_errors) lines[n].error = of(transitions[n]).error(t, uncertainty(transitions[n]));
    }
  }

 private:
  static constexpr int kMostChangedSites = 2;  // by one action of the interaction

  const CorrelationIntegral& of(const Transition& transition) const {
    return integrals_[as_size(transition.changed_sites) - 1];
  }

  std::vector<CorrelationIntegral> integrals_;  ///< by changed sites
  std::vector<std::size_t> first_;              ///< of each transition in whole_
  std::vector<double> whole_;
};

SecondOrderKernel::SecondOrderKernel(const Model& model) : SecondOrderKernel(1, [&](int) { return model; }) {}

SecondOrderKernel::SecondOrderKernel(int realizations, const std::function<Model(int)>& draw)
    : terms_(std::make_shared<const SecondOrderTerms>(collect_second_order(realizations, draw))) {
  const auto correlation = draw(0).bath.correlation;
  if (correlation && correlation->kind != BathCorrelation::Kind::exponential) {
    correlation_ = std::make_shared<const CorrelationLines>(*correlation, terms_->transitions);
  }
}

SecondOrderKernel::SecondOrderKernel(int realizations, const std::function<Model(int)>& draw,
                                     const std::function<LineValue(const Transition&)>& line)
    : terms_(std::make_shared<const SecondOrderTerms>(collect_second_order(realizations, draw))) {
  for (const Transition& transition : terms_->transitions) constant_.push_back(line(transition));
}

const TermSum<double>& SecondOrderKernel::pattern() const {
  return terms_->pattern;
}

std::size_t SecondOrderKernel::value_count() const {
  return 2 * (terms_->channel_begin.size() - 1);
}

int SecondOrderKernel::realizations() const {
  return terms_->realizations;
}

/// `with_errors`: else these are left out, where only values count.
std::vector<LineValue> SecondOrderKernel::lines(double t, bool with_errors) const {
  if (!constant_.empty()) return constant_;
  const auto& transitions = terms_->transitions;
  std::vector<LineValue> lines(transitions.size());
  if (correlation_) {
    correlation_->integrate(t, transitions, with_errors, lines);
    return lines;
  }
  std::transform(transitions.begin(), transitions.end(), lines.begin(), [&](const Transition& change) {
    return LineValue{
        second_order_integral(change.decay, change.mismatch, t),
        with_errors ? second_order_error(change.decay, change.mismatch, change.rounding, t) : 0.0};
  });
  return lines;
}

/// The rate of a channel with the error of its lines.
LineValue SecondOrderKernel::channel(std::size_t number, const std::vector<LineValue>& lines) const {
  LineValue rate;
  for (std::uint32_t p = terms_->channel_begin[number]; p < terms_->channel_begin[number + 1]; ++p) {
    const auto& part = terms_->parts[p];
    const LineValue& line = lines[part.transition];
    rate.value += part.weight * line.value;
    rate.error += std::abs(part.weight) * (line.error + kEpsilon * std::abs(line.value));
  }
  return rate;
}

/// Of a rate as a mean over realisations.
double SecondOrderKernel::standard_error(std::size_t channel, const std::vector<LineValue>& lines) const {
  const double count = terms_->realizations;
  if (count == 1.0) return 0.0;
  std::uint32_t p = terms_->channel_begin[channel];
  const std::uint32_t end = terms_->channel_begin[channel + 1];
  double mean = 0.0;
  double squares = 0.0;
  double first = 0.0;  // differences to the first one keep their digits
  for (int r = 0; r < terms_->realizations; ++r) {
    double rate = 0.0;
    for (; p < end && terms_->parts[p].realization == static_cast<std::uint32_t>(r); ++p)
      rate += count * terms_->parts[p].weight * lines[terms_->parts[p].transition].value;
    if (r == 0) first = rate;
    mean += (rate - first) / count;
    squares += (rate - first) * (rate - first) / count;
  }
  return std::sqrt(std::max(0.0, squares - mean * mean) / (count - 1.0));
}

SecondOrderKernel::Accuracy SecondOrderKernel::accuracy(double t) const {
  if (t == 0.0 && constant_.empty()) return {0.0, 0.0};
  const auto now = lines(t, true);
  double scale = kNoticeable / t;
  Accuracy largest{0.0, 0.0};
  for (std::size_t number = 0; number + 1 < terms_->channel_begin.size(); ++number) {
    const LineValue rate = channel(number, now);
    if (!std::isfinite(rate.value + rate.error)) return {std::numeric_limits<double>::infinity(), 0.0};
    scale = std::max(scale, std::abs(rate.value));
    largest.rounding = std::max(largest.rounding, rate.error);
    largest.sampling = std::max(largest.sampling, standard_error(number, now));
  }
  return {largest.rounding / scale, largest.sampling / scale};
}

void SecondOrderKernel::values(double t, std::span<double> values) const {
  const auto now = lines(t, false);
  for (std::size_t number = 0; number + 1 < terms_->channel_begin.size(); ++number) {
    const double rate = channel(number, now).value;
    values[2 * number] = rate;
    values[2 * number + 1] = -rate;
  }
}

TermSum<double> SecondOrderKernel::at(double t) const {
  TermSum<double> terms = pattern();
  const auto now = lines(t, true);
  const bool known = accuracy(t).rounding < 1.0;
  std::size_t number = 0;
  for (auto& term : terms.terms) {
    for (auto e = term.elements.begin(); e != term.elements.end(); e += 2) {
      auto [rate, error] = channel(number++, now);
      if (std::abs(rate) <= error && error * t < kNegligible) rate = 0.0;
      if (!known) rate = std::numeric_limits<double>::quiet_NaN();
      e->value = rate;
      (e + 1)->value = -rate;
    }
  }
  canonicalize(terms);
  return terms;
}

void SecondOrderKernel::bond_rates(double t, const std::vector<int>& band_counts,
                                   std::span<double> rates) const {
  const auto now = lines(t, false);
  const auto present = [&](std::size_t band) { return band_counts.empty() || band_counts[band] > 0; };
  const auto bands = as_size(pattern().levels);
  double pairs = 0.0;
  for (std::size_t low = 0; low < bands; ++low) {
    for (std::size_t high = low + 1; high < bands; ++high) pairs += present(low) && present(high) ? 1.0 : 0.0;
  }
  std::fill(rates.begin(), rates.end(), 0.0);
  for (const auto& swap : terms_->swaps) {
    if (present(swap.low) && present(swap.high))
      qheat::at(rates, swap.bond) += channel(swap.channel, now).value / 2.0 / pairs;
  }
}

std::vector<double> dense_generator(const Sector& cells, const TermSum<double>& terms) {
  const Index n = cells.dimension();
  std::vector<double> generator(as_size(checked_product(n, n, "a stored generator")), 0.0);
  for (Index row = 0; row < n; ++row) {
    visit_row(cells, terms, row,
              [&](Index column, double value) { at(generator, row * n + column) += value; });
  }
  return generator;
}

}  // namespace qheat
