#include "qheat/io/results.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "io/hdf5_file.hpp"
#include "io/netcdf.hpp"
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

constexpr const char* kWholeFile = "";  // as the object that cannot be written

std::string attribute_name(const std::string& object, const std::string& name) {
  return fmt::format("attribute {} of {}", name, object);
}

std::string sentence_of(const std::map<std::string, std::string>& failures) {
  constexpr std::size_t kMostNamed = 3;
  std::string text;
  std::size_t named = 0;
  for (const auto& [object, why] : failures) {
    if (named++ == kMostNamed) return text + fmt::format(" and {} more", failures.size() - kMostNamed);
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", object, why);
  }
  return text;
}

/// Removes what an earlier run could not write to its end, now that there is something better.
void remove_incomplete(const std::filesystem::path& results) {
  const auto file = incomplete_file(results);
  try {
    const bool ours = hdf5::File::open(file).text_attribute("/", "filetype") == kResultsFileType;
    if (ours) std::filesystem::remove(file);
  } catch (const std::exception&) {
    return;  // there is none, or none that a run has left
  }
}

void write_attribute(const hdf5::Attribute& attribute, const std::string& object, hdf5::File& to) {
  const auto write = [&](const auto& values) {
    if (attribute.is_scalar) {
      to.attribute(object, attribute.name, values.front());
    } else {
      to.attribute(object, attribute.name, std::span(values));
    }
  };
  std::visit(write, attribute.values);
}

/// Axes are described anew where everything is together: scales without a meaning of their own stay behind.
void copy_results(const hdf5::File& from, hdf5::File& to, const std::string& group) {
  std::set<std::string> groups = {"/"};
  for (const auto& name : from.datasets("/")) {
    if (name.starts_with("/timing/") || is_made_scale(from, name)) continue;
    to.copy(from, name, group + name);
    for (const auto& attribute : from.attributes(name)) {
      if (attribute.name.starts_with("laboratory_")) write_attribute(attribute, group + name, to);
    }
    for (auto slash = name.rfind('/'); slash > 0; slash = name.rfind('/', slash - 1))
      groups.insert(name.substr(0, slash));
  }
  for (const char* described : {"/model", "/units"}) {  // which may have attributes alone
    if (!from.has(described)) continue;
    groups.insert(described);
    to.make_groups(group + described + "/");
  }
  for (const auto& name : groups) {
    const std::string copy = name == "/" ? group : group + name;
    for (const auto& attribute : from.attributes(name)) write_attribute(attribute, copy, to);
  }
}

}  // namespace

std::filesystem::path incomplete_file(const std::filesystem::path& results) {
  return results.parent_path() / (results.stem().string() + ".incomplete" + results.extension().string());
}

struct ResultsFile::Writer {
  std::filesystem::path temporary;
  hdf5::File file;
};

template <class Action>
void ResultsFile::guarded(const std::string& object, Index bytes, const Action& action) {
  constexpr Index kOverhead = 6144;  // of a dataset and its axes
  bytes_ += bytes + bytes / 1000 + kOverhead;
  const bool nowhere = measuring() || !comm_.is_root() || failures_.contains(kWholeFile);
  if (nowhere || failures_.contains(object)) return;
  try {
    action();
  } catch (const std::exception& error) {
    failures_[object] = error.what();  // told to all ranks by commit()
  }
}

ResultsFile::ResultsFile(const Communicator& comm) : comm_(comm) {}

