#include "qheat/transport/spreading.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "parallel/unknown.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/transport/lattice_modes.hpp"

namespace qheat {
namespace {

constexpr double kSpread = 1e-10;  // of a^2: less has not spread

/// Sums over the sites of one source's excess along one axis.
struct Moments {
  double zeroth = 0.0, second = 0.0, fourth = 0.0, edge = 0.0;
};

bool is_periodic(const Lattice& lattice, int axis) {
  return !lattice.explicit_graph() && lattice.periodic()[as_size(axis)];
}

Moments moments(const Lattice& lattice, int axis, int source, std::span<const double> matrix, std::size_t n,
                double background) {
  Moments sum;
  const int length = at(lattice.shape(), axis);
  for (std::size_t i = 0; i < n; ++i) {
    const double value = matrix[i * n + as_size(source)] - background;
    const int steps = lattice.displacement(source, static_cast<int>(i), axis);
    const double square = std::pow(lattice.spacing() * steps, 2);
    sum.zeroth += value;
    sum.second += square * value;
    sum.fourth += square * square * value;
    const int place = lattice.place(static_cast<int>(i), axis);
    const bool far =
        is_periodic(lattice, axis) ? 2 * std::abs(steps) >= length - 1 : place == 0 || place == length - 1;
    if (far) sum.edge += value;
  }
  return sum;
}

}  // namespace

bool has_open_axis(const Lattice& lattice) {
  const auto axes = transport_axes(lattice);
  return std::any_of(axes.begin(), axes.end(), [&](int axis) { return !is_periodic(lattice, axis); });
}

std::vector<int> spreading_sources(const Lattice& lattice, const std::vector<int>& known) {
  // Distance of a site from the edges that it has.
  const auto room = [&](int site) {
    int least = lattice.sites();
    for (const int axis : transport_axes(lattice)) {
      if (is_periodic(lattice, axis)) continue;
      const int place = lattice.place(site, axis);
      least = std::min({least, place, at(lattice.shape(), axis) - 1 - place});
    }
    return least;
  };
  int most = -1;
  for (const int site : known) most = std::max(most, room(site));
  std::vector<int> sources;
  std::copy_if(known.begin(), known.end(), std::back_inserter(sources),
               [&](int site) { return room(site) == most; });
  return sources;
}

Spreading spreading(const Lattice& lattice, const SiteCorrelations& found) {
  const std::size_t n = found.sites;
  const auto axes = transport_axes(lattice);
  const auto sources = spreading_sources(lattice, found.sources);
  Spreading result;
  result.source = sources.front();
  const auto count = static_cast<double>(axes.size() * sources.size());
  const double own =
      found.energy_at(0)[as_size(result.source) * n + as_size(result.source)] - found.background;
  double start = 0.0;  // variance of the excess itself, if it is not on one site
  double start_total = 0.0;
  for (std::size_t time = 0; time < found.times.size(); ++time) {
    double variance = 0.0;
    double slope = 0.0;
    double kurtosis = 0.0;
    double edge = 0.0;
    double total = 0.0;
    for (const int axis : axes) {
      for (const int source : sources) {
        const Moments now = moments(lattice, axis, source, found.energy_at(time), n, found.background);
        const Moments change = moments(lattice, axis, source, found.change_at(time), n, 0.0);
        variance += now.second / now.zeroth / count;
        slope +=
            (change.second / now.zeroth - now.second * change.zeroth / (now.zeroth * now.zeroth)) / count;
        kurtosis += now.fourth * now.zeroth / (now.second * now.second) / count;
        edge = std::max(edge, std::abs(now.edge / now.zeroth));
        total += now.zeroth / count;
      }
    }
    if (time == 0) {
      start = variance;
      start_total = total;
    }
    const bool spread = variance - start > kSpread * lattice.spacing() * lattice.spacing();
    result.total.push_back(total / start_total);
    result.variance.push_back(variance);
    result.diffusion.push_back(slope / 2.0);
    result.kurtosis.push_back(spread ? kurtosis : kUnknown);
    result.exponent.push_back(spread ? found.times[time] * slope / (variance - start) : kUnknown);
    result.edge.push_back(edge);
    for (std::size_t i = 0; i < n; ++i)
      result.profile.push_back((found.energy_at(time)[i * n + as_size(result.source)] - found.background) /
                               own);
  }
  return result;
}

void forget_unknown_spreading(Spreading& spread, std::span<const double> variance_error) {
  constexpr double kKnown = 0.3;
  for (std::size_t t = 0; t < variance_error.size(); ++t) {
    if (!(variance_error[t] <= kKnown * (spread.variance[t] - spread.variance[0])))
      spread.exponent[t] = spread.kurtosis[t] = kUnknown;
  }
}

}  // namespace qheat
