#include "qheat/io/results.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "io/hdf5_file.hpp"
#include "io/version.hpp"
#include "qheat/parallel/environment.hpp"

namespace qheat {

namespace {

/// Of float64 or int64.
Index bytes_of(const std::vector<Index>& shape) {
  Index size = static_cast<Index>(sizeof(double));
  for (const Index length : shape) size = checked_product(size, length, "a dataset");
  return size;
}

}  // namespace

struct ResultsFile::Writer {
  std::filesystem::path temporary;
  hdf5::File file;
};

template <class Action>
void ResultsFile::guarded(Index bytes, const Action& action) {
  constexpr Index kOverhead = 4096;  // of a dataset
  bytes_ += bytes + bytes / 1000 + kOverhead;
  if (measuring() || !comm_.is_root() || !failure_.empty()) return;
  try {
    action();
  } catch (const std::exception& error) {
    failure_ = fmt::format("{}: {}", file_.string(), error.what());  // told to all ranks by commit()
  }
}

ResultsFile::ResultsFile(const Communicator& comm) : comm_(comm) {}

ResultsFile::ResultsFile(std::filesystem::path file, const Communicator& comm, Index bytes)
    : file_(std::move(file)), comm_(comm) {
  guarded(0, [&] {
    const std::filesystem::path temporary(file_.string() + ".tmp");
    constexpr Index kHeader = 1 << 16;
    hdf5::require_room(temporary, bytes + kHeader);
    writer_ = std::make_unique<Writer>(Writer{temporary, hdf5::File::create(temporary)});
    const auto versions = library_versions();
    constexpr std::int64_t kFormat[2] = {1, 0};
    auto& f = writer_->file;
    f.attribute("/", "filetype", kResultsFileType);
    f.attribute("/", "format_version", kFormat);
    f.attribute("/", "qheat_version", kVersion);
    f.attribute("/", "git_revision", kGitRevision);
    f.attribute("/", "petsc_version", versions.petsc);
    f.attribute("/", "slepc_version", versions.slepc);
    const std::int64_t ranks = comm_.size();
    f.attribute("/", "ranks", std::span(&ranks, 1));
    f.attribute("/", "scalar", versions.scalar);
    const std::int64_t bits = versions.index_bits;
    f.attribute("/", "index_bits", std::span(&bits, 1));
    f.attribute("/", "created", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))));
  });
}

ResultsFile::~ResultsFile() {
  if (!writer_) return;
  std::error_code ignored;
  std::filesystem::remove(writer_->temporary, ignored);
}

void ResultsFile::dataset(const std::string& name, const std::vector<Index>& shape,
                          std::span<const double> values) {
  guarded(bytes_of(shape), [&] { writer_->file.write(name, shape, values); });
}

void ResultsFile::dataset(const std::string& name, const std::vector<Index>& shape,
                          std::span<const std::int64_t> values) {
  guarded(bytes_of(shape), [&] { writer_->file.write(name, shape, values); });
}

void ResultsFile::text(const std::string& name, const std::string& text) {
  guarded(static_cast<Index>(text.size()), [&] { writer_->file.write_text(name, text); });
}

void ResultsFile::attribute(const std::string& object, const std::string& name, const std::string& text) {
  guarded(static_cast<Index>(text.size()), [&] { writer_->file.attribute(object, name, text); });
}

void ResultsFile::series(const std::string& name, Index count, const std::vector<Index>& slice_shape) {
  guarded(checked_product(count, bytes_of(slice_shape), "a dataset"),
          [&] { writer_->file.create_series(name, count, slice_shape); });
}

void ResultsFile::slice(const std::string& name, Index number, std::span<const double> values) {
  guarded(0, [&] { writer_->file.write_slice(name, number, values); });
}

void ResultsFile::timings(const Timings& timings) {
  const auto phases = timings.over_ranks(comm_);
  for (const auto& [phase, timing] : phases) {
    std::string group = "/timing/" + phase;
    for (char& c : group) c = c == ' ' ? '_' : c;
    dataset(group + "/seconds", {}, std::span(&timing.seconds, 1));
    dataset(group + "/calls", {}, std::span<const std::int64_t>(&timing.calls, 1));
    dataset(group + "/bytes_sent", {}, std::span<const std::int64_t>(&timing.bytes_sent, 1));
  }
}

void ResultsFile::commit() {
  guarded(0, [&] {
    constexpr std::int64_t kComplete = 1;
    writer_->file.attribute("/", "complete", std::span(&kComplete, 1));
    writer_->file.close();
    hdf5::move_into_place(writer_->temporary, file_);
  });
  if (comm_.any(!failure_.empty()))
    throw Error(failure_.empty() ? "rank 0 could not write the results" : failure_);
}

}  // namespace qheat
