#include "qheat/parallel/communicator.hpp"

#include <algorithm>

#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 28;  // MPI counts are int

template <class T>
T reduce(T value, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, type, op, comm);
  return value;
}

template <class T, class Call>
void in_chunks(std::span<T> values, const Call& call) {
  for (std::size_t start = 0; start < values.size(); start += kChunk) {
    const auto part = values.subspan(start, std::min(kChunk, values.size() - start));
    call(part.data(), static_cast<int>(part.size()));
  }
}

}  // namespace

Communicator::Communicator(MPI_Comm comm) : comm_(comm) {
  MPI_Comm_rank(comm, &rank_);
  MPI_Comm_size(comm, &size_);
}

void Communicator::sum(std::span<double> values) const {
  in_chunks(values, [&](double* data, int count) {
    MPI_Allreduce(MPI_IN_PLACE, data, count, MPI_DOUBLE, MPI_SUM, comm_);
  });
}

void Communicator::max(std::span<double> values) const {
  in_chunks(values, [&](double* data, int count) {
    MPI_Allreduce(MPI_IN_PLACE, data, count, MPI_DOUBLE, MPI_MAX, comm_);
  });
}

double Communicator::sum(double value) const {
  return reduce(value, MPI_DOUBLE, MPI_SUM, comm_);
}

Complex Communicator::sum(Complex value) const {
  return reduce(value, MPI_C_DOUBLE_COMPLEX, MPI_SUM, comm_);
}

Index Communicator::sum(Index value) const {
  return reduce(value, MPI_INT64_T, MPI_SUM, comm_);
}

double Communicator::max(double value) const {
  return reduce(value, MPI_DOUBLE, MPI_MAX, comm_);
}

int Communicator::max(int value) const {
  return reduce(value, MPI_INT, MPI_MAX, comm_);
}

void Communicator::broadcast(std::span<double> values, int root) const {
  in_chunks(values, [&](double* data, int count) { MPI_Bcast(data, count, MPI_DOUBLE, root, comm_); });
}

void Communicator::broadcast(std::span<char> values) const {
  in_chunks(values, [&](char* data, int count) { MPI_Bcast(data, count, MPI_CHAR, 0, comm_); });
}

}  // namespace qheat
