#include "qheat/io/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "io/hash.hpp"
#include "io/hdf5_file.hpp"
#include "io/version.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/stop_signals.hpp"

namespace qheat {
namespace {

constexpr std::int64_t kFormat[2] = {7, 0};
constexpr const char* kFileType = "qheat checkpoint";
constexpr const char* kInventory = "/inventory";

std::filesystem::path with_suffix(const std::filesystem::path& path, const char* suffix) {
  return std::filesystem::path(path.string() + suffix);
}

/// a.h5.end beside a.h5.chk.
std::filesystem::path end_file(const std::filesystem::path& checkpoint) {
  return std::filesystem::path(checkpoint).replace_extension(".end");
}

constexpr Index kPiece = 1 << 20;  // doubles that travel to the writing rank at a time

/// Adds up what a state takes in a file.
class SizeCounter final : public StateWriter {
 public:
  void replicated(const std::string&, std::span<const double> values) override {
    add(static_cast<Index>(values.size()));
  }
  void distributed(const std::string&, std::span<const double>, Index, Index global_size) override {
    add(global_size);
  }
  Index bytes() const { return bytes_; }

 private:
  void add(Index doubles) {
    constexpr Index kOverhead = 4096;  // of a dataset
    bytes_ += doubles * static_cast<Index>(sizeof(double)) + doubles / 1000 + kOverhead;
  }
  Index bytes_ = 0;
};

/// Rank 0 writes; distributed vectors reach it in pieces. A failure to write (a full disk) is kept until the
/// end, so that no rank waits for one that has given up.
class FileWriter final : public StateWriter {
 public:
  /// `file`: rank 0's; null on the others, and where writing has failed before.
  FileWriter(hdf5::File* file, std::string group, const Communicator& comm)
      : file_(file), group_(std::move(group)), comm_(comm) {}

  void replicated(const std::string& name, std::span<const double> values) override {
    attempt([&] { file_->write(group_ + "/" + name, {static_cast<Index>(values.size())}, values); });
  }

  void distributed(const std::string& name, std::span<const double> local, Index offset,
                   Index global_size) override {
    const std::string place = group_ + "/" + name;
    attempt([&] { file_->create_vector(place, global_size); });
    attempt([&] { file_->write_part(place, offset, local); });
    const Index mine[2] = {offset, static_cast<Index>(local.size())};
    std::vector<Index> parts(2 * as_size(comm_.size()));
    MPI_Gather(mine, 2, MPI_INT64_T, parts.data(), 2, MPI_INT64_T, 0, comm_.get());
    if (!comm_.is_root()) {
      for (Index at = 0; at < mine[1]; at += kPiece) {
        const auto count = static_cast<int>(std::min(kPiece, mine[1] - at));
        MPI_Send(local.data() + at, count, MPI_DOUBLE, 0, kTag, comm_.get());
      }
      return;
    }
    std::vector<double> piece;
    for (int rank = 1; rank < comm_.size(); ++rank) {
      const Index start = parts[2 * as_size(rank)];
      const Index size = parts[2 * as_size(rank) + 1];
      for (Index at = 0; at < size; at += kPiece) {
        piece.resize(as_size(std::min(kPiece, size - at)));
        MPI_Recv(piece.data(), static_cast<int>(piece.size()), MPI_DOUBLE, rank, kTag, comm_.get(),
                 MPI_STATUS_IGNORE);
        attempt([&] { file_->write_part(place, start + at, piece); });
      }
    }
  }

  const std::string& failure() const { return failure_; }

 private:
  static constexpr int kTag = 8;

  template <class Action>
  void attempt(const Action& action) {
    if (file_ == nullptr) return;
    try {
      action();
    } catch (const Error& error) {
      failure_ = error.what();
      file_ = nullptr;
    }
  }

  hdf5::File* file_;
  std::string group_;
  Communicator comm_;
  std::string failure_;
};

class FileReader final : public StateReader {
 public:
  FileReader(const hdf5::File& file, std::string group) : file_(file), group_(std::move(group)) {}
  std::vector<double> replicated(const std::string& name) override { return file_.read(group_ + "/" + name); }
  void distributed(const std::string& name, std::span<double> local, Index offset, Index) override {
    file_.read_part(group_ + "/" + name, offset, local);
  }

