#include "qheat/propagator/open_propagator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "parallel/small_matrix.hpp"
#include "propagator/cell_relaxation.hpp"
#include "propagator/site_products.hpp"
#include "qheat/model/dissipator.hpp"
#include "qheat/operators/bath_rates.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

class OpenPropagator final : public PopulationPropagator {
 public:
  OpenPropagator(std::unique_ptr<const CellMoments> moments, bool symmetric, bool starts_still)
      : PopulationPropagator(moments->layout()),
        moments_(std::move(moments)),
        symmetric_(symmetric),
        starts_still_(starts_still) {}

  std::vector<CellColumns> evaluate(double t, int derivatives) const override {
    auto result = moments_->evaluate(0, t, derivatives);
    // Nothing has moved at t = 0: the kernel is zero there, without rounding errors.
    if (t == 0.0 && starts_still_ && derivatives >= 1) result[1] = layout().zero();
    return result;
  }
  bool symmetric() const override { return symmetric_; }
  double error(double t) const override { return moments_->error(0, t); }
  double largest_frequency() const override { return moments_->largest_frequency(); }

 private:
  std::unique_ptr<const CellMoments> moments_;
  bool symmetric_, starts_still_;
};

/// Square matrices of one site, element (a, b) at a n + b.
using SmallMatrix = std::vector<double>;

/// e^{rates t} by squaring a Taylor series, t of either sign: relative to its norm it is good to rounding,
/// since the rates have no growing part to cancel (t > 0) or what grows outweighs the rest (t < 0).
SmallMatrix exponential(const SmallMatrix& rates, std::size_t n, double t) {
  constexpr int kTerms = 20;
  const double phase = one_norm(n, rates) * std::abs(t);
  const int squarings = phase > 0.5 ? static_cast<int>(std::ceil(std::log2(phase / 0.5))) : 0;
  SmallMatrix scaled = rates;
  for (double& rate : scaled) rate *= std::ldexp(t, -squarings);
  SmallMatrix sum(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) sum[i * n + i] = 1.0;
  SmallMatrix term = sum;
  for (int k = 1; k <= kTerms; ++k) {
    term = small_product(n, term, scaled);
    for (std::size_t e = 0; e < term.size(); ++e) sum[e] += term[e] /= k;
  }
  for (int s = 0; s < squarings; ++s) sum = small_product(n, sum, sum);
  return sum;
}

/// Gauss and Jordan with pivots from the whole column; infinite elements if it is singular.
SmallMatrix inverse(SmallMatrix a, std::size_t n) {
  SmallMatrix result(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) result[i * n + i] = 1.0;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    for (std::size_t j = 0; j < n; ++j) {
      std::swap(a[k * n + j], a[pivot * n + j]);
      std::swap(result[k * n + j], result[pivot * n + j]);
    }
    const double scale = 1.0 / a[k * n + k];
    for (std::size_t j = 0; j < n; ++j) {
      a[k * n + j] *= scale;
      result[k * n + j] *= scale;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double factor = a[i * n + k];
      if (i == k || factor == 0.0) continue;
      for (std::size_t j = 0; j < n; ++j) {
        a[i * n + j] -= factor * a[k * n + j];
        result[i * n + j] -= factor * result[k * n + j];
      }
    }
  }
  return result;
}

/// What the bath alone does to the bands of one site that start evenly filled: g = P e^{Rt} P, and from
/// it k = g' g^{-1}.
class SiteRelaxation {
 public:
  SiteRelaxation(const Model& model, int site)
      : model_(model), levels_(level_jumps(model, site)), bands_(band_jumps(model, site)) {}

  bool moves() const {
    return std::any_of(levels_.begin(), levels_.end(), [](double rate) { return rate != 0.0; });
  }
  std::size_t size() const { return as_size(model_.site.bands()); }

  struct Value {
    SmallMatrix kernel, inverse;
    double error;  ///< of the inverse, relative
  };
  Value at(double t) const {
    constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
    const auto m = as_size(model_.levels());
    const double rounding = kEpsilon * (8.0 + one_norm(m, levels_) * t);
    if (size() == m) return {bands_, exponential(bands_, m, -t), rounding};
    // Inside a band levels fill unevenly: k depends on time.
    const SmallMatrix flow = exponential(levels_, m, t);
    const SmallMatrix g = on_bands(flow);
    SmallMatrix back = inverse(g, size());
    SmallMatrix kernel = small_product(size(), on_bands(small_product(m, levels_, flow)), back);
    return {std::move(kernel), back, rounding * one_norm(size(), g) * one_norm(size(), back)};
  }

