#include "qheat/heat/heat_evolution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

constexpr std::size_t kStages = 5;
constexpr double kGamma = 0.25;
constexpr std::array<std::array<double, kStages>, kStages> kStageWeights = {
    {{kGamma, 0.0, 0.0, 0.0, 0.0},
     {0.5, kGamma, 0.0, 0.0, 0.0},
     {17.0 / 50.0, -1.0 / 25.0, kGamma, 0.0, 0.0},
     {371.0 / 1360.0, -137.0 / 2720.0, 15.0 / 544.0, kGamma, 0.0},
     {25.0 / 24.0, -49.0 / 48.0, 125.0 / 16.0, -85.0 / 12.0, kGamma}}};
/// Of the method of order 3.
constexpr std::array<double, kStages> kLower = {59.0 / 48.0, -17.0 / 96.0, 225.0 / 32.0, -85.0 / 12.0, 0.0};

constexpr double kSolver =
    1e-13;  // tolerance of stages, whatever the steps: energy is balanced to about this

void save_state(const HeatState& state, const CellBox& box, StateWriter& writer) {
  std::vector<double> cells;
  box.for_each([&](std::size_t place, Index, Index, Index) { cells.push_back(state.temperature[place]); });
  std::vector<double> numbers = {state.time, state.step, state.supplied, static_cast<double>(state.steps),
                                 static_cast<double>(state.iterations)};
  numbers.insert(numbers.end(), state.through.begin(), state.through.end());
  writer.replicated("heat-place", numbers);
  writer.distributed("heat-temperature", cells, box.first_cell(), box.all_cells());
}

void load_state(HeatState& state, const CellBox& box, StateReader& reader) {
  const auto numbers = reader.replicated("heat-place");
  state.time = numbers[0];
  state.step = numbers[1];
  state.supplied = numbers[2];
  state.steps = static_cast<std::int64_t>(numbers[3]);
  state.iterations = static_cast<std::int64_t>(numbers[4]);
  std::copy_n(numbers.begin() + 5, 6, state.through.begin());
  std::vector<double> cells(as_size(box.local_cells()));
  reader.distributed("heat-temperature", cells, box.first_cell(), box.all_cells());
  auto next = cells.begin();
  box.for_each([&](std::size_t place, Index, Index, Index) { state.temperature[place] = *next++; });
}

}  // namespace

/// A part of the time in which the fastest cell changes by what the tolerance allows in an explicit step.
double HeatEvolution::first_step(const HeatState& state, double span) {
  std::vector<double> temperature = state.temperature;
  std::vector<double> heat(temperature.size(), 0.0);
  equation_.heating(temperature, heat);
  const auto capacity = equation_.field_of(equation_.problem().capacity, temperature);
  double rate = 0.0;
  double largest = 0.0;
  equation_.box().for_each([&](std::size_t p, Index, Index, Index) {
    rate = std::max(rate, std::abs(heat[p] / capacity[p]));
    largest = std::max(largest, std::abs(temperature[p]));
  });
  rate = equation_.box().comm().max(rate);
  largest = equation_.box().comm().max(largest);
  for (const FaceCondition& face : equation_.problem().faces) {
    if (face.kind != FaceCondition::Kind::flux) largest = std::max(largest, std::abs(face.value));
  }
  constexpr double kShort = 1e-6;  // of the time, where everything is at 0
  if (rate == 0.0) return span;
  return std::min(span, largest > 0.0 ? std::pow(tolerance_, 0.25) * largest / rate : kShort * span);
}

double HeatEvolution::take(const HeatState& from, double step, HeatState& to) {
  const CellBox& box = equation_.box();
  const std::size_t size = box.storage();
  std::array<std::vector<double>, kStages> rates;
  to = from;
  std::vector<double> base(size);
  for (std::size_t s = 0; s < kStages; ++s) {
    base = from.temperature;
    for (std::size_t j = 0; j < s; ++j) {
      for (std::size_t p = 0; p < size; ++p) base[p] += step * kStageWeights[s][j] * rates[j][p];
    }
    to.iterations += equation_.solve(base, kGamma * step, kSolver, to.temperature);
    rates[s].resize(size);
    for (std::size_t p = 0; p < size; ++p) rates[s][p] = (to.temperature[p] - base[p]) / (kGamma * step);
    const double weight = step * kStageWeights[kStages - 1][s];
    const auto power = equation_.face_power(to.temperature);
    for (std::size_t f = 0; f < power.size(); ++f) to.through[f] += weight * power[f];
    to.supplied += weight * equation_.source_power(to.temperature);
  }
  double error = 0.0;
  double largest = 0.0;
  box.for_each([&](std::size_t p, Index, Index, Index) {
    double difference = 0.0;
    for (std::size_t s = 0; s < kStages; ++s)
      difference += step * (kStageWeights[kStages - 1][s] - kLower[s]) * rates[s][p];
    error = std::max(error, std::abs(difference));
    largest = std::max({largest, std::abs(to.temperature[p]), std::abs(from.temperature[p])});
  });
  error = box.comm().max(error);
  largest = box.comm().max(largest);
  to.time = from.time + step;
  ++to.steps;
  return largest > 0.0 ? error / (tolerance_ * largest) : 0.0;
}

void HeatEvolution::run(HeatState& state, const std::vector<double>& times, RunControl& control,
                        const std::function<void(std::size_t, const HeatState&)>& observe,
                        const RunControl::Save& save_more, const RunControl::Load& load_more) {
  constexpr double kShortest = 1e-14;  // of all of the time
  control.restore_partial([&](StateReader& reader) {
    load_state(state, equation_.box(), reader);
    load_more(reader);
  });
  HeatState next;
  for (std::size_t k = 0; k < times.size(); ++k) {
    if (times[k] < state.time) continue;
    while (state.time < times[k]) {
      const double left = times[k] - state.time;
      if (state.step <= 0.0) state.step = first_step(state, left);
      // hits the output exactly, and leaves no crumb before it
      const bool last = state.step >= left * (1.0 - 1e-12);
      const double step = last ? left : state.step >= left / 2.0 ? left / 2.0 : state.step;
      const double error = take(state, step, next);
      const double factor = std::clamp(0.9 / std::pow(std::max(error, 1e-12), 0.25), 0.2, 4.0);
      if (!(error <= 1.0)) {
        state.step = step * std::min(factor, 0.9);
        if (!(state.step > kShortest * times.back()))
          throw Error(fmt::format("the heat equation cannot be followed at t = {:g}: steps shrink to nothing",
                                  state.time));
        continue;
      }
      next.step = std::max(state.step > step && factor > 1.0 ? state.step : 0.0, step * factor);
      std::swap(state, next);
      if (last) state.time = times[k];
      control.reach(state.time, times.back());
      if (last) break;
      control.offer(state.time / times.back(), [&](StateWriter& writer) {
        save_state(state, equation_.box(), writer);
        save_more(writer);
      });
    }
    observe(k, state);
  }
}

}  // namespace qheat
