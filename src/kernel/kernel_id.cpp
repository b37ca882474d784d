#include "qheat/kernel/kernel_id.hpp"

#include <fmt/format.h>

namespace qheat {

std::string KernelId::name() const {
  switch (kind) {
    case Kind::exact:
      return "exact";
    case Kind::tcl:
      return fmt::format("tcl{}", order);
    case Kind::memory:
      return "memory";
    case Kind::markov:
      break;
  }
  return "markov";
}

std::optional<KernelId> KernelId::from_name(std::string_view name) {
  for (const KernelId id : {exact(), memory(), markov()})
    if (name == id.name()) return id;
  for (int order = 1; order <= kHighestOrder; ++order)
    if (name == tcl(order).name()) return tcl(order);
  return std::nullopt;
}

}  // namespace qheat
