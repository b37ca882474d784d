#include "qheat/transport/site_heat.hpp"

#include <map>

namespace qheat {
namespace {

/// Different level schemes, with the number of sites that have them.
std::map<std::vector<double>, double> schemes_of(std::span<const Model> models) {
  std::map<std::vector<double>, double> schemes;
  for (const Model& model : models) {
    for (int i = 0; i < model.sites(); ++i) {
      const auto levels = model.energies_of(i);
      schemes[std::vector<double>(levels.begin(), levels.end())] += 1.0;
    }
  }
  return schemes;
}

}  // namespace

std::vector<Thermodynamics> site_heat(std::span<const Model> models, std::span<const double> temperatures) {
  const auto schemes = schemes_of(models);
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
