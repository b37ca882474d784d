#pragma once

#include <array>
#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// Two neighbouring sites. V acts as V_{ab,cd} with a, c on `first` and b, d on `second`; currents count
/// positive from `first` to `second`.
struct Bond {
  int first;
  int second;
  bool operator==(const Bond&) const = default;
};

/// Sites and bonds: chain, square, simple cubic, any mix of open and periodic axes, or an explicit graph.
///
/// Site numbers: the first axis runs fastest. Bonds: by first site, then by axis; the closing bond of a
/// periodic axis is (last, first) and stands at its first site `last`. A periodic axis of length 2 has one
/// bond, of length 1 none.
class Lattice {
 public:
  /// Nearest neighbours. `shape`: 1 to 3 lengths >= 1; `periodic`: one an axis. Throws InputError.
  Lattice(std::vector<int> shape, std::vector<bool> periodic, double spacing = 1.0);
  /// Explicit graph on the sites of `shape`. Throws InputError on self loops, doubles, or sites out of range.
  Lattice(std::vector<int> shape, std::vector<Bond> bonds, double spacing = 1.0);

  static Lattice chain(int sites) { return Lattice({sites}, std::vector<bool>{false}); }
  static Lattice ring(int sites) { return Lattice({sites}, std::vector<bool>{true}); }

  int sites() const { return sites_; }
  const std::vector<int>& shape() const { return shape_; }
  const std::vector<bool>& periodic() const { return periodic_; }
  const std::vector<Bond>& bonds() const { return bonds_; }
  int bond_count() const { return static_cast<int>(bonds_.size()); }
  /// Lattice constant a, in the user's unit of length.
  double spacing() const { return spacing_; }
  /// True if the bonds were listed by hand.
  bool explicit_graph() const { return explicit_graph_; }
  /// Numbers of the bonds that touch `site`.
  const std::vector<int>& bonds_of(int site) const { return at(bonds_of_, site); }
  /// The site that a bond joins to one of its ends.
  int other_end(int bond, int site) const {
    const Bond& ends = at(bonds_, bond);
    return ends.first == site ? ends.second : ends.first;
  }
  /// Number of the bond between two sites, -1 if there is none.
  int bond_between(int i, int j) const;
  /// Number of a site along an axis.
  int place(int site, int axis) const;
  /// Sites from `from` to `to` along an axis; of a periodic one to the nearest image, and half way round
  /// counts positive.
  int displacement(int from, int to, int axis) const;

 private:
  void index_bonds();

  std::vector<int> shape_;
  std::vector<bool> periodic_;
  double spacing_ = 1.0;
  int sites_ = 0;
  bool explicit_graph_ = false;
  std::vector<Bond> bonds_;
  std::vector<std::vector<int>> bonds_of_;
};

}  // namespace qheat
