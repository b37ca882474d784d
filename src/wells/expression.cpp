#include "qheat/wells/expression.hpp"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <limits>
#include <numbers>

#include "qheat/parallel/error.hpp"

namespace qheat {

struct Expression::Parsed {
  mu::Parser parser;
  std::vector<double> values;  ///< the parser holds their addresses
};

Expression::Expression(const std::string& text, const std::vector<std::string>& variables)
    : parsed_(std::make_unique<Parsed>()) {
  parsed_->values.assign(variables.size(), 1.0);
  try {
    for (std::size_t k = 0; k < variables.size(); ++k)
      parsed_->parser.DefineVar(variables[k], &parsed_->values[k]);
    for (const char* name : {"_pi", "pi"})
      parsed_->parser.DefineConst(name, std::numbers::pi);  // muParser's has 12 digits
    for (const char* name : {"_e", "e"}) parsed_->parser.DefineConst(name, std::numbers::e);
    parsed_->parser.SetExpr(text);
    parsed_->parser.Eval();
  } catch (const mu::Parser::exception_type& error) {
    std::string reason = error.GetMsg();
    while (!reason.empty() && (reason.back() == '.' || reason.back() == ' ')) reason.pop_back();
    // counted from 0; beyond the end where more is expected
    const auto place = std::min<std::size_t>(
        static_cast<std::size_t>(std::max(0, static_cast<int>(error.GetPos()))), text.size());
    throw InputError(fmt::format("\"{}\" is no expression: {} (character {}, \"{}\")", text, reason,
                                 place + 1, text.substr(0, place) + ">" + text.substr(place)));
  }
}
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

bool Expression::uses(const std::string& variable) const {
  return parsed_->parser.GetUsedVar().contains(variable);
}

double Expression::operator()(const std::vector<double>& values) const {
  parsed_->values = values;  // of the same size: their addresses stay
  try {
    return parsed_->parser.Eval();
  } catch (const mu::Parser::exception_type&) {
    return std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace qheat
