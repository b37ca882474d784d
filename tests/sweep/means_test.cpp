#include "sweep/means.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "io/hdf5_file.hpp"
#include "qheat/model/counter_random.hpp"
#include "qheat/parallel/error.hpp"
#include "support/scratch_folder.hpp"
#include "support/world.hpp"
#include "sweep/collection.hpp"
#include "sweep/point_scalars.hpp"

namespace {

using namespace qheat;
using qheat_test::world;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(MeanAndError, AgreesWithTheFormulas) {
  const std::vector<double> values{1.0, 4.0, 2.5, -3.0, 0.0};
  MeanAndError mean(2);
  double sum = 0.0;
  for (const double value : values) {
    mean.add(std::vector{value, 7.0});
    sum += value / 5.0;
  }
  double squares = 0.0;
  for (const double value : values) squares += (value - sum) * (value - sum);
  EXPECT_NEAR(mean.mean()[0], sum, 1e-15);
  EXPECT_NEAR(mean.error()[0], std::sqrt(squares / 4.0 / 5.0), 1e-15);
  EXPECT_EQ(mean.mean()[1], 7.0);
  EXPECT_EQ(mean.error()[1], 0.0);
}

TEST(MeanAndError, KeepsWhatIsNoNumber) {
  MeanAndError mean(4);
  const double nan = std::nan("");
  mean.add(std::vector{kInfinity, kInfinity, nan, 0.0});
  mean.add(std::vector{kInfinity, 1.0, 1.0, 0.0});
  EXPECT_EQ(mean.mean()[0], kInfinity);
  EXPECT_EQ(mean.error()[0], 0.0);
  EXPECT_EQ(mean.mean()[1], kInfinity);
  EXPECT_FALSE(std::isfinite(mean.error()[1]));
  EXPECT_TRUE(std::isnan(mean.mean()[2]));
  EXPECT_EQ(mean.mean()[3], 0.0);
  MeanAndError one(1);
  one.add(std::vector{2.0});
  EXPECT_EQ(one.mean()[0], 2.0);
  EXPECT_TRUE(std::isnan(one.error()[0]));
}

TEST(Ranges, AreToldInWords) {
  EXPECT_EQ(ranges_text({}), "");
  EXPECT_EQ(ranges_text({0, 1, 2, 5, 7, 8}), "0 to 2, 5, 7 to 8");
}

TEST(Shares, DealOutEveryPointOnce) {
  const Sweep sweep("[sweep]\n\"time.end\" = { from = 1, to = 10, points = 10 }\n", "a.toml");
  std::vector<Index> dealt(10, 0);
  for (const char* share : {"1/3", "2/3", "3/3"})
    for (const Index point : points_of(sweep, parse_share(share))) ++dealt[static_cast<std::size_t>(point)];
  EXPECT_EQ(dealt, std::vector<Index>(10, 1));
  for (const char* wrong : {"", "3", "0/3", "4/3", "1/0", "-1/3", "1/3x", "/3", "1/", "1.5/3"})
    EXPECT_THROW(parse_share(wrong), InputError) << wrong;
}

/// Results files of points.
class PointResults : public qheat_test::ScratchFolder {
 protected:
  std::filesystem::path write(
      const std::string& name,
      const std::vector<std::pair<std::string, std::vector<double>>>& datasets) const {
    const auto path = folder_ / name;
    auto file = hdf5::File::create(path);
    for (const auto& [dataset, values] : datasets)
      file.write(dataset, {static_cast<Index>(values.size())}, values);
    file.close();
    return path;
  }
};

TEST_F(PointResults, ScalarsOfSeries) {
  const double nan = std::nan("");
  const std::vector<double> time{0.0, 1.0, 2.0, 3.0};
  const auto path = write("a.h5", {{"/time", time},
                                   {"/kernel/tcl2/locality", {nan, 1.0, 0.97, 0.93}},
                                   {"/kernel/tcl2/symmetry", {nan, 1.0, 1.0, 1.0}},
                                   {"/kernel/tcl2/additivity", {nan, 0.9, 1.0, 1.0}},
                                   {"/kernel/tcl2/swap_fraction", {nan, nan, nan, nan}},
                                   {"/kernel/tcl2/energy_conservation", {1.0, nan, nan, 0.85}},
                                   {"/kernel/exact/singular_times", {1.5, 2.5}},
                                   {"/steady/balance", {1e-12}},
                                   {"/steady/current", {0.1, 0.2, 0.3}},
                                   {"/timing/exact/seconds", {1.0}}});
  const auto scalars = point_scalars(hdf5::File::open(path));
  EXPECT_NEAR(scalars.at("kernel/tcl2/locality_until"), 2.5, 1e-12);
  EXPECT_EQ(scalars.at("kernel/tcl2/symmetry_until"), kInfinity);
  EXPECT_EQ(scalars.at("kernel/tcl2/additivity_until"), 0.0);
  EXPECT_TRUE(std::isnan(scalars.at("kernel/tcl2/swap_fraction_until")));
  EXPECT_NEAR(scalars.at("kernel/tcl2/energy_conservation_until"), 1.0, 1e-12);
  EXPECT_EQ(scalars.at("kernel/exact/first_singular_time"), 1.5);
  EXPECT_EQ(scalars.at("steady/balance"), 1e-12);
  EXPECT_NEAR(scalars.at("steady/mean_current"), 0.2, 1e-15);
  EXPECT_FALSE(scalars.contains("timing/exact/seconds"));
}

/// Against the formulas, for what files share; what they do not share is left out.
TEST_F(PointResults, MeansOfFiles) {
  constexpr int kFiles = 5;
  const CounterRandom random(7);
  std::vector<std::filesystem::path> files;
  std::vector<std::vector<double>> values;
  for (int f = 0; f < kFiles; ++f) {
    const auto number = static_cast<std::uint32_t>(f);
    values.push_back({random.uniform({number, 0, 0, 0}), random.uniform({number, 1, 0, 0})});
    std::vector<double> other(static_cast<std::size_t>(1 + f % 2), 0.0);
    files.push_back(write(std::to_string(f) + ".h5", {{"/time", {0.0, 1.0}},
                                                      {"/exact/norm", values.back()},
                                                      {"/exact/norm_error", {9.0, 9.0}},
                                                      {"/other", other},
                                                      {"/model/site_energies", {1.0 * f}}}));
  }
  {
    ResultsFile file(folder_ / "mean.h5", world(), 1 << 20);
    write_means(files, "/mean/0000", file);
    file.commit();
  }
  const auto file = hdf5::File::open(folder_ / "mean.h5");
  EXPECT_EQ(file.datasets("/"), (std::vector<std::string>{"/mean/0000/exact/norm",
                                                          "/mean/0000/exact/norm_error", "/mean/0000/time"}));
  const auto mean = file.read("/mean/0000/exact/norm");
  const auto error = file.read("/mean/0000/exact/norm_error");
  for (std::size_t e = 0; e < 2; ++e) {
    double expected = 0.0;
    for (const auto& one : values) expected += one[e] / kFiles;
    double squares = 0.0;
    for (const auto& one : values) squares += (one[e] - expected) * (one[e] - expected);
    EXPECT_NEAR(mean[e], expected, 1e-15);
    EXPECT_NEAR(error[e], std::sqrt(squares / (kFiles - 1.0) / kFiles), 1e-15);
  }
}

}  // namespace
