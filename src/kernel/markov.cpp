#include "qheat/kernel/markov.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "qheat/basis/cell_space.hpp"
#include "qheat/kernel/correlation_line.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// pi times the density of the mismatch, in units of time, with a bound of its error for a mismatch that is
/// known exactly.
struct Line {
  std::function<double(const Transition&)> value;
  double error = 0.0;
};

/// The line with what the rounding of level energies leaves open: it is looked at on both sides.
LineValue with_rounding(const Line& line, const Transition& change) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  constexpr double kOperations = 8.0;
  const double value = line.value(change);
  double error = line.error + kOperations * kEpsilon * value;
  const double uncertainty = change.rounding + kEpsilon * std::abs(change.mismatch);
  for (const double shift : {-uncertainty, uncertainty}) {
    Transition shifted = change;
    shifted.mismatch += shift;
    shifted.band_mismatch += shift;
    error = std::max(error, std::abs(line.value(shifted) - value) + line.error);
  }
  return {value, error};
}

/// Energies that differ by less are equal but for rounding.
double rounding_of_energies(const Model& model) {
  double largest = 0.0;
  for (const double energy : model.energies) largest = std::max(largest, std::abs(energy));
  return 1e-12 * largest;
}

bool has_wide_bands(const Model& model) {
  const auto widths = band_widths(model);
  return std::any_of(widths.begin(), widths.end(),
                     [rounding = rounding_of_energies(model)](double width) { return width > rounding; });
}

Line line_of_bands(const Model& model) {
  return {[rounding = rounding_of_energies(model)](const Transition& change) {
    const double mismatch = std::abs(change.band_mismatch);
    if (mismatch > change.final_width / 2.0 + rounding) return 0.0;
    if (change.final_width <= rounding) {
      throw InputError(
          "the interaction joins states of equal energy in bands of a single energy: no density of final "
          "states gives this change a Markov rate; add bath.dephasing or kernel.broadening, or do not ask "
          "for the Markov kernel");
    }
    return std::numbers::pi / change.final_width;
  }};
}

Line lorentzian() {
  return {[](const Transition& change) {
    return change.decay / (change.decay * change.decay + change.mismatch * change.mismatch);
  }};
}

/// int_0^inf (1 + i w_c tau)^{-p} e^{-i Delta tau}, p = 2 alpha s: the bath takes energy and has none to
/// give.
Line line_of_cold_bosons(const BathCorrelation& bath, double rounding) {
  return {[bath, rounding](const Transition& change) {
    const double p = 2.0 * bath.alpha * change.changed_sites;
    const double given = -change.mismatch;  // to the bath
    if (std::abs(given) > rounding) {
      if (given < 0.0) return 0.0;
      const double x = given / bath.cutoff;
      return std::numbers::pi / bath.cutoff * std::exp((p - 1.0) * std::log(x) - x - std::lgamma(p));
    }
    if (p > 1.0) return 0.0;
    if (p == 1.0) return std::numbers::pi / (2.0 * bath.cutoff);
    throw InputError(
        "at bath.correlation.temperature = 0 a change between states of equal energy has no Markov rate "
        "unless 4 alpha > 1 for two sites that change (2 alpha > 1 for one): correlations decay as "
        "t^(-4 alpha) and the rate grows for ever; raise the temperature or alpha, detune the sites, or do "
        "not ask for the Markov kernel");
  }};
}

/// Uphill by detailed balance, exactly: the integral itself has no digits where its value is tiny.
Line line_of_warm_bosons(const BathCorrelation& bath) {
  const std::array<CorrelationIntegral, 2> integrals = {CorrelationIntegral(bath, 1),
                                                        CorrelationIntegral(bath, 2)};
  const double error = std::max(integrals[0].error(INFINITY), integrals[1].error(INFINITY));
  return {[bath, integrals](const Transition& change) {
            const auto& integral = integrals[as_size(change.changed_sites) - 1];
            const double down = std::max(0.0, integral.limit(-std::abs(change.mismatch)));
            return change.mismatch > 0.0 ? down * std::exp(-change.mismatch / bath.temperature) : down;
          },
          error};
}

