#include "studies/matrix_element_study.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr double kMomentSeconds = 4e-5;   // of a level squared: overlaps of all frequencies, of one core
constexpr double kElementSeconds = 2e-6;  // of an element of square wells
constexpr double kTermSeconds = 3.5e-7;   // of a term of an element of harmonic wells
constexpr double kLeastDigits = 1e-6;     // an error beyond this share of the largest element is a failure

double elements_of(double levels, bool tensor) {
  return 2.0 * levels * levels + (tensor ? std::pow(levels * (levels + 1.0) / 2.0, 2) : 0.0);
}

}  // namespace

MatrixElementStudy::MatrixElementStudy(const Job& job, const StudyContext& context)
    : well_(*job.well),
      levels_(job.matrix_elements->levels),
      tensor_(job.matrix_elements->tensor),
      context_(context) {}

void MatrixElementStudy::describe(Report& report) const {
  report.say("matrix elements between {} levels a well, by moments of V with 100 digits{}\n", levels_,
             tensor_ ? "; all <ab|V|cd>" : "");
}

Need MatrixElementStudy::need(int, double) const {
  const double levels = levels_;
  const double tensor = tensor_ ? sizeof(double) * std::pow(levels, 4) : 0.0;
  const bool harmonic = well_.well.shape == Well::Shape::harmonic;
  const double one = harmonic ? kTermSeconds * levels * levels / 4.0 : kElementSeconds;
  Need need{.bytes_per_rank = tensor + 4e3 * levels * levels,
            .kept_bytes_per_rank = tensor,
            .work = {.dense = kMomentSeconds * levels * levels + 2.0 * one * elements_of(levels, tensor_)},
            .sensible_ranks = std::max(1, levels_ / 4)};
  need.least_bytes_per_rank = need.bytes_per_rank;
  need.what = "all elements between two wells";
  need.remedy = "lower matrix-elements.levels, or leave out matrix-elements.tensor";
  return need;
}

void MatrixElementStudy::compute() {
  const Stage stage(context_.control, "matrix elements");
  const Timings::Scope scope(context_.timings, "matrix elements");
  context_.progress.log("matrix elements");
  found_ = element_table(well_.well, well_.potential, levels_, tensor_, context_.comm, context_.control);
}

std::vector<double> MatrixElementStudy::weighted(const std::vector<double>& direct,
                                                 const std::vector<double>& exchange, bool sizes) const {
  const double l1 = sizes ? std::abs(well_.direct) : well_.direct;
  const double l2 = sizes ? std::abs(well_.exchange) : well_.exchange;
  std::vector<double> sum(direct.size());
  std::transform(direct.begin(), direct.end(), exchange.begin(), sum.begin(),
                 [&](double d, double e) { return l1 * d + l2 * e; });
  return sum;
}

MatrixElementStudy::Spread MatrixElementStudy::spread() const {
  const auto total = weighted(found_.direct, found_.exchange, false);
  const auto error = weighted(found_.direct_error, found_.exchange_error, true);
  Spread spread;
  spread.error = *std::max_element(error.begin(), error.end());
  std::vector<double> sizes;
  for (int a = 0; a < levels_; ++a) {
    for (int b = 0; b < levels_; ++b) {
      if (a != b) sizes.push_back(std::abs(at(total, a * levels_ + b)));
    }
  }
  const auto count = static_cast<double>(sizes.size());
  spread.mean = std::accumulate(sizes.begin(), sizes.end(), 0.0) / count;
  for (const double size : sizes) spread.deviation += (size - spread.mean) * (size - spread.mean) / count;
  spread.deviation = std::sqrt(spread.deviation);
  if (!(spread.mean > spread.error))
    spread.mean = spread.deviation = std::numeric_limits<double>::quiet_NaN();
  return spread;
}

void MatrixElementStudy::write(ResultsFile& file) {
  const Index n = levels_;
  const std::string group = "/matrix_elements/";
  const int first = well_.well.first();
  std::vector<std::int64_t> numbers(as_size(levels_));
  std::iota(numbers.begin(), numbers.end(), first);
  file.dataset(group + "level", {n}, numbers);
  file.dataset(group + "direct", {n, n}, found_.direct);
  file.dataset(group + "direct_error", {n, n}, found_.direct_error);
  file.dataset(group + "exchange", {n, n}, found_.exchange);
  file.dataset(group + "exchange_error", {n, n}, found_.exchange_error);
  file.dataset(group + "total", {n, n}, weighted(found_.direct, found_.exchange, false));
  file.dataset(group + "error", {n, n}, weighted(found_.direct_error, found_.exchange_error, true));
  if (levels_ > 1) file.dataset(group + "spread", {1}, std::vector<double>{spread().relative()});
  if (tensor_) file.dataset(group + "tensor", {n, n, n, n}, found_.tensor);
  std::vector<std::int64_t> resonant;
  for (const Resonance& resonance : found_.resonances) {
    for (const int level : resonance) resonant.push_back(level + first);
  }
  const auto count = static_cast<Index>(found_.resonances.size());
  if (count == 0) return;
  file.dataset(group + "resonances", {count, 4}, resonant);
  file.dataset(group + "resonance_element", {count}, found_.resonance_elements);
}

void MatrixElementStudy::summarize(Report& report) const {
  if (levels_ > 1) {
    const Spread all = spread();
    report.say(
        "matrix elements |total| of two different levels: mean {:.6g}, standard deviation {:.3g} ({:.2g} %), "
        "errors at most {:.1e}\n",
        all.mean, all.deviation, 100.0 * all.relative(), all.error);
  }
  const auto active = std::count_if(found_.resonance_elements.begin(), found_.resonance_elements.end(),
                                    [](double v) { return std::abs(v) > 1e-13; });
  report.say("                {} resonances of pairs of levels, {} with an element\n",
             found_.resonances.size(), active);
}

std::vector<std::string> MatrixElementStudy::failures() const {
  const auto largest = [](const std::vector<double>& values) {
    double result = 0.0;
    for (const double v : values) result = std::max(result, std::abs(v));
    return result;
  };
  const double error =
      std::max({largest(found_.direct_error), largest(found_.exchange_error), found_.tensor_error});
  const double size = std::max(largest(found_.direct), largest(found_.exchange));
  // a table of V leaves open what lies between its rows, which is its author's choice
  const double open = 2.0 * well_.potential.value_error;
  if (size == 0.0 || error <= kLeastDigits * size + open) return {};
  return {
      fmt::format("the matrix elements are known to {:.1e} only, the largest is {:.3g}; use a smoother "
                  "potential or fewer levels",
                  error, size)};
}

}  // namespace qheat
