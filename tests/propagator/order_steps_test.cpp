// The orders of closed propagators on long ways: in pieces, interrupted, and between outputs, bit for bit.

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "qheat/kernel/kernel_series.hpp"
#include "qheat/kernel/second_order.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/propagator/mean_propagator.hpp"
#include "qheat/propagator/propagator_orders.hpp"
#include "support/world.hpp"

using namespace qheat;

namespace {

/// A saved state of this rank.
struct Saved {
  std::map<std::string, std::vector<double>> replicated, distributed;
};

class Writer final : public StateWriter {
 public:
  explicit Writer(Saved& saved) : saved_(saved) {}
  void replicated(const std::string& name, std::span<const double> values) override {
    saved_.replicated[name].assign(values.begin(), values.end());
  }
  void distributed(const std::string& name, std::span<const double> local, Index offset,
                   Index global_size) override {
    const auto size = static_cast<Index>(local.size());
    EXPECT_LE(offset + size, global_size);
    EXPECT_EQ(qheat_test::world().sum(size), global_size) << name;  // all of it, once
    saved_.distributed[name].assign(local.begin(), local.end());
  }

 private:
  Saved& saved_;
};

class Reader final : public StateReader {
 public:
  explicit Reader(Saved& saved) : saved_(saved) {}
  std::vector<double> replicated(const std::string& name) override { return saved_.replicated.at(name); }
  void distributed(const std::string& name, std::span<double> local, Index, Index) override {
    const auto& values = saved_.distributed.at(name);
    ASSERT_EQ(values.size(), local.size());
    std::copy(values.begin(), values.end(), local.begin());
  }

 private:
  Saved& saved_;
};

/// Stops at the n-th safe point, and goes on from there once.
class StoppingRun final : public RunControl {
 public:
  explicit StoppingRun(int offers) : left_(offers) {}
  void enter(const std::string&) override {}
  void leave() noexcept override {}
  bool restore_finished(const Load&) override { return false; }
  bool restore_partial(const Load& load) override {
    if (!stopped_) return false;
    Reader reader(saved_);
    load(reader);
    return true;
  }
  void offer(double fraction, const Save& save) override {
    EXPECT_GE(fraction, last_);
    EXPECT_LE(fraction, 1.0);
    last_ = fraction;
    ++offers_;
    if (--left_ != 0) return;
    Writer writer(saved_);
    save(writer);
    stopped_ = true;
    last_ = 0.0;
    throw Stopped();
  }
  void finish(const Save&) override {}
  int offers() const { return offers_; }

 private:
  int left_;
  int offers_ = 0;
  double last_ = 0.0;
  bool stopped_ = false;
  Saved saved_;
};

/// Mirrored without detuning, and detuned.
Model model_of(int kind) {
  auto model = uniform_model(Lattice::chain(5), Site({0.0, 1.0}), PairInteraction::exchange(2),
                             kind == 0 ? 0.4 : 0.02);
  for (std::size_t i = 0; kind == 1 && i < 5; ++i)
    model.energies[2 * i + 1] += 0.1 * static_cast<double>(i * i);
  return model;
}

const std::vector<double> kTimes = {0.0, 2000.0, 4000.0};
constexpr int kOrder = 4;

std::unique_ptr<TclKernels> kernels(const Model& model, const CellSpace& cells) {
  std::vector<std::unique_ptr<PropagatorOrders>> propagators;
  for (const auto& sector : cells.sectors()) {
    propagators.push_back(closed_propagator_orders(model, sector, kOrder, kTimes, qheat_test::world()));
  }
  return std::make_unique<TclKernels>(std::vector<int>{2, kOrder}, std::move(propagators),
                                      qheat_test::world());
}

void expect_equal(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) EXPECT_EQ(a[k], b[k]);
}

void expect_same(const std::vector<KernelSeries>& a, const std::vector<KernelSeries>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    expect_equal(a[i].error, b[i].error);
    expect_equal(a[i].fastest, b[i].fastest);
    ASSERT_EQ(a[i].scores.size(), b[i].scores.size());
    for (std::size_t k = 0; k < a[i].scores.size(); ++k) {
      if (std::isnan(a[i].scores[k].bond_rate.front())) {
        EXPECT_TRUE(std::isnan(b[i].scores[k].bond_rate.front()));
      } else {
        expect_equal(a[i].scores[k].bond_rate, b[i].scores[k].bond_rate);
      }
    }
  }
}

