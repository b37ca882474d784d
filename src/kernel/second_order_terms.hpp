#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "qheat/kernel/second_order.hpp"
#include "qheat/operators/local_terms.hpp"

namespace qheat {

/// The elements of a second-order kernel as sums over transitions, a mean over realisations of the detunings.
struct SecondOrderTerms {
  struct Part {
    std::uint32_t transition;
    std::uint32_t realization;
    double weight;  ///< 2 lambda^2 |B_nm|^2, summed and averaged over the cell, over the realisations' number
  };
  struct Swap {
    int bond;
    Level low, high;        ///< bands
    std::uint32_t channel;  ///< of one direction
  };

  int realizations = 1;
  std::vector<Transition> transitions;  ///< the different ones
  TermSum<double> pattern;              ///< elements in pairs: gain, loss; a channel each
  std::vector<std::uint32_t> channel_begin{0};
  std::vector<Part> parts;  ///< of all channels, in each by realisation
  std::vector<Swap> swaps;
};

/// `draw`: the model of a realisation, 0 ... realizations - 1, different in their level energies alone.
/// Throws InputError for dephasing beside a correlation function.
SecondOrderTerms collect_second_order(int realizations, const std::function<Model(int)>& draw);

}  // namespace qheat
