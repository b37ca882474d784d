#include "qheat/transport/lattice_modes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

struct Axis {
  int length;
  bool periodic;

  double wave_number(int k) const { return (periodic ? 2.0 : 1.0) * std::numbers::pi * k / length; }
  std::complex<double> value(int k, int place) const {
    const double q = wave_number(k);
    return periodic ? std::polar(1.0, q * place) : std::complex<double>(std::cos(q * (place + 0.5)));
  }
};

/// Whether -q comes later in the list: then q stands for both.
bool stands_for_pair(const std::vector<Axis>& axes, const std::vector<int>& k) {
  for (std::size_t a = axes.size(); a-- > 0;) {
    if (!axes[a].periodic) continue;
    const int opposite = (axes[a].length - k[a]) % axes[a].length;
    if (opposite != k[a]) return k[a] < opposite;
  }
  return true;
}

LatticeMode make_mode(const Lattice& lattice, const std::vector<Axis>& axes, const std::vector<int>& k) {
  LatticeMode mode{.q = {}, .eigenvalue = 0.0, .values = {}};
  for (std::size_t a = 0; a < axes.size(); ++a) {
    mode.q.push_back(axes[a].wave_number(k[a]));
    mode.eigenvalue += 2.0 * (1.0 - std::cos(mode.q.back()));
  }
  double square = 0.0;
  for (int site = 0; site < lattice.sites(); ++site) {
    std::complex<double> value = 1.0;
    for (std::size_t a = 0; a < axes.size(); ++a)
      value *= axes[a].value(k[a], lattice.place(site, static_cast<int>(a)));
    mode.values.push_back(value);
    square += std::norm(value);
  }
  for (auto& value : mode.values) value /= std::sqrt(square);
  return mode;
}

}  // namespace

std::vector<LatticeMode> lattice_modes(const Lattice& lattice) {
  std::vector<Axis> axes;
  for (std::size_t a = 0; a < lattice.shape().size(); ++a)
    axes.push_back({lattice.shape()[a], lattice.periodic()[a]});
  std::vector<LatticeMode> modes;
  std::vector<int> k(axes.size(), 0);
  for (int number = 1; number < lattice.sites(); ++number) {
    int rest = number;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      k[a] = rest % axes[a].length;
      rest /= axes[a].length;
    }
    if (stands_for_pair(axes, k)) modes.push_back(make_mode(lattice, axes, k));
  }
  std::stable_sort(modes.begin(), modes.end(), [](const auto& left, const auto& right) {
    return left.eigenvalue < right.eigenvalue - 1e-12;
  });
  return modes;
}

double mode_value(const LatticeMode& mode, std::span<const double> matrix) {
  const std::size_t n = mode.values.size();
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    std::complex<double> row = 0.0;
    for (std::size_t j = 0; j < n; ++j) row += matrix[i * n + j] * mode.values[j];
    sum += (std::conj(mode.values[i]) * row).real();
  }
  return sum;
}

std::vector<int> transport_axes(const Lattice& lattice) {
  std::vector<int> axes;
  for (std::size_t a = 0; a < lattice.shape().size(); ++a) {
    if (lattice.shape()[a] > 2) axes.push_back(static_cast<int>(a));
  }
  return axes;
}

std::vector<LongestWaves> longest_waves(const Lattice& lattice, std::span<const LatticeMode> modes) {
  std::vector<LongestWaves> longest;
  for (const int axis : transport_axes(lattice)) {
    std::vector<std::size_t> along;  // ascending in the eigenvalue, constant across the axis
    for (std::size_t m = 0; m < modes.size(); ++m) {
      bool fits = true;
      for (std::size_t a = 0; a < modes[m].q.size(); ++a)
        fits = fits && (modes[m].q[a] != 0.0) == (static_cast<int>(a) == axis);
      if (fits) along.push_back(m);
    }
    if (!along.empty()) longest.push_back({along.front(), along[along.size() > 1 ? 1 : 0]});
  }
  return longest;
}

}  // namespace qheat
