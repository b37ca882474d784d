#include "propagator/cell_relaxation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "qheat/operators/bath_rates.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {

CellRelaxation::CellRelaxation(const Model& model, const Sector& cells) : cells_(as_size(cells.dimension())) {
  const TermSum<double> generator = band_generator(model);
  std::vector<double> sums(cells_, 0.0);
  std::vector<Level> bands(as_size(cells.sites()));
  for (std::size_t from = 0; from < cells_; ++from) {
    cells.configuration(static_cast<Index>(from), bands);
    for (const auto& term : generator.terms) {
      const LocalCode here = code_on(std::span<const Level>(bands), term.sites, generator.levels);
      for (const auto& e : term.elements) {
        if (e.from != here) continue;
        write_code(e.to, term.sites, generator.levels, std::span(bands));
        const Index to = cells.index(bands);
        write_code(here, term.sites, generator.levels, std::span(bands));
        QHEAT_ASSERT(to >= 0);
        entries_.push_back({as_size(to), from, e.value});
        sums[from] += std::abs(e.value);
      }
    }
  }
  for (const double sum : sums) norm_ = std::max(norm_, sum);
}

void CellRelaxation::add(double factor, const std::vector<double>& x, std::vector<double>& y) const {
  for (const Entry& e : entries_) y[e.to] += factor * e.rate * x[e.from];
}

CellColumns CellRelaxation::generator(const CellColumnLayout& layout) const {
  CellColumns result = layout.zero();
  for (Index local = 0; local < layout.count(); ++local) {
    std::vector<double> unit(cells_, 0.0);
    std::vector<double> column(cells_, 0.0);
    at(unit, layout.mirror().representative(layout.first() + local)) = 1.0;
    add(1.0, unit, column);
    set_column(layout, local, column, result);
  }
  return result;
}

CellRelaxation::Exponential CellRelaxation::exponential(const CellColumnLayout& layout, double t) const {
  constexpr int kTerms = 16;  // of a Taylor series to 1e-17 with a phase of 1/2
  constexpr double kLargestPhase = 700.0;
  if (norm_ * std::abs(t) > kLargestPhase) return {layout.zero(), std::numeric_limits<double>::infinity()};
  const int steps = std::max(1, static_cast<int>(std::ceil(2.0 * norm_ * std::abs(t))));
  Exponential result{layout.zero(), 0.0};
  std::vector<double> column;
  std::vector<double> term;
  std::vector<double> next;
  for (Index local = 0; local < layout.count(); ++local) {
    column.assign(cells_, 0.0);
    at(column, layout.mirror().representative(layout.first() + local)) = 1.0;
    for (int s = 0; s < steps; ++s) {
      term = column;
      for (int k = 1; k <= kTerms; ++k) {
        next.assign(cells_, 0.0);
        add(t / steps / k, term, next);
        std::swap(term, next);
        for (std::size_t c = 0; c < cells_; ++c) column[c] += term[c];
      }
    }
    double sum = 0.0;
    for (const double element : column) sum += std::abs(element);
    result.size = std::max(result.size, sum);
    set_column(layout, local, column, result.columns);
  }
  result.size = layout.comm().max(result.size);
  return result;
}

}  // namespace qheat
