#include "steady/population_inverse.hpp"

#include <petscksp.h>
#undef I

#include <algorithm>
#include <functional>
#include <map>

#include "qheat/evolution/density_observer.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/index.hpp"
#include "steady/ket_elements.hpp"

namespace qheat {
namespace {

constexpr Complex kI(0.0, 1.0);

/// Calls add(row of the ket before the jump, rate) for the bath's jumps into a ket.
template <class Add>
void visit_jumps(const std::vector<Dissipator>& dissipators, const Sector& pairs, std::span<const Level> ket,
                 const Add& add) {
  std::vector<Level> before(ket.begin(), ket.end());
  const int levels = pairs.levels();
  for (const Dissipator& d : dissipators) {
    const LocalCode here = code_on(ket, d.sites, levels);
    for (const JumpElement& e : d.elements) {
      if (e.to != here || e.from == here) continue;
      write_code(e.from, d.sites, levels, std::span(before));
      const int number = pairs.prefix().class_of(before);
      add(pairs.block_of_class(number).first_row + pairs.prefix().rank_in_class(before),
          d.weight(e, e).real());
      write_code(here, d.sites, levels, std::span(before));
    }
  }
}

}  // namespace

/// (K - rate |mixed><1|) z = r, K the rate matrix of the populations.
class PopulationInverse::Reduced {
 public:
  Reduced(const Communicator& comm, Index first_ket, std::size_t local_kets, Index kets, Index most_elements,
          double rate)
      : comm_(comm),
        kets_(static_cast<double>(kets)),
        rate_(rate),
        values_(local_kets),
        solution_(local_kets) {
    const auto local = static_cast<PetscInt>(local_kets);
    const PetscInt global = petsc::to_int(kets, "the number of populations");
    const auto row_length = static_cast<PetscInt>(std::min<Index>(most_elements, kets));
    QHEAT_PETSC(MatCreateAIJ(comm.get(), local, local, global, global, row_length, nullptr, row_length,
                             nullptr, rates_.out()));
    QHEAT_PETSC(MatSetOption(rates_.get(), MAT_NEW_NONZERO_ALLOCATION_ERR, PETSC_FALSE));
    QHEAT_PETSC(MatCreateShell(comm.get(), local, local, global, global, this, traced_.out()));
    QHEAT_PETSC(petsc::set_shell_operation(traced_.get(), MATOP_MULT, multiply));
    QHEAT_PETSC(VecCreateMPIWithArray(comm.get(), 1, local, global, values_.data(), right_hand_side_.out()));
    QHEAT_PETSC(VecCreateMPIWithArray(comm.get(), 1, local, global, solution_.data(), unknown_.out()));
    for (int rank = 0; rank < comm.size(); ++rank) {
      counts_.push_back(0);
      starts_.push_back(0);
    }
    const int mine = static_cast<int>(local);
    const int first = static_cast<int>(first_ket);
    MPI_Allgather(&mine, 1, MPI_INT, counts_.data(), 1, MPI_INT, comm.get());
    MPI_Allgather(&first, 1, MPI_INT, starts_.data(), 1, MPI_INT, comm.get());
  }

  void add(Index row, Index column, double value) {
    const auto r = static_cast<PetscInt>(row);
    const auto c = static_cast<PetscInt>(column);
    const PetscScalar v = value;
    QHEAT_PETSC(MatSetValues(rates_.get(), 1, &r, 1, &c, &v, ADD_VALUES));
  }

  void finish() {
    QHEAT_PETSC(MatAssemblyBegin(rates_.get(), MAT_FINAL_ASSEMBLY));
    QHEAT_PETSC(MatAssemblyEnd(rates_.get(), MAT_FINAL_ASSEMBLY));
    PC preconditioner = nullptr;
    QHEAT_PETSC(KSPCreate(comm_.get(), solver_.out()));
    QHEAT_PETSC(KSPSetOperators(solver_.get(), traced_.get(), rates_.get()));
    QHEAT_PETSC(KSPSetType(solver_.get(), KSPGMRES));
    QHEAT_PETSC(KSPGMRESSetRestart(solver_.get(), kRestart));
    QHEAT_PETSC(KSPGetPC(solver_.get(), &preconditioner));
    QHEAT_PETSC(PCSetType(preconditioner, PCJACOBI));
    QHEAT_PETSC(KSPSetTolerances(solver_.get(), kTolerance, 1e-300, petsc::kOwnChoice, kMostIterations));
  }

  /// Replaces this rank's values(), and returns those of all kets.
  const std::vector<double>& solve() {
    QHEAT_PETSC(KSPSolve(solver_.get(), right_hand_side_.get(), unknown_.get()));
    std::vector<double> mine;
    for (const Complex& value : solution_) mine.push_back(value.real());
    all_.resize(static_cast<std::size_t>(kets_));
    MPI_Allgatherv(mine.data(), static_cast<int>(mine.size()), MPI_DOUBLE, all_.data(), counts_.data(),
                   starts_.data(), MPI_DOUBLE, comm_.get());
    return all_;
  }
  std::span<Complex> values() { return values_; }

