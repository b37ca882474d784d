#include "qheat/parallel/index.hpp"

#include <fmt/format.h>

#include "qheat/parallel/error.hpp"

namespace qheat {

Index checked_product(Index a, Index b, const char* what) {
  Index result = 0;
  if (__builtin_mul_overflow(a, b, &result)) {
    throw Error(fmt::format("{} needs more than 63 bits ({} x {}); take fewer sites or a smaller sector",
                            what, a, b));
  }
  return result;
}

Index checked_sum(Index a, Index b, const char* what) {
  Index result = 0;
  if (__builtin_add_overflow(a, b, &result)) {
    throw Error(fmt::format("{} needs more than 63 bits ({} + {}); take fewer sites or a smaller sector",
                            what, a, b));
  }
  return result;
}

}  // namespace qheat
