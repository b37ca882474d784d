#include "qheat/propagator/cell_moments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "evolution/faber_step.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/density_evolution.hpp"
#include "qheat/evolution/density_observer.hpp"
#include "qheat/operators/bath_rates.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/operators/liouvillian.hpp"
#include "qheat/operators/product_work.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/parallel/memory.hpp"

namespace qheat {
namespace {

constexpr double kTolerance = 1e-14;  // of a step, in G; derivatives keep a few digits less
constexpr double kTailOfMoments = 1e-17;
constexpr int kWorkVectors = 3;             // rho, two polynomials
constexpr Index kLeastTerms = 4;            // for two derivatives at t = 0
constexpr double kCache = 2e6;              // bytes of vectors that stay near the processor
constexpr int kLeastColumns = 4;            // at once: as many as the engine does in one pass
constexpr Index kMostColumns = 32;          // at once
constexpr double kKeptByRun = 64e6;         // bytes of moments that a run keeps when they are done
constexpr double kSmallElements = 20000.0;  // below, sharing a column costs more than it gains
constexpr double kShareOfMemory = 0.6;

CellColumnLayout make_layout(const Model& model, const CellSector& sector, MirrorUse mirror,
                             const Communicator& comm) {
  const bool mirrored = mirror != MirrorUse::never &&
                        is_mirror_symmetric(hamiltonian(model), model.sites()) && has_mirrored_bath(model);
  return {mirrored ? MirrorPairs::site_reversal(sector.cells) : MirrorPairs(sector.cells.dimension()), comm};
}

/// The disc that lambda L_1 fills when lambda gets a phase, around the range of L_0: then the orders of F_k
/// are as bounded as F_k itself (Cauchy).
GeneratorRange widened(GeneratorRange unperturbed, double interaction) {
  return {unperturbed.low - interaction, unperturbed.high + interaction, unperturbed.imaginary + interaction};
}

Model without_interaction(Model model) {
  model.strength = 0.0;
  return model;
}

Model without_levels(Model model) {
  std::fill(model.energies.begin(), model.energies.end(), 0.0);
  model.bath = {};
  return model;
}

/// No product with a number of the size of 1/0 for a generator that is zero.
GeneratorRange with_some_width(GeneratorRange range, double end) {
  constexpr double kLeastPhase = 1e-3;
  range.imaginary = std::max(range.imaginary, end > 0.0 ? kLeastPhase / end : 1.0);
  return range;
}

struct MomentsPlan {
  FaberPlan faber;
  FaberSeries series;  ///< of a step
};
MomentsPlan plan_moments(const GeneratorRange& range, double end) {
  MomentsPlan plan{plan_faber(range, end, kTolerance), {}};
  plan.series = faber_series(plan.faber.ellipse, end / static_cast<double>(plan.faber.steps), kTailOfMoments);
  if (plan.series.values.size() < kLeastTerms) plan.series.values.resize(kLeastTerms, 0.0);
  return plan;
}

double largest_level_energy(const Model& model) {
  double sum = 0.0;
  for (int i = 0; i < model.sites(); ++i) {
    double largest = 0.0;
    for (const double e : model.energies_of(i)) largest = std::max(largest, std::abs(e));
    sum += largest;
  }
  return sum;
}

}  // namespace

/// Some columns on their way through the steps; vectors hold [orders][columns] density matrices.
class CellMoments::Propagation {
 public:
  Propagation(const Model& model, const CellSector& sector, const std::vector<std::vector<int>>& counts,
              bool perturbative, int orders, const Communicator& workers)
      : space_(std::make_shared<DistributedSector>(density_space(model, counts), workers)),
        orders_(orders),
        generator_(perturbative ? make_unperturbed_liouvillian(space_, model)
                                : make_liouvillian(space_, model)),
        interaction_(perturbative && orders > 1 ? make_interaction_liouvillian(space_, model) : nullptr),
        diagonal_(diagonal_places(*space_)),
        sizes_(as_size(sector.cells.dimension()), 0.0) {
    const auto& band = model.site.band_of_level();
    const HalfSpace& kets = space_->sector().prefix();
    std::vector<Level> cell;
    for (Index row = space_->first_row(); row < space_->first_row() + space_->local_rows(); ++row) {
      cell.clear();
      for (const Level level : kets.configuration(row)) cell.push_back(band[level]);
      cell_.push_back(as_size(sector.cells.index(cell)));
      sizes_[cell_.back()] += 1.0;
    }
    space_->comm().sum(sizes_);
  }

