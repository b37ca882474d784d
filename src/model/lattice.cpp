#include "qheat/model/lattice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

int site_count(const std::vector<int>& shape) {
  if (shape.empty() || shape.size() > 3) throw InputError("a lattice has 1 to 3 axes");
  long long sites = 1;
  for (const int length : shape) {
    if (length < 1) throw InputError(fmt::format("lattice length {} is not positive", length));
    sites *= length;
    if (sites > std::numeric_limits<int>::max()) throw InputError("the lattice has more than 2^31 - 1 sites");
  }
  return static_cast<int>(sites);
}

}  // namespace

Lattice::Lattice(std::vector<int> shape, std::vector<bool> periodic, double spacing)
    : shape_(std::move(shape)),
      periodic_(std::move(periodic)),
      spacing_(spacing),
      sites_(site_count(shape_)) {
  if (periodic_.size() != shape_.size()) {
    throw InputError(fmt::format("{} axes but {} periodic flags", shape_.size(), periodic_.size()));
  }
  for (int site = 0; site < sites_; ++site) {
    int stride = 1;
    for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
      const int length = shape_[axis];
      const int position = site / stride % length;
      if (position + 1 < length) {
        bonds_.push_back({site, site + stride});
      } else if (periodic_[axis] && length > 2) {
        bonds_.push_back({site, site - (length - 1) * stride});
      }
      stride *= length;
    }
  }
  index_bonds();
}

Lattice::Lattice(std::vector<int> shape, std::vector<Bond> bonds, double spacing)
    : shape_(std::move(shape)),
      periodic_(shape_.size(), false),
      spacing_(spacing),
      sites_(site_count(shape_)),
      explicit_graph_(true),
      bonds_(std::move(bonds)) {
  std::set<std::pair<int, int>> seen;
  for (const auto& [first, second] : bonds_) {
    if (first < 0 || second < 0 || first >= sites_ || second >= sites_) {
      throw InputError(fmt::format("bond [{}, {}] leaves the {} sites", first, second, sites_));
    }
    if (first == second) throw InputError(fmt::format("bond [{}, {}] joins a site to itself", first, second));
    if (!seen.insert(std::minmax(first, second)).second) {
      throw InputError(fmt::format("bond [{}, {}] is listed twice", first, second));
    }
  }
  index_bonds();
}

void Lattice::index_bonds() {
  bonds_of_.resize(as_size(sites_));
  for (int b = 0; b < bond_count(); ++b) {
    const Bond& bond = at(bonds_, b);
    at(bonds_of_, bond.first).push_back(b);
    at(bonds_of_, bond.second).push_back(b);
  }
}

int Lattice::bond_between(int i, int j) const {
  for (const int b : bonds_of(i)) {
    if (other_end(b, i) == j) return b;
  }
  return -1;
}

int Lattice::place(int site, int axis) const {
  for (int k = 0; k < axis; ++k) site /= at(shape_, k);
  return site % at(shape_, axis);
}

int Lattice::displacement(int from, int to, int axis) const {
  const int length = at(shape_, axis);
  const int steps = place(to, axis) - place(from, axis);
  if (explicit_graph_ || !periodic_[as_size(axis)]) return steps;
  const int forward = (steps % length + length) % length;
  return 2 * forward > length ? forward - length : forward;
}

}  // namespace qheat
