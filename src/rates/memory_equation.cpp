#include "qheat/rates/memory_equation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "qheat/kernel/convolution_quadrature.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/rates/cell_probabilities.hpp"

namespace qheat {
namespace {

using Vector = std::vector<double>;
using Report = std::function<void(double)>;

void add(double scale, const Vector& vector, Vector& sum) {
  for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += scale * vector[e];
}

/// The equation on one sector and one grid. Vectors are whole on all ranks, a matrix's columns are not.
class SectorEquation {
 public:
  /// `at_once`: K_0, or null if it is zero.
  SectorEquation(const std::vector<FullColumns>& kernel, const FullColumns* at_once, double step,
                 const Communicator& comm)
      : kernel_(kernel), at_once_(at_once), step_(step), comm_(comm), quadrature_(kernel.size()) {}

  /// P at all times of the grid.
  std::vector<Vector> solve(const Vector& initial, const Report& report) {
    p_.assign(quadrature_.start_points(), initial);
    q_.assign(p_.size(), Vector(initial.size(), 0.0));
    iterate([&] { return start(initial); });
    while (p_.size() < kernel_.size()) {
      advance(initial);
      const double share = static_cast<double>(p_.size()) / static_cast<double>(kernel_.size());
      report(share * share);
    }
    return std::move(p_);
  }

 private:
  /// Repeats until the change it returns is rounding, or too many times: then another grid will tell.
  template <class Improve>
  static void iterate(const Improve& improve) {
    constexpr int kMostIterations = 60;
    constexpr double kRounding = std::numeric_limits<double>::epsilon();
    for (int iteration = 0; iteration < kMostIterations; ++iteration) {
      const double change = improve();
      if (change <= kRounding || std::isinf(change)) return;
    }
  }

  /// sum += scale N_n vector; this rank's part of the sum over columns.
  void add_product(double scale, std::size_t n, const Vector& vector, Vector& sum) const {
    add_product(scale, kernel_[n], vector, sum);
  }
  /// sum += K_0 vector, likewise.
  void add_at_once(const Vector& vector, Vector& sum) const {
    if (at_once_ != nullptr) add_product(1.0, *at_once_, vector, sum);
  }
  static void add_product(double scale, const FullColumns& matrix, const Vector& vector, Vector& sum) {
    const auto values = matrix.values.block();
    for (Index j = 0; j < values.columns(); ++j) {
      const double factor = scale * at(vector, at(matrix.cells, j));
      if (factor == 0.0) continue;
      const double* column = values.column(j);
      for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += factor * column[e];
    }
  }

  /// One iteration for the first points, which depend on each other. Returns the largest change.
  double start(const Vector& initial) {
    const std::size_t points = p_.size();
    Vector integrals;  // [n][cells]
    for (std::size_t n = 0; n < points; ++n) {
      const Vector weights = quadrature_.weights(n);
      q_[n].assign(initial.size(), 0.0);
      for (std::size_t j = 0; j < points; ++j) add(step_ * weights[j], p_[j], q_[n]);
    }
    for (std::size_t n = 0; n < points; ++n) {
      Vector integral(initial.size(), 0.0);
      for (std::size_t i = 0; i < points; ++i) {
        Vector weighted(initial.size(), 0.0);
        for (std::size_t j = 0; j < points; ++j) add(quadrature_.start_weight(n, i, j), q_[j], weighted);
        add_product(step_, i, weighted, integral);
      }
      add_at_once(q_[n], integral);
      integrals.insert(integrals.end(), integral.begin(), integral.end());
    }
    comm_.sum(integrals);
    double change = 0.0;
    for (std::size_t n = 0; n < points; ++n) {
      Vector next = initial;
      for (std::size_t e = 0; e < next.size(); ++e) next[e] += integrals[n * next.size() + e];
      change = std::max(change, largest_difference(next, p_[n]));
      p_[n] = std::move(next);
    }
    return change;
  }

