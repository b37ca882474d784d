#include "operators/half_elements.hpp"

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

// Lists of so few terms are short enough as they are.
constexpr std::size_t kManySets = 64;
constexpr std::size_t kSmallPart = 8;  // a configuration is close if it touches one in so many sets

}  // namespace

void HalfElements::close(int levels) {
  levels_ = levels;
  for (auto& [sites, elements] : by_sites_) {
    std::stable_sort(elements.begin(), elements.end(),
                     [](const auto& l, const auto& r) { return l.to < r.to; });
    sets_.push_back({sites, std::move(elements)});
  }
  by_sites_.clear();
}

void SparseHalfElements::close(int levels, Level common) {
  HalfElements::close(levels);
  common_ = common;
  for (std::size_t s = 0; s < sets_.size(); ++s) {
    diagonal_begin_.push_back(static_cast<std::uint32_t>(common_diagonal_.size()));
    LocalCode code = 0;
    for (const int site : sets_[s].sites) {
      code = code * static_cast<LocalCode>(levels) + common;
      if (sets_of_site_.size() <= as_size(site)) sets_of_site_.resize(as_size(site) + 1);
      at(sets_of_site_, site).push_back(s);
    }
    bool creates = false;
    for (const auto& e : sets_[s].elements) {
      if (e.to != code) continue;
      if (e.diagonal()) common_diagonal_.push_back(e.id);
      creates = creates || !e.diagonal();
    }
    if (creates) creators_.push_back(s);
  }
  diagonal_begin_.push_back(static_cast<std::uint32_t>(common_diagonal_.size()));
}

bool SparseHalfElements::is_close_to_common(std::span<const Level> configuration) {
  if (sets_.size() < kManySets) return false;
  touched_.clear();
  for (std::size_t site = 0; site < std::min(configuration.size(), sets_of_site_.size()); ++site) {
    if (configuration[site] == common_) continue;
    touched_.insert(touched_.end(), sets_of_site_[site].begin(), sets_of_site_[site].end());
    if (touched_.size() * kSmallPart > sets_.size()) return false;
  }
  std::sort(touched_.begin(), touched_.end());
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  return true;
}

template <class T>
CutTerms cut(const TermSum<T>& terms, const HalfSpace& prefix, const HalfSpace& suffix) {
  using Sites = std::vector<int>;
  const int prefix_sites = prefix.sites();
  CutTerms result;
  std::map<std::tuple<Sites, LocalCode, LocalCode>, std::uint32_t> group_number;
  std::uint32_t id = 0;
  for (const auto& term : terms.terms) {
    Sites head;
    Sites tail;
    for (const int site : term.sites) {
      if (site < prefix_sites) {
        head.push_back(site);
      } else {
        tail.push_back(site - prefix_sites);
      }
    }
    LocalCode tail_base = 1;
    for (std::size_t i = 0; i < tail.size(); ++i) tail_base *= static_cast<LocalCode>(terms.levels);
    for (const auto& e : term.elements) {
      const HalfElement tail_part{e.to % tail_base, e.from % tail_base, id++};
      const LocalCode head_to = e.to / tail_base;
      const LocalCode head_from = e.from / tail_base;
      if (head.empty()) {
        result.suffix.add(tail, tail_part);
      } else if (tail.empty()) {
        result.prefix.add(head, {head_to, head_from, tail_part.id});
      } else {
        const auto next = static_cast<std::uint32_t>(result.groups.size());
        const auto [place, added] = group_number.try_emplace({head, head_to, head_from}, next);
        if (added) {
          result.groups.emplace_back();
          result.crossing.add(head, {head_to, head_from, next});
        }
        result.groups[place->second].add(tail, tail_part);
      }
    }
  }
  result.prefix.close(terms.levels, prefix.commonest_level());
  result.suffix.close(terms.levels, suffix.commonest_level());
  result.crossing.close(terms.levels);
  for (auto& group : result.groups) group.close(terms.levels);
  return result;
}

template CutTerms cut(const TermSum<double>&, const HalfSpace&, const HalfSpace&);
template CutTerms cut(const TermSum<Complex>&, const HalfSpace&, const HalfSpace&);

}  // namespace qheat
