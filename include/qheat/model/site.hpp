#pragma once

#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// Levels of one site, before any detuning, and the band of each.
class Site {
 public:
  /// `levels`: energies eps_n, ascending (equal allowed), first 0, at least 2. `bands`: band number of each
  /// level, numbered 0, 1, ... in order of first appearance; empty: every level its own. Throws InputError.
  explicit Site(std::vector<double> levels, std::vector<int> bands = {});

  int levels() const { return static_cast<int>(energies_.size()); }
  int bands() const { return bands_; }
  const std::vector<double>& energies() const { return energies_; }
  const std::vector<Level>& band_of_level() const { return band_of_level_; }
  /// Number of levels of each band.
  const std::vector<int>& band_sizes() const { return band_sizes_; }

 private:
  std::vector<double> energies_;
  std::vector<Level> band_of_level_;
  std::vector<int> band_sizes_;
  int bands_ = 0;
};

}  // namespace qheat
