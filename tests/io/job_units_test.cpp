// Units in job files, levels and potentials of wells from elsewhere.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "qheat/io/job.hpp"
#include "qheat/io/sweep.hpp"
#include "qheat/parallel/error.hpp"
#include "support/told_problems.hpp"

namespace qheat {
namespace {

using qheat_test::has_problem;
using qheat_test::joined;
using qheat_test::problems_of;

const std::string kUnits = "[units]\nenergy = \"meV\"\nlength = \"nm\"\n";
const std::string kModel =
    "[lattice]\nshape = [3]\nspacing = \"4 angstrom\"\n[site]\nlevels = [0.0, \"2 meV\"]\n"
    "[interaction]\nkind = \"exchange\"\nstrength = \"5.802259 K\"\n[bath]\ndephasing = \"1/ps\"\n";
const std::string kTimes = "[time]\nend = \"2 ps\"\noutputs = 3\n[kernel]\nexact = false\n";

constexpr double kPicoseconds = 0.6582119569;  // hbar/meV

TEST(JobUnits, QuantitiesBecomeNumbersInProgramUnits) {
  const std::string bath = "[[bath.reservoir]]\nsite = 0\ntemperature = \"300 K\"\nrate = \"0.5 1/ps\"\n";
  const std::string model = kModel.substr(0, kModel.find("[bath]")) + bath;
  const Job job =
      parse_job(kUnits + model + kTimes + "[transport]\ntemperatures = [\"10 K\", 2.0]\n", "job.toml");
  EXPECT_DOUBLE_EQ(job.model->lattice.spacing(), 0.4);
  EXPECT_DOUBLE_EQ(job.model->energy(0, 1), 2.0);
  EXPECT_NEAR(job.model->strength, 0.5, 1e-7);
  EXPECT_NEAR(job.model->bath.reservoirs[0].temperature, 25.851999, 1e-5);
  EXPECT_NEAR(job.model->bath.reservoirs[0].rate, 0.5 * kPicoseconds, 1e-9);
  EXPECT_NEAR(job.time->end, 2.0 / kPicoseconds, 1e-8);
  EXPECT_NEAR(job.transport->temperatures[0], 0.8617333, 1e-6);
  EXPECT_EQ(job.transport->temperatures[1], 2.0);
  ASSERT_TRUE(job.units);
  EXPECT_NEAR(job.units->site_volume, std::pow(0.4e-9, 3), 1e-40);
}

TEST(JobUnits, ANumberOfAUnitAndACrossSection) {
  const std::string units =
      "[units]\nenergy = \"0.5 meV\"\nlength = \"angstrom\"\ncross_section = \"0.25 nm^2\"\n";
  const Job job = parse_job(units + kModel.substr(0, kModel.find("[bath]")) + kTimes, "job.toml");
  EXPECT_DOUBLE_EQ(job.model->energy(0, 1), 4.0);
  EXPECT_DOUBLE_EQ(job.model->lattice.spacing(), 4.0);
  EXPECT_NEAR(job.units->site_volume, 0.4e-9 * 0.25e-18, 1e-40);
  EXPECT_EQ(job.units->energy_unit, "meV");
  EXPECT_DOUBLE_EQ(job.units->factor(Quantity::energy), 0.5);
}

TEST(JobUnits, SweptValuesAndRanges) {
  const std::string sweep =
      "[sweep]\n\"bath.dephasing\" = [\"1 meV\", 2.0]\n\"time.end\" = { from = \"1 ps\", to = \"3 ps\", "
      "points = 3 }\n";
  const std::string bath = "[bath]\ndephasing = 1.0\n";
  const Sweep points(kUnits + kModel.substr(0, kModel.find("[bath]")) + bath + kTimes + sweep, "job.toml");
  ASSERT_EQ(points.points(), 6);
  EXPECT_EQ(points.keys()[0].numbers, (std::vector<double>{1.0, 2.0}));
  EXPECT_NEAR(points.keys()[1].numbers[1], 2.0 / kPicoseconds, 1e-8);
  EXPECT_NEAR(points.job(5).time->end, 3.0 / kPicoseconds, 1e-8);
  const Job again = parse_job(points.job_text(4), "job.toml");
  EXPECT_EQ(again.time->end, points.job(4).time->end);
}

TEST(JobUnits, WhatIsWrongIsToldAtItsPlaceWithEverythingElse) {
  const auto problems =
      problems_of(kUnits +
                  "[lattice]\nshape = [3]\nspacing = \"4 K\"\n[site]\nlevels = [0.0, \"1 furlong\"]\n"
                  "[interaction]\nkind = \"exchange\"\nstrength = \"3\"\n[bath]\ndephasing = \"1 THz\"\n"
                  "[time]\nend = \"2 ps\"\noutputs = \"3 ps\"\n[kernel]\nexact = false\n");
  EXPECT_EQ(problems.size(), 5U) << joined(problems);
  EXPECT_TRUE(has_problem(problems, "job.toml:6:1: lattice.spacing: \"4 K\" is a temperature, and a length",
                          "nm, pm, um, mm, m, angstrom, bohr"));
  EXPECT_TRUE(
      has_problem(problems, "job.toml:8:16: site.levels[1]: \"1 furlong\" has an unknown unit", "meV"));
  EXPECT_TRUE(
      has_problem(problems, "job.toml:11:1: interaction.strength: \"3\" is a text", "without quotes"));
  EXPECT_TRUE(
      has_problem(problems, "job.toml:13:1: bath.dephasing: \"1 THz\" is an energy, and a rate", "1/ps"));
  EXPECT_TRUE(has_problem(problems, "job.toml:16:1: time.outputs: a string stands here"));
}

TEST(JobUnits, WithoutUnitsNoQuantity) {
  const auto problems = problems_of(kModel + kTimes);
  EXPECT_EQ(problems.size(), 5U) << joined(problems);
  for (const auto& problem : problems)
    EXPECT_NE(problem.find("add [units] with"), std::string::npos) << problem;
}

TEST(JobUnits, OddSpellings) {
  const auto strength = [](const std::string& text) {
    const std::string model = kModel.substr(0, kModel.find("[bath]"));
    const std::string old = "\"5.802259 K\"";
    std::string job = kUnits + model + kTimes;
    job.replace(job.find(old), old.size(), "\"" + text + "\"");
    return job;
  };
  for (const char* text : {"0.5 meV", " 0.5 meV", "+0.5 meV", "0.5meV ", "0.5\tmeV"})
    EXPECT_EQ(parse_job(strength(text), "job.toml").model->strength, 0.5) << text;
  const std::string place = "job.toml:11:1: interaction.strength: ";
  EXPECT_TRUE(has_problem(problems_of(strength("meV")), place, "has no number"));
  EXPECT_TRUE(has_problem(problems_of(strength("1e400 meV")), place, "no number that can be computed with"));
  EXPECT_TRUE(has_problem(problems_of(strength("inf K")), place, "no number that can be computed with"));
  const std::string band =
      "[lattice]\nshape = [2]\n[site]\nband_levels = 3\nband_energy = \"1 meV\"\n"
      "band_width = \"11.604518 K\"\n[interaction]\nkind = \"xy\"\nstrength = 1\n";
  EXPECT_NEAR(parse_job(kUnits + band + kTimes, "job.toml").model->energy(0, 3), 2.0, 1e-6);
}

TEST(JobUnits, UnitsThatNothingCanBeComputedIn) {
  for (const char* length : {"1e-200 m", "1e200 m", "1e-320 m"}) {
    const std::string units = "[units]\nenergy = \"meV\"\nlength = \"" + std::string(length) + "\"\n";
    EXPECT_TRUE(
        has_problem(problems_of(units + kModel + kTimes), "job.toml:3:1: units.length", "computed with"));
  }
  EXPECT_TRUE(
      has_problem(problems_of(kUnits + kModel + kTimes + "[sweep]\n\"units.energy\" = [\"meV\", \"eV\"]\n"),
                  "job.toml:20:1: sweep.units.energy", "cannot be swept"));
}

/// What a unit measures is known without [units]: everything is told at once.
TEST(JobUnits, WrongUnitsHideNoWrongQuantity) {
  const auto problems = problems_of(
      "[units]\nenergy = \"meV\"\nlength = \"parsec\"\n[lattice]\nshape = [2]\n[site]\n"
      "levels = [0.0, \"1 nm\"]\n[interaction]\nkind = \"xy\"\nstrength = 1\n" +
      kTimes);
  EXPECT_EQ(problems.size(), 2U) << joined(problems);
  EXPECT_TRUE(has_problem(problems, "job.toml:3:1: units.length"));
  EXPECT_TRUE(has_problem(problems, "job.toml:7:16: site.levels[1]: \"1 nm\" is a length, and an energy"));
}

TEST(JobUnits, TheTableItself) {
  const std::string rest = kModel + kTimes;
  const auto wrong = [&](const std::string& table) { return problems_of(table + rest); };
  EXPECT_TRUE(has_problem(wrong("[units]\nenergy = \"nm\"\nlength = \"nm\"\n"),
                          "job.toml:2:1: units.energy: \"nm\" is no unit of energy", "meV"));
  EXPECT_TRUE(has_problem(wrong("[units]\nenergy = \"-2 meV\"\nlength = \"nm\"\n"),
                          "job.toml:2:1: units.energy", "not above 0"));
  EXPECT_TRUE(
      has_problem(wrong("[units]\nenergy = \"meV\"\n"), "job.toml:1:1: units.length: this key is missing"));
  EXPECT_TRUE(has_problem(wrong(kUnits + "cross_section = -1\n"),
                          "job.toml:4:1: units.cross_section: -1 is not possible"));
  EXPECT_TRUE(has_problem(wrong(kUnits + "mass = 1\n"), "job.toml:4:1: units.mass: this key is unknown"));
  const std::string plate = "[lattice]\nshape = [3, 2]\n" + rest.substr(rest.find("[site]"));
  EXPECT_TRUE(has_problem(problems_of(kUnits + "cross_section = 1\n" + plate),
                          "job.toml:4:1: units.cross_section", "belongs to chains"));
}

TEST(JobWells, LevelsOfTheWell) {
  const std::string head =
      "[lattice]\nshape = [3]\n[site]\nwell_levels = 4\nwell_energy = 0.5\n[interaction]\n"
      "kind = \"well\"\nstrength = 0.1\n";
  const Job square =
      parse_job(head + "[interaction.well]\n[time]\nend = 1\noutputs = 2\n[kernel]\n", "job.toml");
  EXPECT_EQ(square.model->site.energies(), (std::vector<double>{0.0, 1.5, 4.0, 7.5}));
  const Job harmonic =
      parse_job(head + "[interaction.well]\nshape = \"harmonic\"\n[time]\nend = 1\noutputs = 2\n[kernel]\n",
                "job.toml");
  EXPECT_EQ(harmonic.model->site.energies(), (std::vector<double>{0.0, 0.5, 1.0, 1.5}));
  const std::string other = "[time]\nend = 1\noutputs = 2\n[kernel]\n";
  EXPECT_TRUE(has_problem(
      problems_of(
          "[lattice]\nshape = [3]\n[site]\nwell_levels = 4\n[interaction]\nkind = \"xy\"\nstrength = 1\n" +
          other),
      "job.toml:4:1: site.well_levels", "[interaction.well], which is missing"));
  EXPECT_TRUE(has_problem(problems_of("[lattice]\nshape = [3]\n[site]\nwell_levels = 33\nlevels = [0, 1]\n"
                                      "[interaction]\nkind = \"well\"\nstrength = 1\n[interaction.well]\n" +
                                      other),
                          "job.toml:4:1: site.well_levels: 33 is not possible"));
  EXPECT_TRUE(has_problem(problems_of("[lattice]\nshape = [3]\n[site]\nlevels = [0, 1]\nwell_energy = 2\n"
                                      "[interaction]\nkind = \"well\"\nstrength = 1\n[interaction.well]\n" +
                                      other),
                          "job.toml:5:1: site.well_energy", "belongs to a site with well_levels"));
}

class PotentialFile : public testing::Test {
 protected:
  PotentialFile()
      : folder_(std::filesystem::temp_directory_path() /
                ("qheat_potential_test_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~PotentialFile() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  /// Reads a job beside the table; all problems as one text.
  std::string problems_with(const std::string& table, const std::string& keys = "") {
    std::ofstream(folder_ / "v.dat") << table;
    try {
      job_ = parse_job(
          "[interaction]\nkind = \"well\"\nstrength = 1\n[interaction.well]\npotential_file = \"v.dat\"\n" +
              keys + "[matrix-elements]\nlevels = 3\n",
          (folder_ / "job.toml").string());
    } catch (const InputError& error) {
      return error.what();
    }
    return {};
  }

  std::filesystem::path folder_;
  Job job_;
};

TEST_F(PotentialFile, IsReadBesideTheJob) {
  EXPECT_EQ(problems_with("# r, V\n0 1.0\n0.5, 0.25\n1\t0.0625  # half\n1.5 0\n\n2 0\n"), "");
  EXPECT_EQ(job_.well->potential.form, PairPotential::Form::given);
  EXPECT_DOUBLE_EQ(job_.well->potential.value(-0.5), 0.25);
  EXPECT_GT(job_.well->potential.value_error, 0.0);
}

TEST_F(PotentialFile, EverythingThatIsWrongHasItsLine) {
  const std::string problems = problems_with("0 1\n0.5 x\n1 2 3\n0.2 1\n0.1 1\n2 nan\n");
  for (const char* part : {"v.dat:2: \"0.5 x\" is no row", "v.dat:3: \"1 2 3\"",
                           "v.dat:5: r = 0.1 does not lie above", "v.dat:6: \"2 nan\""})
    EXPECT_NE(problems.find(part), std::string::npos) << problems;
  EXPECT_NE(problems_with("0 1\n1 1\n2 1\n").find("has 3 rows; give 4 to 400"), std::string::npos);
  EXPECT_NE(problems_with("0 1\n0.5 1\n1 1\n1.5 0\n").find("covers r = 0 to 1.5, but"), std::string::npos);
  EXPECT_NE(problems_with("0 1\n0.5 1\n1 1\n2 0\n", "potential = \"linear\"\n")
                .find("wells without potential_file"),
            std::string::npos);
}

/// Rows belong to the job of a point of a sweep, whatever becomes of the file.
TEST_F(PotentialFile, OfASweepStandsInItsJobs) {
  ASSERT_EQ(problems_with("0 1\n0.5 0.5\n1 0.25\n2 0\n"), "");
  const Sweep sweep(
      "[interaction]\nkind = \"well\"\nstrength = 1\n[interaction.well]\npotential_file = \"v.dat\"\n"
      "[matrix-elements]\nlevels = 3\n[sweep]\n\"interaction.well.exchange\" = [0, 1]\n",
      (folder_ / "sweep.toml").string());
  const std::string text = sweep.job_text(1);
  EXPECT_NE(text.find("[0.5, 0.5]"), std::string::npos) << text;
  const Job job = parse_job(text, "elsewhere.toml");
  EXPECT_DOUBLE_EQ(job.well->potential.value(1.0), 0.25);
  EXPECT_EQ(job.well->rows_r.size(), 4U);
}

TEST_F(PotentialFile, IsAFile) {
  for (const char* name : {"/dev/zero", "/tmp", "nowhere.dat"}) {
    const std::string text =
        "[interaction]\nkind = \"well\"\nstrength = 1\n[interaction.well]\npotential_file = \"" +
        std::string(name) + "\"\n[matrix-elements]\n";
    EXPECT_TRUE(
        has_problem(problems_of(text), "job.toml:5:1: interaction.well.potential_file", "cannot be read"));
  }
}

TEST_F(PotentialFile, ThatIsNotThere) {
  const std::string text =
      "[interaction]\nkind = \"well\"\nstrength = 1\n[interaction.well]\n"
      "potential_file = \"nowhere.dat\"\n[matrix-elements]\n";
  try {
    parse_job(text, "job.toml");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("job.toml:5:1: interaction.well.potential_file: nowhere.dat"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace qheat
