#include "qheat/evolution/observations.hpp"

namespace qheat {

void add_derived(const Model& model, const ObservationLayout& layout, std::span<double> values) {
  for (std::size_t i = 0; i < layout.sites(); ++i) {
    for (std::size_t n = 0; n < layout.levels(); ++n) {
      values[layout.energy() + i] +=
          model.energy(static_cast<int>(i), static_cast<int>(n)) * values[i * layout.levels() + n];
    }
  }
  for (std::size_t b = 0; b < layout.bonds(); ++b) {
    values[layout.current() + b] =
        (values[layout.outflow() + 2 * b] - values[layout.outflow() + 2 * b + 1]) / 2;
  }
}

Observations unpack(const ObservationLayout& layout, std::span<const double> series) {
  Observations result;
  const auto append = [&](std::vector<double>& target, std::size_t time, std::size_t first,
                          std::size_t count) {
    const auto part = series.subspan(time * layout.size() + first, count);
    target.insert(target.end(), part.begin(), part.end());
  };
  for (std::size_t time = 0; time * layout.size() < series.size(); ++time) {
    append(result.populations, time, layout.populations(), layout.sites() * layout.levels());
    append(result.energy, time, layout.energy(), layout.sites());
    append(result.outflow, time, layout.outflow(), 2 * layout.bonds());
    append(result.current, time, layout.current(), layout.bonds());
    append(result.norm, time, layout.norm(), 1);
    append(result.total_energy, time, layout.total_energy(), 1);
    append(result.others, time, layout.others(), layout.other_count());
  }
  return result;
}

std::vector<double> pack(const ObservationLayout& layout, const Observations& observations) {
  std::vector<double> series(observations.norm.size() * layout.size());
  const auto place = [&](const std::vector<double>& source, std::size_t first, std::size_t count) {
    for (std::size_t e = 0; e < source.size(); ++e)
      series[e / count * layout.size() + first + e % count] = source[e];
  };
  place(observations.populations, layout.populations(), layout.sites() * layout.levels());
  place(observations.energy, layout.energy(), layout.sites());
  place(observations.outflow, layout.outflow(), 2 * layout.bonds());
  place(observations.current, layout.current(), layout.bonds());
  place(observations.norm, layout.norm(), 1);
  place(observations.total_energy, layout.total_energy(), 1);
  place(observations.others, layout.others(), layout.other_count());
  return series;
}

}  // namespace qheat
