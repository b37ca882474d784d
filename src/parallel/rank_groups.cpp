#include "qheat/parallel/rank_groups.hpp"

#include <algorithm>

#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

MPI_Comm split(const Communicator& comm, int group) {
  MPI_Comm part = MPI_COMM_NULL;
  MPI_Comm_split(comm.get(), group, comm.rank(), &part);
  return part;
}

/// Ranks on this node.
int ranks_here(const Communicator& comm) {
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(comm.get(), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int ranks = 1;
  MPI_Comm_size(node, &ranks);
  MPI_Comm_free(&node);
  return std::max(ranks, comm.ranks_on_node());
}

}  // namespace

RankGroups::RankGroups(const Communicator& comm, int groups)
    : count_(groups),
      group_(std::min(groups, comm.rank() / (comm.size() / groups))),
      comm_(split(comm, group_), ranks_here(comm)) {
  QHEAT_ASSERT(groups >= 1 && groups <= comm.size());
}

RankGroups::~RankGroups() {
  MPI_Comm mine = comm_.get();
  MPI_Comm_free(&mine);
}

}  // namespace qheat
