#include "qheat/io/sweep.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "io/toml_tree.hpp"
#include "qheat/parallel/error.hpp"

namespace {

using namespace qheat;

const std::string kBase = R"(title = "A \"quoted\" title"
[lattice]
shape = [4]
[site]
levels = [0.0, 1.0]
detuning = { distribution = "uniform", width = 0.1, seed = 1 }
[interaction]
kind = "exchange"
strength = 0.05
[initial]
kind = "product"
levels = [1, 0, 0, 0]
[[bath.reservoir]]
face = "x-"
temperature = inf
rate = 1
[[bath.reservoir]]
face = "x+"
temperature = 2.0
rate = 1e-3
[time]
end = 50.0
outputs = 101
[exact]
)";

std::string problems_of(const std::string& sweep) {
  std::string all;
  try {
    const Sweep jobs(kBase + "[sweep]\n" + sweep, "a.toml");
    for (Index point = 0; point < jobs.points(); ++point) jobs.job(point);
  } catch (const InputError& error) {
    for (const auto& problem : error.problems()) all += problem + "\n";
  }
  return all;
}

Sweep good(const std::string& sweep) {
  return {kBase + "[sweep]\n" + sweep, "a.toml"};
}

TEST(Sweep, WithoutTableIsOneJob) {
  const Sweep jobs(kBase, "a.toml");
  EXPECT_FALSE(jobs.swept());
  EXPECT_EQ(jobs.points(), 1);
  EXPECT_EQ(jobs.job_text(0), kBase);
  EXPECT_EQ(jobs.job(0).text, kBase);
  EXPECT_EQ(jobs.label(0), "");
}

/// Every combination once, the last key fastest, and each job is what the file would say by hand.
TEST(Sweep, GridOfThreeKeys) {
  const Sweep jobs = good(
      "\"interaction.strength\" = [0.1, 0.2]\nsite.detuning.seed = { from = 3, to = 5, points = 3 }\n"
      "\"bath.reservoir[1].rate\" = [0.5, 0.25]\n");
  ASSERT_EQ(jobs.points(), 12);
  std::set<std::vector<double>> seen;
  for (Index point = 0; point < jobs.points(); ++point) {
    const Job job = jobs.job(point);
    const std::vector<double> values{job.model->strength, static_cast<double>(job.detuning.seed),
                                     job.model->bath.reservoirs[1].rate};
    EXPECT_EQ(values[0], point < 6 ? 0.1 : 0.2);
    EXPECT_EQ(values[1], 3.0 + static_cast<double>(point / 2 % 3));
    EXPECT_EQ(values[2], point % 2 == 0 ? 0.5 : 0.25);
    EXPECT_EQ(job.model->bath.reservoirs[0].rate, 1.0);
    seen.insert(values);
  }
  EXPECT_EQ(seen.size(), 12U);
  EXPECT_EQ(jobs.label(1),
            "interaction.strength = 0.1, site.detuning.seed = 3, bath.reservoir[1].rate = 0.25");
}

/// The text of a point is a job file of its own, with the same job in it.
TEST(Sweep, TextsOfPointsAreJobs) {
  const Sweep jobs = good("\"interaction.strength\" = [0.1, 2]\n\"exact.method\" = [\"krylov\"]\n");
  for (Index point = 0; point < jobs.points(); ++point) {
    const Job job = jobs.job(point);
    EXPECT_EQ(job.text, jobs.job_text(point));
    const Sweep alone(jobs.job_text(point), "b.toml");
    EXPECT_FALSE(alone.swept());
    const Job again = alone.job(0);
    EXPECT_EQ(again.title, "A \"quoted\" title");
    EXPECT_EQ(again.model->strength, job.model->strength);
    EXPECT_EQ(again.model->energies, job.model->energies);
    EXPECT_EQ(again.model->bath.reservoirs[0].temperature, job.model->bath.reservoirs[0].temperature);
    EXPECT_EQ(again.model->bath.reservoirs[1].rate, 1e-3);
    EXPECT_EQ(again.exact->method, ExactMethod::krylov);
  }
}

TEST(Sweep, ZipGoesValueByValue) {
  const Sweep jobs = good(
      "combine = \"zip\"\nlattice.shape = [[2], [3], [4]]\ninitial.levels = [[1, 0], [1, 0, 0], [1, 0, 0, "
      "0]]\n");
  ASSERT_EQ(jobs.points(), 3);
  for (Index point = 0; point < 3; ++point) EXPECT_EQ(jobs.job(point).model->sites(), 2 + point);
  EXPECT_TRUE(jobs.keys()[0].numbers.empty());
}

TEST(Sweep, Ranges) {
  const auto numbers = [](const std::string& range) { return good("\"time.end\" = " + range).keys()[0]; };
  EXPECT_EQ(numbers("{ from = 0.1, to = 0.5, points = 5 }").numbers, (std::vector{0.1, 0.2, 0.3, 0.4, 0.5}));
  EXPECT_EQ(numbers("{ from = 0.01, to = 100, points = 5, scale = \"log\" }").numbers,
            (std::vector{0.01, 0.1, 1.0, 10.0, 100.0}));
  EXPECT_EQ(numbers("{ from = 4, to = 2, points = 3 }").texts, (std::vector<std::string>{"4", "3", "2"}));
  EXPECT_EQ(numbers("{ from = 1, to = 2, points = 3 }").texts,
            (std::vector<std::string>{"1.0", "1.5", "2.0"}));
  EXPECT_EQ(numbers("{ from = 3, to = 3, points = 1 }").texts, (std::vector<std::string>{"3"}));
}

