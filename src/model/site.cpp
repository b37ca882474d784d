#include "qheat/model/site.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

Site::Site(std::vector<double> levels, std::vector<int> bands) : energies_(std::move(levels)) {
  const std::size_t count = energies_.size();
  if (count < 2) throw InputError("a site needs at least two levels");
  if (count > std::numeric_limits<Level>::max()) throw InputError("a site has at most 65535 levels");
  if (energies_.front() != 0.0) throw InputError("the first level has energy 0");
  if (!std::is_sorted(energies_.begin(), energies_.end())) throw InputError("levels must ascend");
  if (bands.empty()) {
    for (std::size_t n = 0; n < count; ++n) bands.push_back(static_cast<int>(n));
  }
  if (bands.size() != count) throw InputError(fmt::format("{} levels but {} bands", count, bands.size()));
  for (const int band : bands) {
    if (band < 0 || band > bands_)
      throw InputError("bands are numbered 0, 1, ... in order of first appearance");
    if (band == bands_) {
      ++bands_;
      band_sizes_.push_back(0);
    }
    band_of_level_.push_back(static_cast<Level>(band));
    ++at(band_sizes_, band);
  }
}

}  // namespace qheat
