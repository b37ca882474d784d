#pragma once

#include <string>
#include <vector>

#include "qheat/steady/steady.hpp"

namespace qheat {

/// The axis of a lattice along which heat goes from reservoirs on one whole face to reservoirs on the other;
/// its planes, of one coordinate along it, take the place of a chain's sites.
struct TransportAxis {
  int axis = -1;         ///< 0, 1, 2; -1: there is none
  int length = 0;        ///< L, number of planes
  int stride = 1;        ///< of site numbers from plane to plane
  std::string obstacle;  ///< why there is none

  bool found() const { return axis >= 0; }
  int plane_of(int site) const { return site / stride % length; }
  char name() const { return static_cast<char>('x' + axis); }
};

/// Found for open axes of any lattice, and for a chain that was listed bond by bond, if each site of two
/// opposite faces has a reservoir, no other site has one, and no other axis fits as well.
TransportAxis transport_axis(const Model& model);

/// True for an open chain whose sites are numbered in its order.
bool is_open_chain(const Lattice& lattice);

/// A steady state averaged over each plane across the axis. Empty without an axis.
struct PlaneProfile {
  TransportAxis axis;
  std::vector<double> energy;       ///< u, mean over the sites of each plane, [L], energy
  std::vector<double> temperature;  ///< with this mean energy, [L]; NaN where none is known or levels differ
  std::vector<double>
      current;  ///< through the bonds to the next plane, over the sites of a plane, [L - 1], power
};
PlaneProfile plane_profile(const Model& model, const SteadyState& state);

}  // namespace qheat
