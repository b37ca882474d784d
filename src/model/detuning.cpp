#include "qheat/model/detuning.hpp"

#include "qheat/model/counter_random.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

double draw(const Detuning& detuning, const CounterRandom& random, const CounterRandom::Counter& counter) {
  switch (detuning.distribution) {
    case Detuning::Distribution::none:
      return 0.0;
    case Detuning::Distribution::uniform:
      return detuning.width * (random.uniform(counter) - 0.5);
    case Detuning::Distribution::gaussian:
      return detuning.width * random.normal(counter);
    case Detuning::Distribution::lorentzian:
      return detuning.width * random.lorentzian(counter);
  }
  return 0.0;
}

}  // namespace

std::vector<double> site_energies(const std::vector<double>& levels, int sites, const Detuning& detuning,
                                  int realization) {
  const std::size_t level_count = levels.size();
  const std::size_t size = as_size(sites) * level_count;
  if (!detuning.offsets.empty() && detuning.offsets.size() != size) {
    throw InputError("detuning offsets need one row a site and one column a level");
  }
  const CounterRandom random(detuning.seed);
  std::vector<double> energies(size);
  for (std::size_t e = 0; e < size; ++e) {
    const std::size_t level = e % level_count;
    energies[e] = levels[level];
    if (!detuning.offsets.empty()) energies[e] += detuning.offsets[e];
    if (level == 0) continue;
    energies[e] += draw(detuning, random,
                        {static_cast<std::uint32_t>(level), static_cast<std::uint32_t>(e / level_count),
                         static_cast<std::uint32_t>(realization), 0});
  }
  return energies;
}

}  // namespace qheat
