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

}  // namespace

RankGroups::RankGroups(const Communicator& comm, int groups)
    : count_(groups),
      group_(std::min(groups, comm.rank() / (comm.size() / groups))),
      comm_(split(comm, group_)) {
  QHEAT_ASSERT(groups >= 1 && groups <= comm.size());
}

RankGroups::~RankGroups() {
  MPI_Comm mine = comm_.get();
  MPI_Comm_free(&mine);
}

}  // namespace qheat
