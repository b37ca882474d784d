#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "qheat/model/units.hpp"
#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/timings.hpp"

namespace qheat {

inline constexpr const char* kResultsFileType = "qheat results";  ///< attribute `filetype`

/// Name of the file that holds what could be written where something could not: a.incomplete.h5 beside a.h5.
std::filesystem::path incomplete_file(const std::filesystem::path& results);

/// Writes the results file (docs/results-file.md) on rank 0; the other ranks only agree on failures. The file
/// bears its final name only when it is whole. What cannot be written does not keep the rest from being
/// written: a file that lacks something gets the name <output>.incomplete.h5.
class ResultsFile {
 public:
  /// Collective, as is commit(); data calls do nothing on other ranks. `bytes`: what will be written; the
  /// file system must have room for it.
  ResultsFile(std::filesystem::path file, const Communicator& comm, Index bytes);
  /// Writes nothing and adds up what would be written.
  explicit ResultsFile(const Communicator& comm);
  ~ResultsFile();
  ResultsFile(const ResultsFile&) = delete;
  ResultsFile& operator=(const ResultsFile&) = delete;

  /// `values` may be empty where nothing is written: on other ranks, and while measuring.
  void dataset(const std::string& name, const std::vector<Index>& shape, std::span<const double> values);
  void dataset(const std::string& name, const std::vector<Index>& shape,
               std::span<const std::int64_t> values);
  void text(const std::string& name, const std::string& text);
  /// A group that attributes describe, whatever datasets it will have.
  void group(const std::string& name);
  /// Of a group or dataset that is there, or of the file ("/").
  void attribute(const std::string& object, const std::string& name, const std::string& text);
  void attribute(const std::string& object, const std::string& name, double value);
  void attribute(const std::string& object, const std::string& name, std::int64_t value);
  void attribute(const std::string& object, const std::string& name, std::span<const double> values);
  void attribute(const std::string& object, const std::string& name, std::span<const std::int64_t> values);
  void attribute(const std::string& object, const std::string& name, std::span<const std::string> texts);
  /// Every dataset of a quantity gets the attributes laboratory_units and laboratory_factor; what they follow
  /// from is in /units.
  void laboratory(const UnitSystem& units);
  /// [count, slice_shape...], filled by slice(number, values).
  void series(const std::string& name, Index count, const std::vector<Index>& slice_shape);
  void slice(const std::string& name, Index number, std::span<const double> values);
  void timings(const Timings& timings);
  /// All that another results file holds but for its timings, attributes included, as a group of this one.
  void copy(const std::filesystem::path& results, const std::string& group);

  /// True if sizes are added up and nothing is written anywhere.
  bool measures() const { return measuring(); }
  /// True where data are written.
  bool writes() const { return !measuring() && comm_.is_root(); }
  Index bytes() const { return bytes_; }

  /// Marks the file complete and gives it its name; if a write failed, marks it incomplete, with a list of
  /// what is missing. Collective; throws Error on all ranks if any write failed.
  void commit();

 private:
  bool measuring() const { return file_.empty(); }
  struct Writer;
  template <class Action>
  void guarded(const std::string& object, Index bytes, const Action& action);
  std::string write_to_end();

  std::filesystem::path file_;
  Communicator comm_;
  std::unique_ptr<Writer> writer_;
  std::optional<UnitSystem> laboratory_;
  std::set<std::string> described_;              ///< groups whose axes have their names (rank 0)
  std::map<std::string, std::string> failures_;  ///< object: why it could not be written (rank 0)
  Index bytes_ = 0;
};

}  // namespace qheat
