#pragma once

#include <map>
#include <span>
#include <vector>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// All configurations of one half of the lattice that some configuration of the other half completes to a
/// sector; or those of given classes.
///
/// Configurations are grouped by class, the numbers of sites with each label (a band, or one label for all
/// levels where nothing is conserved), and ordered lexicographically inside a class, the first site most
/// significant. The table has about M^(N/2) rows.
class HalfSpace {
 public:
  struct Class {
    std::vector<int> counts;  ///< sites with each label
    Index first;              ///< number of its first configuration
    Index size;
  };

  /// `sites` of this half and `other_sites` of the other; `counts`: sites with each label in the whole
  /// sector.
  HalfSpace(int sites, int other_sites, std::vector<Level> label_of_level, const std::vector<int>& counts);
  /// The configurations of these classes, each given by its sites with each label; a class may come twice.
  HalfSpace(int sites, std::vector<Level> label_of_level, std::vector<std::vector<int>> classes);

  int sites() const { return sites_; }
  int levels() const { return static_cast<int>(label_of_level_.size()); }
  Index size() const { return size_; }
  const std::vector<Class>& classes() const { return classes_; }
  /// Class with these counts, or -1.
  int find_class(const std::vector<int>& counts) const;
  /// Class of a configuration, -1 if it is none of this half space.
  int class_of(std::span<const Level> levels) const;
  /// Level of each site in configuration `number`.
  std::span<const Level> configuration(Index number) const {
    const auto width = as_size(sites_);
    return std::span(table_).subspan(as_size(number) * width, width);
  }
  /// Place of a configuration inside its class: by counting the smaller ones, or on many sites by searching
  /// the table.
  Index rank_in_class(std::span<const Level> levels) const;
  /// The same where the number of the class is known.
  Index rank_in_class(int class_number, std::span<const Level> levels) const;
  /// The label of a level.
  Level label_of(Level level) const { return label_of_level_[level]; }
  /// The level that most sites of most configurations have.
  Level commonest_level() const;

 private:
  void enumerate(const Class& wanted);
  Index rank_by_search(const Class& in, std::span<const Level> levels) const;
  Index rank_by_counting(std::span<const Level> levels, std::vector<int> left) const;

  int sites_;
  std::vector<Level> label_of_level_;
  std::vector<int> levels_of_label_;     ///< how many levels bear each label
  std::vector<std::vector<int>> lower_;  ///< lower_[n][label]: levels below n with that label
  Index size_ = 0;
  std::vector<Class> classes_;
  std::map<std::vector<int>, int> class_number_;
  std::vector<Level> table_;  ///< [size][sites]
};

/// Number of configurations of sum(counts) sites with these label counts. Throws Error beyond 63 bits.
Index configurations(const std::vector<int>& counts, const std::vector<int>& levels_of_label);

}  // namespace qheat
