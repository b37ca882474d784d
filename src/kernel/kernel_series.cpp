#include "qheat/kernel/kernel_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qheat/kernel/kernel_interpolant.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr std::size_t kScores = 8;

/// Largest |K_cc| over all ranks.
double fastest_rate(const KernelValue& kernel, const Communicator& comm) {
  double fastest = 0.0;
  for (const auto& sector : kernel.sectors) {
    for (std::size_t j = 0; j < sector.cells.size(); ++j) {
      fastest =
          std::max(fastest, std::abs(sector.values.block().column(static_cast<Index>(j))[sector.cells[j]]));
    }
  }
  return comm.max(fastest);
}

double largest_element(const TermSum<double>& sum) {
  double largest = 0.0;
  for (const auto& term : sum.terms)
    for (const auto& element : term.elements) largest = std::max(largest, std::abs(element.value));
  return largest;
}

std::vector<double> flat(const Assumptions& a) {
  std::vector<double> values = {
      a.symmetry,      a.locality,           a.additivity, a.spectator_independence, a.energy_conservation,
      a.swap_fraction, a.level_independence, a.negativity};
  for (const Index count : a.compared) values.push_back(static_cast<double>(count));
  values.insert(values.end(), a.bond_rate.begin(), a.bond_rate.end());
  return values;
}

Assumptions from_flat(std::span<const double> v) {
  Assumptions a{.symmetry = v[0],
                .locality = v[1],
                .additivity = v[2],
                .spectator_independence = v[3],
                .energy_conservation = v[4],
                .swap_fraction = v[5],
                .level_independence = v[6],
                .negativity = v[7],
                .compared = {},
                .bond_rate = {}};
  for (std::size_t k = 0; k < kScores; ++k) a.compared[k] = static_cast<Index>(v[kScores + k]);
  a.bond_rate.assign(v.begin() + 2 * kScores, v.end());
  return a;
}

/// What lies between two times: work in pieces, and its state.
struct Journey {
  std::function<double(double)>
      approach;  ///< one piece towards a time; share of the way that is done, 1: there
  RunControl::Save save;
  std::function<void(StateReader&, const std::vector<KernelSeries>&)> load;
};

/// How kernels are looked at.
struct View {
  const AssumptionScores& scores;
  int bonds;
  bool keep;
};

/// Adds what is to be known of the kernels at one time.
void take(double t, std::vector<KernelValue> values, const View& view, const Communicator& comm,
          std::vector<KernelSeries>& series) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    series[i].scores.push_back(evaluate_assumptions(view.scores, t, values[i], comm));
    series[i].error.push_back(values[i].error);
    if (values[i].averaged) series[i].sampling.push_back(values[i].sampling);
    series[i].fastest.push_back(fastest_rate(values[i], comm));
    if (view.keep) series[i].generators.push_back(std::move(values[i]));
  }
}

/// `evaluate`: the kernels at a time, which may note more of it in the series.
std::vector<KernelSeries> dense_series(
    const std::function<std::vector<KernelValue>(double, std::vector<KernelSeries>&)>& evaluate,
    std::size_t kernels, const Journey& journey, const std::vector<double>& times, const View& view,
    const Communicator& comm, RunControl& control) {
  std::vector<KernelSeries> series(kernels);
  const auto save_results = [&](StateWriter& writer) {
    for (std::size_t k = 0; k < kernels; ++k) series[k].save(writer, std::to_string(k));
  };
  const auto load_results = [&](StateReader& reader) {
    for (std::size_t k = 0; k < kernels; ++k) series[k].load(reader, std::to_string(k), view.bonds);
  };
  const auto save = [&](StateWriter& writer) {
    save_results(writer);
    journey.save(writer);
  };
  if (control.restore_finished(load_results)) return series;
  control.restore_partial([&](StateReader& reader) {
    load_results(reader);
    journey.load(reader, series);
  });
  const auto outputs = static_cast<double>(times.size());
  for (std::size_t k = series.front().scores.size(); k < times.size(); ++k) {
    const auto before = static_cast<double>(k);
    double done = 0.0;
    while ((done = journey.approach(times[k])) < 1.0) control.offer((before + done) / outputs, save);
    take(times[k], evaluate(times[k], series), view, comm, series);
    control.offer((before + 1.0) / outputs, save);
  }
  for (auto& one : series) {  // a resumed run has only the last ones
    if (one.generators.size() < times.size()) one.generators.clear();
  }
  control.finish(save_results);
  return series;
}

}  // namespace

double KernelSeries::deciding_error(std::size_t time) const {
  const std::size_t place = error.size() == 1 ? 0 : time;  // Markov: the same at all times
  return error[place] + (plain_mean || sampling.empty() ? 0.0 : sampling[place]);
}

std::size_t KernelSeries::known(const std::vector<double>& times) const {
  std::size_t known = 0;
  const double limit =
      singular_times.empty() ? std::numeric_limits<double>::infinity() : singular_times.front();
  while (known < times.size() && times[known] < limit && deciding_error(known) <= kLargestKernelError)
    ++known;
  return known;
}

double KernelSeries::fastest_until(std::size_t known) const {
  double largest = 0.0;
  for (std::size_t k = 0; k < known; ++k) largest = std::max(largest, fastest[k]);
  return largest;
}

void KernelSeries::save(StateWriter& writer, const std::string& name) const {
  std::vector<double> of_scores;
  for (const auto& score : scores) {
    const auto values = flat(score);
    of_scores.insert(of_scores.end(), values.begin(), values.end());
  }
  writer.replicated(name + "-scores", of_scores);
  writer.replicated(name + "-error", error);
  writer.replicated(name + "-sampling", sampling);
  writer.replicated(name + "-condition", condition);
  writer.replicated(name + "-fastest", fastest);
  writer.replicated(name + "-singular", singular_times);
}

