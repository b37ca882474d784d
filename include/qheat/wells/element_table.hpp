#pragma once

#include <array>
#include <vector>

#include "qheat/parallel/communicator.hpp"
#include "qheat/wells/well_elements.hpp"

namespace qheat {

/// Four levels a, b, c, d with e_a + e_b = e_c + e_d, {a, b} and {c, d} different: two particles may change
/// their levels without a change of the level energy. Counted from 0, a <= b, c <= d, a < c.
using Resonance = std::array<int, 4>;
/// Of levels n^2 (square) or n (harmonic), in exact arithmetic.
std::vector<Resonance> resonances(Well::Shape shape, int levels);

/// All elements between `levels` levels of two wells.
struct ElementTable {
  int levels = 0;
  std::vector<double> direct, direct_error;      ///< [levels][levels] <ab|V|ba>, its error
  std::vector<double> exchange, exchange_error;  ///< [levels][levels] <ab|V|ab>
  std::vector<double> tensor;                    ///< [levels]^4 <ab|V|cd>, if asked for
  double tensor_error = 0.0;                     ///< largest error of an element of the tensor
  std::vector<double> resonance;                 ///< <ab|V|cd> of each resonance
};

/// Ranks share the elements; the same on all, to the last bit for any number of them. Collective.
ElementTable element_table(const Well& well, const PairPotential& potential, int levels, bool tensor,
                           const Communicator& comm);

}  // namespace qheat
