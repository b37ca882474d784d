#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "qheat/basis/half_space.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// Part of a local element on one half of the lattice; `id`: number of the value, or of a group.
struct HalfElement {
  LocalCode to, from;
  std::uint32_t id;

  bool diagonal() const { return to == from; }
};

/// The elements of a half, by the sites they act on: in ascending order of the sites, and of `to` on each.
class HalfElements {
 public:
  void add(const std::vector<int>& sites, const HalfElement& element) { by_sites_[sites].push_back(element); }
  /// Sorts; nothing is added afterwards.
  void close(int levels);

  /// Calls visit(element, source) for each element that leads to `configuration`; `source` holds the
  /// configuration it comes from, and is written for elements off the diagonal only.
  template <class Visit>
  void visit_sources(std::span<const Level> configuration, std::vector<Level>& source,
                     const Visit& visit) const {
    source.assign(configuration.begin(), configuration.end());
    for (std::size_t s = 0; s < sets_.size(); ++s) visit_set(s, configuration, source, visit);
  }

 protected:
  struct Set {
    std::vector<int> sites;
    std::vector<HalfElement> elements;
  };

  template <class Visit>
  void visit_set(std::size_t number, std::span<const Level> configuration, std::vector<Level>& source,
                 const Visit& visit) const {
    const auto& [sites, elements] = sets_[number];
    const LocalCode to = code_on(configuration, sites, levels_);
    auto e = std::lower_bound(elements.begin(), elements.end(), to,
                              [](const HalfElement& element, LocalCode code) { return element.to < code; });
    bool written = false;
    for (; e != elements.end() && e->to == to; ++e) {
      if (!e->diagonal() || written) write_code(e->from, sites, levels_, source);
      written = written || !e->diagonal();
      visit(*e, source);
    }
    if (written) write_code(to, sites, levels_, source);
  }

  int levels_ = 0;
  std::vector<Set> sets_;

 private:
  std::map<std::vector<int>, std::vector<HalfElement>> by_sites_;
};

/// Elements of a half where most sites of most configurations have one level, the common one. What then
/// leads to a configuration is what leads to that where all sites have it, but for the elements on few
/// sites.
class SparseHalfElements : public HalfElements {
 public:
  void close(int levels, Level common);

  /// Ids of the diagonal elements where all sites have the common level, ascending by sites.
  const std::vector<std::uint32_t>& common_diagonal() const { return common_diagonal_; }
  /// True if it pays to visit only what differs from the common configuration.
  bool is_close_to_common(std::span<const Level> configuration);
  /// For a configuration that is close: visit(element, source) as visit_sources, but of the diagonal
  /// elements only those that touch another level than the common one; and left_out(id) for each of
  /// common_diagonal() that does not lead to it.
  template <class Visit, class LeftOut>
  void visit_difference(std::span<const Level> configuration, std::vector<Level>& source, const Visit& visit,
                        const LeftOut& left_out) const {
    source.assign(configuration.begin(), configuration.end());
    auto creator = creators_.begin();
    for (const std::size_t set : touched_) {
      for (; creator != creators_.end() && *creator < set; ++creator)
        visit_creators(*creator, configuration, source, visit);
      if (creator != creators_.end() && *creator == set) ++creator;
      for (std::uint32_t k = diagonal_begin_[set]; k < diagonal_begin_[set + 1]; ++k)
        left_out(common_diagonal_[k]);
      visit_set(set, configuration, source, visit);
    }
    for (; creator != creators_.end(); ++creator) visit_creators(*creator, configuration, source, visit);
  }

 private:
  /// The elements off the diagonal of a set whose sites all have the common level.
  template <class Visit>
  void visit_creators(std::size_t set, std::span<const Level> configuration, std::vector<Level>& source,
                      const Visit& visit) const {
    visit_set(set, configuration, source, [&](const HalfElement& e, const auto& from) {
      if (!e.diagonal()) visit(e, from);
    });
  }

  Level common_ = 0;
  std::vector<std::vector<std::size_t>> sets_of_site_;
  std::vector<std::size_t> creators_;  ///< sets that lead from elsewhere to the common level on all sites
  std::vector<std::uint32_t> common_diagonal_;
  std::vector<std::uint32_t> diagonal_begin_;  ///< [sets + 1] of a set in common_diagonal_
  std::vector<std::size_t> touched_;           ///< sets of the configuration that was asked for last
};

/// A sum of local terms, cut at the middle of the lattice.
struct CutTerms {
  SparseHalfElements prefix;         ///< ids: values
  SparseHalfElements suffix;         ///< ids: values
  HalfElements crossing;             ///< prefix parts; ids: groups
  std::vector<HalfElements> groups;  ///< suffix parts that share a prefix part; ids: values
};

template <class T>
CutTerms cut(const TermSum<T>& terms, const HalfSpace& prefix, const HalfSpace& suffix);

}  // namespace qheat
