// Seconds of a full Spectrum against those of ScaLAPACK's pdsyevd alone on the same real matrix, and of going
// to eigenstates and back.
//   mpirun -n 2 build/release/tests/bench/spectrum_bench [sites] [repeats] [with-complex]
// The chain has `sites` sites with two levels, half filled, exchange. "with-complex" adds the complex solver
// on the same Hamiltonian in a rotated basis.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "evolution/diagonalized.hpp"
#include "evolution/real_matrix.hpp"
#include "qheat/basis/model_sectors.hpp"
#include "qheat/evolution/spectrum.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/environment.hpp"

namespace {

using namespace qheat;

double seconds(const Communicator& comm, const std::function<void()>& work) {
  MPI_Barrier(comm.get());
  const double start = MPI_Wtime();
  work();
  return comm.max(MPI_Wtime() - start);
}

struct Samples {
  explicit Samples(std::string n) : name(std::move(n)) {}
  double minimum() const { return *std::min_element(values.begin(), values.end()); }
  double median() const {
    auto sorted = values;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  void print() const { fmt::print("{:<28} min {:8.3f} s  median {:8.3f} s\n", name, minimum(), median()); }

  std::string name;
  std::vector<double> values;
};

int run(const Communicator& comm, int sites, int repeats, bool with_complex) {
  const auto model =
      uniform_model(Lattice::chain(sites), Site({0.0, 1.0}), PairInteraction::exchange(2, 0.6), 0.8);
  const auto space =
      std::make_shared<DistributedSector>(level_sector(model, {sites - sites / 2, sites / 2}), comm);
  const auto terms = hamiltonian(model);

  Samples bare("pdsyevd alone");
  Samples whole("Spectrum");
  Samples forth("coefficients, 256 columns");
  Samples back("state, 256 columns");
  Samples one("state, 1 column");
  for (int repeat = 0; repeat < repeats; ++repeat) {
    {
      const scalapack::ProcessGrid grid(comm, space->dimension());
      auto matrix = real_matrix(*space, grid, real_part(terms));
      scalapack::Matrix<double> vectors(grid, space->dimension(), space->dimension());
      bare.values.push_back(seconds(comm, [&] { scalapack::diagonalize(grid, matrix, vectors); }));
    }
    std::unique_ptr<Spectrum> spectrum;
    whole.values.push_back(seconds(comm, [&] { spectrum = std::make_unique<Spectrum>(space, terms); }));
    ColumnStorage<Complex> x(space->local_size(), 256);
    ColumnStorage<Complex> c(spectrum->local_coefficients(), 256);
    forth.values.push_back(seconds(comm, [&] { spectrum->coefficients(x.block(), c.block()); }));
    back.values.push_back(seconds(comm, [&] { spectrum->state(1.0, c.block(), x.block()); }));
    one.values.push_back(seconds(
        comm, [&] { spectrum->state(1.0, c.block().some_columns(0, 1), x.block().some_columns(0, 1)); }));
  }
  Samples complex_path("complex path (SLEPc)");
  if (with_complex) {
    complex_path.values.push_back(seconds(comm, [&] { diagonalize_complex(space, terms); }));
  }
  if (comm.is_root()) {
    fmt::print("dimension {}, {} ranks, {} repeats, {}\n", space->dimension(), comm.size(), repeats,
               library_versions().blas);
    for (const auto& samples : {bare, whole, forth, back, one}) samples.print();
    if (with_complex) complex_path.print();
    fmt::print("Spectrum / pdsyevd           min {:.3f}  median {:.3f}\n", whole.minimum() / bare.minimum(),
               whole.median() / bare.median());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  prepare_process(argv);
  const Environment environment(argc, argv);
  const int sites = argc > 1 ? std::atoi(argv[1]) : 14;
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 5;
  const bool with_complex = argc > 3 && std::string(argv[3]) == "with-complex";
  return run(environment.world(), sites, repeats, with_complex);
}