Line line_of_correlation(const BathCorrelation& bath, double rounding) {
  if (bath.kind == BathCorrelation::Kind::exponential) return lorentzian();
  if (bath.kind == BathCorrelation::Kind::gaussian) {
    return {[rate = bath.rate](const Transition& change) {
      const double deviation = rate * std::sqrt(static_cast<double>(change.changed_sites));
      const double x = change.mismatch / deviation;
      return std::sqrt(std::numbers::pi / 2.0) / deviation * std::exp(-x * x / 2.0);
    }};
  }
  return bath.temperature > 0.0 ? line_of_warm_bosons(bath) : line_of_cold_bosons(bath, rounding);
}

Line markov_line(const Model& model, const std::optional<Broadening>& broadening) {
  if (!model.bath.only_dephasing()) {
    throw InputError(
        "the Markov kernel of second order does not hold with reservoirs and jumps, which change the levels "
        "between two actions of the interaction; remove the reservoirs and jumps, or do not ask for the "
        "Markov kernel");
  }
  if ((model.bath.dephasing > 0.0 || model.bath.correlation) && broadening) {
    throw InputError(
        "the bath and kernel.broadening both give the density of the mismatch for the Markov kernel; "
        "name one of them");
  }
  if (model.bath.correlation) {
    return line_of_correlation(*model.bath.correlation, rounding_of_energies(model));
  }
  if (model.bath.dephasing > 0.0) return lorentzian();
  if (broadening) {
    return {[shape = *broadening](const Transition& change) {
      return std::numbers::pi * shape.density(change.mismatch);
    }};
  }
  if (has_wide_bands(model)) return line_of_bands(model);
  throw InputError(
      "there is no Markov limit: the system is closed and its levels are sharp, so that rates grow or "
      "oscillate for ever and need a density of final states; add bath.dephasing, bands of several energies "
      "(site.bands), or kernel.broadening, or do not ask for the Markov kernel");
}

/// pi Gamma(0) of a swap; none where there is no Markov limit.
std::optional<double> line_or_none(const Model& model, const std::optional<Broadening>& broadening) {
  const auto& correlation = model.bath.correlation;
  const double decay = correlation ? correlation->rate : model.bath.dephasing;
  try {
    const Line line = markov_line(model, broadening);
    return line.value({.mismatch = 0.0,
                       .changed_sites = 2,
                       .decay = 2.0 * decay,
                       .band_mismatch = 0.0,
                       .final_width = 0.0,
                       .rounding = 0.0});
  } catch (const InputError&) {
    return {};
  }
}

}  // namespace

SecondOrderKernel markov_kernel(const Model& model, const std::optional<Broadening>& broadening) {
  return markov_kernel(
      1, [&](int) { return model; }, broadening);
}

SecondOrderKernel markov_kernel(int realizations, const std::function<Model(int)>& draw,
                                const std::optional<Broadening>& broadening) {
  const Line line = markov_line(draw(0), broadening);
  return {realizations, draw, [&](const Transition& change) { return with_rounding(line, change); }};
}

std::optional<PairRate> resonant_pair_rate(const Model& model, const std::optional<Broadening>& broadening) {
  if (model.site.bands() < model.levels() || model.levels() < 2 || model.lattice.bond_count() == 0) return {};
  const auto line = line_or_none(model, broadening);
  if (!line) return {};
  const auto pairs = static_cast<std::size_t>(model.levels()) * as_size(model.levels() - 1);
  PairRate rate{.value = 0.0, .lowest = std::numeric_limits<double>::infinity(), .highest = 0.0};
  for (int bond = 0; bond < model.lattice.bond_count(); ++bond) {
    const double scale = model.strength * at(model.couplings, bond);
    std::size_t met = 0;
    for (const PairElement& v : model.interaction(bond).elements()) {
      if (!is_swap(v)) continue;
      const double one = 2.0 * scale * scale * std::norm(v.value) * *line;
      rate.value += one / static_cast<double>(pairs) / model.lattice.bond_count();
      rate.lowest = std::min(rate.lowest, one);
      rate.highest = std::max(rate.highest, one);
      ++met;
    }
    if (met < pairs) rate.lowest = 0.0;  // elements that are zero are not listed
  }
  return rate;
}

}  // namespace qheat
