#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qheat/io/sweep.hpp"
#include "qheat/parallel/communicator.hpp"

namespace qheat {

/// Every n-th point of a sweep, for job arrays: of "3/16" the points 2, 18, 34, ...
struct Share {
  Index number = 1;  ///< from 1 to `of`
  Index of = 1;
};
/// Reads "3/16". Throws InputError.
Share parse_share(const std::string& text);

/// The points of a share, in their order.
std::vector<Index> points_of(const Sweep& sweep, const Share& share);

/// What points leave beside the results file of their sweep until it holds them all: the folder
/// <output>.points with a results file for each, 0007.h5 with its checkpoints, or 0007.failed, the reason why
/// not; and job.toml, the job file that they belong to. The sweep must outlive it.
class PointFiles {
 public:
  PointFiles(const Sweep& sweep, const std::filesystem::path& output);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path results(Index point) const;

  /// Makes the folder a place for this sweep. With `keep` throws InputError if it belongs to another job.
  /// Throws Error where it cannot be made. On one rank.
  void prepare(bool keep) const;
  /// Throws InputError if the folder is there and belongs to another job. On one rank.
  void require_same_job() const;
  /// True if the results of this very job are there and complete.
  bool is_finished(Index point) const;
  void note_failure(Index point, const std::string& why) const;
  /// Why a point failed, or what of it could not be computed; empty if nothing is known.
  std::string failure(Index point) const;
  /// All that a point has left, if anything.
  void remove(Index point) const;
  /// The folder, once nothing of anybody else is in it.
  void remove_folder() const;

 private:
  std::filesystem::path beside(Index point, const char* suffix) const;
  std::filesystem::path job_file() const { return folder_ / "job.toml"; }

  const Sweep& sweep_;
  std::filesystem::path folder_;
  int digits_;
};

}  // namespace qheat
