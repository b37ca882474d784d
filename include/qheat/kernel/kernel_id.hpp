#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace qheat {

/// Which kernel of the gain-loss equation. Ascending in the order in which they are computed and written.
struct KernelId {
  enum class Kind { exact, tcl, memory, markov };

  Kind kind = Kind::exact;
  int order = 0;  ///< of lambda; tcl only

  static constexpr int kHighestOrder = 12;

  static constexpr KernelId exact() { return {}; }
  static constexpr KernelId tcl(int order) { return {Kind::tcl, order}; }
  static constexpr KernelId memory() { return {Kind::memory, 0}; }
  static constexpr KernelId markov() { return {Kind::markov, 0}; }

  /// exact, tcl<n>, memory, markov: in job files, results and logs.
  std::string name() const;
  /// None for other names.
  static std::optional<KernelId> from_name(std::string_view name);

  // clang-tidy 14 takes the zero of the default comparison for a pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend constexpr auto operator<=>(const KernelId&, const KernelId&) = default;
};

}  // namespace qheat
