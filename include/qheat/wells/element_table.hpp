#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "qheat/parallel/communicator.hpp"
#include "qheat/parallel/run_control.hpp"
#include "qheat/wells/well_elements.hpp"

namespace qheat {

/// Four levels a, b, c, d with e_a + e_b = e_c + e_d, {a, b} and {c, d} different: two particles may change
/// their levels without a change of the level energy. Counted from 0, a <= b, c <= d, a < c.
using Resonance = std::array<int, 4>;
/// Of levels n^2 (square) or n (harmonic), in exact arithmetic.
std::vector<Resonance> resonances(Well::Shape shape, int levels);

/// All elements between `levels` levels of two wells.
struct ElementTable {
  std::vector<double> direct, direct_error;      ///< [levels][levels] <ab|V|ba>, its error
  std::vector<double> exchange, exchange_error;  ///< [levels][levels] <ab|V|ab>
  std::vector<double> tensor;                    ///< [levels]^4 <ab|V|cd>, if asked for
  double tensor_error = 0.0;                     ///< largest error of an element of the tensor
  std::vector<Resonance> resonances;
  std::vector<double> resonance_elements;  ///< <ab|V|cd> of each
};

/// Calls use(a, b, c, d, <ab|V|cd>) once for each set of elements that are the same because the states are
/// real, with a and c, or b and d, exchanged: those of one a, with a <= c, b <= d, and only the b that
/// `wanted` takes.
template <class Wanted, class Use>
void visit_different_elements(const WellElements& elements, int a, const Wanted& wanted, const Use& use) {
  for (int b = 0; b < elements.levels(); ++b) {
    if (!wanted(b)) continue;
    for (int c = a; c < elements.levels(); ++c) {
      for (int d = b; d < elements.levels(); ++d) use(a, b, c, d, elements(a, b, c, d));
    }
  }
}
/// The places of such a set in a tensor [levels]^4: some are the same where a = c or b = d.
std::array<std::size_t, 4> tensor_places(int levels, int a, int b, int c, int d);

/// Ranks share the elements; the same on all, to the last bit for any number of them. Offers its state after
/// each row of a. Collective.
ElementTable element_table(const Well& well, const PairPotential& potential, int levels, bool tensor,
                           const Communicator& comm, RunControl& control);

}  // namespace qheat
