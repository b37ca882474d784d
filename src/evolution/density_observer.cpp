#include "qheat/evolution/density_observer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "qheat/model/counter_random.hpp"
#include "qheat/operators/currents.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
std::vector<Index> diagonal_places(const DistributedSector& pairs) {
  std::vector<Index> places;  // bras are in the kets' order
  for (Index row = pairs.first_row(); row < pairs.first_row() + pairs.local_rows(); ++row) {
    const auto& block = at(pairs.sector().blocks(), pairs.sector().block_of_row(row));
    QHEAT_ASSERT(block.rows == block.row_length);
    places.push_back(pairs.sector().first_state(row) + (row - block.first_row) - pairs.first_state());
  }
  return places;
}

DensityObserver::DensityObserver(const Model& model, std::shared_ptr<const DistributedSector> pairs,
                                 std::span<const TermSum<Complex>> others)
    : model_(model),
      layout_(model, others.size()),
      space_(std::move(pairs)),
      kets_(as_size(space_->local_rows())),
      functionals_(2 * layout_.bonds() + 1 + others.size()),
      diagonal_(diagonal_places(*space_)) {
  for (int b = 0; b < model.lattice.bond_count(); ++b) {
    const auto number = static_cast<std::uint32_t>(2 * b);
    list_entries(number, outflow(model, b, BondEnd::first));
    list_entries(number + 1, outflow(model, b, BondEnd::second));
  }
  auto number = static_cast<std::uint32_t>(2 * layout_.bonds());
  list_entries(number, hamiltonian(model));
  for (const auto& other : others) list_entries(++number, other);
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& l, const Entry& r) { return l.place < r.place; });
  entries_.shrink_to_fit();
}

std::span<const Level> DensityObserver::ket(std::size_t local) const {
  return space_->sector().prefix().configuration(space_->first_row() + static_cast<Index>(local));
}

void DensityObserver::list_entries(std::uint32_t functional, TermSum<Complex> observable) {
  // tr(O rho) = sum over kets m and bras n of <n|O|m> <m|rho|n>, and <n|O|m> = conj(<m|O|n>).
  canonicalize(observable);
  const HalfSpace& bras = space_->sector().suffix();
  std::vector<Level> bra;
  for (std::size_t local = 0; local < kets_; ++local) {
    const auto m = ket(local);
    const Index first =
        space_->sector().first_state(space_->first_row() + static_cast<Index>(local)) - space_->first_state();
    bra.assign(m.begin(), m.end());
    for (const auto& term : observable.terms) {
      const LocalCode to = code_on(m, term.sites, observable.levels);
      auto e = std::lower_bound(term.elements.begin(), term.elements.end(), to,
                                [](const auto& element, LocalCode code) { return element.to < code; });
      for (; e != term.elements.end() && e->to == to; ++e) {
        write_code(e->from, term.sites, observable.levels, bra);
        entries_.push_back({first + bras.rank_in_class(bra), functional, std::conj(e->value)});
      }
      write_code(to, term.sites, observable.levels, bra);
    }
  }
}

void DensityObserver::measure(std::span<const Complex> rho, std::span<double> values) const {
  QHEAT_ASSERT(values.size() == measured());
  for (std::size_t k = 0; k < kets_; ++k) values[k] = at(rho, diagonal_[k]).real();
  const auto sums = values.subspan(kets_);
  std::fill(sums.begin(), sums.end(), 0.0);
  for (const Entry& e : entries_) {
    const Complex element = at(rho, e.place);
    sums[e.functional] += e.value.real() * element.real() - e.value.imag() * element.imag();
  }
}

DensityObserver::Report DensityObserver::report(std::span<const double> measured_values) const {
  const std::size_t times = measured_values.size() / std::max<std::size_t>(1, measured());
  const std::size_t size = layout_.size();
  Report result{std::vector<double>(times * size, 0.0), {}};
  for (std::size_t t = 0; t < times; ++t) {
    const auto from = measured_values.subspan(t * measured(), measured());
    const auto to = std::span(result.values).subspan(t * size, size);
    double smallest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < kets_; ++k) {
      const auto levels = ket(k);
      for (std::size_t i = 0; i < levels.size(); ++i) to[i * layout_.levels() + levels[i]] += from[k];
      to[layout_.norm()] += from[k];
      smallest = std::min(smallest, from[k]);
    }
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(kets_), 2 * layout_.bonds(),
                to.begin() + static_cast<std::ptrdiff_t>(layout_.outflow()));
    // total energy and others lie in the same order
    std::copy(from.begin() + static_cast<std::ptrdiff_t>(kets_ + 2 * layout_.bonds()), from.end(),
              to.begin() + static_cast<std::ptrdiff_t>(layout_.total_energy()));
    result.smallest_population.push_back(-space_->comm().max(-smallest));
  }
  space_->comm().sum(result.values);
  for (std::size_t t = 0; t < times; ++t)
    add_derived(model_, layout_, std::span(result.values).subspan(t * size, size));
  return result;
}

double DensityObserver::hermiticity_error(std::span<const Complex> rho) const {
  constexpr std::uint32_t kProbes = 4;
  constexpr std::uint32_t kProbeStream = 0x40000000U;
  const Sector& pairs = space_->sector();
  const CounterRandom random(1);
  // One list of phases for all states: kets and bras of a block are the same states in the same order.
  const auto phase = [&](Index ket_number, std::uint32_t probe) {
    const auto number = static_cast<std::uint64_t>(ket_number);
    const auto low = static_cast<std::uint32_t>(number);
    const auto high = static_cast<std::uint32_t>(number >> 32);
    return std::polar(1.0, 2.0 * std::numbers::pi * random.uniform({low, high, probe, kProbeStream}));
  };
  double square_norm = 0.0;
  for (const Complex& element : rho) square_norm += std::norm(element);
  double square = 0.0;
  std::vector<Complex> bras;
  for (std::uint32_t probe = 0; probe < kProbes; ++probe) {
    double imaginary = 0.0;
    const Complex* element = rho.data();
    int block_number = -1;
    for (Index row = space_->first_row(); row < space_->first_row() + space_->local_rows(); ++row) {
      const int number = pairs.block_of_row(row);
      const auto& block = at(pairs.blocks(), number);
      if (number != block_number) {
        bras.clear();
        for (Index j = 0; j < block.row_length; ++j) bras.push_back(phase(block.first_row + j, probe));
        block_number = number;
      }
      Complex sum = 0.0;
      for (const Complex& v : bras) sum += *element++ * v;
      imaginary += (std::conj(at(bras, row - block.first_row)) * sum).imag();
    }
    imaginary = space_->comm().sum(imaginary);
    square += imaginary * imaginary / kProbes;
  }
  return std::sqrt(square / space_->comm().sum(square_norm));
}

Index DensityObserver::bytes() const {
  return static_cast<Index>(diagonal_.size() * sizeof(Index) + entries_.size() * sizeof(Entry));
}

std::vector<Complex> initial_density(const DistributedSector& pairs, std::span<const double> probabilities) {
  std::vector<Complex> rho(as_size(pairs.local_size()));
  const HalfSpace& kets = pairs.sector().prefix();
  const auto levels = as_size(kets.levels());
  Index row = pairs.first_row();
  for (const Index place : diagonal_places(pairs)) {
    const auto ket = kets.configuration(row++);
    double weight = 1.0;
    for (std::size_t i = 0; i < ket.size(); ++i) weight *= probabilities[i * levels + ket[i]];
    at(rho, place) = weight;
  }
  return rho;
}

}  // namespace qheat
