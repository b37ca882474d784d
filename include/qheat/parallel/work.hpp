#pragma once

namespace qheat {

/// How fast this machine is: seconds of a standard piece of work over those on the machine of
/// docs/performance.md.
struct MachineSpeed {
  double products = 1.0;  ///< products with matrix-free operators, vectors in the caches
  double streams = 1.0;   ///< passes over vectors that are larger than the caches
  double dense = 1.0;     ///< products of dense matrices
};

/// Work of a computation, in seconds of one core of the machine of docs/performance.md, by what limits it.
struct Work {
  double products = 0.0, streams = 0.0, dense = 0.0;

  Work& operator+=(const Work& more) {
    products += more.products;
    streams += more.streams;
    dense += more.dense;
    return *this;
  }
  friend Work operator*(double factor, const Work& work) {
    return {factor * work.products, factor * work.streams, factor * work.dense};
  }
  /// Seconds of one core of a machine.
  double seconds(const MachineSpeed& speed = {}) const {
    return products * speed.products + streams * speed.streams + dense * speed.dense;
  }
};

}  // namespace qheat
