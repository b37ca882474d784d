#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "kernel/assumption_sums.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

/// Bands on the sites that a kernel element changes; the two cells agree on all others.
struct Change {
  std::vector<int> sites;  ///< ascending
  std::vector<Level> to, from;

  Change reversed() const { return {sites, from, to}; }
  bool operator<(const Change& other) const {
    return std::tie(sites, to, from) < std::tie(other.sites, other.to, other.from);
  }
};

/// A value that an element of the kernel gets from one term, if the other sites of the term hold `bands`.
struct Share {
  std::vector<int> sites;
  std::vector<Level> bands;
  double value;
};

using Shares = std::vector<Share>;
using Changes = std::map<Change, Shares>;

/// The kernel by changes. With each change there is its reverse, so that both elements of a pair of cells are
/// visited.
Changes changes_of(const TermSum<double>& generator) {
  Changes changes;
  for (const auto& term : generator.terms) {
    for (const auto& e : term.elements) {
      if (e.to == e.from) continue;
      Change change;
      Share share{.sites = {}, .bands = {}, .value = e.value};
      for (std::size_t s = 0; s < term.sites.size(); ++s) {
        const Level to = code_digit(e.to, generator.levels, term.sites.size(), s);
        const Level from = code_digit(e.from, generator.levels, term.sites.size(), s);
        if (to == from) {
          share.sites.push_back(term.sites[s]);
          share.bands.push_back(to);
        } else {
          change.sites.push_back(term.sites[s]);
          change.to.push_back(to);
          change.from.push_back(from);
        }
      }
      changes[change.reversed()];
      changes[change].push_back(std::move(share));
    }
  }
  return changes;
}

/// Bands of a few sites, all of them in turn: the last site runs fastest.
class Surroundings {
 public:
  Surroundings(std::vector<int> sites, int bands)
      : sites_(std::move(sites)), bands_(bands), held_(sites_.size(), 0) {}

  const std::vector<Level>& held() const { return held_; }
  Level at(int site) const {
    const auto place = std::lower_bound(sites_.begin(), sites_.end(), site);
    return qheat::at(held_, place - sites_.begin());
  }
  /// False, and at the beginning again, after the last.
  bool next() {
    for (std::size_t s = held_.size(); s-- > 0;) {
      if (++held_[s] < bands_) return true;
      held_[s] = 0;
    }
    return false;
  }

 private:
  std::vector<int> sites_;
  int bands_;
  std::vector<Level> held_;
};

double value_of(const Shares& shares, const Surroundings& around) {
  double value = 0.0;
  for (const Share& share : shares) {
    bool holds = true;
    for (std::size_t s = 0; s < share.sites.size(); ++s) {
      holds = holds && around.at(share.sites[s]) == share.bands[s];
    }
    if (holds) value += share.value;
  }
  return value;
}

class TermScores {
 public:
  TermScores(const Model& model, std::vector<std::vector<int>> sector_counts, double t)
      : counts_(model, std::move(sector_counts)),
        energies_(band_energies(model)),
        t_(t),
        swaps_(as_size(model.lattice.bond_count()) * bands() * bands(), 0.0) {}

  Assumptions scores(const TermSum<double>& generator) {
    const Changes changes = changes_of(generator);
    for (const auto& [change, shares] : changes) add(change, shares, changes.at(change.reversed()));
    return counts_.scores(sums_, swaps_);
  }

 private:
  /// One element of the kernel and the number of cells in which it stands.
  struct Element {
    double value;
    double cells;
  };

  std::size_t bands() const { return as_size(counts_.bands()); }
  int bond_of(const Change& change) const {
    return change.sites.size() == 2 ? counts_.lattice().bond_between(change.sites[0], change.sites[1]) : -1;
  }

  /// The other sites that an element of this change depends on, or that the best additive kernel does.
  std::vector<int> surrounding_sites(const Change& change, const Shares& shares, const Shares& back) const {
    std::vector<int> sites;
    for (const Shares* list : {&shares, &back}) {
      for (const Share& share : *list) sites.insert(sites.end(), share.sites.begin(), share.sites.end());
    }
    if (change.sites.size() == 1) {
      for (const int neighbour : neighbours(change.sites[0])) sites.push_back(neighbour);
    }
    std::sort(sites.begin(), sites.end());
    sites.erase(std::unique(sites.begin(), sites.end()), sites.end());
    return sites;
  }

  std::vector<int> neighbours(int site) const {
    std::vector<int> found;
    for (const int b : counts_.lattice().bonds_of(site)) {
      const Bond& bond = at(counts_.lattice().bonds(), b);
      found.push_back(bond.first == site ? bond.second : bond.first);
    }
    return found;
  }

