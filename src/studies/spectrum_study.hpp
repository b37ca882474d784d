#pragma once

#include "qheat/evolution/eigenstates.hpp"
#include "studies/study.hpp"

namespace qheat {

/// [spectrum]: eigenstates from one end of the spectrum of H.
class SpectrumStudy final : public Study {
 public:
  SpectrumStudy(const Job& job, const StudyContext& context);

  void describe(Report& report) const override;
  void require_possible() const override;
  Need need(int ranks, double free_bytes) const override;
  void compute() override;
  void write(ResultsFile& file) override;
  void summarize(Report& report) const override;

 private:
  const Job& job_;
  const Model& model_;
  StudyContext context_;
  EigenstateOptions options_;
  Eigenstates found_;
};

}  // namespace qheat