  /// Bytes beside the vectors.
  double bytes() const {
    return static_cast<double>(generator_->bytes() + (interaction_ ? interaction_->bytes() : 0)) +
           static_cast<double>(diagonal_.size() * (sizeof(Index) + sizeof(std::size_t)));
  }
  const Communicator& comm() const { return space_->comm(); }

  /// rho = Pi_c/d_c for these cells.
  void start(const std::vector<Index>& cells) {
    columns_ = static_cast<Index>(cells.size());
    const auto local = as_size(space_->local_size());
    rho_.assign(as_size(orders_) * cells.size() * local, Complex{});
    other_.resize(rho_.size());
    sum_.resize(rho_.size());
    for (std::size_t j = 0; j < cells.size(); ++j) {
      for (std::size_t k = 0; k < diagonal_.size(); ++k) {
        const auto cell = as_size(cells[j]);
        if (cell_[k] == cell) rho_[j * local + as_size(diagonal_[k])] = 1.0 / sizes_[cell];
      }
    }
    start_norms_ = norms();
  }

  /// One step; `moments` [columns][orders][terms][cells].
  void step(const FaberPlan& plan, const std::vector<double>& coefficients, std::vector<double>& moments) {
    const std::size_t cells = sizes_.size();
    const std::size_t terms = coefficients.size();
    const auto local = as_size(space_->local_size());
    const auto columns = as_size(columns_);
    const auto orders = as_size(orders_);
    moments.assign(columns * orders * terms * cells, 0.0);
    const auto observe = [&](std::size_t term, const std::vector<Complex>& x) {
      for (std::size_t k = 0; k < orders; ++k) {
        for (std::size_t j = 0; j < columns; ++j) {
          const Complex* column = x.data() + (k * columns + j) * local;
          double* to = moments.data() + ((j * orders + k) * terms + term) * cells;
          for (std::size_t d = 0; d < diagonal_.size(); ++d) to[cell_[d]] += at(column, diagonal_[d]).real();
        }
      }
    };
    faber_step(
        plan.ellipse, coefficients,
        [&](const AffineMap& map, const std::vector<Complex>& x, std::vector<Complex>& y) {
          apply(map, x, y);
        },
        observe, rho_, other_, sum_);
    if (space_->comm().size() > 1) space_->comm().sum(moments);
  }

  /// Largest norm of each order over that of the start, all columns.
  std::vector<double> growth() const {
    std::vector<double> result(as_size(orders_), 0.0);
    if (columns_ == 0) return result;
    const std::vector<double> now = norms();
    for (std::size_t e = 0; e < now.size(); ++e) {
      double& largest = result[e / as_size(columns_)];
      largest = std::max(largest, now[e] / start_norms_[e % as_size(columns_)]);
    }
    return result;
  }

 private:
  /// Of all orders of all columns.
  std::vector<double> norms() const {
    const auto local = as_size(space_->local_size());
    std::vector<double> squares(as_size(orders_ * columns_), 0.0);
    for (std::size_t e = 0; e < squares.size(); ++e) {
      for (std::size_t i = 0; i < local; ++i) squares[e] += std::norm(rho_[e * local + i]);
    }
    space_->comm().sum(squares);
    for (double& square : squares) square = std::sqrt(square);
    return squares;
  }

  void apply(const AffineMap& map, const std::vector<Complex>& x, std::vector<Complex>& y) const {
    const Index rows = space_->local_size();
    const Index all = orders_ * columns_;
    if (all == 0) return;
    const ColumnBlock<const Complex> from(x.data(), rows, all, rows);
    const ColumnBlock<Complex> to(y.data(), rows, all, rows);
    generator_->apply(map, from, to);
    if (interaction_) {
      const Index some = all - columns_;
      interaction_->apply({.scale = map.scale, .shift = 0.0, .keep = 1.0}, from.some_columns(0, some),
                          to.some_columns(columns_, some));
    }
  }

