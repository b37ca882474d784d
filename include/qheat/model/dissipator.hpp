#pragma once

#include <vector>

#include "qheat/model/model.hpp"

namespace qheat {

/// rate (A rho A^+ - {A^+ A, rho}/2) with A on one site or two.
struct Dissipator {
  std::vector<int> sites;             ///< ascending
  std::vector<JumpElement> elements;  ///< of A, each once; the first site most significant
  double rate = 0.0;                  ///< inverse time, not 0

  /// rate <a.to|A|a.from> conj(<b.to|A|b.from>), in inverse time. One function, so that what a level loses is
  /// what others gain, and an exchange of a and b the conjugate, to the last digit.
  Complex weight(const JumpElement& a, const JumpElement& b) const;
};

/// What the bath does to rho besides a correlation function: projectors on the levels of every site for
/// dephasing, the jumps of reservoirs, and jumps. Nothing of rate 0.
std::vector<Dissipator> dissipators(const Model& model);
/// Those of one reservoir.
std::vector<Dissipator> dissipators(const Model& model, const Reservoir& reservoir);
/// That of one jump; none if its rate is 0.
std::vector<Dissipator> dissipators(const Model& model, const Jump& jump);

/// Those of reservoirs and jumps that act on this site alone.
std::vector<Dissipator> dissipators_on(const Model& model, int site);

/// The same as dissipators(model), with what acts on all levels of all sites as dephasing does told apart,
/// however it was given.
struct Dissipation {
  double dephasing = 0.0;  ///< gamma, inverse time
  std::vector<Dissipator> others;
};
Dissipation dissipation(const Model& model);

/// True if A changes a level.
bool moves_levels(const Dissipator& dissipator);
/// True if A changes the band of a site.
bool moves_bands(const Model& model, const Dissipator& dissipator);
/// True if populations and coherences go their own ways: A takes each configuration to at most one, and no
/// two to the same.
bool keeps_populations_apart(const Dissipator& dissipator);
/// How A changes the numbers of sites in the bands, one entry for each different change.
std::vector<std::vector<int>> count_changes(const Model& model, const Dissipator& dissipator);
/// True if A changes any of these numbers.
bool changes_counts(const Model& model, const Dissipator& dissipator);

}  // namespace qheat
