#include <algorithm>

#include "studies/exact_study.hpp"
#include "studies/fluctuation_study.hpp"
#include "studies/heat_study.hpp"
#include "studies/kernel_requests.hpp"
#include "studies/kernel_study.hpp"
#include "studies/matrix_element_study.hpp"
#include "studies/spectrum_study.hpp"
#include "studies/steady_study.hpp"
#include "studies/study.hpp"
#include "studies/transport_study.hpp"

namespace qheat {

std::vector<std::unique_ptr<Study>> studies_of(const Job& job, const StudyContext& context) {
  std::vector<std::unique_ptr<Study>> studies;
  const ExactStudy* exact = nullptr;
  if (job.exact) {
    auto study = std::make_unique<ExactStudy>(job, context);
    exact = study.get();
    studies.push_back(std::move(study));
  }
  if (job.spectrum) studies.push_back(std::make_unique<SpectrumStudy>(job, context));
  const KernelStudy* kernels = nullptr;
  if (!wanted_kernels(job).empty()) {
    auto study = std::make_unique<KernelStudy>(job, context, exact);
    kernels = study.get();
    studies.push_back(std::move(study));
  }
  const SteadyStudy* steady = nullptr;
  if (job.steady) {
    auto study = std::make_unique<SteadyStudy>(job, context);
    steady = study.get();
    studies.push_back(std::move(study));
  }
  const FluctuationStudy* fluctuations = nullptr;
  if (job.transport && job.transport->follows_fluctuations()) {
    auto study = std::make_unique<FluctuationStudy>(job, context);
    fluctuations = study.get();
    studies.push_back(std::move(study));
  }
  if (job.transport)
    studies.push_back(std::make_unique<TransportStudy>(job, context, kernels, steady, fluctuations));
  if (job.heat) studies.push_back(std::make_unique<HeatStudy>(job, context));
  if (job.matrix_elements) studies.push_back(std::make_unique<MatrixElementStudy>(job, context));
  return studies;
}

Need total_need(const std::vector<std::unique_ptr<Study>>& studies, int ranks, double free_bytes) {
  Need total;
  for (const auto& study : studies) {
    const Need one = study->need(ranks, free_bytes);
    if (one.least_bytes_per_rank >= total.least_bytes_per_rank) {
      total.what = one.what;
      total.remedy = one.remedy;
    }
    total.bytes_per_rank = std::max(total.bytes_per_rank, one.bytes_per_rank);
    total.least_bytes_per_rank = std::max(total.least_bytes_per_rank, one.least_bytes_per_rank);
    total.kept_bytes_per_rank += one.kept_bytes_per_rank;
    total.work += one.work;
    total.sensible_ranks = std::max(total.sensible_ranks, one.sensible_ranks);
  }
  if (total.kept_bytes_per_rank > total.least_bytes_per_rank) {
    total.what = "the series at the output times";
    total.remedy = "lower time.outputs";
  }
  return total;
}

}  // namespace qheat
