#pragma once

#include <span>
#include <vector>

#include "qheat/model/model.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// Where each observed quantity of one time lies in a flat list: populations [N][M], site energies [N],
/// outflows [B][2], bond currents [B], norm, total energy, and others that are asked for.
class ObservationLayout {
 public:
  explicit ObservationLayout(const Model& model, std::size_t others = 0)
      : sites_(as_size(model.sites())),
        levels_(as_size(model.levels())),
        bonds_(as_size(model.lattice.bond_count())),
        others_(others) {}

  std::size_t populations() const { return 0; }
  std::size_t energy() const { return sites_ * levels_; }
  std::size_t outflow() const { return energy() + sites_; }
  std::size_t current() const { return outflow() + 2 * bonds_; }
  std::size_t norm() const { return current() + bonds_; }
  std::size_t total_energy() const { return norm() + 1; }
  std::size_t others() const { return total_energy() + 1; }
  std::size_t size() const { return others() + others_; }

  std::size_t sites() const { return sites_; }
  std::size_t levels() const { return levels_; }
  std::size_t bonds() const { return bonds_; }
  std::size_t other_count() const { return others_; }

 private:
  std::size_t sites_, levels_, bonds_, others_;
};

/// Site energies from the populations and bond currents from the outflows of one time, [layout.size()].
void add_derived(const Model& model, const ObservationLayout& layout, std::span<double> values);

/// Observed quantities at every output time, the same on all ranks.
struct Observations {
  std::vector<double> populations;  ///< P_n(i), [T][N][M]
  std::vector<double> energy;       ///< u(i), [T][N], energy
  std::vector<double> outflow;      ///< J_p, J_q, [T][B][2], power
  std::vector<double>
      current;  ///< (J_p - J_q)/2, [T][B], power, positive from the bond's first to its second site
  std::vector<double> norm;          ///< [T]
  std::vector<double> total_energy;  ///< <H>, [T], energy
  std::vector<double> others;        ///< [T][layout.other_count()]
};

/// [T][layout.size()] -> named series.
Observations unpack(const ObservationLayout& layout, std::span<const double> series);

/// Named series -> [T][layout.size()], the inverse of unpack.
std::vector<double> pack(const ObservationLayout& layout, const Observations& observations);

}  // namespace qheat