TEST(OrderSteps, AreResumedBitForBitWithinAnInterval) {
  for (const int kind : {0, 1}) {
    const Model model = model_of(kind);
    const CellSpace cells(model, InitialState::product(model, {1, 0, 0, 0, 1}));
    const AssumptionScores scores(model, cells);
    const auto series = [&](RunControl& control) {
      const auto fresh = kernels(model, cells);
      return kernel_series(*fresh, kTimes, scores, 4, false, qheat_test::world(), control);
    };
    StoppingRun whole(0);
    const auto expected = series(whole);
    ASSERT_GT(whole.offers(), 8) << "the way is in pieces";
    if (kind == 1) {
      EXPECT_LT(expected[0].error[1], 0.05);
    }
    for (int stop = 1; stop < whole.offers(); stop += 1 + whole.offers() / 9) {
      StoppingRun control(stop);
      EXPECT_THROW(series(control), Stopped);
      expect_same(series(control), expected);
    }
  }
}

/// The kernel is a pure function of time, whatever was asked before.
TEST(OrderSteps, DoNotRememberTheWay) {
  const Model model = model_of(1);
  const CellSpace cells(model, InitialState::product(model, {1, 0, 0, 0, 1}));
  const auto at = [&](TclKernels& some, double t) {
    const auto values = some.at(t);
    const auto block = values.back().sectors.front().values.block();
    return std::vector<double>(block.data(), block.data() + block.rows() * block.columns());
  };
  const auto used = kernels(model, cells);
  for (const double t : {2000.0, 3500.0, 2100.0, 2000.0, 10.0, 4000.0, 0.0}) {
    const auto fresh = kernels(model, cells);
    expect_equal(at(*used, t), at(*fresh, t));
  }
}

/// Averages stop on the way too, together on all ranks.
TEST(OrderSteps, OfAveragesPauseOnAllRanks) {
  const Detuning detuning{.offsets = {},
                          .distribution = Detuning::Distribution::gaussian,
                          .width = 0.4,
                          .seed = 3,
                          .realizations = 5};
  const auto initial = InitialState::product(model_of(0), {1, 0, 0, 0, 1});
  const auto draw = [&](int number) {
    return Realization{model_of_realization(model_of(0), detuning, number), initial};
  };
  const CellSpace cells(draw(0).model, initial);
  for (const int realizations : {2, 5}) {
    UninterruptedRun control;
    const auto mean = mean_propagator_orders(realizations, draw, cells.sectors().front(), 3, kTimes,
                                             qheat_test::world(), control);
    int pieces = 0;
    double before = 0.0;
    for (double done = 0.0; (done = mean->approach(kTimes.back())) < 1.0; ++pieces) {
      EXPECT_GE(done, before);
      before = done;
    }
    EXPECT_GT(pieces, 3);
    const auto g = mean->evaluate(kTimes.back()).g[1];
    EXPECT_EQ(mean->approach(kTimes.back()), 1.0);
  }
}

/// Level energies far from zero: what their rounding does to the phases is in the error.
TEST(OrderSteps, ErrorHoldsTheRoundingOfLargeLevels) {
  constexpr double kFar = 1e7;
  const double end = kTimes.back();
  auto near = uniform_model(Lattice::chain(2), Site({0.0, 1.0}), PairInteraction::exchange(2), 1e-3);
  near.energies = {0.0, 1.0, 0.0, 1.0 + 0.1};
  auto far = near;
  far.energies = {0.0, kFar + 1.0, 0.0, kFar + 1.1};
  const CellSpace cells(near, InitialState::product(near, {1, 0}));
  const auto tcl2 = [&](const Model& model) {
    std::vector<std::unique_ptr<PropagatorOrders>> propagators;
    propagators.push_back(
        closed_propagator_orders(model, cells.sectors().front(), 2, kTimes, qheat_test::world()));
    auto value = TclKernel(2, std::move(propagators), qheat_test::world()).at(end);
    return std::pair(std::move(value), largest_element(value, qheat_test::world()));
  };
  const double expected = 2e-6 * std::sin(0.1 * end) / 0.1;
  auto [value, largest] = tcl2(far);
  ASSERT_LT(value.error, 1.0);
  EXPECT_LT(std::abs(largest - std::abs(expected)), value.error * largest) << value.error;
  EXPECT_GT(std::abs(largest - std::abs(expected)), 1e-8 * largest) << "there is something to tell";
}

}  // namespace