  void add(const Change& change, const Shares& shares, const Shares& back) {
    if (counts_.cells_with(change.from) == 0.0) return;
    Surroundings around(surrounding_sites(change, shares, back), counts_.bands());
    std::vector<Element> elements;
    do {
      std::vector<Level> held = change.from;
      held.insert(held.end(), around.held().begin(), around.held().end());
      const Element element{value_of(shares, around), counts_.cells_with(held)};
      const double asymmetry = element.value - value_of(back, around);
      sums_[kAsymmetry] += element.cells * asymmetry * asymmetry;
      elements.push_back(element);
    } while (around.next());

    add_magnitudes(change, elements);
    if (change.sites.size() == 1) {
      add_site_deviations(change, around, elements);
    } else if (bond_of(change) >= 0) {
      add_pair_deviations(change, elements);
    } else {
      for (const auto& [w, cells] : elements) sums_[kNotAdditive] += cells * w * w;
    }
  }

  void add_magnitudes(const Change& change, const std::vector<Element>& elements) {
    double mismatch = 0.0;
    for (std::size_t s = 0; s < change.sites.size(); ++s) {
      const std::size_t site = as_size(change.sites[s]) * bands();
      mismatch += energies_[site + change.to[s]] - energies_[site + change.from[s]];
    }
    const bool outside =
        !(std::abs(mismatch) < counts_.energy_window(t_, static_cast<int>(change.sites.size())));
    const bool local = change.sites.size() == 1 || bond_of(change) >= 0;
    for (const auto& [w, cells] : elements) {
      const double magnitude = cells * std::abs(w);
      sums_[kMagnitude] += magnitude;
      sums_[kSquares] += cells * w * w;
      if (w < 0.0) sums_[kNegative] += magnitude;
      if (outside) sums_[kOutside] += magnitude;
      sums_[local ? kLocal : kNonlocal] += magnitude;
      if (local && !is_swap(change)) sums_[kLocalNoSwap] += magnitude;
    }
  }

  static bool is_swap(const Change& change) {
    return change.sites.size() == 2 && change.to[0] == change.from[1] && change.to[1] == change.from[0];
  }

  /// All elements of one change of a bond: one group.
  void add_pair_deviations(const Change& change, const std::vector<Element>& elements) {
    double sum = 0.0;
    for (const auto& [w, cells] : elements) sum += cells * w;
    const double group = counts_.cells_with(change.from[0], change.from[1]);
    const double mean = sum / group;
    for (const auto& [w, cells] : elements) {
      const double squared_deviation = cells * (w - mean) * (w - mean);
      sums_[kNotAdditive] += squared_deviation;
      if (group < 2.0) continue;
      sums_[kGrouped] += cells * w * w;
      sums_[kSpectatorDeviation] += squared_deviation;
    }
    if (is_swap(change)) {
      const auto b = as_size(bond_of(change));
      swaps_[(b * bands() + change.from[0]) * bands() + change.from[1]] += sum;
    }
  }

  void add_site_deviations(const Change& change, Surroundings& around, const std::vector<Element>& elements) {
    const auto near = neighbours(change.sites[0]);
    std::vector<double> means(near.size() * bands(), 0.0);
    const double cells_of_mean = near.empty() ? 1.0 : counts_.cells_with(0, 0);
    std::vector<Level> seen(near.size());
    const auto look = [&] {
      std::transform(near.begin(), near.end(), seen.begin(), [&](int site) { return around.at(site); });
    };
    for (const auto& [w, cells] : elements) {
      look();
      site_fit::add(means, bands(), seen, cells * w / cells_of_mean);
      around.next();
    }
    for (const auto& [w, cells] : elements) {
      look();
      const double deviation = w - site_fit::value(means, bands(), seen);
      sums_[kNotAdditive] += cells * deviation * deviation;
      around.next();
    }
  }

  CellChanges counts_;
  std::vector<double> energies_;
  double t_;
  AssumptionSums sums_{};
  std::vector<double> swaps_;
};

}  // namespace

Assumptions assumptions_of(const Model& model, const std::vector<std::vector<int>>& sector_counts,
                           const TermSum<double>& generator, double t) {
  return TermScores(model, sector_counts, t).scores(generator);
}

Assumptions assumptions_of(const Model& model, const CellSpace& cells, const TermSum<double>& generator,
                           double t) {
  return assumptions_of(model, cells.band_counts(), generator, t);
}

}  // namespace qheat
