#include "qheat/transport/site_heat.hpp"

#include "qheat/parallel/index.hpp"

namespace qheat {

void count_schemes(std::span<const double> energies, int levels, LevelSchemes& schemes) {
  for (std::size_t first = 0; first < energies.size(); first += as_size(levels)) {
    const auto site = energies.subspan(first, as_size(levels));
    schemes[std::vector<double>(site.begin(), site.end())] += 1.0;
  }
}

std::vector<Thermodynamics> site_heat(const LevelSchemes& schemes, std::span<const double> temperatures) {
  double sites = 0.0;
  for (const auto& [levels, count] : schemes) sites += count;
  std::vector<Thermodynamics> found;
  for (const double temperature : temperatures) {
    Thermodynamics mean;
    double slope = 0.0;  // C_V times its exponent
    for (const auto& [levels, count] : schemes) {
      const Thermodynamics one = thermodynamics(levels, temperature);
      const double share = count / sites;
      mean.energy += share * one.energy;
      mean.specific_heat += share * one.specific_heat;
      mean.entropy += share * one.entropy;
      if (one.specific_heat > 0.0) slope += share * one.specific_heat * one.exponent;
    }
    mean.exponent = slope / mean.specific_heat;
    found.push_back(mean);
  }
  return found;
}

}  // namespace qheat
