#include "app/job_input.hpp"

#include <bit>
#include <limits>

#include "io/hash.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/operators/hamiltonian.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat::app {
namespace {

std::string broadcast(std::string text, const Communicator& comm) {
  Index size = static_cast<Index>(text.size());
  MPI_Bcast(&size, 1, MPI_INT64_T, 0, comm.get());
  text.resize(static_cast<std::size_t>(size));
  comm.broadcast(std::span(text.data(), text.size()));
  return text;
}

}  // namespace

Job read_job_on_all_ranks(const std::string& file, const Communicator& comm) {
  Job job;
  std::string text;
  std::vector<std::string> problems;
  if (comm.is_root()) {
    try {
      job = read_job(file);
      text = job.text;
    } catch (const InputError& error) {
      problems = error.problems();
    }
  }
  if (comm.any(!problems.empty())) {
    // Rank 0 alone speaks; the others only need to leave in the same way.
    throw InputError(comm.is_root() ? problems : std::vector<std::string>{"bad job file"});
  }
  text = broadcast(std::move(text), comm);
  if (!comm.is_root()) job = parse_job(std::move(text), file);
  if (!job.unavailable.empty()) throw InputError(job.unavailable);
  if (job.model && !job.initial) {  // a kernel alone: all cells
    const std::vector<double> hot(static_cast<std::size_t>(job.model->sites()),
                                  std::numeric_limits<double>::infinity());
    job.initial = InitialState::thermal(*job.model, hot);
  }
  return job;
}

std::string model_digest(const Job& job) {
  Hash hash;  // of the numbers of H and the initial state
  const auto add_real = [&](double number) { hash.add(std::bit_cast<std::uint64_t>(number)); };
  if (job.model) {
    for (const auto& term : hamiltonian(*job.model).terms) {
      for (const int site : term.sites) hash.add(static_cast<std::uint64_t>(site));
      for (const auto& e : term.elements) {
        hash.add(e.to);
        hash.add(e.from);
        add_real(e.value.real());
        add_real(e.value.imag());
      }
    }
    for (const Level band : job.model->site.band_of_level()) hash.add(std::uint64_t{band});
    for (const Dissipator& d : dissipators(*job.model)) {
      for (const int site : d.sites) hash.add(static_cast<std::uint64_t>(site));
      for (const JumpElement& e : d.elements) {
        hash.add(e.to);
        hash.add(e.from);
        add_real(e.value.real());
        add_real(e.value.imag());
      }
      add_real(d.rate);
    }
    if (const auto& correlation = job.model->bath.correlation) {
      hash.add(static_cast<std::uint64_t>(correlation->kind));
      add_real(correlation->rate);
      add_real(correlation->alpha);
      add_real(correlation->cutoff);
      add_real(correlation->temperature);
    }
  }
  if (job.initial) {
    for (const double p : job.initial->probabilities) add_real(p);
  }
  return hash.text();
}

}  // namespace qheat::app