 private:
  static PetscErrorCode multiply(Mat matrix, Vec x, Vec y) {
    return petsc::guarded([&] {
      Reduced* self = nullptr;
      PetscScalar sum = 0.0;
      QHEAT_PETSC(MatShellGetContext(matrix, &self));
      QHEAT_PETSC(MatMult(self->rates_.get(), x, y));
      QHEAT_PETSC(VecSum(x, &sum));
      QHEAT_PETSC(VecShift(y, -self->rate_ / self->kets_ * sum));
    });
  }

  static constexpr PetscInt kRestart = 100;
  static constexpr PetscInt kMostIterations = 400;
  static constexpr double kTolerance = 1e-9;  // more than the outer iteration could notice in a cycle

  Communicator comm_;
  double kets_;
  double rate_;
  std::vector<Complex> values_, solution_;
  std::vector<double> all_;
  std::vector<int> counts_, starts_;
  petsc::Matrix rates_, traced_;
  petsc::Vector right_hand_side_, unknown_;
  petsc::Handle<KSP, KSPDestroy> solver_;
};

PopulationInverse::PopulationInverse(const Model& model, std::shared_ptr<const DistributedSector> pairs,
                                     std::vector<Complex> diagonal, double rate)
    : space_(std::move(pairs)),
      inverse_diagonal_(std::move(diagonal)),
      populations_(diagonal_places(*space_)),
      begin_{0} {
  const Sector& sector = space_->sector();
  const HalfSpace& kets = sector.prefix();
  const Index first_row = space_->partition().first_row(space_->comm().rank());
  const std::vector<Dissipator> dissipators = dissipation(model).others;
  TermSum<Complex> h = hamiltonian(model);
  canonicalize(h);
  Index longest = 0;
  for (std::size_t k = 0; k < populations_.size(); ++k) {
    const Index row = first_row + static_cast<Index>(k);
    const auto& block = at(sector.blocks(), sector.block_of_row(row));
    std::map<Index, Complex> elements;
    visit_ket_row(kets, h, row, [&](Index place, Complex value) { elements[place] += value; });
    elements.erase(row - block.first_row);
    const Index row_start = populations_[k] - (row - block.first_row);
    for (const auto& [place, value] : elements)
      links_.push_back({row_start + place, block.first_row + place, value});
    longest = std::max(longest, static_cast<Index>(elements.size()));
    begin_.push_back(links_.size());
  }
  const auto most = static_cast<Index>(space_->comm().max(static_cast<double>(longest))) + 1 +
                    static_cast<Index>(dissipators.size());
  reduced_ =
      std::make_unique<Reduced>(space_->comm(), first_row, populations_.size(), sector.rows(), most, rate);
  for (std::size_t k = 0; k < populations_.size(); ++k) {
    const Index row = first_row + static_cast<Index>(k);
    double out = -at(inverse_diagonal_, populations_[k]).real();
    for (const Link& link : links_of(k)) {
      const double w = -2.0 * std::norm(link.element) * (1.0 / at(inverse_diagonal_, link.place)).real();
      reduced_->add(row, link.other, w);
      out += w;
    }
    visit_jumps(dissipators, sector, kets.configuration(row),
                [&](Index before, double jump) { reduced_->add(row, before, jump); });
    reduced_->add(row, row, -out);
  }
  reduced_->finish();
  for (const Index place : populations_) at(inverse_diagonal_, place) = 1.0;
  for (Complex& d : inverse_diagonal_) d = 1.0 / d;
}

PopulationInverse::~PopulationInverse() = default;

std::span<const PopulationInverse::Link> PopulationInverse::links_of(std::size_t ket) const {
  return std::span(links_).subspan(begin_[ket], begin_[ket + 1] - begin_[ket]);
}

void PopulationInverse::apply(std::span<const Complex> x, std::span<Complex> y) const {
  std::transform(x.begin(), x.end(), inverse_diagonal_.begin(), y.begin(), std::multiplies<>());
  // What coherences do to populations: i <m|H|n> rho_nm of ket n and its conjugate.
  const auto right = reduced_->values();
  for (std::size_t k = 0; k < populations_.size(); ++k) {
    double gain = 0.0;
    for (const Link& link : links_of(k))
      gain += 2.0 * (kI * std::conj(link.element) * at(y, link.place)).real();
    right[k] = at(x, populations_[k]).real() - gain;
  }
  const auto& all = reduced_->solve();
  const Index first_row = space_->partition().first_row(space_->comm().rank());
  for (std::size_t k = 0; k < populations_.size(); ++k) {
    const double own = all[as_size(first_row) + k];
    at(y, populations_[k]) = own;
    for (const Link& link : links_of(k)) {
      const auto place = as_size(link.place);
      y[place] -= inverse_diagonal_[place] * kI * link.element * (own - at(all, link.other));
    }
  }
}

}  // namespace qheat