ResultsFile::ResultsFile(std::filesystem::path file, const Communicator& comm, Index bytes)
    : file_(std::move(file)), comm_(comm) {
  guarded(kWholeFile, 0, [&] {
    const std::filesystem::path temporary(file_.string() + ".tmp");
    constexpr Index kHeader = 1 << 16;
    hdf5::require_room(temporary, bytes + kHeader);
    writer_ = std::make_unique<Writer>(Writer{temporary, hdf5::File::create(temporary)});
    const auto versions = library_versions();
    constexpr std::int64_t kFormat[2] = {1, 2};
    auto& f = writer_->file;
    f.attribute("/", "filetype", kResultsFileType);
    f.attribute("/", "format_version", kFormat);
    f.attribute("/", "qheat_version", kVersion);
    f.attribute("/", "git_revision", kGitRevision);
    f.attribute("/", "petsc_version", versions.petsc);
    f.attribute("/", "slepc_version", versions.slepc);
    f.attribute("/", "ranks", std::int64_t{comm_.size()});
    f.attribute("/", "scalar", versions.scalar);
    f.attribute("/", "index_bits", std::int64_t{versions.index_bits});
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
  guarded(name, bytes_of(shape), [&] { writer_->file.write(name, shape, values); });
}

void ResultsFile::dataset(const std::string& name, const std::vector<Index>& shape,
                          std::span<const std::int64_t> values) {
  guarded(name, bytes_of(shape), [&] { writer_->file.write(name, shape, values); });
}

void ResultsFile::text(const std::string& name, const std::string& text) {
  guarded(name, static_cast<Index>(text.size()), [&] { writer_->file.write_variable_text(name, text); });
}

void ResultsFile::group(const std::string& name) {
  guarded(name, 0, [&] { writer_->file.make_groups(name + "/"); });
}

void ResultsFile::attribute(const std::string& object, const std::string& name, const std::string& text) {
  guarded(attribute_name(object, name), static_cast<Index>(text.size()),
          [&] { writer_->file.attribute(object, name, text); });
}

void ResultsFile::attribute(const std::string& object, const std::string& name, double value) {
  guarded(attribute_name(object, name), static_cast<Index>(sizeof(value)),
          [&] { writer_->file.attribute(object, name, value); });
}

void ResultsFile::attribute(const std::string& object, const std::string& name, std::int64_t value) {
  guarded(attribute_name(object, name), static_cast<Index>(sizeof(value)),
          [&] { writer_->file.attribute(object, name, value); });
}

void ResultsFile::attribute(const std::string& object, const std::string& name,
                            std::span<const double> values) {
  guarded(attribute_name(object, name), static_cast<Index>(values.size_bytes()),
          [&] { writer_->file.attribute(object, name, values); });
}

void ResultsFile::attribute(const std::string& object, const std::string& name,
                            std::span<const std::int64_t> values) {
  guarded(attribute_name(object, name), static_cast<Index>(values.size_bytes()),
          [&] { writer_->file.attribute(object, name, values); });
}

void ResultsFile::attribute(const std::string& object, const std::string& name,
                            std::span<const std::string> texts) {
  Index longest = 0;
  for (const auto& text : texts) longest = std::max(longest, static_cast<Index>(text.size()));
  guarded(attribute_name(object, name), longest * static_cast<Index>(texts.size()),
          [&] { writer_->file.attribute(object, name, texts); });
}

void ResultsFile::laboratory(const UnitSystem& units) {
  laboratory_ = units;
  group("/units");
  attribute("/units", "energy_joule", units.energy);
  attribute("/units", "length_metre", units.length);
  attribute("/units", "time_second", units.time());
  attribute("/units", "site_volume_cubic_metre", units.site_volume);
  for (const QuantityWords& words : all_quantities()) {
    if (words.quantity == Quantity::number) continue;
    const std::string name(words.name);
    attribute("/units", name, units.laboratory_unit(words.quantity));
    attribute("/units", name + "_factor", units.factor(words.quantity));
  }
}

void ResultsFile::series(const std::string& name, Index count, const std::vector<Index>& slice_shape) {
  guarded(name, checked_product(count, bytes_of(slice_shape), "a dataset"),
          [&] { writer_->file.create_series(name, count, slice_shape); });
}

void ResultsFile::slice(const std::string& name, Index number, std::span<const double> values) {
  guarded(name, 0, [&] { writer_->file.write_slice(name, number, values); });
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

void ResultsFile::copy(const std::filesystem::path& results, const std::string& group) {
  std::error_code failure;
  const auto bytes = comm_.is_root() ? std::filesystem::file_size(results, failure) : 0;
  guarded(group, failure ? 0 : static_cast<Index>(bytes), [&] {
    copy_results(hdf5::File::open(results), writer_->file, group);
    add_dimension_scales(writer_->file, group);  // now, while all of it is in HDF5's cache
    described_.insert(group);
  });
}

/// What went wrong, on rank 0; empty if the file has its name.
std::string ResultsFile::write_to_end() {
  const auto lost = failures_.find(kWholeFile);
  if (lost != failures_.end()) return fmt::format("{}: {}", file_.string(), lost->second);
  guarded("dimension scales", 0, [&] { add_dimension_scales(writer_->file, "/", described_, laboratory_); });
  const bool whole = failures_.empty();
  const auto name = whole ? file_ : incomplete_file(file_);
  try {
    if (!whole) {
      std::vector<std::string> missing;
      for (const auto& [object, why] : failures_) missing.push_back(object);
      writer_->file.attribute("/", "missing", missing);
    }
    writer_->file.attribute("/", "complete", std::int64_t{whole});
    writer_->file.close();
    hdf5::move_into_place(writer_->temporary, name);
  } catch (const std::exception& error) {
    return fmt::format("{}: {}", file_.string(), error.what());
  }
  if (whole) {
    remove_incomplete(file_);
    return {};
  }
  return fmt::format("{}: {} of the results could not be written: {}; all others are in {}", file_.string(),
                     failures_.size(), sentence_of(failures_), name.string());
}

void ResultsFile::commit() {
  const std::string failure = comm_.is_root() && !measuring() ? write_to_end() : std::string();
  if (comm_.any(!failure.empty()))
    throw Error(failure.empty() ? "rank 0 could not write the results" : failure);
}

}  // namespace qheat
