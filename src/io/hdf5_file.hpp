#pragma once

// The few HDF5 calls that results and checkpoints need, with errors as exceptions. Private to the library's
// sources.

#include <hdf5.h>

#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::hdf5 {

/// Owns an HDF5 identifier.
class Id {
 public:
  using Close = herr_t (*)(hid_t);
  Id(hid_t id, Close closer, const char* what) : id_(id), close_(closer) {
    if (id < 0) throw Error(std::string("HDF5 cannot ") + what);
  }
  Id(Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Id& operator=(Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  Id(const Id&) = delete;
  Id& operator=(const Id&) = delete;
  ~Id() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  /// Closes now; false if what was written did not reach the file.
  bool close() { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_;
  Close close_;
};

struct Attribute {
  std::string name;
  std::variant<std::vector<std::string>, std::vector<double>, std::vector<std::int64_t>> values;
  bool is_scalar = false;  ///< one value, and no list of one
};

/// A file that one rank writes, or any number of ranks read, each for itself; names are paths from the root,
/// groups are made on the way.
class File {
 public:
  /// `checksummed`: the newest format, in which the file's own structure bears checksums as well as its
  /// datasets.
  static File create(const std::filesystem::path& path, bool checksummed = false);
  static File open(const std::filesystem::path& path);

  void write(const std::string& name, const std::vector<Index>& shape, std::span<const double> values);
  void write(const std::string& name, const std::vector<Index>& shape, std::span<const std::int64_t> values);
  /// Of fixed length, which a file that is checksummed guards.
  void write_text(const std::string& name, const std::string& text);
  /// Of variable length, the only ones that netCDF reads.
  void write_variable_text(const std::string& name, const std::string& text);
  /// [count, shape...] to be filled slice by slice.
  void create_series(const std::string& name, Index count, const std::vector<Index>& slice_shape);
  void write_slice(const std::string& name, Index number, std::span<const double> values);
  /// A vector of `size`, to be filled part by part.
  void create_vector(const std::string& name, Index size);
  void write_part(const std::string& name, Index offset, std::span<const double> values);

  /// Of any size.
  void attribute(const std::string& object, const std::string& name, const std::string& text);
  void attribute(const std::string& object, const std::string& name, std::int64_t value);
  void attribute(const std::string& object, const std::string& name, double value);
  void attribute(const std::string& object, const std::string& name, std::span<const std::int64_t> values);
  void attribute(const std::string& object, const std::string& name, std::span<const double> values);
  void attribute(const std::string& object, const std::string& name, std::span<const std::string> texts);

  /// Makes a dataset of one axis a dimension scale.
  void make_scale(const std::string& name);
  bool is_scale(const std::string& name) const;
  /// Gives an axis of a dataset a dimension scale.
  void attach_scale(const std::string& name, unsigned axis, const std::string& scale);
  /// A dataset of another file, without its attributes.
  void copy(const File& source, const std::string& name, const std::string& to);

  bool has(const std::string& name) const;
  /// True for datasets of real numbers.
  bool is_real(const std::string& name) const;
  /// True for those of real numbers and of integers.
  bool is_numeric(const std::string& name) const;
  /// The dataset that names the places along each axis of a dataset (its dimension scale); empty where there
  /// is none.
  std::vector<std::string> scales(const std::string& name) const;
  std::vector<Index> shape(const std::string& name) const;
  /// Number of elements.
  Index size(const std::string& name) const;
  std::vector<double> read(const std::string& name) const;
  void read_part(const std::string& name, Index offset, std::span<double> values) const;
  std::string read_text(const std::string& name) const;
  std::string text_attribute(const std::string& object, const std::string& name) const;
  std::vector<std::int64_t> integer_attribute(const std::string& object, const std::string& name) const;
  std::vector<double> real_attribute(const std::string& object, const std::string& name) const;
  bool has_attribute(const std::string& object, const std::string& name) const;
  /// All attributes of a group or a dataset, by name.
  std::vector<Attribute> attributes(const std::string& object) const;
  /// The groups that a path goes through (up to its last slash), with their members in the order of their
  /// making.
  void make_groups(const std::string& name);
  /// Paths of all datasets below a group.
  std::vector<std::string> datasets(const std::string& group) const;

  /// Writes everything out and closes; throws Error if that fails (a full disk shows here).
  void close();

 private:
  explicit File(Id file) : file_(std::move(file)) {}
  Id make_dataset(const std::string& name, hid_t type, const std::vector<Index>& shape,
                  const std::vector<Index>& chunk);
  void write_all(const std::string& name, hid_t type, const std::vector<Index>& shape, const void* values);
  void write_attribute(const std::string& object, const std::string& name, hid_t type, const Id& space,
                       const void* values);
  Id dataset(const std::string& name) const;

  Id file_;
};

/// Before the first file: silences HDF5's own error text (errors are exceptions), and keeps it from acting at
/// the program's exit, where it would trip over a file that a full disk has kept from closing.
void prepare();

/// Throws Error if the file system has no room for a file of this size at `path`; leaves nothing behind.
void require_room(const std::filesystem::path& path, Index bytes);

/// Makes `from` the file `to` for good: flushed to the disk, then renamed. Throws Error.
void move_into_place(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace qheat::hdf5
