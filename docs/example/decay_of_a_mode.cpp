// Does the energy of a dephased chain diffuse with the rate that the Markov kernel says? The longest wave
// that fits the chain decays as exp(-D q^2 t), D = w a^2, q = pi/N, if it does. Prints the rate found in the
// exact dynamics beside the expected one.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <optional>
#include <qheat/evolution/exact.hpp>
#include <qheat/kernel/markov.hpp>
#include <qheat/parallel/environment.hpp>
#include <qheat/parallel/error.hpp>
#include <qheat/parallel/run_control.hpp>
#include <qheat/parallel/timings.hpp>
#include <vector>

namespace {

constexpr int kSites = 6;
constexpr double kLambda = 0.1;
constexpr double kDephasing = 2.0;

/// sum_i cos(q (i + 1/2)) u(i), one of the waves that a chain with open ends allows.
double amplitude(const qheat::Observations& seen, std::size_t time) {
  double sum = 0.0;
  for (int i = 0; i < kSites; ++i)
    sum += std::cos(std::numbers::pi * (i + 0.5) / kSites) *
           seen.energy[time * kSites + static_cast<std::size_t>(i)];
  return sum;
}

/// w of a bond: the only rate of the Markov kernel of this model, lambda^2 / gamma.
double swap_rate(const qheat::Model& model) {
  double largest = 0.0;
  for (const auto& term : qheat::markov_kernel(model, std::nullopt).at(0.0).terms)
    for (const auto& element : term.elements) largest = std::max(largest, element.value);
  return largest;
}

void compare(const qheat::Communicator& comm) {
  auto model = qheat::uniform_model(qheat::Lattice::chain(kSites), qheat::Site({0.0, 1.0}),
                                    qheat::PairInteraction::exchange(2), kLambda);
  model.bath.dephasing = kDephasing;
  const auto initial = qheat::InitialState::product(model, {1, 1, 1, 0, 0, 0});
  const std::vector<double> times = {0.0, 100.0, 200.0};
  qheat::UninterruptedRun control;
  qheat::Timings timings;
  const auto exact = qheat::propagate_exact(model, initial, times, {}, comm, control, timings);
  const double found = std::log(amplitude(exact.mean, 1) / amplitude(exact.mean, 2)) / (times[2] - times[1]);

  const double rate = swap_rate(model);
  const double expected = 4.0 * rate * std::pow(std::sin(std::numbers::pi / (2.0 * kSites)), 2);
  if (comm.is_root()) std::printf("decay of the longest wave: %.8f exact, %.8f expected\n", found, expected);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const qheat::Environment environment(argc, argv);
    compare(environment.world());
    return 0;
  } catch (const qheat::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
