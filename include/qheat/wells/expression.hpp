#pragma once

#include <memory>
#include <string>
#include <vector>

namespace qheat {

/// A formula of a job file, such as "1/(1 + abs(r))", parsed by muParser: + - * / ^, comparisons, a ? b : c,
/// abs, sqrt, exp, ln, log10, sin, cos, tan, sinh, cosh, tanh, min, max, sign, rint and others, the constants
/// pi and e. One object must not be used by two threads at once.
class Expression {
 public:
  /// Throws InputError with the place (from 1) in `text` of what cannot be understood.
  Expression(const std::string& text, const std::vector<std::string>& variables);
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  /// Whether the formula names a variable.
  bool uses(const std::string& variable) const;
  /// Values in the order of the variables. May be infinite or NaN.
  double operator()(const std::vector<double>& values) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace qheat