  /// The next time. N(0) and K_0 act on Q there, which holds a small part of the unknown P.
  void advance(const Vector& initial) {
    const std::size_t n = p_.size();
    const Vector weights = quadrature_.weights(n);
    Vector known(initial.size(), 0.0);
    Vector known_q(initial.size(), 0.0);
    for (std::size_t j = 0; j < n; ++j) {
      add_product(step_ * weights[j], n - j, q_[j], known);
      add(step_ * weights[j], p_[j], known_q);
    }
    comm_.sum(known);
    add(1.0, initial, known);
    p_.push_back(p_.back());
    q_.push_back(known_q);
    iterate([&] {
      q_[n] = known_q;
      add(step_ * weights[n], p_[n], q_[n]);
      Vector next(initial.size(), 0.0);
      add_product(step_ * weights[n], 0, q_[n], next);
      add_at_once(q_[n], next);
      comm_.sum(next);
      add(1.0, known, next);
      const double change = largest_difference(next, p_[n]);
      p_[n] = std::move(next);
      return change;
    });
  }

  const std::vector<FullColumns>& kernel_;
  const FullColumns* at_once_;
  double step_;
  Communicator comm_;
  ConvolutionQuadrature quadrature_;
  std::vector<Vector> p_, q_;  ///< P and its integral, [times]
};

/// Populations of sites at the output times on one grid, [T][N][L].
Vector solve_on(const MemoryKernel& kernel, const MemoryKernel::Resolution& grid, const CellSpace& cells,
                const Vector& initial, const Communicator& comm, const Report& report) {
  const std::size_t outputs = kernel.outputs();
  std::vector<Vector> p(outputs, Vector(initial.size()));
  for (std::size_t s = 0; s < grid.sectors.size(); ++s) {
    const CellSector& sector = cells.sectors()[s];
    const auto first = sector.first;
    const auto of_sector = initial.begin() + first;
    const auto sectors = static_cast<double>(grid.sectors.size());
    SectorEquation equation(grid.sectors[s], kernel.at_once().empty() ? nullptr : &kernel.at_once()[s],
                            grid.step, comm);
    const auto solution =
        equation.solve(Vector(of_sector, of_sector + sector.cells.dimension()),
                       [&](double share) { report((static_cast<double>(s) + share) / sectors); });
    for (std::size_t k = 0; k < outputs; ++k) {
      const Vector& now = solution[k * grid.steps_per_output];
      std::copy(now.begin(), now.end(), p[k].begin() + first);
    }
  }
  Vector populations;
  for (const Vector& now : p) {
    const Vector of_sites = site_populations(cells, now);
    populations.insert(populations.end(), of_sites.begin(), of_sites.end());
  }
  return populations;
}

}  // namespace

MemorySolution solve_memory(const Model& model, const InitialState& initial, const CellSpace& cells,
                            const MemoryKernel& kernel, const Communicator& comm, RunControl& control,
                            Timings& timings) {
  const Timings::Scope scope(timings, "memory equation");
  MemorySolution result;
  Vector& populations = result.solution.populations;
  const auto load = [&](StateReader& reader) {
    populations = reader.replicated("populations");
    result.error = reader.replicated("error").front();
  };
  if (!control.restore_finished(load)) {
    constexpr double kShareOfFiner = 0.8;
    const auto nothing = [](StateWriter&) {};
    const Vector start = cell_probabilities(cells, band_populations(model, initial.probabilities));
    populations = solve_on(kernel, kernel.finer(), cells, start, comm,
                           [&](double share) { control.offer(kShareOfFiner * share, nothing); });
    const Vector coarser = solve_on(kernel, kernel.coarser(), cells, start, comm, [&](double share) {
      control.offer(kShareOfFiner + (1.0 - kShareOfFiner) * share, nothing);
    });
    const double rounding = std::numeric_limits<double>::epsilon() *
                            static_cast<double>(kernel.outputs() * kernel.finer().steps_per_output);
    result.error = error_of_finer(largest_difference(populations, coarser)) + rounding;
    control.finish([&](StateWriter& writer) {
      writer.replicated("populations", populations);
      writer.replicated("error", std::vector<double>{result.error});
    });
  }
  result.solution.energy = energies_from_bands(model, populations);
  return result;
}

}  // namespace qheat