 private:
  const hdf5::File& file_;
  std::string group_;
};

class RecordWriter final : public StateWriter {
 public:
  explicit RecordWriter(std::map<std::string, std::vector<double>>& record) : record_(record) {}
  void replicated(const std::string& name, std::span<const double> values) override {
    record_[name].assign(values.begin(), values.end());
  }
  void distributed(const std::string& name, std::span<const double>, Index, Index) override {
    throw Error("the results of a finished stage are small and the same on all ranks; " + name + " is not");
  }

 private:
  std::map<std::string, std::vector<double>>& record_;
};

class RecordReader final : public StateReader {
 public:
  explicit RecordReader(const std::map<std::string, std::vector<double>>& record) : record_(record) {}
  std::vector<double> replicated(const std::string& name) override { return record_.at(name); }
  void distributed(const std::string& name, std::span<double>, Index, Index) override {
    throw Error("a finished stage has no distributed " + name);
  }

 private:
  const std::map<std::string, std::vector<double>>& record_;
};

/// All datasets of a checkpoint, one a line: a damaged index of a group can hide some without any other sign.
std::string inventory(const hdf5::File& file) {
  std::string lines;
  for (const auto& name : file.datasets("/")) {
    if (name != kInventory) lines += name + '\n';
  }
  return lines;
}

std::string hash(const std::string& text) {
  Hash value;
  value.add(text);
  return value.text();
}

}  // namespace

CheckpointedRun::CheckpointedRun(CheckpointOptions options, RunIdentity identity, double started,
                                 const Communicator& comm, Progress& progress)
    : options_(std::move(options)),
      identity_(std::move(identity)),
      started_(started),
      comm_(comm),
      progress_(progress),
      last_saved_(MPI_Wtime()),
      last_offer_(last_saved_) {
  if (options_.resume) load_newest();
}

CheckpointedRun::~CheckpointedRun() = default;

std::string CheckpointedRun::path() const {
  return fmt::format("/{}", fmt::join(stages_, "/"));
}

void CheckpointedRun::enter(const std::string& stage) {
  stages_.push_back(stage);
  standing_ = {};
}

void CheckpointedRun::leave() noexcept {
  stages_.pop_back();
  standing_ = {};
}

void CheckpointedRun::load_newest() {
  bool found = false;
  for (const auto& file : {options_.file, with_suffix(options_.file, ".prev"), end_file(options_.file)}) {
    if (!comm_.any(comm_.is_root() && std::filesystem::exists(file))) continue;
    found = true;
    std::string why_not;
    if (load_file(file, why_not)) {
      progress_.log(
          fmt::format("{} {}", extending_ ? "going on to a later end from" : "resuming from", file.string()));
      return;
    }
    progress_.log(fmt::format("{} cannot be used: {}", file.string(), why_not));
    if (file == options_.file) newest_usable_ = false;
  }
  progress_.log(found ? "no checkpoint is usable: starting afresh"
                      : fmt::format("there is no checkpoint {}: starting afresh", options_.file.string()));
}

/// Whether a checkpoint is of the same job to an earlier end, with outputs at the same times as far as it
/// goes.
bool CheckpointedRun::extends_earlier(const hdf5::File& file) const {
  constexpr double kSame = 1e-12;
  if (!file.has_attribute("/", "text_without_times")) return false;
  const double end = file.real_attribute("/", "end").at(0);
  const std::int64_t outputs = file.integer_attribute("/", "outputs").at(0);
  if (file.text_attribute("/", "text_without_times") != hash(identity_.text_without_times)) return false;
  if (outputs < 2 || outputs >= identity_.outputs) return false;
  const double spacing = end / static_cast<double>(outputs - 1);
  return std::abs(spacing * static_cast<double>(identity_.outputs - 1) - identity_.end) <=
         kSame * identity_.end;
}

bool CheckpointedRun::load_file(const std::filesystem::path& name, std::string& why_not) {
  std::map<std::string, Record> finished;
  std::string partial;
  std::string job_text;
  bool matches = true;
  bool extends = false;
  bool ok = true;
  try {
    const hdf5::File file = hdf5::File::open(name);
    if (!file.has_attribute("/", "complete")) throw Error("it was not written to its end");
    if (file.text_attribute("/", "filetype") != kFileType) throw Error("it is no checkpoint");
    if (file.integer_attribute("/", "format_version").at(0) != kFormat[0]) {
      throw Error("it was written by a version of qheat with another format");
    }
    if (file.read_text(kInventory) != inventory(file)) throw Error("it is damaged: datasets are missing");
    matches = file.text_attribute("/", "digest") == identity_.digest;
    const bool same_job = file.text_attribute("/", "job_hash") == hash(identity_.job_text);
    extends = !same_job && extends_earlier(file);
    matches = matches && (same_job || extends);
    if (matches && extends && !file.has("/partial/extendable"))
      throw Error(
          "it holds no state from which a later time.end can be reached (states of [exact] alone are such)");
    if (matches) {
      for (const auto& dataset : file.datasets("/finished")) {
        const auto slash = dataset.rfind('/');
        const std::string stage = dataset.substr(9, slash - 9);  // behind "/finished"
        finished[stage][dataset.substr(slash + 1)] = file.read(dataset);
      }
      partial = file.text_attribute("/", "partial_stage");
      // Everything is read once now: a damaged file must be found while another one can be taken.
      for (const auto& dataset : file.datasets("/partial")) {
        const Index size = file.size(dataset);
        const Index share = (size + comm_.size() - 1) / comm_.size();
        const Index end = std::min(size, share * (comm_.rank() + 1));
        std::vector<double> piece(as_size(std::min(kPiece, share)));
        for (Index at = share * comm_.rank(); at < end; at += kPiece) {
          const Index count = std::min(kPiece, end - at);
          file.read_part(dataset, at, std::span(piece).first(as_size(count)));
        }
      }
    }
  } catch (const Error& error) {
    why_not = error.what();
    ok = false;
  }
  if (comm_.any(!ok)) {
    if (why_not.empty()) why_not = "another rank could not read it";
    return false;
  }
  if (comm_.any(!matches)) {
    throw InputError(
        fmt::format("{} belongs to another job (the job file has changed, or this version builds another "
                    "model from it); restore the job file, choose another output.file, or remove the "
                    "checkpoint",
                    name.string()));
  }
  extending_ = extends;
  if (!extends) finished_ = std::move(finished);  // results of other times
  partial_stage_ = partial;
  partial_file_ = name;
  saved_ = true;
  return true;
}

bool CheckpointedRun::restore_finished(const Load& load) {
  const auto place = finished_.find(path());
  if (place == finished_.end()) return false;
  RecordReader reader(place->second);
  load(reader);
  return true;
}

bool CheckpointedRun::restore_partial(const Load& load) {
  if (partial_stage_.empty() || partial_stage_ != path()) return false;
  const hdf5::File file = hdf5::File::open(partial_file_);
  FileReader reader(file, "/partial");
  load(reader);
  partial_stage_.clear();
  return true;
}

void CheckpointedRun::reach(double time, double end) {
  standing_.time = {time, end};
}

void CheckpointedRun::offer(double fraction, const Save& save) {
  progress_.update(stages_.front(), fraction);
  standing_.fraction = fraction;
  const double now = MPI_Wtime();
  longest_pause_ = std::max(longest_pause_, now - last_offer_);
  last_offer_ = now;
  // Rank 0's clock and anybody's signal decide for all.
  constexpr int kSave = 1;
  constexpr int kStop = 2;
  int wish = stop_signal_received() ? kStop : 0;
  if (comm_.is_root()) {
    const double needed = 1.5 * longest_pause_ + 2.0 * longest_write_ + 1.0;
    if (options_.max_time > 0.0 && now - started_ + needed > options_.max_time) wish = kStop;
    if (options_.stop_asked && options_.stop_asked()) wish = kStop;
    if (wish == 0 && now - last_saved_ > options_.interval) wish = kSave;
  }
  wish = comm_.max(wish);
  if (wish == 0) return;
  const bool saved = write(save);
  if (wish == kStop) {
    if (!saved)
      throw Error(fmt::format("the run was asked to stop but could not save its state{}",
                              saved_ ? "; the checkpoint before is intact" : ""));
    throw Stopped();
  }
}

void CheckpointedRun::finish(const Save& save) {
  const std::string here = path();
  std::erase_if(finished_, [&](const auto& entry) { return entry.first.rfind(here + "/", 0) == 0; });
  RecordWriter writer(finished_[here]);
  save(writer);
}

/// Writes a whole checkpoint; why it failed on this rank, or nothing.
std::string CheckpointedRun::write_beside(const std::filesystem::path& temporary, const Save& save) const {
  std::string failure;
  std::optional<hdf5::File> file;
  SizeCounter size;
  save(size);
  for (const auto& [stage, record] : finished_) {
    for (const auto& [name, values] : record) size.replicated(name, values);
  }
  const auto on_root = [&](const auto& action) {
    if (!comm_.is_root() || !failure.empty()) return;
    try {
      action();
    } catch (const std::exception& error) {
      failure = error.what();
    }
  };
  on_root([&] {
    constexpr Index kHeader = 1 << 18;
    hdf5::require_room(temporary, size.bytes() + kHeader + static_cast<Index>(identity_.job_text.size()));
    file.emplace(hdf5::File::create(temporary, true));
    write_header(*file);
  });
  FileWriter writer(failure.empty() && file ? &*file : nullptr, "/partial", comm_);
  save(writer);
  if (failure.empty()) failure = writer.failure();
  on_root([&] {
    file->write_text(kInventory, inventory(*file));
    file->attribute("/", "complete", std::int64_t{1});
    file->close();
  });
  return failure;
}

/// Writes a whole checkpoint and gives it its name, after `before_it` on rank 0; why that failed, on all
/// ranks, or nothing.
std::string CheckpointedRun::put(const std::filesystem::path& file, const Save& save,
                                 const std::function<void()>& before_it) const {
  const auto temporary = with_suffix(file, ".tmp");
  std::string failure = write_beside(temporary, save);
  if (!comm_.any(!failure.empty()) && comm_.is_root()) {
    try {
      before_it();
      hdf5::move_into_place(temporary, file);
    } catch (const std::exception& error) {
      failure = error.what();
    }
  }
  if (!comm_.any(!failure.empty())) return {};
  if (comm_.is_root()) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
  }
  return failure.empty() ? "another rank failed" : failure;
}

