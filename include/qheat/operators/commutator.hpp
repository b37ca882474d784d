#pragma once

#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// i [A, B] of two sums of local terms, as local terms: only pairs of terms that share a site contribute, and
/// each acts on the sites of both. Canonical, terms by their sites, without elements that vanish to rounding.
TermSum<Complex> commutator(const TermSum<Complex>& a, const TermSum<Complex>& b);

/// A B, each term on the sites of both, up to six of them; canonical as above.
TermSum<Complex> product(const TermSum<Complex>& a, const TermSum<Complex>& b);

/// Adds `factor` times `more`; terms on the same sites become one.
void add_terms(TermSum<Complex>& sum, const TermSum<Complex>& more, double factor = 1.0);

/// Brings terms on the same sites together, orders terms by their sites and drops elements that vanish to
/// rounding.
TermSum<Complex> merged(const TermSum<Complex>& sum);

}  // namespace qheat
