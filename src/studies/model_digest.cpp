#include "studies/model_digest.hpp"

#include <bit>
#include <cstdint>

#include "io/hash.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/operators/hamiltonian.hpp"

namespace qheat {

std::string model_digest(const Job& job) {
  Hash hash;  // of the numbers of H and the initial state
  const auto add_real = [&](double number) { hash.add(std::bit_cast<std::uint64_t>(number)); };
  const auto add_operator = [&](const auto& local) {
    for (const int site : local.sites) hash.add(static_cast<std::uint64_t>(site));
    for (const auto& e : local.elements) {
      hash.add(e.to);
      hash.add(e.from);
      add_real(e.value.real());
      add_real(e.value.imag());
    }
  };
  if (job.model) {
    for (const auto& term : hamiltonian(*job.model).terms) add_operator(term);
    for (const Level band : job.model->site.band_of_level()) hash.add(std::uint64_t{band});
    for (const Dissipator& d : dissipators(*job.model)) {
      add_operator(d);
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
  if (job.well) {  // a table in a file may change while the job does not
    for (const double r : job.well->rows_r) add_real(r);
    for (const double v : job.well->rows_v) add_real(v);
  }
  if (job.initial) {
    for (const double p : job.initial->probabilities) add_real(p);
  }
  return hash.text();
}

}  // namespace qheat