bool CheckpointedRun::write(const Save& save) {
  const double start = MPI_Wtime();
  const std::string failure = put(options_.file, save, [&] {
    if (newest_usable_ && std::filesystem::exists(options_.file))
      std::filesystem::rename(options_.file, with_suffix(options_.file, ".prev"));
  });
  if (failure.empty()) {
    newest_usable_ = true;
    saved_ = true;
  } else {
    tell_failure(failure);
  }
  last_saved_ = MPI_Wtime();
  last_offer_ = last_saved_;
  longest_write_ = std::max(longest_write_, last_saved_ - start);
  return failure.empty();
}

void CheckpointedRun::keep_end(const Save& save) {
  if (!options_.keep_state) return;
  const std::string failure = put(end_file(options_.file), save, [] {});
  if (!failure.empty())
    throw Error(fmt::format("the state at the end (output.keep_state) could not be written: {}", failure));
}

void CheckpointedRun::tell_failure(const std::string& failure) {
  constexpr double kPause = 60.0;  // seconds between repetitions of the same message
  if (failure == told_failure_ && MPI_Wtime() - told_at_ < kPause) return;
  told_failure_ = failure;
  told_at_ = MPI_Wtime();
  progress_.log(fmt::format("checkpoint failed, the run goes on: {}", failure));
}