  std::shared_ptr<const DistributedSector> space_;
  int orders_;
  Index columns_ = 0;
  std::unique_ptr<Operator> generator_, interaction_;
  std::vector<Index> diagonal_;
  std::vector<std::size_t> cell_;  ///< of each ket of this rank
  std::vector<double> sizes_;      ///< d_c
  std::vector<Complex> rho_, other_, sum_;
  std::vector<double> start_norms_;
};

CellMoments::CellMoments(const Model& model, const CellSector& sector, double end,
                         const CellMomentsOptions& options, const Communicator& comm, RunControl& control)
    : layout_(make_layout(model, sector, options.mirror, comm)),
      end_(end),
      orders_(options.order.value_or(0) + 1),
      perturbative_(options.order.has_value()),
      energy_(largest_level_energy(model)) {
  const auto counts = density_counts(model, sector.band_counts);
  const auto elements = static_cast<double>(density_dimension(model, counts));
  const double column_bytes = kWorkVectors * sizeof(Complex) * elements * orders_;
  const double free = free_bytes_per_rank(comm);
  alone_ = comm.size() == 1 || works_alone(options.work, elements, column_bytes, free);
  require_memory(comm, column_bytes / (alone_ ? 1 : comm.size()),
                 fmt::format("a density matrix of {} elements in {} order(s)", elements, orders_));
  std::vector<double> done(as_size(columns()), 0.0);
  if (control.restore_finished([&](StateReader& reader) { load_all(reader); })) return;
  if (!control.restore_partial([&](StateReader& reader) { load(reader, done); })) {
    take_range(model, counts);
    plan();
  }
  Propagation propagation(model, sector, counts, perturbative_, orders_,
                          alone_ ? Communicator::self() : comm);
  const double local_column = column_bytes / propagation.comm().size();
  double room = free == 0.0 ? kCache : kShareOfMemory * free - propagation.bytes();
  room = -propagation.comm().max(-room);  // those who share columns take as many at once
  const double wanted = std::max<double>(kLeastColumns, std::floor(kCache / local_column));
  columns_at_once_ =
      std::clamp<Index>(std::llround(std::min(wanted, std::floor(room / local_column))), 1, kMostColumns);
  propagate(propagation, done, control);
  keep_all(control);
}

/// Whether each rank propagates columns of its own.
bool CellMoments::works_alone(ColumnWork work, double elements, double column_bytes, double free) const {
  if (work != ColumnWork::automatic) return work == ColumnWork::alone;
  const bool enough = columns() >= layout_.comm().size() || elements < kSmallElements;
  return enough && (free == 0.0 || column_bytes < kShareOfMemory * free);
}

/// All columns that are not done yet, some at once: this rank's own, or those of all.
void CellMoments::propagate(Propagation& propagation, std::vector<double>& done, RunControl& control) {
  const Communicator& comm = layout_.comm();
  std::vector<Index> waiting;
  const Index first = alone_ ? layout_.first() : 0;
  const Index count = alone_ ? layout_.count() : columns();
  for (Index column = first; column < first + count; ++column) {
    if (at(done, column) == 0.0) waiting.push_back(column);
  }
  const auto total = static_cast<Index>(waiting.size());
  const Index own_rounds = (total + columns_at_once_ - 1) / columns_at_once_;
  const auto rounds = static_cast<Index>(comm.max(static_cast<double>(own_rounds)));
  const auto coefficients = plan_moments(range_, end_).series.values;
  std::vector<double> moments;
  for (Index round = 0; round < rounds; ++round) {
    const auto begin = waiting.begin() + std::min(total, round * columns_at_once_);
    const auto end = waiting.begin() + std::min(total, (round + 1) * columns_at_once_);
    const std::vector<Index> columns(begin, end);
    std::vector<Index> cells;
    for (const Index column : columns) cells.push_back(layout_.mirror().representative(column));
    propagation.start(cells);
    for (Index step = 0; step < plan_.steps; ++step) {
      propagation.step(plan_, coefficients, moments);
      take(columns, step, moments, propagation.growth());
      if (step + 1 == plan_.steps) {
        for (const Index column : columns) at(done, column) = 1.0;
        comm.max(std::span(done));
      }
      const auto steps = static_cast<double>(round * plan_.steps + step + 1);
      control.offer(steps / static_cast<double>(rounds * plan_.steps),
                    [&](StateWriter& writer) { save(writer, done); });
    }
  }
}

/// Keeps what a step has measured of this rank's columns, and how large the orders have become.
void CellMoments::take(const std::vector<Index>& columns, Index step, const std::vector<double>& moments,
                       const std::vector<double>& growth) {
  const std::size_t of_step = column_size() / as_size(plan_.steps);
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const Index local = columns[j] - layout_.first();
    if (local < 0 || local >= layout_.count()) continue;
    const std::size_t place = as_size(local) * column_size() + as_size(step) * of_step;
    std::copy_n(moments.begin() + static_cast<std::ptrdiff_t>(j * of_step), of_step,
                moments_.begin() + static_cast<std::ptrdiff_t>(place));
  }
  for (std::size_t k = 0; k < growth.size(); ++k) {
    double& size = sizes_[as_size(step + 1) * growth.size() + k];
    size = std::max(size, growth[k]);
  }
  layout_.comm().max(std::span(sizes_));
}

