#pragma once

#include "qheat/model/model.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// What the bath does to an observable, D^+(A) = sum over its dissipators L of rate (L^+ A L - {L^+ L, A}/2),
/// dephasing included: d<A>/dt = <i[H, A] + D^+(A)>. Bath correlation functions have no part in it.
TermSum<Complex> bath_change(const Model& model, const TermSum<Complex>& a);

/// i[H, A] + D^+(A).
TermSum<Complex> rate_of_change(const Model& model, const TermSum<Complex>& a);

}  // namespace qheat
