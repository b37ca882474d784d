#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qheat/io/job.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

/// A key of the job that takes several values.
struct SweptKey {
  std::string path;                ///< such as "bath.reservoir[0].rate"
  std::vector<std::string> texts;  ///< its values as they stand in a job file
  std::vector<double> numbers;     ///< the same; empty unless all of them are numbers
  bool averaged = false;           ///< results are averaged over it
};

/// What a job file stands for: one job, or by its table [sweep] many, each an ordinary job with some keys set
/// to other values.
class Sweep {
 public:
  /// Throws InputError with all problems of the file as a whole and of [sweep]. The jobs are read one by one,
  /// by job().
  Sweep(std::string text, std::string name);

  /// False if the file has no [sweep]: one point, no keys.
  bool swept() const { return swept_; }
  const std::vector<SweptKey>& keys() const { return keys_; }
  bool is_grid() const { return grid_; }
  Index points() const { return points_; }
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

  /// The number of a key's value at a point; of a grid the last key changes fastest.
  std::size_t value_at(Index point, std::size_t key) const;
  /// "interaction.strength = 0.05, site.detuning.seed = 3"; empty without [sweep].
  std::string label(Index point) const;
  /// A job file's text that stands for the job of a point alone.
  std::string job_text(Index point) const;
  /// The job of a point. Throws InputError with all its problems, those of swept values at their place in
  /// [sweep].
  Job job(Index point) const;

  /// The units that all points count in, with the site of one volume; none if there are none, or they differ.
  std::optional<UnitSystem> units() const;

  /// Points that differ in averaged keys alone have one group. Groups are numbered by their first points.
  std::vector<Index> groups() const;

 private:
  struct Tables;

  std::string text_;
  std::string name_;
  bool swept_ = false;
  bool grid_ = true;
  Index points_ = 1;
  std::vector<SweptKey> keys_;
  std::shared_ptr<const Tables> tables_;
};

/// The text of a job file. Throws InputError if it cannot be read.
std::string read_job_text(const std::filesystem::path& file);

}  // namespace qheat
