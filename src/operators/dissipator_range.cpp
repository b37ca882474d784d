#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "qheat/model/dissipator.hpp"
#include "qheat/operators/liouvillian.hpp"

namespace qheat {
namespace {

/// Most sites on which two configurations with these counts differ: levels that stand alone in their band
/// and fill more than half of the lattice overlap.
int most_differences(const Model& model, const std::vector<int>& counts) {
  int most = model.sites();
  for (std::size_t band = 0; band < counts.size(); ++band) {
    if (model.site.band_sizes()[band] == 1) most = std::min(most, 2 * (model.sites() - counts[band]));
  }
  return most;
}

/// What all dissipators on the same sites do to the elements |x><y| of these sites, for Gershgorin's discs of
/// its Hermitian and its anti-Hermitian part. What they add stays on few rows: A rho A^+ joins what A
/// reaches; all others only decay.
class LocalRange {
 public:
  void add(const Dissipator& d) {
    for (const JumpElement& a : d.elements) {
      for (const JumpElement& b : d.elements) {
        const Complex weight = d.weight(a, b);
        const Pair to{a.to, b.to};
        const Pair from{a.from, b.from};
        Row& row = rows_[to];
        (to == from ? row.diagonal : row.others[from]) += weight;
        if (to != from) rows_[from].partners[to] += weight;
        if (a.to == b.to) losses_[b.from][a.from] += weight;
      }
    }
  }

  DissipatorRange range() const {
    std::map<LocalCode, Disc> decays;
    Disc lightest{0.0, 0.0};  // of a code that loses nothing
    Disc heaviest{0.0, 0.0};
    for (const auto& [code, row] : losses_) {
      Disc& disc = decays[code];
      for (const auto& [other, weight] : row) {
        if (other == code) disc.centre = -0.5 * weight.real();
        if (other != code) disc.radius += 0.5 * std::abs(weight);
      }
      if (disc.centre - disc.radius < heaviest.centre - heaviest.radius) heaviest = disc;
      if (disc.centre + disc.radius > lightest.centre + lightest.radius) lightest = disc;
    }
    // rows that no A rho A^+ reaches
    DissipatorRange range{2.0 * (heaviest.centre - heaviest.radius),
                          std::max(0.0, 2.0 * (lightest.centre + lightest.radius)), 0.0};
    const auto decay = [&](LocalCode code) {
      const auto found = decays.find(code);
      return found == decays.end() ? Disc{0.0, 0.0} : found->second;
    };
    for (const auto& [at, row] : rows_) {
      const Disc ket = decay(at.first);
      const Disc bra = decay(at.second);
      const double centre = row.diagonal.real() + ket.centre + bra.centre;
      double symmetric = ket.radius + bra.radius;
      double antisymmetric = std::abs(row.diagonal.imag());
      row.visit([&](Complex there, Complex back) {
        symmetric += std::abs(there + std::conj(back)) / 2;
        antisymmetric += std::abs(there - std::conj(back)) / 2;
      });
      range.low = std::min(range.low, centre - symmetric);
      range.high = std::max(range.high, centre + symmetric);
      range.imaginary = std::max(range.imaginary, antisymmetric);
    }
    return range;
  }

 private:
  using Pair = std::pair<LocalCode, LocalCode>;  // ket, bra
  struct Disc {
    double centre, radius;
  };
  struct Row {
    Complex diagonal = 0.0;
    std::map<Pair, Complex> others, partners;  ///< elements of the row, and of the column

    /// Calls visit(element, its mirror image) for all pairs off the diagonal of which one is there.
    template <class Visit>
    void visit(const Visit& visit) const {
      for (const auto& [pair, weight] : others) {
        const auto back = partners.find(pair);
        visit(weight, back == partners.end() ? Complex{} : back->second);
      }
      for (const auto& [pair, weight] : partners)
        if (others.find(pair) == others.end()) visit(Complex{}, weight);
    }
  };

  std::map<Pair, Row> rows_;
  std::map<LocalCode, std::map<LocalCode, Complex>> losses_;  ///< of A^+ A
};

}  // namespace

DissipatorRange dissipator_range(const Model& model, const std::vector<std::vector<int>>& counts) {
  const Dissipation bath = dissipation(model);
  int differences = 0;
  for (const auto& c : counts) differences = std::max(differences, most_differences(model, c));
  DissipatorRange sum{-bath.dephasing * differences, 0.0, 0.0};
  std::map<std::vector<int>, LocalRange> local;
  for (const Dissipator& d : bath.others) local[d.sites].add(d);
  for (const auto& [sites, dissipators] : local) {
    const DissipatorRange range = dissipators.range();
    sum.low += range.low;
    sum.high += range.high;
    sum.imaginary += range.imaginary;
  }
  return sum;
}

}  // namespace qheat