 private:
  SmallMatrix on_bands(const SmallMatrix& of_levels) const {
    const auto m = as_size(model_.levels());
    const auto& band = model_.site.band_of_level();
    SmallMatrix result(size() * size(), 0.0);
    for (std::size_t to = 0; to < m; ++to) {
      for (std::size_t from = 0; from < m; ++from) {
        result[band[to] * size() + band[from]] +=
            of_levels[to * m + from] / model_.site.band_sizes()[band[from]];
      }
    }
    return result;
  }

  const Model& model_;
  SmallMatrix levels_, bands_;
};

class OpenOrders final : public PropagatorOrders {
 public:
  OpenOrders(const Model& model, const CellSector& sector, std::shared_ptr<const CellMoments> moments,
             int order)
      : PropagatorOrders(moments->layout(), order),
        model_(model),
        cells_(sector.cells),
        moments_(std::move(moments)) {
    QHEAT_ASSERT(order <= moments_->order());
    const auto all = dissipators(model);
    moves_ = std::any_of(all.begin(), all.end(), moves_levels);
    if (!std::all_of(all.begin(), all.end(), keeps_populations_apart))
      throw InputError("the orders of the propagator need jumps that keep populations and coherences apart");
    if (!moves_pairs(model)) return;
    if (model.site.bands() != model.levels())
      throw InputError("the orders of the propagator with jumps on bonds need bands of one level each");
    pairs_.emplace(model, cells_);
  }

  Values evaluate(double t) override {
    Values values;
    for (int k = 0; k <= order(); ++k) {
      auto now = moments_->evaluate(k, t, 1);
      values.g.push_back(std::move(now[0]));
      values.derivative.push_back(std::move(now[1]));
      values.error.push_back(moments_->error(k, t));
      values.derivative_error.push_back(moments_->largest_frequency() * values.error.back());
    }
    if (moves_) values.unperturbed = pairs_ ? unperturbed_pairs(t) : unperturbed(t);
    return values;
  }

 private:
  Values::Unperturbed unperturbed(double t) const {
    SiteMatrices kernels;
    SiteMatrices inverses;
    double size = 1.0;
    double error = 0.0;
    for (int i = 0; i < model_.sites(); ++i) {
      const SiteRelaxation site(model_, i);
      auto& kernel = kernels.emplace_back();
      auto& back = inverses.emplace_back();
      if (!site.moves()) continue;
      auto value = site.at(t);
      size *= one_norm(site.size(), value.inverse);
      error += value.error;
      kernel = std::move(value.kernel);
      back = std::move(value.inverse);
    }
    return {sum_of_sites(layout(), cells_, kernels), product_of_sites(layout(), cells_, inverses), size,
            error};
  }

  Values::Unperturbed unperturbed_pairs(double t) const {
    constexpr double kRounding = 16.0 * std::numeric_limits<double>::epsilon();
    auto back = pairs_->exponential(layout(), -t);
    return {pairs_->generator(layout()), std::move(back.columns), back.size,
            kRounding * (1.0 + pairs_->norm() * t)};
  }

  Model model_;
  Sector cells_;
  std::shared_ptr<const CellMoments> moments_;
  bool moves_ = false;                   ///< the bath alone
  std::optional<CellRelaxation> pairs_;  ///< where it moves pairs of sites
};

}  // namespace

std::unique_ptr<const PopulationPropagator> open_population_propagator(const Model& model,
                                                                       const CellSector& sector, double end,
                                                                       const Communicator& comm,
                                                                       RunControl& control,
                                                                       CellMomentsOptions options) {
  options.order = std::nullopt;
  const auto all = dissipators(model);
  const bool still =
      std::none_of(all.begin(), all.end(), [&](const Dissipator& d) { return moves_bands(model, d); });
  // Then L equals its transpose: with bands of one level all that dissipators have is diagonal.
  const bool symmetric = still && model.is_real() && model.site.bands() == model.levels();
  return std::make_unique<OpenPropagator>(
      std::make_unique<CellMoments>(model, sector, end, options, comm, control), symmetric, still);
}

std::unique_ptr<PropagatorOrders> open_propagator_orders(const Model& model, const CellSector& sector,
                                                         std::shared_ptr<const CellMoments> moments,
                                                         int order) {
  return std::make_unique<OpenOrders>(model, sector, std::move(moments), order);
}

}  // namespace qheat
