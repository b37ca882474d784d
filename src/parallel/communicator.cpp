#include "qheat/parallel/communicator.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

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

Communicator::Communicator(MPI_Comm comm, int ranks_on_node) : comm_(comm), ranks_on_node_(ranks_on_node) {
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

std::string Communicator::broadcast(std::string text) const {
  Index size = static_cast<Index>(text.size());
  MPI_Bcast(&size, 1, MPI_INT64_T, 0, comm_);
  text.resize(as_size(size));
  broadcast(std::span(text.data(), text.size()));
  return text;
}

std::string Communicator::gather(const std::string& text) const {
  const int length = static_cast<int>(text.size());
  std::vector<int> lengths(as_size(size_));
  MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, comm_);
  std::vector<int> begins(lengths.size(), 0);
  std::partial_sum(lengths.begin(), lengths.end() - 1, begins.begin() + 1);
  std::string all(is_root() ? as_size(begins.back() + lengths.back()) : 0, ' ');
  MPI_Gatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), begins.data(), MPI_CHAR, 0, comm_);
  return all;
}

bool Communicator::all_arrive() const {
  constexpr auto kPatience = std::chrono::seconds(5);
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(comm_, &request);
  const auto start = std::chrono::steady_clock::now();
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done != 0) return true;
    if (std::chrono::steady_clock::now() - start > kPatience) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace qheat
