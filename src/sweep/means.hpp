#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qheat/io/results.hpp"

namespace qheat {

/// The mean of values and the standard error of this mean; NaN with fewer than two values.
class MeanAndError {
 public:
  explicit MeanAndError(std::size_t size) : mean_(size), squares_(size) {}

  void add(std::span<const double> values);
  const std::vector<double>& mean() const { return mean_; }
  std::vector<double> error() const;

 private:
  double count_ = 0.0;
  std::vector<double> mean_;
  std::vector<double> squares_;  ///< sums of squared distances from the mean
};

/// The standard error of a mean takes the place of a dataset's own error, x_error beside x.
bool is_error_of_another(const std::string& name, const std::vector<std::string>& names);

/// Writes the means over several results files into a group: of every dataset of real numbers that all of
/// them have in one shape, beside it its standard error, `<name>_error`. What describes them (times, bonds,
/// cells, the model) is copied where it is the same in all.
void write_means(const std::vector<std::filesystem::path>& results, const std::string& group,
                 ResultsFile& file);

}  // namespace qheat