void CellMoments::take_range(const Model& model, const std::vector<std::vector<int>>& counts) {
  const Communicator alone = Communicator::self();
  const Communicator& workers = alone_ ? alone : layout_.comm();
  if (perturbative_) {
    const double interaction = generator_range(without_levels(model), counts, workers).imaginary;
    range_ = widened(generator_range(without_interaction(model), counts, workers), interaction);
  } else {
    range_ = generator_range(model, counts, workers);
  }
  range_ = with_some_width(range_, end_);
}

/// What follows from the range.
void CellMoments::plan() {
  const MomentsPlan plan = plan_moments(range_, end_);
  plan_ = plan.faber;
  terms_ = plan.series.values.size();
  tail_ = plan.series.tail;
  growth_ = 0.0;
  for (const double value : plan.series.values) growth_ += std::abs(value);
  const auto orders = as_size(orders_);
  sizes_.assign((as_size(plan_.steps) + 1) * orders, 0.0);
  sizes_.front() = 1.0;
  const auto bytes =
      sizeof(double) * static_cast<double>(column_size()) * static_cast<double>(layout_.count());
  require_memory(
      layout_.comm(), layout_.comm().max(bytes),
      fmt::format("the moments of {} cells in {} steps of {} terms (a smaller time.end needs less)",
                  layout_.mirror().states(), plan_.steps, terms_));
  moments_.assign(column_size() * as_size(layout_.count()), 0.0);
}

/// Numbers kept of one column.
std::size_t CellMoments::column_size() const {
  return as_size(plan_.steps) * as_size(orders_) * terms_ * as_size(layout_.mirror().states());
}

void CellMoments::save_plan(StateWriter& writer) const {
  const double range[3] = {range_.low, range_.high, range_.imaginary};
  writer.replicated("range", range);
  writer.replicated("sizes", sizes_);
}

/// On other numbers of ranks Lanczos may round differently: the steps must not change on the way.
void CellMoments::load_plan(StateReader& reader) {
  const auto range = reader.replicated("range");
  range_ = {range[0], range[1], range[2]};
  plan();
  sizes_ = reader.replicated("sizes");
}

void CellMoments::save(StateWriter& writer, const std::vector<double>& done) const {
  save_plan(writer);
  writer.replicated("done", done);
  writer.distributed("moments", moments_, first_number(), static_cast<Index>(column_size()) * columns());
}

void CellMoments::load(StateReader& reader, std::vector<double>& done) {
  load_plan(reader);
  done = reader.replicated("done");
  reader.distributed("moments", moments_, first_number(), static_cast<Index>(column_size()) * columns());
}

/// Hands the moments to the run if they are small.
void CellMoments::keep_all(RunControl& control) const {
  const std::size_t size = column_size() * as_size(columns());
  if (sizeof(double) * static_cast<double>(size) > kKeptByRun) return;
  std::vector<double> all(size, 0.0);
  std::copy(moments_.begin(), moments_.end(), all.begin() + first_number());
  layout_.comm().sum(all);
  control.finish([&](StateWriter& writer) {
    save_plan(writer);
    writer.replicated("moments", all);
  });
}

void CellMoments::load_all(StateReader& reader) {
  load_plan(reader);
  const auto all = reader.replicated("moments");
  std::copy_n(all.begin() + first_number(), moments_.size(), moments_.begin());
}