void KernelSeries::load(StateReader& reader, const std::string& name, int bonds) {
  const auto of_scores = reader.replicated(name + "-scores");
  const std::size_t size = 2 * kScores + as_size(bonds);
  scores.clear();
  for (std::size_t k = 0; k < of_scores.size(); k += size) {
    scores.push_back(from_flat(std::span(of_scores).subspan(k, size)));
  }
  error = reader.replicated(name + "-error");
  sampling = reader.replicated(name + "-sampling");
  condition = reader.replicated(name + "-condition");
  fastest = reader.replicated(name + "-fastest");
  singular_times = reader.replicated(name + "-singular");
  generators.clear();
}

KernelSeries kernel_series(const SecondOrderKernel& kernel, const Model& model,
                           const std::vector<std::vector<int>>& sector_counts,
                           const std::vector<double>& times, RunControl& control) {
  KernelSeries series;
  series.plain_mean = kernel.realizations() > 1;
  const auto bonds = model.lattice.bond_count();
  const auto save = [&](StateWriter& writer) { series.save(writer, "0"); };
  const auto load = [&](StateReader& reader) { series.load(reader, "0", bonds); };
  if (control.restore_finished(load)) return series;
  control.restore_partial(load);
  for (std::size_t k = series.scores.size(); k < times.size(); ++k) {
    const auto accuracy = kernel.accuracy(times[k]);
    series.error.push_back(accuracy.rounding);
    if (series.plain_mean) series.sampling.push_back(accuracy.sampling);
    const bool known = accuracy.rounding <= kLargestKernelError;
    const auto terms = known ? kernel.at(times[k]) : TermSum<double>{};
    series.fastest.push_back(largest_element(terms));
    series.scores.push_back(known ? assumptions_of(model, sector_counts, terms, times[k])
                                  : unknown_assumptions(bonds));
    control.reach(times[k], times.back());
    control.offer(static_cast<double>(k + 1) / static_cast<double>(times.size()), save);
  }
  control.finish(save);
  return series;
}

KernelSeries kernel_series(ExactKernel& kernel, const std::vector<double>& times,
                           const AssumptionScores& scores, int bonds, bool keep, const Communicator& comm,
                           RunControl& control) {
  SingularTimes singular;
  const auto evaluate = [&](double t, std::vector<KernelSeries>& series) {
    std::vector<KernelValue> values;
    values.push_back(kernel.at(t));
    singular.advance(kernel, t);
    series.front().singular_times = singular.found();
    series.front().condition.push_back(values.front().condition);
    return values;
  };
  const Journey journey{.approach = [](double) { return 1.0; },
                        .save = [&](StateWriter& writer) { writer.replicated("brackets", singular.state()); },
                        .load =
                            [&](StateReader& reader, const std::vector<KernelSeries>& series) {
                              singular.restore(reader.replicated("brackets"), series.front().singular_times);
                            }};
  return std::move(dense_series(evaluate, 1, journey, times, {scores, bonds, keep}, comm, control).front());
}

std::vector<KernelSeries> kernel_series(TclKernels& kernels, const std::vector<double>& times,
                                        const AssumptionScores& scores, int bonds, bool keep,
                                        const Communicator& comm, RunControl& control) {
  const Journey journey{
      .approach = [&](double t) { return kernels.approach(t); },
      .save = [&](StateWriter& writer) { kernels.save(writer); },
      .load = [&](StateReader& reader, const std::vector<KernelSeries>&) { kernels.load(reader); }};
  return dense_series([&](double t, std::vector<KernelSeries>&) { return kernels.at(t); },
                      kernels.orders().size(), journey, times, {scores, bonds, keep}, comm, control);
}

std::vector<double> gather_generator(const CellSpace& cells, const KernelValue& kernel,
                                     const Communicator& comm) {
  const auto size = as_size(cells.dimension());
  std::vector<double> all(comm.is_root() ? size * size : 0);
  for (std::size_t s = 0; s < kernel.sectors.size(); ++s) {
    const auto first = as_size(cells.sectors()[s].first);
    const auto& mine = kernel.sectors[s];
    const auto rows = as_size(mine.values.block().rows());
    const auto place = [&](std::size_t column, std::span<const double> values) {
      for (std::size_t i = 0; i < rows; ++i) all[(first + i) * size + first + column] = values[i];
    };
    for (int rank = 0; rank < comm.size(); ++rank) {
      auto count = static_cast<Index>(mine.cells.size());
      MPI_Bcast(&count, 1, MPI_INT64_T, rank, comm.get());
      for (Index j = 0; j < count; ++j) {
        std::vector<double> column(rows);
        Index cell = 0;
        const bool sends = comm.rank() == rank && rank != 0;
        if (comm.rank() == rank) {
          cell = at(mine.cells, j);
          std::copy_n(mine.values.block().column(j), rows, column.begin());
        }
        if (sends) {
          MPI_Send(&cell, 1, MPI_INT64_T, 0, 0, comm.get());
          MPI_Send(column.data(), static_cast<int>(rows), MPI_DOUBLE, 0, 0, comm.get());
        }
        if (!comm.is_root()) continue;
        if (rank != 0) {
          MPI_Recv(&cell, 1, MPI_INT64_T, rank, 0, comm.get(), MPI_STATUS_IGNORE);
          MPI_Recv(column.data(), static_cast<int>(rows), MPI_DOUBLE, rank, 0, comm.get(), MPI_STATUS_IGNORE);
        }
        place(as_size(cell), column);
      }
    }
  }
  return all;
}

}  // namespace qheat