void CheckpointedRun::write_header(hdf5::File& file) const {
  file.attribute("/", "filetype", kFileType);
  file.attribute("/", "format_version", kFormat);
  file.attribute("/", "qheat_version", kVersion);
  file.attribute("/", "job_hash", hash(identity_.job_text));
  file.attribute("/", "digest", identity_.digest);
  file.attribute("/", "text_without_times", hash(identity_.text_without_times));
  file.attribute("/", "end", identity_.end);
  file.attribute("/", "outputs", identity_.outputs);
  file.attribute("/", "partial_stage", path());
  file.attribute("/", "fraction", standing_.fraction);
  if (standing_.time) {
    file.attribute("/", "output_time", standing_.time->first);
    file.attribute("/", "last_output_time", standing_.time->second);
  }
  file.write_text("/job", identity_.job_text);
  for (const auto& [stage, record] : finished_) {
    for (const auto& [name, values] : record) {
      file.write("/finished" + stage + "/" + name, {static_cast<Index>(values.size())}, values);
    }
  }
}

void CheckpointedRun::keep() {
  write([](StateWriter&) {});
}

void CheckpointedRun::discard() {
  if (!partial_stage_.empty()) progress_.log("the earlier state did not fit: everything was computed anew");
  if (!comm_.is_root()) return;
  if (options_.keep_state && !std::filesystem::exists(end_file(options_.file)))
    progress_.log(
        "no state was kept: output.keep_state is for [exact] of one state vector or density matrix");
  for (const char* suffix : {"", ".prev", ".tmp"}) {
    std::error_code ignored;
    std::filesystem::remove(with_suffix(options_.file, suffix), ignored);
  }
}

}  // namespace qheat