/// A key need not be in the file; nor its table.
TEST(Sweep, KeysThatTheFileLeavesOut) {
  EXPECT_EQ(good("\"bath.dephasing\" = [0.5]").job(0).model->bath.dephasing, 0.5);
  EXPECT_EQ(good("\"steady.tolerance\" = [1e-8]").job(0).steady->tolerance, 1e-8);
}

TEST(Sweep, GroupsOfAverages) {
  const Sweep jobs = good(
      "average = [\"site.detuning.seed\"]\n\"site.detuning.seed\" = [1, 2]\n\"interaction.strength\" = [0.1, "
      "0.2]\n");
  EXPECT_EQ(jobs.groups(), (std::vector<Index>{0, 1, 0, 1}));
  const Sweep zipped = good(
      "combine = \"zip\"\naverage = [\"site.detuning.seed\"]\n\"site.detuning.seed\" = [1, 2, 3, 4]\n"
      "\"interaction.strength\" = [0.1, 0.1, 0.2, 0.1]\n");
  EXPECT_EQ(zipped.groups(), (std::vector<Index>{0, 0, 1, 0}));
}

TEST(SweepProblems, AreToldWithTheirPlace) {
  const auto expect = [](const std::string& sweep, const std::string& beginning, const std::string& part) {
    const std::string found = problems_of(sweep);
    EXPECT_TRUE(found.starts_with("a.toml:" + beginning)) << sweep << "\n" << found;
    EXPECT_NE(found.find(part), std::string::npos) << sweep << "\n" << found;
  };
  expect("", "25:1: sweep: ", "sweeps no key");
  expect("\"interaction.strenght\" = [1.0]", "26:27: interaction.strenght: ", "did you mean strength");
  expect("\"interaction.strength\" = [1.0, \"a\"]", "26:32: interaction.strength: ", "a string");
  expect("\"interaction.strength\" = []", "26:1: sweep.interaction.strength: ", "no values");
  expect("\"interaction.strength\" = 1.0", "26:1: sweep.interaction.strength: ", "give a list");
  expect("\"title\" = [\"a\"]", "26:1: sweep.title: ", "is no key of a table");
  expect("\"output.file\" = [\"a.h5\"]", "26:1: sweep.output.file: ", "cannot be swept");
  expect("\"bath.reservoir[2].rate\" = [1]", "26:1: sweep.bath.reservoir[2].rate: ", "its list has not");
  expect("\"interaction.kind.a\" = [1]", "26:1: sweep.interaction.kind.a: ", "no table");
  expect("combine = \"zp\"\n\"time.end\" = [1.0]", "26:1: sweep.combine: ", "zip");
  expect("average = [\"time.nd\"]\n\"time.end\" = [1.0]", "26:", "did you mean \"time.end\"");
  expect("combine = \"zip\"\n\"time.end\" = [1.0, 2.0]\n\"interaction.strength\" = [1.0]",
         "26:1: sweep.combine", "time.end has 2 and interaction.strength has 1");
  expect("\"time.end\" = { from = 0, to = 1, points = 3, scale = \"log\" }", "26:", "above 0");
  expect("\"time.end\" = { from = 0, to = 1, points = 1 }", "26:", "at least 2");
  expect("\"time.end\" = { from = 0, points = 0, steps = 1 }", "26:", "sweep.time.end.steps");
  expect("\"time.end\" = [1.0]\ntime.end = [2.0]", "26:", "swept twice");
  expect(
      "\"time.end\" = { from = 1, to = 2, points = 1001 }\n"
      "\"interaction.strength\" = { from = 1, to = 2, points = 1000 }",
      "25:1: sweep: ", "more than 1000000 points");
}

TEST(SweepProblems, ALoneJobHasNoSweep) {
  EXPECT_THROW(parse_job(kBase + "[sweep]\n\"time.end\" = [1.0]\n", "a.toml"), InputError);
  try {
    parse_job(kBase + "[sweeep]\n", "a.toml");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean sweep?"), std::string::npos) << error.what();
  }
}

TEST(TomlText, IsReadAsTheSameTable) {
  const std::string text = R"("odd key" = 'a\b'
list = [1, 2.0, "a\n", [true], { x = -inf }]
[a]
b = { c = { "d.e" = nan } }
[[a.f]]
g = 1e300
[[a.f]]
)";
  jobfile::Problems problems("a.toml");
  const auto once = jobfile::parse_toml(text, problems);
  ASSERT_TRUE(once && problems.empty());
  const std::string written = jobfile::toml_text(*once);
  const auto twice = jobfile::parse_toml(written, problems);
  ASSERT_TRUE(twice && problems.empty()) << written;
  EXPECT_EQ(jobfile::toml_text(*twice), written);
  EXPECT_NE(written.find("\"odd key\" = \"a\\\\b\""), std::string::npos) << written;
  EXPECT_NE(written.find("2.0"), std::string::npos) << written;
}

}  // namespace