Index CellMoments::step_of(double t) const {
  QHEAT_ASSERT(t >= 0.0 && t <= end_ * (1.0 + 1e-12));
  if (end_ == 0.0) return 0;
  return std::clamp<Index>(static_cast<Index>(t / step_length()), 0, plan_.steps - 1);
}

std::vector<CellColumns> CellMoments::evaluate(int order, double t, int derivatives) const {
  const Index step = step_of(t);
  const double tau = std::clamp(t - static_cast<double>(step) * step_length(), 0.0, step_length());
  const auto coefficients = faber_derivatives(plan_.ellipse, tau, terms_, derivatives);
  const auto cells = as_size(layout_.mirror().states());
  std::vector<CellColumns> result(as_size(derivatives) + 1, layout_.zero());
  std::vector<double> column(cells);
  for (Index local = 0; local < layout_.count(); ++local) {
    const double* moments =
        moments_.data() + as_size(local) * column_size() + as_size(step * orders_ + order) * terms_ * cells;
    for (std::size_t d = 0; d < result.size(); ++d) {
      std::fill(column.begin(), column.end(), 0.0);
      for (std::size_t k = 0; k < terms_; ++k) {
        const double factor = coefficients[d][k];
        for (std::size_t c = 0; c < cells; ++c) column[c] += factor * moments[k * cells + c];
      }
      set_column(layout_, local, column, result[d]);
    }
  }
  return result;
}

double CellMoments::error(int order, double t) const {
  // Each step rounds terms that are growth_ times larger than their sum; ket and bra carry the level energies
  // with opposite signs.
  const Index step = step_of(t);
  const auto orders = as_size(orders_);
  double size = order == 0 ? 1.0 : 0.0;
  for (Index s = 0; s <= step + 1; ++s) size = std::max(size, sizes_[as_size(s) * orders + as_size(order)]);
  const auto steps = static_cast<double>(step + 1);
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  return size * (steps * (tail_ + kEpsilon * growth_) + kEpsilon * (8.0 + 2.0 * energy_ * t));
}

double CellMoments::largest_frequency() const {
  return std::max({range_.imaginary, -range_.low, range_.high});
}

MomentsNeed cell_moments_need(const Model& model, const std::vector<int>& band_counts, Index cells,
                              double end, std::optional<int> order, int ranks, bool mirrored) {
  const auto counts = density_counts(model, band_counts);
  const auto width = [&](const Model& part) {
    double widest = 0.0;
    for (const auto& block : counts) widest = std::max(widest, 2.0 * typical_radius(part, block));
    return widest;
  };
  const DissipatorRange dissipators = dissipator_range(model, counts);
  GeneratorRange range{dissipators.low, dissipators.high, dissipators.imaginary};
  range.imaginary += width(order ? without_interaction(model) : model);
  if (order) range = widened(range, width(without_levels(model)));
  const MomentsPlan plan = plan_moments(with_some_width(range, end), end);
  const double orders = order.value_or(0) + 1.0;
  const auto c = static_cast<double>(cells);
  const double columns = mirrored ? 0.55 * c : c;
  const double own_columns = std::ceil(columns / ranks);
  const double terms = static_cast<double>(plan.series.values.size());
  const double steps = static_cast<double>(plan.faber.steps);
  const double moments = sizeof(double) * c * own_columns * orders * steps * terms;
  const double kept = moments * ranks <= kKeptByRun ? 2.0 * moments * ranks : 0.0;
  const auto elements = static_cast<double>(density_dimension(model, counts));
  double kets = 0.0;
  for (const auto& k : counts) kets += static_cast<double>(level_sector_dimension(model, k));
  const double bonds = model.lattice.bond_count();
  const double tables = kets * (4.0 * model.sites() + 100.0 + 200.0 * bonds) + jump_table_bytes(model, kets);
  const double column = kWorkVectors * sizeof(Complex) * elements * orders;
  Work product = liouvillian_work(model, counts, elements);
  product += pass_work(elements, 3.0);
  const double products = columns * steps * terms * (order ? 2.0 * orders : 1.0);
  return {moments + kept + std::min(column * c, std::max(kCache, kLeastColumns * column)) + tables,
          products * product};
}

}  // namespace qheat
