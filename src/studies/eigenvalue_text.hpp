#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace qheat {

/// The smallest eigenvalue of a density matrix for a summary; nothing if it was not computed.
inline std::string eigenvalue_text(double smallest) {
  return std::isnan(smallest) ? "" : fmt::format(", smallest eigenvalue {:.1e}", smallest);
}

}  // namespace qheat
