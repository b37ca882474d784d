#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "io/job_names.hpp"
#include "io/job_sections.hpp"
#include "io/potential_file.hpp"
#include "qheat/parallel/index.hpp"
#include "qheat/wells/element_table.hpp"
#include "qheat/wells/expression.hpp"

namespace qheat::jobfile {
namespace {

constexpr int kProbes = 401;             // of an expression, over all distances that matter
constexpr double kHarmonicReach = 12.0;  // widths at which low oscillator states have ended

bool overlap(const Well& well) {
  return well.shape == Well::Shape::harmonic || well.separation < well.width;
}

/// How far r = x1 - x2 may be from the distance of the wells' places, -separation.
double reach_of(const Well& well) {
  return well.shape == Well::Shape::square ? well.width : kHarmonicReach * well.width;
}

/// The first r that particles of both wells may have where V is not finite.
std::optional<double> where_not_finite(const Well& well, const std::function<double(double)>& value) {
  const double reach = reach_of(well);
  if (overlap(well) && !std::isfinite(value(0.0))) return 0.0;
  for (int k = 1; k < kProbes - 1; ++k) {
    const double r = -well.separation + reach * (2.0 * k / (kProbes - 1) - 1.0);
    if (!std::isfinite(value(r))) return r;
  }
  return std::nullopt;
}

void read_expression(const CheckedTable& table, WellRequest& request) {
  const auto expression = build_or_tell(
      table, "potential",
      "; give delta, linear, quadratic, inverse or an expression of r such as \"exp(-abs(r))\"",
      [&] { return std::make_shared<Expression>(request.potential_text, std::vector<std::string>{"r"}); });
  if (!expression) return;
  const auto value = [shared = *expression](double r) { return (*shared)({r}); };
  if (const auto r = where_not_finite(request.well, value)) {
    table.problem(
        "potential",
        fmt::format("has the value {} at r = {:g}, a distance that particles of the two wells may have; "
                    "choose a potential that is finite there{}",
                    value(*r), *r,
                    std::abs(*r) < 0.01 * request.well.width ? ", or square wells that do not overlap" : ""));
    return;
  }
  request.potential.form = PairPotential::Form::given;
  request.potential.value = value;
}

/// The potential through rows, which must cover all distances that particles of both wells may have.
void take_rows(const CheckedTable& table, const PotentialRows& rows, WellRequest& request) {
  const Well& well = request.well;
  const double reach = reach_of(well);
  const bool even = rows.r.front() >= 0.0;
  const double low = even ? std::max(0.0, well.separation - reach) : -well.separation - reach;
  const double high = even ? well.separation + reach : reach - well.separation;
  if (rows.r.front() > low || rows.r.back() < high) {
    table.problem(
        "potential_file",
        fmt::format("covers r = {:g} to {:g}, but particles of the two wells may be {:g} to {:g} apart; "
                    "add rows",
                    rows.r.front(), rows.r.back(), low, high));
    return;
  }
  request.potential = potential_through(rows.r, rows.v);
  request.rows_r = rows.r;
  request.rows_v = rows.v;
  request.potential_text =
      fmt::format("{} rows from r = {:g} to {:g}", rows.r.size(), rows.r.front(), rows.r.back());
}

/// `file` beside the job file.
void read_file(const CheckedTable& table, const std::string& file, const std::string& job,
               WellRequest& request) {
  const auto rows =
      build_or_tell(table, "potential_file", "", [&] { return read_potential_file(beside_job(job, file)); });
  if (rows) take_rows(table, *rows, request);
}

/// [[r, V], ...], as they stand in the job.
void read_rows(CheckedTable& table, WellRequest& request) {
  PotentialRows rows;
  const bool good = table.list("potential_file", {}, [&](const TomlValue& row, const std::string& path) {
    std::vector<double> numbers;
    const bool read = table.read_list(
        row, row.place, path, {2, 2, "r and V"}, [&](const TomlValue& entry, const std::string& entry_path) {
          return table.read_number(entry, entry_path, numbers.emplace_back(), NumberRule::any());
        });
    if (!read) return false;
    rows.r.push_back(numbers[0]);
    rows.v.push_back(numbers[1]);
    return true;
  });
  if (!good) return;
  const auto problem = problem_of_rows(rows);
  if (!problem.empty()) {
    table.problem("potential_file", problem);
  } else {
    take_rows(table, rows, request);
  }
}

void read_potential(CheckedTable& table, const std::string& job, WellRequest& request) {
  if (table.has("potential_file")) {
    table.only("potential", false, "wells without potential_file");
    std::string file;
    const bool listed = std::holds_alternative<TomlArray>(table.toml().find("potential_file")->value.data);
    if (listed) {
      read_rows(table, request);
    } else if (table.text("potential_file", file)) {
      read_file(table, file, job, request);
    }
    return;
  }
  if (!table.text("potential", request.potential_text)) return;
  const auto name = std::find_if(kPotentialNames.begin(), kPotentialNames.end(),
                                 [&](const auto& known) { return known.first == request.potential_text; });
  if (name != kPotentialNames.end()) {
    request.potential.form = name->second;
  } else {
    read_expression(table, request);
  }
}

/// alpha f(T)
void read_screening(CheckedTable& table, WellRequest& request) {
  table.number("alpha", request.alpha, NumberRule::not_negative());
  const bool has_temperature = table.number("temperature", request.temperature, NumberRule::positive());
  table.text("law", request.law);
  const auto law = build_or_tell(table, "law", "; give an expression of T such as \"T\" or \"sqrt(T)\"",
                                 [&] { return Expression(request.law, {"T"}); });
  if (!law || request.alpha == 0.0) return;
  request.by_temperature = law->uses("T");
  if (request.by_temperature && !has_temperature) {
    if (!table.has("temperature"))
      table.problem("alpha", "f(T) has no temperature; add for example temperature = 1.0, or remove alpha");
    return;
  }
  const double factor = (*law)({request.temperature});
  const double screening = request.alpha * factor;
  if (std::isfinite(screening) && screening >= 0.0) {
    request.potential.screening = screening;
    return;
  }
  table.problem(
      table.has("law")  ? "law"
      : has_temperature ? "temperature"
                        : "alpha",
      fmt::format("f(T) = {} at T = {:g}, but alpha f(T) is to be finite and not negative; change f or T",
                  factor, request.temperature));
}

/// The upper triangle of l1 V + l2 (V E + E V)/2, without what is zero within its error.
std::vector<PairElement> interaction_elements(const WellRequest& request, int levels) {
  const WellElements elements(request.well, request.potential, levels);
  std::vector<WellElement> tensor(as_size(levels * levels) * as_size(levels * levels));
  for (int row = 0; row < levels; ++row) {
    visit_different_elements(
        elements, row, [](int) { return true; },
        [&](int a, int b, int c, int d, const WellElement& element) {
          for (const auto n : tensor_places(levels, a, b, c, d)) tensor[n] = element;
        });
  }
  const auto element = [&](int a, int b, int c, int d) {
    return tensor[tensor_places(levels, a, b, c, d)[0]];
  };
  const double half = 0.5 * request.exchange;
  // what a table leaves open between its rows takes no element away
  const double open = (std::abs(request.direct) + 2.0 * std::abs(half)) * request.potential.value_error;
  std::vector<PairElement> list;
  const auto add = [&](int a, int b, int c, int d) {
    const WellElement direct = element(a, b, c, d);
    const WellElement right = element(a, b, d, c);
    const WellElement left = element(b, a, c, d);
    const double value = request.direct * direct.value + half * (right.value + left.value);
    const double error =
        std::abs(request.direct) * direct.error + std::abs(half) * (right.error + left.error);
    if (std::abs(value) <= error - open) return;
    list.push_back(
        {static_cast<Level>(a), static_cast<Level>(b), static_cast<Level>(c), static_cast<Level>(d), value});
  };
  for (int row = 0; row < levels * levels; ++row) {
    for (int column = row; column < levels * levels; ++column)
      add(row / levels, row % levels, column / levels, column % levels);
  }
  return list;
}

}  // namespace

WellRequest read_well(CheckedTable& table, const std::string& job) {
  WellRequest request;
  table.choice("shape", request.well.shape, kWellNames);
  table.number("width", request.well.width, NumberRule::positive());
  table.number("separation", request.well.separation, NumberRule::not_negative());
  table.number("direct", request.direct, NumberRule::any());
  table.number("exchange", request.exchange, NumberRule::any());
  read_potential(table, job, request);
  read_screening(table, request);
  table.report_unknown_keys();
  return request;
}

std::optional<PairInteraction> build_well_interaction(const CheckedTable& table, int levels,
                                                      const Draft& draft) {
  if (!draft.job.well) return {};
  if (levels > kMaxWellLevels) {
    table.problem("kind", fmt::format("the elements of {} well levels are too many; give at most {} levels",
                                      levels, kMaxWellLevels));
    return {};
  }
  const WellRequest& request = *draft.job.well;
  return build_or_tell(table, "well", "", [&] {
    return PairInteraction::matrix(levels, interaction_elements(request, levels), true);
  });
}

}  // namespace qheat::jobfile
