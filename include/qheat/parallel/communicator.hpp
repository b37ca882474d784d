#pragma once

#include <mpi.h>

#include <span>
#include <string>

#include "qheat/parallel/index.hpp"

namespace qheat {

/// A group of ranks. Does not own the MPI communicator; cheap to copy. All reductions are collective.
class Communicator {
 public:
  /// `ranks_on_node`: how many ranks of the run share the memory of this node, if more than those of `comm`.
  explicit Communicator(MPI_Comm comm, int ranks_on_node = 1);
  /// This rank alone.
  static Communicator self() { return Communicator(MPI_COMM_SELF); }

  MPI_Comm get() const { return comm_; }
  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }
  int ranks_on_node() const { return ranks_on_node_; }

  void sum(std::span<double> values) const;
  double sum(double value) const;
  Complex sum(Complex value) const;
  Index sum(Index value) const;
  double max(double value) const;
  void max(std::span<double> values) const;
  int max(int value) const;
  /// True on all ranks if true on any.
  bool any(bool value) const { return max(value ? 1 : 0) != 0; }
  /// The values of rank `root` on all ranks.
  void broadcast(std::span<double> values, int root = 0) const;
  void broadcast(std::span<char> values) const;
  std::string broadcast(std::string text) const;
  /// The texts of all ranks, one behind the other, on rank 0; empty on the others.
  std::string gather(const std::string& text) const;
  /// After a failure: true if every rank gets here within a few seconds, and so has met the same.
  bool all_arrive() const;

 private:
  MPI_Comm comm_;
  int rank_ = 0;
  int size_ = 1;
  int ranks_on_node_ = 1;
};

}  // namespace qheat
