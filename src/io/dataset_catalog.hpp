#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "qheat/model/units.hpp"

namespace qheat {

/// What a dataset measures, or, where it is no quantity of the model, its unit: "s", "unit of V".
struct DatasetUnit {
  constexpr DatasetUnit(Quantity measured) : quantity(measured) {}
  constexpr DatasetUnit(const char* text) : quantity(Quantity::number), other(text) {}

  Quantity quantity;
  std::string_view other;

  /// "1" for pure numbers; with hbar = k_B = 1 a time is 1/energy.
  std::string_view text() const { return other.empty() ? qheat::words_of(quantity).program_unit : other; }
};

/// A row of the table of what stands in results files (dataset_catalog.cpp): whatever a computation writes is
/// there, and in docs/results-file.md.
struct DatasetEntry {
  std::string_view path;  ///< without the first slash; * stands for any one name
  std::string_view axes;  ///< names, separated by spaces; none for a scalar
  DatasetUnit unit;
  std::string_view meaning;
};

/// The entry that the end of a path matches, and the path before it: "" or that of a point of a sweep.
struct CatalogMatch {
  const DatasetEntry* entry;
  std::string_view root;
  bool is_error = false;  ///< the dataset is the standard error of what the entry describes
};
/// `path` begins with a slash. `axes`: of the dataset; entries with other numbers of axes do not match.
std::optional<CatalogMatch> find_in_catalog(std::string_view path, std::size_t axes);

/// The unit of a number that tells of results as a whole: of a dataset of one number, or derived from others.
/// `name` without the first slash. None if it is not known.
std::optional<DatasetUnit> unit_of_scalar(std::string_view name);

/// The words of a text that spaces separate.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace qheat
