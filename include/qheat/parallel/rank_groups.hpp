#pragma once

#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// Splits the ranks of a communicator into groups of equal size, of consecutive ranks; what is left over is
/// idle. What a group asks about free memory counts all ranks of the node.
class RankGroups {
 public:
  /// 1 <= groups <= comm.size(). Collective.
  RankGroups(const Communicator& comm, int groups);
  ~RankGroups();
  RankGroups(const RankGroups&) = delete;
  RankGroups& operator=(const RankGroups&) = delete;

  int count() const { return count_; }
  /// Of this rank.
  int group() const { return group_; }
  bool is_idle() const { return group_ == count_; }
  /// The ranks of this rank's group; of an idle rank all idle ones.
  const Communicator& comm() const { return comm_; }

 private:
  int count_;
  int group_;
  Communicator comm_;
};

}  // namespace qheat
