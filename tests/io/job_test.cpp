#include "qheat/io/job.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "qheat/parallel/error.hpp"
#include "support/told_problems.hpp"

namespace qheat {
namespace {

using qheat_test::contains;
using qheat_test::has_problem;
using qheat_test::joined;
using qheat_test::problems_of;
using qheat_test::Strings;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Lines 1 to 15 of many tests: a good job that has everything [exact] needs; 4 sites in a row, 2 levels.
const std::string kBase = R"([lattice]
shape = [4]
[site]
levels = [0.0, 1.0]
[interaction]
kind = "exchange"
strength = 0.05
[initial]
kind = "product"
levels = [1, 0, 0, 0]
[time]
end = 50.0
outputs = 101
[exact]
)";

std::string replaced(std::string text, const std::string& old_part, const std::string& new_part) {
  const std::size_t at = text.find(old_part);
  EXPECT_NE(at, std::string::npos) << old_part;
  return text.replace(at, old_part.size(), new_part);
}

/// Exactly one problem, which starts with "job.toml:" + `beginning` and contains `part`.
void expect_only(const std::string& text, const std::string& beginning, const std::string& part = "") {
  const Strings problems = problems_of(text);
  EXPECT_EQ(problems.size(), 1U) << joined(problems);
  EXPECT_TRUE(has_problem(problems, "job.toml:" + beginning, part)) << text;
}

void expect_good(const std::string& text) {
  EXPECT_EQ(joined(problems_of(text)), "") << text;
}

/// A folder of its own for the files of one test.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::filesystem::temp_directory_path() / ("qheat_job_test_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string problem_of_file(const std::filesystem::path& file) {
  try {
    read_job(file);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

// ---------------------------------------------------------------------------------------------- good jobs

TEST(Job, MinimalJobHasDefaults) {
  const Job job = parse_job(kBase, "jobs/chain.toml");
  EXPECT_EQ(job.name, "jobs/chain.toml");
  EXPECT_EQ(job.text, kBase);
  EXPECT_EQ(job.title, "");
  EXPECT_EQ(job.output, "chain.h5");
  EXPECT_EQ(job.checkpoint_interval, 600.0);
  ASSERT_TRUE(job.model);
  EXPECT_EQ(job.model->sites(), 4);
  EXPECT_EQ(job.model->levels(), 2);
  EXPECT_EQ(job.model->strength, 0.05);
  EXPECT_EQ(job.model->lattice.spacing(), 1.0);
  EXPECT_EQ(job.model->couplings, std::vector<double>(3, 1.0));
  EXPECT_TRUE(job.model->bath.closed());
  EXPECT_TRUE(job.model->onsite.empty());
  EXPECT_EQ(job.model->interaction(2).elements().size(), 4U);
  ASSERT_TRUE(job.initial);
  EXPECT_EQ(job.initial->probabilities, (std::vector<double>{0, 1, 1, 0, 1, 0, 1, 0}));
  EXPECT_TRUE(even_in_bands(*job.model, *job.initial));
  ASSERT_TRUE(job.exact);
  EXPECT_EQ(job.exact->method, ExactMethod::automatic);
  EXPECT_EQ(job.exact->tolerance, 1e-10);
  EXPECT_EQ(job.exact->samples, 0);
  EXPECT_FALSE(job.kernel || job.rates || job.steady || job.transport || job.matrix_elements || job.heat);
  EXPECT_TRUE(job.unavailable.empty()) << joined(job.unavailable);
}

const std::string kEverything = R"(title = "Everything"

[lattice]
shape    = [4]
periodic = [false]
spacing  = 2
bonds    = [[0, 1], [1, 2], [3, 2]]

[site]
levels = [0, 1.0, 1.5]
bands  = [0, 1, 1]
[site.detuning]
offsets = [[0, 0.01, 0], [0, 0, 0], [0, 0, 0], [0, 0.25, 0.5]]
distribution = "gaussian"
width = 0.2
seed = 17
realizations = 200

[interaction]
kind = "matrix"
strength = -1
elements = [[0, 1, 1, 0, 1.0, 0.5], [1, 1, 1, 1, 2]]
oriented = true
couplings = [1.0, 0.9, 0]
onsite = [[1, 2, 0.5, -0.25]]

[bath]
dephasing = 0.25
[[bath.reservoir]]
site = 0
temperature = 2.0
rate = 1.0
[[bath.reservoir]]
face = "x+"
temperature = inf
rate = 3
statistics = "fermi"

[initial]
kind = "product"
levels = [1, 0, 0, 2]
within_band = "mixed"

[time]
end = 50.0
outputs = 101

[exact]
method = "chebyshev"
tolerance = 1e-12
samples = 3
seed = 7

[kernel]
exact = true
orders = [2, 4]
memory = true
markov = true
store_limit = 10

[rates]
kernels = ["tcl2", "exact", "tcl12", "memory", "markov"]
tolerance = 1e-8

[steady]
method = "iterative"
tolerance = 1e-9

[transport]
temperatures = [0.1, 1, 10.0]

[output]
file = "some folder/everything.h5"
checkpoint = "3h50m"
)";

TEST(Job, WholeSchemaModel) {
  const Job job = parse_job(kEverything, "everything.toml");
  EXPECT_EQ(job.title, "Everything");
  ASSERT_TRUE(job.model);
  const Model& model = *job.model;
  EXPECT_EQ(model.lattice.bonds(), (std::vector<Bond>{{0, 1}, {1, 2}, {3, 2}}));
  EXPECT_TRUE(model.lattice.explicit_graph());
  EXPECT_EQ(model.lattice.spacing(), 2.0);
  EXPECT_EQ(model.site.bands(), 2);
  EXPECT_EQ(model.energies, site_energies({0, 1.0, 1.5}, 4, job.detuning));
  EXPECT_EQ(job.detuning.distribution, Detuning::Distribution::gaussian);
  EXPECT_EQ(job.detuning.offsets.size(), 12U);
  EXPECT_EQ(job.detuning.offsets[10], 0.25);
  EXPECT_EQ(job.detuning.width, 0.2);
  EXPECT_EQ(job.detuning.seed, 17U);
  EXPECT_EQ(job.detuning.realizations, 200);
  EXPECT_EQ(job.interaction_kind, InteractionKind::matrix);
  EXPECT_EQ(model.strength, -1.0);
  EXPECT_EQ(model.couplings, (std::vector<double>{1.0, 0.9, 0.0}));
  ASSERT_EQ(model.interactions.size(), 1U);
  EXPECT_EQ(model.interactions[0].elements().size(),
            3U);  // [0, 1, 1, 0], its Hermitian partner, [1, 1, 1, 1]
  EXPECT_EQ(model.interactions[0].elements()[0].value, (Complex{1.0, 0.5}));
  EXPECT_EQ(model.onsite.size(), 2U);
  EXPECT_EQ(model.onsite[0].value, (Complex{0.5, -0.25}));
}

TEST(Job, WholeSchemaBathAndState) {
  const Job job = parse_job(kEverything, "everything.toml");
  ASSERT_TRUE(job.model);
  const Bath& bath = job.model->bath;
  EXPECT_EQ(bath.dephasing, 0.25);
  ASSERT_EQ(bath.reservoirs.size(), 2U);
  EXPECT_EQ(bath.reservoirs[0].site, 0);
  EXPECT_EQ(bath.reservoirs[0].temperature, 2.0);
  EXPECT_EQ(bath.reservoirs[0].statistics, Reservoir::Statistics::fermi);
  EXPECT_EQ(bath.reservoirs[1].site, 3);
  EXPECT_EQ(bath.reservoirs[1].temperature, kInfinity);
  EXPECT_EQ(bath.reservoirs[1].rate, 3.0);
  ASSERT_TRUE(job.initial);
  EXPECT_EQ(job.initial->probabilities, (std::vector<double>{0, 0.5, 0.5, 1, 0, 0, 1, 0, 0, 0, 0.5, 0.5}));
}

TEST(Job, WholeSchemaRequests) {
  const Job job = parse_job(kEverything, "everything.toml");
  EXPECT_EQ(job.time->end, 50.0);
  EXPECT_EQ(job.time->outputs, 101);
  EXPECT_EQ(job.exact->method, ExactMethod::chebyshev);
  EXPECT_EQ(job.exact->tolerance, 1e-12);
  EXPECT_EQ(job.exact->samples, 3);
  EXPECT_EQ(job.exact->seed, 7U);
  EXPECT_TRUE(job.kernel->exact && job.kernel->memory && job.kernel->markov);
  EXPECT_EQ(job.kernel->orders, (std::vector<int>{2, 4}));
  EXPECT_EQ(job.kernel->store_limit, 10);
  EXPECT_EQ(job.rates->kernels, (std::vector{KernelId::tcl(2), KernelId::exact(), KernelId::tcl(12),
                                             KernelId::memory(), KernelId::markov()}));
  EXPECT_EQ(job.rates->tolerance, 1e-8);
  EXPECT_EQ(job.steady->method, SteadyMethod::iterative);
  EXPECT_EQ(job.steady->tolerance, 1e-9);
  EXPECT_EQ(job.transport->temperatures, (std::vector<double>{0.1, 1.0, 10.0}));
  EXPECT_EQ(job.output, "some folder/everything.h5");
  EXPECT_EQ(job.checkpoint_interval, 3 * 3600.0 + 50 * 60.0);
}

TEST(Job, Heat) {
  const Job job = parse_job(
      "[lattice]\nshape = [4]\n[time]\nend = 1\noutputs = 2\n[heat]\nconductivity = 2\ncapacity = \"1 + T\"\n"
      "initial = [1, 2.5, 3, 4]\nboundary = { x- = 2.0, \"x+\" = { convection = 3, temperature = 1 } }\n",
      "job.toml");
  EXPECT_EQ(job.heat->conductivity.number, 2.0);
  EXPECT_EQ(job.heat->capacity.expression, "1 + T");
  EXPECT_EQ(job.heat->initial.list, (std::vector<double>{1, 2.5, 3, 4}));
  EXPECT_EQ(job.heat->faces[0].kind, FaceCondition::Kind::temperature);
  EXPECT_EQ(job.heat->faces[0].value, 2.0);
  EXPECT_EQ(job.heat->faces[1].kind, FaceCondition::Kind::convection);
  EXPECT_EQ(job.heat->faces[1].transfer, 3.0);
  EXPECT_EQ(job.heat->faces[1].value, 1.0);
}

TEST(Job, EmptyTablesTakeDefaults) {
  const Job job = parse_job(kBase +
                                "[kernel]\n[steady]\n[bath]\ndephasing = 1\n[[bath.reservoir]]\nsite = 0\n"
                                "temperature = 1\nrate = 1\n",
                            "job.toml");
  EXPECT_TRUE(job.kernel->exact);
  EXPECT_EQ(job.kernel->orders, std::vector<int>{2});
  EXPECT_FALSE(job.kernel->memory || job.kernel->markov);
  EXPECT_EQ(job.kernel->store_limit, 1000);
  EXPECT_TRUE(job.steady->sizes.empty() && job.steady->rates.empty() && job.steady->models.empty());
  EXPECT_TRUE(job.steady->dephasings.empty());
  EXPECT_EQ(job.steady->method, SteadyMethod::automatic);
  EXPECT_EQ(job.steady->tolerance, 1e-10);
}

TEST(Job, WellAndMatrixElementsNeedNoLattice) {
  const Job job = parse_job(R"toml([interaction]
kind = "well"
strength = 1
[interaction.well]
shape = "harmonic"
width = 0.5
separation = 2
potential = "exp(-r)"
direct = 0.5
exchange = -0.5
alpha = 1
temperature = 2
[matrix-elements]
levels = 5
)toml",
                            "job.toml");
  EXPECT_FALSE(job.model);
  ASSERT_TRUE(job.well);
  EXPECT_EQ(job.well->well.shape, qheat::Well::Shape::harmonic);
  EXPECT_EQ(job.well->well.width, 0.5);
  EXPECT_EQ(job.well->well.separation, 2.0);
  EXPECT_EQ(job.well->potential_text, "exp(-r)");
  EXPECT_EQ(job.well->potential.screening, 2.0);
  EXPECT_DOUBLE_EQ(job.well->potential.value(-1.5), std::exp(1.5));
  EXPECT_TRUE(job.unavailable.empty());
  EXPECT_EQ(job.well->direct, 0.5);
  EXPECT_EQ(job.well->exchange, -0.5);
  EXPECT_EQ(job.well->alpha, 1.0);
  EXPECT_EQ(job.well->temperature, 2.0);
  EXPECT_EQ(job.matrix_elements->levels, 5);
}

TEST(Job, RandomBandsAreDrawnForEachBond) {
  std::string text = replaced(kBase, "\"exchange\"", "\"random-bands\"\nseed = 9");
  text = replaced(text, "[0.0, 1.0]", "[0.0, 1.0, 1.1]\nbands = [0, 1, 1]");
  const Job job = parse_job(text, "job.toml");
  EXPECT_TRUE(job.unavailable.empty());
  EXPECT_EQ(job.interaction_seed, 9U);
  ASSERT_TRUE(job.initial);
  EXPECT_EQ(job.initial->probabilities[1], 0.5);
  ASSERT_TRUE(job.model);
  ASSERT_EQ(job.model->interactions.size(), 3U);
  EXPECT_TRUE(job.model->conserves_bands());
  for (int b = 0; b < 3; ++b) {
    const auto drawn = PairInteraction::random_bands(3, 9, b);
    ASSERT_EQ(job.model->interaction(b).elements().size(), 8U);
    EXPECT_EQ(job.model->interaction(b).elements()[5].value, drawn.elements()[5].value);
  }
}

TEST(Job, ShortBandIsEquallySpaced) {
  std::string text =
      replaced(kBase, "levels = [0.0, 1.0]", "band_levels = 5\nband_energy = 2\nband_width = 0.5");
  const Job job = parse_job(text, "job.toml");
  ASSERT_TRUE(job.model);
  EXPECT_EQ(job.model->site.energies(), (std::vector<double>{0.0, 2.0, 2.125, 2.25, 2.375, 2.5}));
  EXPECT_EQ(job.model->site.band_sizes(), (std::vector<int>{1, 5}));
  text = replaced(text, "band_levels = 5", "band_levels = 1");
  EXPECT_EQ(parse_job(text, "job.toml").model->site.energies(), (std::vector<double>{0.0, 2.0}));
}

TEST(Job, HeatNeedsOnlyLatticeAndTime) {
  expect_good(
      "[lattice]\nshape = [2, 2]\n[time]\nend = 1\noutputs = 2\n[heat]\ninitial = [1, 2, 3, 4]\n"
      "boundary.x- = 1\nboundary.\"y+\" = 2\n");
}

TEST(Job, TablesThatNothingNeedsAreAccepted) {
  expect_good(
      "[lattice]\nshape = [3]\nperiodic = [true]\n[site]\nlevels = [0, 1]\n[interaction]\nkind = \"xy\"\n"
      "strength = 0\n[transport]\ntemperatures = [1]\n[time]\nend = 0\noutputs = 1\n");
}

TEST(Job, IntegersAreNumbersAndInfIsWrittenTwoWays) {
  const std::string thermal = "kind = \"thermal\"\ntemperatures = [inf, \"inf\", 2, +inf]";
  const Job job =
      parse_job(replaced(kBase, "kind = \"product\"\nlevels = [1, 0, 0, 0]", thermal), "job.toml");
  const auto& p = job.initial->probabilities;
  EXPECT_EQ(p[0], 0.5);
  EXPECT_EQ(p[2], 0.5);
  EXPECT_DOUBLE_EQ(p[4], 1.0 / (1.0 + std::exp(-0.5)));
  EXPECT_EQ(p[6], 0.5);
}

TEST(Job, PureStateInABand) {
  std::string text = replaced(kBase, "[0.0, 1.0]", "[0.0, 1.0, 1.1]\nbands = [0, 1, 1]");
  text = replaced(text, "levels = [1, 0, 0, 0]", "levels = [2, 0, 0, 0]\nwithin_band = \"pure\"");
  const Job job = parse_job(text, "job.toml");
  EXPECT_FALSE(even_in_bands(*job.model, *job.initial));
  EXPECT_EQ(job.initial->probabilities[2], 1.0);
}

TEST(Job, FacesExpandToAllTheirSites) {
  const std::string text = R"([lattice]
shape = [2, 3]
[site]
levels = [0, 1]
[interaction]
kind = "exchange"
anisotropy = 0.5
strength = 1
[[bath.reservoir]]
face = "y+"
temperature = 1
rate = 1
statistics = "bose"
[[bath.reservoir]]
face = "x-"
temperature = 2
rate = 1
[steady]
)";
  const Job job = parse_job(text, "job.toml");
  std::vector<int> sites;
  for (const auto& reservoir : job.model->bath.reservoirs) sites.push_back(reservoir.site);
  EXPECT_EQ(sites, (std::vector<int>{4, 5, 0, 2, 4}));
  EXPECT_EQ(job.model->bath.reservoirs[0].statistics, Reservoir::Statistics::bose);
}

TEST(Job, CorrelationKinds) {
  const std::string tcl2 = replaced(kBase, "[exact]", "[kernel]\nexact = false") + "[bath.correlation]\n";
  expect_good(tcl2 + "kind = \"exponential\"\nrate = 1\n");
  expect_good(tcl2 + "kind = \"gaussian\"\nrate = 0.5\n");
  const Job job =
      parse_job(tcl2 + "kind = \"bosons\"\nalpha = 0.1\ncutoff = 5\ntemperature = 0\n", "job.toml");
  const auto& correlation = job.model->bath.correlation;
  ASSERT_TRUE(correlation);
  EXPECT_EQ(correlation->kind, BathCorrelation::Kind::bosons);
  EXPECT_EQ(correlation->alpha, 0.1);
  EXPECT_EQ(correlation->cutoff, 5.0);
  EXPECT_EQ(correlation->temperature, 0.0);
}

TEST(Job, CheckpointInSeconds) {
  EXPECT_EQ(parse_job(kBase + "[output]\ncheckpoint = 90\n", "j").checkpoint_interval, 90.0);
  EXPECT_EQ(parse_job(kBase + "[output]\ncheckpoint = 0.5\n", "j").checkpoint_interval, 0.5);
  EXPECT_EQ(parse_job(kBase + "[output]\ncheckpoint = \"1-02:00:00\"\n", "j").checkpoint_interval, 93600.0);
}

TEST(Job, TextIsKeptByteForByte) {
  std::string text = "\xEF\xBB\xBF# größer\r\n";
  for (const char c : kBase) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(parse_job(text, "job.toml").text, text);
}

TEST(TimeGrid, IncludesBothEnds) {
  EXPECT_EQ((TimeGrid{0.0, 1}.times()), std::vector<double>{0.0});
  EXPECT_EQ((TimeGrid{1.0, 11}.times()[3]), 0.3);
  const auto times = TimeGrid{50.0, 101}.times();
  EXPECT_EQ(times.size(), 101U);
  EXPECT_EQ(times.front(), 0.0);
  EXPECT_EQ(times[7], 3.5);
  EXPECT_EQ(times.back(), 50.0);
  EXPECT_EQ((TimeGrid{1e50, 1001}.times().back()), 1e50);  // the largest that a job may have
}

// ---------------------------------------------------------------------------------- places and suggestions

TEST(JobProblems, AllAtOnceInOrderOfTheFile) {
  const std::string text = R"(titel = "x"
[lattice]
shape = [4, 0]
  spacing = -1
[site]
levels = [0.0, "one"]
[interaction]
kind = "exchang"
[time]
end = nan
outputs = 1.5
[exact]
tolerence = 1e-3
[kernal]
)";
  const Strings expected = {
      "job.toml:1:1: titel: this key is unknown; did you mean title?",
      "job.toml:3:13: lattice.shape[1]: 0 is not possible; give an integer from 1 to 1048576",
      "job.toml:4:3: lattice.spacing: -1 is not possible; give a finite number > 0",
      "job.toml:6:16: site.levels[1]: a string stands here; give a finite number",
      "job.toml:7:1: interaction.strength: this key is missing; add for example strength = 0.05",
      "job.toml:8:1: interaction.kind: \"exchang\" is no choice; did you mean \"exchange\"? "
      "Choices: exchange, xy, matrix, random-bands, well",
      "job.toml:10:1: time.end: nan is not possible; give a finite number >= 0",
      "job.toml:11:1: time.outputs: a number with a point or an exponent stands here; give an "
      "integer from 1 to 10000000",
      "job.toml:12:1: exact: needs a table [initial], which is missing; add [initial] with kind "
      "= \"product\" and levels = [1, 0, 0, 0]",
      "job.toml:13:1: exact.tolerence: this key is unknown; did you mean tolerance?",
      "job.toml:14:1: kernal: this key is unknown; did you mean kernel?"};
  EXPECT_EQ(joined(problems_of(text)), joined(expected));
}

TEST(JobProblems, WhatCarriesAllProblems) {
  try {
    parse_job("a = 1\nb = 2\n[heat]\n[time]\nend = 1\noutputs = 2\n", "x.toml");
    FAIL();
  } catch (const InputError& error) {
    for (const auto& problem : error.problems()) EXPECT_TRUE(contains(error.what(), problem));
    EXPECT_EQ(error.problems().size(), 4U) << error.what();
  }
}

TEST(JobProblems, UnknownKeyWithoutANearOneListsTheKnown) {
  expect_only(kBase + "quickly = true\n",
              "15:1: exact.quickly: this key is unknown; exact may have method, tolerance", "samples, seed");
}

TEST(JobProblems, Suggestions) {
  expect_only(replaced(kBase, "[time]", "within_bnad = \"mixed\"\n[time]"), "11:1: initial.within_bnad",
              "did you mean within_band?");
  expect_only(kBase + "[matrix_elements]\n", "15:1: matrix_elements", "did you mean matrix-elements?");
  expect_only(kBase + "Seed = 1\n", "15:1: exact.Seed", "did you mean seed?");
  expect_only(kBase + "smaples = 1\n", "15:1: exact.smaples", "did you mean samples?");
  expect_only(kBase + "method = \"krilov\"\n", "15:1: exact.method", "did you mean \"krylov\"?");
  expect_only(kBase + "[rates]\nkernels = [\"tcl2\", \"exat\"]\n", "16:20: rates.kernels[1]",
              "did you mean \"exact\"?");
}

TEST(JobProblems, UnicodeAndControlCharactersInKeys) {
  expect_only(kBase + "\"größe\" = 1\n", "15:1: exact.\"größe\": this key is unknown");
  expect_only(kBase + "\"a\\u001b[31m\" = 1\n", "15:1: exact.\"a\\x1b[31m\": this key is unknown");
  expect_only(kBase + "\"\" = 1\n", "15:1: exact.\"\": this key is unknown");
  EXPECT_TRUE(has_problem(problems_of(kBase + "größe = 1\n"), "job.toml:15:3: ", "not TOML"));
  const Strings problems = problems_of(kBase + std::string(100'000, 'k') + " = 1\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_LT(problems[0].size(), 300U);
}

TEST(JobProblems, PlacesOfInlineAndDottedTables) {
  std::string text = replaced(kBase, "[lattice]\nshape = [4]", "lattice.shape = [4]\nlattice.size = 3");
  expect_only(text, "2:9: lattice.size");
  text = replaced(kBase, "[lattice]\nshape = [4]", "lattice = { shape = [4],  perodic = [true] }");
  expect_only(text, "1:27: lattice.perodic", "periodic");
  text = replaced(kBase, "[lattice]\nshape = [4]", "lattice = { spacing = 1 }");
  EXPECT_TRUE(has_problem(problems_of(text), "job.toml:1:1: lattice.shape", "missing"));
  expect_only(kBase + "[site.detuning]\noffset = 1\n", "16:1: site.detuning.offset", "did you mean offsets?");
}

TEST(JobProblems, CrLfLineEndsKeepPlaces) {
  std::string text;
  for (const char c : kBase + "\n  tolerence = 1\n")
    text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  expect_only(text, "16:3: exact.tolerence");
}

TEST(JobProblems, SyntaxErrorsHaveAPlace) {
  expect_only("[lattice]\nshape = [4\n[site]\n", "3:", "this is not TOML");
  expect_only(kBase + "seed = \n", "15:", "this is not TOML");
  expect_only(kBase + "seed = 1\nseed = 2\n", "16:", "this is not TOML");
  expect_only(kBase + "[lattice]\n", "15:", "this is not TOML");
  expect_only(kBase + "seed = 99999999999999999999\n", "15:", "this is not TOML");
  expect_only(kBase + "tolerance = 1e999\n", "15:", "this is not TOML");
}

// ------------------------------------------------------------------------------------------------- sections

TEST(JobProblems, TopLevel) {
  expect_only("title = 3\n" + kBase, "1:1: title: an integer stands here; give a string");
  expect_only("lattice = 3\n" + replaced(kBase, "[lattice]\nshape = [4]\n", ""), "1:1: lattice",
              "an integer stands here; give a table [lattice]");
  expect_only("[[time]]\n[[time]]\n" + replaced(kBase, "[time]\nend = 50.0\noutputs = 101\n", ""),
              "1:1: time", "a list stands here; give a table [time]");
}

TEST(JobProblems, NothingAsked) {
  expect_only(replaced(kBase, "[exact]", ""), "1:1: this job asks for no computation",
              "add [exact], [spectrum], [kernel]");
}

TEST(JobProblems, MissingTablesAreToldWhereTheyAreNeeded) {
  const Strings problems = problems_of("[kernel]\n[rates]\nkernels = [\"tcl2\"]\n");
  EXPECT_EQ(problems.size(), 5U) << joined(problems);
  for (const std::string table : {"lattice", "site", "interaction", "time"}) {
    EXPECT_TRUE(has_problem(problems, "job.toml:1:1: kernel: needs a table [" + table + "]"));
  }
  EXPECT_TRUE(has_problem(problems, "job.toml:2:1: rates: needs a table [initial]"));
  EXPECT_EQ(problems_of("[steady]\n").size(), 4U);
  EXPECT_EQ(problems_of("[transport]\ntemperatures = [1]\n").size(), 3U);
  EXPECT_EQ(problems_of("[matrix-elements]\n").size(), 1U);
  EXPECT_EQ(problems_of("[heat]\ninitial = [1]\n").size(), 2U);
}

std::string with_lattice(const std::string& keys) {
  return replaced(kBase, "shape = [4]", keys);
}

TEST(JobProblems, Lattice) {
  expect_only(with_lattice(""), "1:1: lattice.shape: this key is missing; add for example shape = [8]");
  expect_only(with_lattice("shape = 4"), "2:1: lattice.shape: an integer stands here; give a list [...]");
  expect_only(with_lattice("shape = []"), "2:1: lattice.shape: has 0 entries; give 1 to 3");
  expect_only(with_lattice("shape = [1, 1, 1, 1]"), "2:1: lattice.shape: has 4 entries; give 1 to 3");
  expect_only(with_lattice("shape = [-4]"), "2:10: lattice.shape[0]: -4 is not possible");
  expect_only(with_lattice("shape = [4.0]"), "2:10: lattice.shape[0]", "give an integer");
  expect_only(with_lattice("shape = [9223372036854775807]"), "2:10: lattice.shape[0]");
  EXPECT_TRUE(has_problem(problems_of(with_lattice("shape = [1000000, 1000000, 1000000]")),
                          "job.toml:2:1: lattice.shape: 1000000000000000000 sites are too many"));
  expect_only(with_lattice("shape = [4]\nperiodic = [true, false]"),
              "3:1: lattice.periodic: has 2 entries; give 1");
  expect_only(with_lattice("shape = [4]\nperiodic = [1]"),
              "3:13: lattice.periodic[0]: an integer stands here");
  expect_only(with_lattice("shape = [4]\nperiodic = true"), "3:1: lattice.periodic", "give a list");
  expect_only(with_lattice("shape = [4]\nspacing = 0"), "3:1: lattice.spacing: 0 is not possible");
  expect_only(with_lattice("shape = [4]\nspacing = inf"), "3:1: lattice.spacing: inf is not possible");
  expect_only(with_lattice("shape = [4]\nspacing = \"inf\""), "3:1: lattice.spacing: a string stands here");
  expect_good(with_lattice("shape = [4]\nperiodic = [true]\nspacing = 3"));
  expect_good(with_lattice("shape = [2, 1, 2]\nperiodic = [true, true, false]"));
}

TEST(JobProblems, Bonds) {
  expect_good(with_lattice("shape = [4]\nbonds = []"));
  expect_good(with_lattice("shape = [4]\nperiodic = [false]\nbonds = [[3, 0]]"));
  expect_only(with_lattice("shape = [4]\nbonds = [[0, 1], [1]]"),
              "3:18: lattice.bonds[1]: has 1 entry; give 2");
  expect_only(with_lattice("shape = [4]\nbonds = [[0, 4]]"), "3:10: lattice.bonds[0]: there is no site 4");
  expect_only(with_lattice("shape = [4]\nbonds = [[0, -1]]"),
              "3:14: lattice.bonds[0][1]: -1 is not possible");
  expect_only(with_lattice("shape = [4]\nbonds = [[2, 2]]"),
              "3:10: lattice.bonds[0]: joins a site to itself");
  expect_only(with_lattice("shape = [4]\nbonds = [[0, 1], [1, 0]]"), "3:18: lattice.bonds[1]",
              "listed twice");
  expect_only(with_lattice("shape = [4]\nperiodic = [true]\nbonds = [[0, 1]]"), "3:1: lattice.periodic",
              "bonds are listed by hand");
}

std::string with_site(const std::string& keys) {
  return replaced(kBase, "levels = [0.0, 1.0]", keys);
}

TEST(JobProblems, Site) {
  expect_only(with_site(""), "3:1: site.levels: this key is missing");
  expect_only(with_site("levels = [0]"), "4:1: site.levels: has 1 entry; give 2 to 65535");
  expect_only(with_site("levels = [0.5, 1]"), "4:11: site.levels[0]: 0.5 is not 0");
  expect_only(with_site("levels = [0, 2, 1]"), "4:17: site.levels[2]: 1 lies below the level before it");
  expect_only(with_site("levels = [0, inf]"), "4:14: site.levels[1]: inf is not possible");
  expect_only(with_site("levels = [0, nan]"), "4:14: site.levels[1]: nan is not possible");
  expect_only(with_site("levels = [0, true]"), "4:14: site.levels[1]: a boolean (true or false) stands here");
  expect_good(with_site("levels = [0, 0, 1, 1]"));
  expect_good(with_site("levels = [0, 1, 2]\nbands = [0, 1, 0]"));
  expect_only(with_site("levels = [0, 1]\nbands = [0]"),
              "5:1: site.bands: has 1 entry; give 2 (one a level)");
  expect_only(with_site("levels = [0, 1]\nbands = [0, 2]"),
              "5:13: site.bands[1]: band 2 comes before band 1");
  expect_only(with_site("levels = [0, 1]\nbands = [1, 0]"),
              "5:10: site.bands[0]: band 1 comes before band 0");
  expect_only(with_site("levels = [0, 1]\nbands = [0, -1]"), "5:13: site.bands[1]: -1 is not possible");
}

TEST(JobProblems, ShortBand) {
  const std::string good = "band_levels = 3\nband_energy = 1\nband_width = 0.5";
  expect_good(with_site(good));
  expect_only(with_site("band_levels = 3\nband_energy = 1"), "3:1: site.band_width: this key is missing");
  expect_only(with_site("band_levels = 3\nband_width = 1"), "3:1: site.band_energy: this key is missing");
  expect_only(with_site("band_energy = 1\nband_width = 1"), "3:1: site.band_levels: this key is missing");
  expect_only(with_site(good + "\nlevels = [0, 1]"), "7:1: site.levels", "remove it");
  expect_only(with_site(good + "\nbands = [0, 1, 1, 1]"), "7:1: site.bands", "remove it");
  expect_only(with_site(replaced(good, "= 3", "= 0")), "4:1: site.band_levels: 0 is not possible");
  expect_only(with_site(replaced(good, "= 1", "= -1")), "5:1: site.band_energy: -1 is not");
  expect_only(with_site(replaced(good, "0.5", "-0.5")), "6:1: site.band_width: -0.5 is not");
  expect_only(with_site("band_levels = 3\nband_energy = 1\nband_width = 1e308"), "6:1: site.band_width",
              "too large");
  expect_only(with_site("levels = [0, 1]\nband_level = 3"), "5:1: site.band_level",
              "did you mean band_levels?");
}

std::string with_detuning(const std::string& keys) {
  return kBase + "[site.detuning]\n" + keys;
}

TEST(JobProblems, Detuning) {
  expect_good(with_detuning(""));
  expect_good(with_detuning("realizations = 1\n"));
  expect_good(with_detuning("distribution = \"lorentzian\"\nwidth = 1\nrealizations = 5\n"));
  expect_good(
      with_detuning("offsets = [[0, 1], [0, 1], [0, 1], [0, 1]]\ndistribution = \"uniform\"\nwidth = 1\n"));
  expect_only(with_detuning("offsets = [[0, 1]]\n"),
              "16:1: site.detuning.offsets: has 1 entry; give 4 (one a site)");
  expect_only(with_detuning("offsets = [[0, 1], [0], [0, 1], [0, 1]]\n"),
              "16:20: site.detuning.offsets[1]: has 1 entry; give 2 (one a level)");
  expect_only(with_detuning("offsets = [[0, 1], [0, inf], [0, 1], [0, 1]]\n"),
              "16:24: site.detuning.offsets[1][1]");
  expect_only(with_detuning("distribution = \"gauss\"\nwidth = 1\n"), "16:1: site.detuning.distribution");
  expect_only(with_detuning("distribution = \"gaussian\"\n"),
              "15:1: site.detuning.width: this key is missing");
  expect_only(with_detuning("distribution = \"gaussian\"\nwidth = 0\n"),
              "17:1: site.detuning.width: 0 is not");
  expect_only(with_detuning("width = 1\n"), "16:1: site.detuning.width: there is no distribution");
  expect_only(with_detuning("seed = 1\n"), "16:1: site.detuning.seed: there is no distribution");
  expect_only(with_detuning("distribution = \"gaussian\"\nwidth = 1\nseed = -1\n"),
              "18:1: site.detuning.seed: -1");
  expect_only(with_detuning("realizations = 2\n"),
              "16:1: site.detuning.realizations: without a distribution");
  expect_only(with_detuning("realizations = 0\n"), "16:1: site.detuning.realizations: 0 is not possible");
}

/// Sizes whose products overflow or lose their digits, wherever a number stands.
TEST(JobProblems, SizesOfNumbers) {
  const auto refused = [](const std::string& old_part, const std::string& new_part, const std::string& place,
                          const std::string& part) {
    expect_only(replaced(kBase, old_part, new_part), place, part);
  };
  expect_only(with_detuning("offsets = [[0, 1e308], [0, 0], [0, 0], [0, 0]]\n"),
              "16:", "site.detuning.offsets[0][1]: 1e+308 is too large");
  refused("[0.0, 1.0]", "[0.0, 1e308]", "4:", "site.levels[1]: 1e+308 is too large");
  refused("[0.0, 1.0]", "[0.0, 5e-324]", "4:", "site.levels[1]: 5e-324 is too small");
  refused("0.05", "-1e-320", "7:", "interaction.strength: -1e-320 is too small");
  refused("0.05", "1e-200", "7:", "interaction.strength: 1e-200 is too small");
  refused("0.05", "0.05\nanisotropy = 1e-60", "8:", "interaction.anisotropy: 1e-60 is too small");
  refused("[0.0, 1.0]", "[0.0, 1.0]\n[bath]\ndephasing = 1e-310",
          "6:", "bath.dephasing: 1e-310 is too small");
  refused("[4]", "[4]\nspacing = 1e51", "3:", "lattice.spacing: 1e+51 is too large");
  refused("end = 50.0", "end = 1e-320", "12:", "time.end: 1e-320 is too small");
  refused("end = 50.0", "end = 1e300", "12:", "time.end: 1e+300 is too large");
  expect_good(replaced(kBase, "0.05", "1e-50"));
  expect_good(replaced(kBase, "0.05", "0.0"));
}

TEST(JobProblems, Title) {
  expect_only("title = \"a\\u0000b\"\n" + kBase, "1:1: title", "NUL");
  EXPECT_EQ(parse_job("title = \"" + std::string(70000, 'x') + "\"\n" + kBase, "a.toml").title.size(),
            70000U);
}

TEST(ResultsName, Rules) {
  EXPECT_EQ(results_name_problem("folder/chain.h5"), "");
  for (const std::string bad : {"", "chain", "chain.hdf5", ".h5", "a\x1b[31m.h5"})
    EXPECT_NE(results_name_problem(bad), "") << bad;
}

std::string with_interaction(const std::string& keys) {
  return replaced(kBase, "kind = \"exchange\"\nstrength = 0.05", keys);
}

TEST(JobProblems, Interaction) {
  expect_only(with_interaction("strength = 1"), "5:1: interaction.kind: this key is missing");
  expect_only(with_interaction("kind = \"xy\""), "5:1: interaction.strength: this key is missing");
  expect_only(with_interaction("kind = 1\nstrength = 1"), "6:1: interaction.kind: an integer stands here",
              "\"exchange\" or \"xy\"");
  expect_only(with_interaction("kind = \"xy\"\nstrength = -inf"),
              "7:1: interaction.strength: -inf is not possible");
  expect_only(with_interaction("kind = \"xy\"\nstrength = 1\nanisotropy = 1"), "8:1: interaction.anisotropy",
              "belongs to kind = \"exchange\" only; remove it");
  expect_only(with_interaction("kind = \"xy\"\nstrength = 1\noriented = false"), "8:1: interaction.oriented",
              "belongs to kind = \"matrix\"");
  expect_only(with_interaction("kind = \"xy\"\nstrength = 1\nelements = [[0, 1, 1, 0, 1]]"),
              "8:1: interaction.elements", "belongs to kind = \"matrix\"");
  expect_only(with_interaction("kind = \"xy\"\nstrength = 1\nseed = 1"), "8:1: interaction.seed",
              "belongs to kind = \"random-bands\"");
  expect_only(with_interaction("kind = \"xy\"\nstrength = 1\nwell = {}"), "8:1: interaction.well",
              "belongs to kind = \"well\"");
  expect_only(with_interaction("kind = \"xy\"\nstrength = 1\ncouplings = [1, 2]"),
              "8:1: interaction.couplings: has 2 entries; give 3 (one a bond)");
  expect_only(with_interaction("kind = \"xy\"\nstrength = 1\ncouplings = [1, 2, inf]"),
              "8:20: interaction.couplings[2]: inf");
  expect_good(with_interaction("kind = \"exchange\"\nanisotropy = 0\nstrength = 0"));
}

TEST(JobProblems, KeysOfAWrongKindAreStillChecked) {
  const Strings problems =
      problems_of(with_interaction("kind = \"exchanges\"\nanisotropy = \"a\"\noriented = 1\n"
                                   "strength = 1\nelements = [[0]]\nseed = -3"));
  EXPECT_EQ(problems.size(), 5U) << joined(problems);
}

TEST(JobProblems, MatrixElements) {
  const std::string matrix = "kind = \"matrix\"\nstrength = 1\n";
  expect_good(with_interaction(matrix + "elements = [[0, 1, 1, 0, 1.0]]"));
  expect_only(with_interaction(matrix), "5:1: interaction.elements: this key is missing");
  expect_only(with_interaction(matrix + "elements = []"),
              "8:1: interaction.elements: has 0 entries; give at least 1");
  expect_only(with_interaction(matrix + "elements = [[0, 1, 1, 0]]"),
              "8:13: interaction.elements[0]: has 4 entries");
  expect_only(with_interaction(matrix + "elements = [[0, 1, 1, 0, 1, 2, 3]]"),
              "8:13: interaction.elements[0]");
  expect_only(with_interaction(matrix + "elements = [[0, 1, 1.0, 0, 1]]"),
              "8:20: interaction.elements[0][2]");
  expect_only(with_interaction(matrix + "elements = [[0, 1, 2, 0, 1]]"),
              "8:20: interaction.elements[0][2]: 2 is not possible; give an integer from 0 to 1");
  expect_only(with_interaction(matrix + "elements = [[0, 1, 65536, 0, 1]]"),
              "8:20: interaction.elements[0][2]");
  expect_only(with_interaction(matrix + "elements = [[0, 1, 1, 0, nan]]"),
              "8:26: interaction.elements[0][4]: nan");
  expect_only(with_interaction(matrix + "elements = [[0, 1, 1, 0, 1], [0, 1, 1, 0, 1]]"),
              "8:1: interaction.elements", "listed twice");
  expect_only(with_interaction(matrix + "elements = [[0, 1, 1, 0, 1], [1, 0, 0, 1, 2]]"),
              "8:1: interaction.elements", "disagrees with its partner");
}

TEST(JobProblems, Onsite) {
  const std::string keys = "kind = \"xy\"\nstrength = 1\n";
  expect_good(with_interaction(keys + "onsite = [[0, 1, 0.5, 2], [1, 1, 3]]"));
  expect_good(with_interaction(keys + "onsite = []"));
  expect_only(with_interaction(keys + "onsite = [[0, 1]]"),
              "8:11: interaction.onsite[0]: has 2 entries; give 3 to 4");
  expect_only(with_interaction(keys + "onsite = [[0, 2, 1]]"),
              "8:15: interaction.onsite[0][1]: 2 is not possible");
  expect_only(with_interaction(keys + "onsite = [[0, 1, 1], [1, 0, 2]]"), "8:1: interaction.onsite",
              "disagrees");
  expect_only(with_interaction(keys + "onsite = 1"), "8:1: interaction.onsite", "give a list");
}

TEST(JobProblems, RandomBands) {
  const std::string text = with_interaction("kind = \"random-bands\"\nstrength = 1\nseed = 3");
  expect_good(text);
  expect_good(replaced(text, "[0.0, 1.0]", "[0, 1, 2]\nbands = [0, 1, 1]"));
  expect_only(replaced(text, "[0.0, 1.0]", "[0, 1, 2]"), "3:1: site.bands", "level 0 alone in band 0");
  expect_only(replaced(text, "[0.0, 1.0]", "[0, 1, 2]\nbands = [0, 0, 1]"), "5:1: site.bands",
              "random-bands");
  expect_only(replaced(text, "[0.0, 1.0]", "[0, 1]\nbands = [0, 0]"), "5:1: site.bands", "random-bands");
  expect_only(replaced(text, "levels = [0.0, 1.0]", "band_levels = 9000\nband_energy = 1\nband_width = 0"),
              "8:1: interaction.kind", "take fewer levels");
}

TEST(JobProblems, Well) {
  const std::string text = with_interaction("kind = \"well\"\nstrength = 1");
  expect_only(text, "5:1: interaction.well", "add [interaction.well]");
  expect_good(text + "[interaction.well]\n");
  const Strings problems = problems_of(text +
                                       "[interaction.well]\nshape = \"round\"\nwidth = 0\nseparation = -1\n"
                                       "potential = \" \"\ndirect = inf\nexchange = \"a\"\nalpha = -1\n"
                                       "temperature = inf\nheight = 3\n");
  EXPECT_EQ(problems.size(), 9U) << joined(problems);
  EXPECT_TRUE(has_problem(problems, "job.toml:19:1: interaction.well.potential: ", "is no expression"));
}

TEST(JobProblems, PotentialsOfWells) {
  const std::string text = with_interaction("kind = \"well\"\nstrength = 1") + "[interaction.well]\n";
  const std::string key = ":1: interaction.well.";
  expect_good(text + "potential = \"1/(1 + r^2)\"\n");
  expect_only(text + "potential = \"1/(1 + q)\"\n", "16" + key + "potential", "character 8");
  expect_only(text + "potential = \"1/abs(r)\"\nseparation = 0.5\n", "16" + key + "potential",
              "has the value inf at r = 0");
  expect_good(text + "potential = \"1/abs(r)\"\nseparation = 1.5\n");
  expect_only(text + "potential = \"sqrt(r)\"\n", "16" + key + "potential", "nan");
  expect_only(text + "alpha = 1\nlaw = \"1/T\"\n", "16" + key + "alpha", "has no temperature");
  expect_only(text + "alpha = 1\ntemperature = 0\n", "17" + key + "temperature", "0 is not possible");
  expect_good(text + "alpha = 1\nlaw = \"2\"\n");
  expect_only(text + "alpha = 1\nlaw = \"log(T)\"\ntemperature = 0.5\n", "17" + key + "law", "not negative");
  expect_only(text + "alpha = 1\nlaw = \"T +\"\ntemperature = 2\n", "17" + key + "law", "is no expression");
  expect_good(text + "alpha = 1\nlaw = \"1/T\"\ntemperature = 2\n");
  const std::string elements = "[matrix-elements]\n";
  expect_only(text + elements + "levels = 101\n", "17:1: matrix-elements.levels", "101 is not possible");
  expect_only(replaced(text, "levels = [0.0, 1.0]", "band_levels = 40\nband_energy = 1\nband_width = 1"),
              "8:1: interaction.kind", "give at most 32 levels");
}

TEST(Job, WellInteractionIsTheTensor) {
  const std::string text =
      replaced(replaced(kBase, "[0.0, 1.0]", "[0.0, 3.0, 8.0]"), "exchange", "well") +
      "[interaction.well]\nseparation = 0.4\npotential = \"quadratic\"\ndirect = 0.5\nexchange = 0.25\n";
  const Job job = parse_job(text, "job.toml");
  ASSERT_TRUE(job.model);
  const qheat::WellElements elements({.separation = 0.4}, {.form = qheat::PairPotential::Form::quadratic}, 3);
  double norm = 0.0;
  for (const auto& e : job.model->interaction(0).elements()) {
    const double swapped = elements(e.a, e.b, e.d, e.c).value + elements(e.b, e.a, e.c, e.d).value;
    EXPECT_NEAR(e.value.real(), 0.5 * elements(e.a, e.b, e.c, e.d).value + 0.125 * swapped, 1e-15);
    norm += std::norm(e.value);
  }
  double expected = 0.0;
  for (int row = 0; row < 9; ++row) {
    for (int column = 0; column < 9; ++column) {
      const int a = row / 3, b = row % 3, c = column / 3, d = column % 3;
      const double swapped = elements(a, b, d, c).value + elements(b, a, c, d).value;
      expected += std::pow(0.5 * elements(a, b, c, d).value + 0.125 * swapped, 2);
    }
  }
  EXPECT_NEAR(norm, expected, 1e-12);
}

std::string with_bath(const std::string& text) {
  return kBase + text;
}

std::string with_reservoir(const std::string& keys) {
  return with_bath("[[bath.reservoir]]\ntemperature = 1\nrate = 1\n" + keys);
}

TEST(JobProblems, Bath) {
  expect_good(with_bath("[bath]\ndephasing = 0\n"));
  expect_only(with_bath("[bath]\ndephasing = -1\n"), "16:1: bath.dephasing: -1 is not possible");
  expect_only(with_bath("[bath]\ndephasing = false\n"), "16:1: bath.dephasing: a boolean");
  expect_only(with_bath("[bath]\ngamma = 1\n"), "16:1: bath.gamma",
              "bath may have dephasing, reservoir, jump, correlation");
  expect_only(with_bath("[bath.reservoir]\nsite = 1\ntemperature = 1\nrate = 1\n"), "15:1: bath.reservoir",
              "each under its own [[bath.reservoir]]");
  expect_only(with_bath("[bath]\nreservoir = [1]\n"), "16:14: bath.reservoir[0]: an integer stands here");
}

TEST(JobProblems, Reservoirs) {
  expect_good(with_reservoir("site = 3\n"));
  expect_good(with_reservoir("face = \"x+\"\n"));
  expect_only(with_reservoir(""), "15:1: bath.reservoir[0]: does not say where it is");
  expect_only(with_reservoir("site = 0\nface = \"x-\"\n"), "15:1: bath.reservoir[0]: both site and face");
  expect_only(with_reservoir("site = 4\n"), "18:1: bath.reservoir[0].site: 4 is not possible",
              "give an integer from 0 to 3");
  expect_only(with_reservoir("face = \"y-\"\n"), "18:1: bath.reservoir[0].face: the lattice has no face y-");
  expect_only(with_reservoir("face = \"left\"\n"), "18:1: bath.reservoir[0].face: \"left\" is no face",
              "x-, x+, y-, y+, z-, z+");
  expect_only(replaced(with_reservoir("face = \"x-\"\n"), "shape = [4]", "shape = [4]\nperiodic = [true]"),
              "19:1: bath.reservoir[0].face: the lattice is periodic along x");
  expect_only(with_reservoir("site = 0\nstatistics = \"boltzmann\"\n"), "19:1: bath.reservoir[0].statistics");
  expect_only(with_reservoir("site = 0\n[[bath.reservoir]]\nsite = 1\nrate = 1\n"),
              "19:1: bath.reservoir[1].temperature: this key is missing");
  expect_only(with_bath("[[bath.reservoir]]\nsite = 0\ntemperature = 0\nrate = 1\n"),
              "17:1: bath.reservoir[0].temperature: 0 is not possible; give a number > 0, or inf");
  expect_only(with_bath("[[bath.reservoir]]\nsite = 0\ntemperature = -inf\nrate = 1\n"), "17:1:");
  expect_only(with_bath("[[bath.reservoir]]\nsite = 0\ntemperature = \"hot\"\nrate = 1\n"),
              "17:1:", "a string");
  expect_only(with_bath("[[bath.reservoir]]\nsite = 0\ntemperature = \"inf\"\nrate = 0\n"),
              "18:1: bath.reservoir[0].rate: 0 is not possible");
  expect_only(with_bath("[[bath.reservoir]]\nsite = 0\ntemperature = 1\n"), "15:1: bath.reservoir[0].rate",
              "missing");
}

TEST(JobProblems, BoseNeedsAscendingLevelsAndAFiniteTemperature) {
  const std::string bose = with_reservoir("face = \"x+\"\nstatistics = \"bose\"\n");
  expect_good(bose);
  expect_only(replaced(bose, "temperature = 1", "temperature = inf"), "16:1: bath.reservoir[0].temperature",
              "bosons");
  expect_only(replaced(bose, "[0.0, 1.0]", "[0, 1, 1]"), "19:1: bath.reservoir[0].statistics",
              "level 2 of site 3 does not lie above level 1");
  const std::string detuned = "[site.detuning]\noffsets = [[0, 0], [0, 0], [0, 0], [0, -1]]\n";
  expect_only(bose + detuned, "19:1: bath.reservoir[0].statistics", "level 1 of site 3");
  expect_good(replaced(bose, "x+", "x-") + detuned);
  expect_good(replaced(replaced(bose, "[0.0, 1.0]", "[0, 1, 1]"), "bose", "fermi"));
}

TEST(JobProblems, Correlation) {
  const std::string tcl2 = replaced(kBase, "[exact]", "[kernel]\nexact = false") + "[bath.correlation]\n";
  expect_only(tcl2, "16:1: bath.correlation.kind: this key is missing");
  expect_only(tcl2 + "kind = \"white\"\n", "17:1: bath.correlation.kind: \"white\" is no choice");
  expect_only(tcl2 + "kind = \"gaussian\"\n", "16:1: bath.correlation.rate: this key is missing");
  expect_only(tcl2 + "kind = \"gaussian\"\nrate = 0\n", "18:1: bath.correlation.rate: 0 is not possible");
  expect_only(tcl2 + "kind = \"gaussian\"\nrate = 1\ncutoff = 1\n", "19:1: bath.correlation.cutoff",
              "belongs to kind = \"bosons\"");
  const std::string bosons = tcl2 + "kind = \"bosons\"\n";
  EXPECT_EQ(problems_of(bosons).size(), 3U);
  expect_only(bosons + "alpha = 1\ncutoff = 1\ntemperature = 1\nrate = 1\n", "21:1: bath.correlation.rate",
              "belongs to kind = \"exponential\" or \"gaussian\"");
  expect_only(bosons + "alpha = 1\ncutoff = 1\ntemperature = inf\n",
              "20:1: bath.correlation.temperature: inf");
}

TEST(JobProblems, WhatACorrelationFunctionExcludes) {
  const std::string correlation = "[bath.correlation]\nkind = \"gaussian\"\nrate = 1\n";
  const std::string tcl2 = replaced(kBase, "[exact]", "[kernel]\nexact = false\norders = [2]");
  expect_good(tcl2 + correlation);
  expect_good(replaced(tcl2, "orders = [2]", "orders = [2]\nmarkov = true") + correlation);
  expect_only(kBase + correlation, "14:1: exact: [bath.correlation] has kernels of second order only");
  expect_only(tcl2 + "[bath]\ndephasing = 1\n" + correlation, "18:1: bath.dephasing", "keep one of the two");
  expect_only(tcl2 + "[[bath.reservoir]]\nsite = 0\nrate = 1\ntemperature = 1\n" + correlation,
              "17:1: bath.reservoir", "keep one of the two");
  expect_only(replaced(tcl2, "exact = false\n", "") + correlation, "14:1: kernel.exact", "set exact = false");
  expect_only(replaced(tcl2, "[2]", "[2, 4]") + correlation, "16:14: kernel.orders[1]", "second order only");
  expect_only(tcl2 + "memory = true\n" + correlation, "17:1: kernel.memory", "second order only");
  expect_only(tcl2 + "[rates]\nkernels = [\"markov\", \"exact\"]\n" + correlation, "18:22: rates.kernels[1]");
}

std::string with_initial(const std::string& keys) {
  return replaced(kBase, "kind = \"product\"\nlevels = [1, 0, 0, 0]", keys);
}

TEST(JobProblems, Initial) {
  expect_only(with_initial("levels = [1, 0, 0, 0]"), "8:1: initial.kind: this key is missing");
  expect_only(with_initial("kind = \"gibbs\""), "9:1: initial.kind: \"gibbs\" is no choice");
  expect_only(with_initial("kind = \"product\""), "8:1: initial.levels: this key is missing");
  expect_only(with_initial("kind = \"thermal\""), "8:1: initial.temperatures: this key is missing");
  expect_only(with_initial("kind = \"product\"\nlevels = [1, 0]"),
              "10:1: initial.levels: has 2 entries; give 4");
  expect_only(with_initial("kind = \"product\"\nlevels = [1, 0, 2, 0]"),
              "10:17: initial.levels[2]: 2 is not possible; give an integer from 0 to 1");
  expect_only(with_initial("kind = \"product\"\nlevels = [1, 0, 0, 0]\nwithin_band = true"),
              "11:1: initial.within_band", "give \"mixed\" or \"pure\"");
  expect_only(with_initial("kind = \"product\"\nlevels = [1, 0, 0, 0]\ntemperatures = [1, 1, 1, 1]"),
              "11:1: initial.temperatures", "belongs to kind = \"thermal\"");
  expect_only(with_initial("kind = \"thermal\"\ntemperatures = [1, 1, 1, 1]\nlevels = [1, 0, 0, 0]"),
              "11:1: initial.levels", "belongs to kind = \"product\"");
  expect_only(with_initial("kind = \"thermal\"\ntemperatures = [1, 0, 1, 1]"),
              "10:20: initial.temperatures[1]: 0 is not possible; give a number > 0, or inf");
  expect_only(with_initial("kind = \"thermal\"\ntemperatures = [1, nan, 1, 1]"),
              "10:20: initial.temperatures[1]: nan");
  expect_only(with_initial("kind = \"thermal\"\ntemperatures = [1, 1, 1]"),
              "10:1: initial.temperatures: has 3 entries");
}

std::string with_time(const std::string& keys) {
  return replaced(kBase, "end = 50.0\noutputs = 101", keys);
}

TEST(JobProblems, Time) {
  expect_good(with_time("end = 0\noutputs = 1"));
  expect_good(with_time("end = 1\noutputs = 2"));
  expect_only(with_time("outputs = 2"), "11:1: time.end: this key is missing");
  expect_only(with_time("end = 2"), "11:1: time.outputs: this key is missing");
  expect_only(with_time("end = -1\noutputs = 2"), "12:1: time.end: -1 is not possible");
  expect_only(with_time("end = inf\noutputs = 2"), "12:1: time.end: inf is not possible");
  expect_only(with_time("end = 1979-05-27\noutputs = 2"), "12:1: time.end: a date or time stands here");
  expect_only(with_time("end = 1\noutputs = 1"), "13:1: time.outputs", "at least 2");
  expect_only(with_time("end = 0\noutputs = 2"), "13:1: time.outputs", "outputs = 1");
  expect_only(with_time("end = 1\noutputs = 0"), "13:1: time.outputs: 0 is not possible");
  expect_only(with_time("end = 1\noutputs = 2000000000"), "13:1: time.outputs: 2000000000 is not possible");
}

TEST(JobProblems, Exact) {
  expect_good(kBase + "method = \"krylov\"\ntolerance = 1e-14\nsamples = 0\nseed = 0\n");
  expect_only(kBase + "method = \"lanczos\"\n", "15:1: exact.method");
  expect_only(kBase + "tolerance = 1e-15\n", "15:1: exact.tolerance: 1e-15 is not possible",
              "give a number >= 1e-14 and <= 0.01");
  expect_only(kBase + "tolerance = 0.1\n", "15:1: exact.tolerance");
  expect_only(kBase + "samples = -1\n", "15:1: exact.samples");
  expect_only(kBase + "samples = 99999999999\n", "15:1: exact.samples");
  expect_only(kBase + "seed = -1\n", "15:1: exact.seed");
}

TEST(JobProblems, Kernel) {
  const std::string kernel = kBase + "[kernel]\n";
  expect_good(kernel + "exact = false\norders = [1, 12]\nstore_limit = 0\n");
  expect_only(kernel + "exact = \"yes\"\n", "16:1: kernel.exact: a string stands here; give true or false");
  expect_only(kernel + "orders = 2\n", "16:1: kernel.orders", "give a list");
  expect_only(kernel + "orders = [0, 2]\n",
              "16:11: kernel.orders[0]: 0 is not possible; give an integer from 1 to 12");
  expect_only(kernel + "orders = [2, 13]\n", "16:14: kernel.orders[1]: 13 is not possible");
  expect_only(kernel + "orders = [2, 4, 2]\n", "16:17: kernel.orders[2]: 2 is listed twice");
  expect_only(kernel + "memory = 1\n", "16:1: kernel.memory");
  expect_only(kernel + "markov = 0\n", "16:1: kernel.markov");
  expect_only(kernel + "store_limit = -1\n", "16:1: kernel.store_limit");
  expect_only(kernel + "exact = false\norders = []\n", "15:1: kernel: asks for no kernel");
  expect_good(kernel + "exact = false\norders = []\n[rates]\nkernels = [\"tcl2\"]\n");
}

TEST(Job, BroadeningOfTheMarkovKernel) {
  using Shape = Broadening::Shape;
  const std::string kernel = kBase + "[kernel]\nmarkov = true\n";
  const auto broadening = [&](const std::string& keys) {
    return parse_job(kernel + keys, "job.toml").kernel->broadening;
  };
  EXPECT_FALSE(broadening(""));
  EXPECT_EQ(broadening("broadening = 0.1\n")->width, 0.1);
  EXPECT_EQ(broadening("broadening = 0.1\n")->shape, Shape::lorentzian);
  EXPECT_EQ(broadening("broadening = 2\nbroadening_shape = \"gaussian\"\n")->width, 2.0);
  EXPECT_EQ(broadening("broadening = 2\nbroadening_shape = \"gaussian\"\n")->shape, Shape::gaussian);
  EXPECT_EQ(broadening("broadening_shape = \"uniform\"\nbroadening = 0.1\n")->shape, Shape::uniform);
}

TEST(JobProblems, Broadening) {
  const std::string kernel = kBase + "[kernel]\n";
  expect_only(kernel + "broadening = 0\n", "16:1: kernel.broadening: 0 is not possible", "> 0");
  expect_only(kernel + "broadening = inf\n", "16:1: kernel.broadening");
  expect_only(kernel + "broadening = \"wide\"\n", "16:1: kernel.broadening: a string stands here");
  expect_only(kernel + "broadening = 0.1\nbroadening_shape = \"gausian\"\n", "17:1: kernel.broadening_shape",
              "gaussian");
  expect_only(kernel + "broadening_shape = \"uniform\"\n", "16:1: kernel.broadening_shape",
              "broadening = 0.1");
  expect_only(kernel + "broadening = 0.1\n[bath]\ndephasing = 0.2\n", "16:1: kernel.broadening",
              "name one of them");
  expect_good(kernel + "broadening = 0.1\n[bath]\ndephasing = 0.0\n");
  const std::string tcl2 = replaced(kBase, "[exact]", "[kernel]\nexact = false");
  expect_only(tcl2 + "broadening = 0.1\n[bath.correlation]\nkind = \"gaussian\"\nrate = 1\n",
              "16:1: kernel.broadening", "name one of them");
}

TEST(JobProblems, Rates) {
  const std::string rates = kBase + "[rates]\n";
  expect_only(rates, "15:1: rates.kernels: this key is missing");
  expect_only(rates + "kernels = []\n", "16:1: rates.kernels: has 0 entries; give at least 1");
  expect_only(rates + "kernels = \"tcl2\"\n", "16:1: rates.kernels: a string stands here; give a list");
  expect_only(rates + "kernels = [2]\n", "16:12: rates.kernels[0]: an integer stands here");
  expect_only(rates + "kernels = [\"tcl13\"]\n", "16:12: rates.kernels[0]: \"tcl13\" is no kernel");
  expect_only(rates + "kernels = [\"tcl02\"]\n", "16:12: rates.kernels[0]: \"tcl02\" is no kernel");
  expect_only(rates + "kernels = [\"tcl2\", \"tcl2\"]\n", "16:20: rates.kernels[1]: tcl2 is listed twice");
  expect_only(rates + "kernels = [\"tcl2\"]\ntolerance = 1e-14\n", "17:1: rates.tolerance");
  expect_good(rates +
              "kernels = [\"tcl1\", \"tcl12\", \"exact\", \"memory\", \"markov\"]\ntolerance = 1e-13\n");
}

TEST(JobProblems, OnlyClosedSystemsAreDiagonalized) {
  const std::string diagonalize = kBase + "method = \"diagonalize\"\n";
  expect_good(diagonalize + "[bath]\ndephasing = 0\n");
  expect_only(diagonalize + "[bath]\ndephasing = 1\n",
              "15:1: exact.method: diagonalize is for closed systems", "krylov");
  expect_only(diagonalize + "[[bath.reservoir]]\nsite = 0\ntemperature = 1\nrate = 1\n",
              "15:1: exact.method: diagonalize is for closed systems");
  const std::string stepped = kBase + "method = \"runge-kutta\"\n";
  expect_good(stepped + "[bath]\ndephasing = 1\n");
  expect_only(stepped, "15:1: exact.method: runge-kutta is for open systems", "krylov");
}

TEST(JobRequests, SpectrumTakesStatesAndAnEnd) {
  const Job job =
      parse_job(kBase + "[spectrum]\nstates = 3\nend = \"highest\"\ntolerance = 1e-8\n", "job.toml");
  ASSERT_TRUE(job.spectrum);
  EXPECT_EQ(job.spectrum->states, 3);
  EXPECT_TRUE(job.spectrum->highest);
  EXPECT_EQ(job.spectrum->tolerance, 1e-8);
  EXPECT_FALSE(parse_job(kBase + "[spectrum]\n", "job.toml").spectrum->highest);
  expect_only(kBase + "[spectrum]\nstates = 0\n", "16:1: spectrum.states: 0 is not possible");
  expect_only(kBase + "[spectrum]\nend = \"middle\"\n", "16:1: spectrum.end");
  expect_only(kBase + "[spectrum]\nstate = 3\n", "16:1: spectrum.state: this key is unknown");
}

TEST(JobProblems, Steady) {
  const std::string steady = kBase + "[[bath.reservoir]]\nsite = 0\ntemperature = 1\nrate = 1\n[steady]\n";
  expect_good(steady + "sizes = [2, 4]\n");
  expect_only(steady + "sizes = [1]\n", "20:10: steady.sizes[0]: 1 is not possible");
  expect_only(steady + "sizes = [4, 4]\n", "20:13: steady.sizes[1]: 4 is listed twice");
  expect_only(steady + "tolerance = 0\n", "20:1: steady.tolerance");
  expect_only(kBase + "[bath]\n[steady]\n",
              "16:1: steady: without a reservoir no steady state is the only one");
  expect_only(kBase + "[steady]\n", "15:1: steady: needs a table [bath]");
  expect_only(kBase + "[[bath.reservoir]]\nsite = 9\ntemperature = 1\nrate = 1\n[steady]\n",
              "16:1: bath.reservoir[0].site");
}

/// A chain between a reservoir at its face x+ and one at site 0, with steady states of several sizes.
std::string with_sizes(const std::string& steady) {
  return kBase +
         "[[bath.reservoir]]\nface = \"x+\"\ntemperature = 1\nrate = 1\n"
         "[[bath.reservoir]]\nsite = 0\ntemperature = 2\nrate = 1\n[steady]\n" +
         steady;
}

TEST(JobProblems, SteadySizesAndRates) {
  expect_good(with_sizes("sizes = [2, 4, 9]\nrates = [0.5, 2]\n"));
  expect_only(with_sizes("sizes = [6, 4]\n"), "24:13: steady.sizes[1]: 4 comes after 6; sort them");
  expect_only(with_sizes("sizes = []\n"), "24:1: steady.sizes: has 0 entries");
  expect_only(with_sizes("rates = [1, 2]\n"), "24:1: steady.rates: compares fits over several sizes");
  expect_only(with_sizes("sizes = [4, 6]\nrates = [1, 0]\n"), "25:13: steady.rates[1]: 0 is not possible");
  expect_only(with_sizes("sizes = [4, 6]\nrates = [1, 1.0]\n"), "25:13: steady.rates[1]: 1 is listed twice");
  expect_only(replaced(with_sizes("sizes = [4, 6]\n"), "[4]", "[4]\nbonds = [[0, 1], [1, 2], [2, 3]]"),
              "3:1: lattice.bonds: is for one size only");
  expect_only(
      replaced(with_sizes("sizes = [4, 6]\n"), "strength = 0.05", "strength = 1\ncouplings = [1, 2, 1]"),
      "8:1: interaction.couplings: is for one size only");
  expect_only(replaced(with_sizes("sizes = [4, 6]\n"), "levels = [0.0, 1.0]",
                       "levels = [0.0, 1.0]\n[site.detuning]\noffsets = [[0, 0], [0, 1], [0, 0], [0, 1]]"),
              "6:1: site.detuning.offsets: is for one size only");
  expect_only(replaced(with_sizes("sizes = [4, 6]\n"), "site = 0", "site = 2"),
              "20:1: bath.reservoir[1].site: site 2 is inside the chain");
  expect_only(replaced(replaced(with_sizes("sizes = [4, 6]\n"), "[4]", "[4]\nperiodic = [true]"),
                       "face = \"x+\"", "site = 3"),
              "25:1: steady.sizes: needs an open chain");
  expect_only(replaced(with_sizes("sizes = [4, 6]\n"), "[4]", "[2, 2]"),
              "24:1: steady.sizes: needs an open chain");
}

TEST(JobProblems, SteadyDephasings) {
  expect_good(with_sizes("sizes = [2, 4]\nrates = [0.5, 2]\ndephasings = [0.4, 0, 0.1]\n"));
  expect_good(with_sizes("dephasings = [0.4, 0, 0.1]\n"));
  expect_only(with_sizes("dephasings = []\n"), "24:1: steady.dephasings: has 0 entries");
  expect_only(with_sizes("dephasings = [0.1, -0.5]\n"), "24:20: steady.dephasings[1]: -0.5 is not possible");
  expect_only(with_sizes("dephasings = [0.1, inf]\n"), "24:20: steady.dephasings[1]");
  expect_only(with_sizes("dephasings = [0.0, 1, -0.0]\n"), "24:23: steady.dephasings[2]: -0 is listed twice");
  expect_only(with_sizes("dephasings = 0.5\n"), "24:1: steady.dephasings");
  // dephasing alone leaves every mixture of the sectors as it is
  expect_only(kBase + "[bath]\ndephasing = 0.1\n[steady]\n", "17:1: steady: without a reservoir");
  expect_only(kBase + "[bath]\n[steady]\ndephasings = [0.1]\n",
              "16:1: steady: without a reservoir no steady state is the only one");
  const Job job = parse_job(with_sizes("dephasings = [0.4, 0, 0.1]\n"), "job.toml");
  EXPECT_EQ(job.steady->dephasings, (std::vector<double>{0.4, 0.0, 0.1}));
  EXPECT_EQ(job.model->bath.dephasing, 0.0);
}

TEST(JobProblems, SteadyMethod) {
  expect_only(with_sizes("method = \"best\"\n"), "24:1: steady.method");
  const auto xy = [](const std::string& job) { return replaced(job, "\"exchange\"", "\"xy\""); };
  const std::string two_point = with_sizes("method = \"two-point\"\n");
  expect_good(xy(two_point));
  expect_good(xy(two_point + "sizes = [2, 1000]\n"));
  expect_good(xy(replaced(two_point, "rate = 1", "rate = 1\nstatistics = \"bose\"")));
  expect_only(two_point,
              "24:1: steady.method: the two-point functions of this model do not close: the interaction");
  expect_only(xy(replaced(two_point, "levels = [0.0, 1.0]", "levels = [0.0, 1.0, 2.0]")),
              "24:1: steady.method: the two-point functions of this model do not close: sites have 3 levels");
  expect_only(xy(replaced(replaced(two_point, "[4]", "[4]\nperiodic = [true]"), "face = \"x+\"", "site = 3")),
              "25:1: steady.method: the two-point functions of this model do not close: the bonds");
  expect_only(
      xy(replaced(two_point, "site = 0", "site = 1")),
      "24:1: steady.method: the two-point functions of this model do not close: the reservoir at site 1");
}

TEST(Job, SizesAreModels) {
  const Job job = parse_job(with_sizes("sizes = [2, 3, 7]\n"), "job.toml");
  ASSERT_EQ(job.steady->models.size(), 3U);
  EXPECT_EQ(job.model->sites(), 4);
  for (std::size_t s = 0; s < 3; ++s) {
    const Model& model = job.steady->models[s];
    EXPECT_EQ(model.sites(), job.steady->sizes[s]);
    EXPECT_EQ(model.lattice.bond_count(), model.sites() - 1);
    ASSERT_EQ(model.bath.reservoirs.size(), 2U);
    EXPECT_EQ(model.bath.reservoirs[0].site, model.sites() - 1);
    EXPECT_EQ(model.bath.reservoirs[1].site, 0);
    EXPECT_EQ(model.strength, 0.05);
  }
  const Job numbered =
      parse_job(replaced(with_sizes("sizes = [2, 7]\n"), "face = \"x+\"", "site = 3"), "job.toml");
  EXPECT_EQ(numbered.steady->models[1].bath.reservoirs[0].site, 6);
}

TEST(JobProblems, TransportMatrixElementsHeat) {
  using Routes = std::vector<TransportRoute>;
  const auto routes = [](const std::string& text) { return parse_job(text, "job.toml").transport->routes; };
  EXPECT_EQ(routes(kBase + "[transport]\n"),  // an open chain: its total current feels the edges
            (Routes{TransportRoute::spreading, TransportRoute::modes, TransportRoute::site_kernel}));
  EXPECT_EQ(routes(kBase + "[kernel]\n[transport]\ntemperatures = [1.0]\n"), Routes{TransportRoute::kernel});
  EXPECT_EQ(routes(kBase + "[kernel]\n[transport]\nsamples = 2\n").size(), 4U);
  EXPECT_EQ(routes(kBase + "[transport]\ntemperatures = [1.0]\n"), Routes{});  // C_V alone
  expect_only(replaced(kBase, "[time]\nend = 50.0\noutputs = 101\n[exact]\n", "") + "[transport]\n",
              "11:1: transport: no route to D is open: needs output times");
  expect_only(kBase + "[transport]\ntemperatures = []\n", "16:1: transport.temperatures: has 0 entries");
  expect_only(kBase + "[transport]\ntemperatures = [1, 0]\n",
              "16:20: transport.temperatures[1]: 0 is not possible");
  expect_only(kBase + "[transport]\ntemperatures = [inf]\n",
              "16:17: transport.temperatures[0]: inf is not possible");
  expect_only(kBase + "[transport]\ntemperatures = { from = 0, to = 2, points = 3 }\n",
              "16:1: transport.temperatures: 0 is not possible");
  expect_only(kBase + "[transport]\ntemperatures = { from = 1, to = 2 }\n",
              "16:1: transport.temperatures.points: this key is missing");
  const std::string well = replaced(kBase, "\"exchange\"", "\"well\"") + "[interaction.well]\n";
  const std::string screened = well + "alpha = 0.5\ntemperature = 2.0\n[transport]\n";
  EXPECT_EQ(parse_job(screened, "job.toml").transport->temperatures, std::vector<double>{2.0});
  expect_good(screened + "temperatures = [2.0]\n");
  expect_only(screened + "temperatures = [1.0, 2.0]\n", "19:1: transport.temperatures",
              "sweep that key and leave out transport.temperatures");
  expect_good(well + "alpha = 0.5\nlaw = \"3\"\n[transport]\ntemperatures = [1.0, 2.0]\n");
  expect_only(well + "alpha = 0.5\nlaw = \"max(T, 5)\"\n[transport]\ntemperatures = [1.0]\n",
              "16:1: interaction.well.alpha", "has no temperature");
  expect_only(well + "[matrix-elements]\nlevels = 0\n", "17:1: matrix-elements.levels: 0 is not possible");
  expect_only(kBase + "[matrix-elements]\n", "15:1: matrix-elements", "set interaction.kind = \"well\"");
  expect_only(kBase + "[heat]\n", "15:1: heat.initial: this key is missing");
  const std::string heat = kBase + "[heat]\ninitial = [1, 2, 3, 4]\n";
  expect_good(heat);
  expect_only(replaced(heat, ", 4]", "]"), "16:1: heat.initial: has 3 entries; give 4 (one a site)");
  expect_only(heat + "conductivity = 0\n", "17:1: heat.conductivity: 0 is not possible");
  expect_only(heat + "boundary = { y- = 1 }\n", "17:14: heat.boundary.y-: the lattice has no face y-");
  expect_only(heat + "boundary = { \"x+\" = inf }\n", "17:14: heat.boundary.\"x+\": inf is not possible");
  expect_only(heat + "boundary = { left = 1 }\n", "17:14: heat.boundary.left: this key is unknown",
              "x-, x+, y-");
  expect_only(replaced(heat, "shape = [4]", "shape = [4]\nperiodic = [true]") + "boundary = { x- = 1 }\n",
              "18:14: heat.boundary.x-: the lattice is periodic along x");
}

TEST(JobProblems, Output) {
  const std::string output = kBase + "[output]\n";
  expect_good(output + "file = \"ä folder/x.h5\"\ncheckpoint = \"10m\"\n");
  expect_only(output + "file = \"\"\n", "16:1: output.file: is empty");
  expect_only(output + "file = \"x.hdf5\"\n", "16:1: output.file: \"x.hdf5\" does not end in .h5");
  expect_only(output + "file = \"folder/.h5\"\n", "16:1: output.file", "does not end in .h5");
  expect_only(output + "file = \"x\\u0000.h5\"\n", "16:1: output.file: contains a control character");
  expect_only(output + "file = 3\n", "16:1: output.file: an integer stands here");
  expect_only(output + "checkpoint = 0\n", "16:1: output.checkpoint: 0 is not possible",
              "give a number > 0 and <= 1000000000");
  expect_only(output + "checkpoint = -5.0\n", "16:1: output.checkpoint: -5 is not possible");
  expect_only(output + "checkpoint = \"0s\"\n", "16:1: output.checkpoint: no time lies between");
  expect_only(output + "checkpoint = \"often\"\n", "16:1: output.checkpoint: \"often\" is not a duration");
  expect_only(output + "checkpoint = true\n", "16:1: output.checkpoint: a boolean");
}

TEST(JobProblems, ResultsNeverOverwriteTheJobFile) {
  EXPECT_TRUE(
      has_problem(problems_of(kBase, "chain.h5"), "chain.h5:1:1: the results would overwrite the job file"));
  const Strings problems = problems_of(kBase + "[output]\nfile = \"a/x.h5\"\n", "./a/x.h5");
  EXPECT_TRUE(has_problem(problems, "./a/x.h5:15:1: output: the results would overwrite the job file"));
}

// --------------------------------------------------------------------------------------- not in this version

Strings unavailable_in(const std::string& text) {
  return parse_job(text, "job.toml").unavailable;
}

void expect_unavailable(const std::string& text, const std::string& beginning) {
  const Strings sentences = unavailable_in(text);
  EXPECT_EQ(sentences.size(), 1U) << joined(sentences);
  EXPECT_TRUE(has_problem(sentences, "job.toml:" + beginning, "this version does not"));
}

TEST(JobAvailability, WhatThisVersionComputes) {
  const std::string dephasing = "[bath]\ndephasing = 1\n";
  const std::string tcl2 = "[kernel]\nexact = false\n";
  const std::string kernel_only = replaced(kBase, "[exact]\n", "");
  EXPECT_EQ(joined(unavailable_in(kBase + "method = \"diagonalize\"\n")), "");
  EXPECT_EQ(joined(unavailable_in(kBase + "method = \"krylov\"\n" + tcl2 + "orders = [2]\n")), "");
  EXPECT_EQ(joined(unavailable_in(kernel_only + tcl2 + dephasing)), "");
  EXPECT_EQ(joined(unavailable_in(kBase + "method = \"chebyshev\"\n" + dephasing)), "");
  EXPECT_EQ(
      joined(unavailable_in(
          kBase + "[[bath.reservoir]]\nsite = 0\ntemperature = inf\nrate = 1\nstatistics = \"fermi\"\n")),
      "");
  EXPECT_EQ(joined(unavailable_in(kernel_only + "[rates]\nkernels = [\"tcl2\"]\n" + dephasing)), "");
  EXPECT_EQ(joined(unavailable_in(kBase + "[kernel]\norders = [1, 2, 12]\nmemory = true\nmarkov = true\n")),
            "");
  EXPECT_EQ(joined(unavailable_in(kBase + "[rates]\nkernels = [\"exact\", \"tcl4\", \"memory\"]\n")), "");
  const std::string reservoir = "[[bath.reservoir]]\nsite = 0\ntemperature = 1\nrate = 1\n";
  const std::string all_kernels =
      "[kernel]\norders = [1, 2, 4]\nmemory = true\n[rates]\nkernels = [\"exact\", "
      "\"tcl2\", \"tcl3\", \"memory\"]\n";
  EXPECT_EQ(joined(unavailable_in(kBase + dephasing + all_kernels)), "");
  EXPECT_EQ(joined(unavailable_in(kBase + reservoir + all_kernels)), "");
  EXPECT_EQ(joined(unavailable_in(kernel_only +
                                  "[[bath.reservoir]]\nsite = 0\ntemperature = 1\nrate = 1\n[steady]\n")),
            "");
}

TEST(Job, TemperaturesOfARange) {
  const Job job =
      parse_job(kBase + "[transport]\ntemperatures = { from = 1, to = 100, points = 3, scale = \"log\" }\n",
                "job.toml");
  EXPECT_EQ(job.transport->temperatures, (std::vector<double>{1.0, 10.0, 100.0}));
}

TEST(JobAvailability, WhatItDoesNot) {
  const std::string reservoir = "[[bath.reservoir]]\nsite = 0\ntemperature = 1\nrate = 1\n";
  const std::string kernel_only = replaced(kBase, "[exact]\n", "");
  expect_unavailable(kBase + reservoir + "[kernel]\nmarkov = true\n", "20:1: kernel.markov");
  expect_unavailable(kBase + reservoir + "[rates]\nkernels = [\"tcl2\", \"markov\"]\n",
                     "20:20: rates.kernels[1]");
  const std::string averaged = with_detuning("distribution = \"uniform\"\nwidth = 1\nrealizations = 2\n");
  EXPECT_TRUE(parse_job(averaged, "job.toml").unavailable.empty());
  const std::string kernels = replaced(averaged, "[exact]", "[kernel]\nexact = false");
  EXPECT_TRUE(parse_job(kernels, "job.toml").unavailable.empty());
  EXPECT_TRUE(parse_job(kernels + "[bath]\ndephasing = 1\n", "job.toml").unavailable.empty());
  EXPECT_TRUE(parse_job(kernels + "[bath.correlation]\nkind = \"gaussian\"\nrate = 1\n", "job.toml")
                  .unavailable.empty());
  const std::string thermal = replaced(replaced(averaged, "product", "thermal"), "levels = [1, 0, 0, 0]",
                                       "temperatures = [1, 2, 3, 4]");
  EXPECT_TRUE(parse_job(averaged + "[kernel]\n", "job.toml").unavailable.empty());
  expect_unavailable(thermal + "[rates]\nkernels = [\"tcl2\"]\n", "18:1: site.detuning.realizations");
  EXPECT_TRUE(parse_job(averaged + reservoir + "[kernel]\norders = []\n", "job.toml").unavailable.empty());
  expect_unavailable(averaged + reservoir + "[kernel]\n", "18:1: site.detuning.realizations");
}

TEST(JobAvailability, SentencesAreSortedAndComplete) {
  const Strings sentences = parse_job(kEverything, "e.toml").unavailable;
  EXPECT_EQ(sentences.size(), 4U) << joined(sentences);
  EXPECT_TRUE(sentences.front().starts_with("e.toml:17:1: site.detuning.realizations: "));
  EXPECT_TRUE(sentences.back().starts_with("e.toml:65:1: steady: ")) << sentences.back();
  for (const auto& sentence : sentences) EXPECT_TRUE(contains(sentence, "; ")) << sentence;
}

// -------------------------------------------------------------------------------------------- stupid files

TEST(JobFiles, ReadsAFile) {
  const TemporaryFolder folder;
  const auto file = folder.write("my chain.v2.toml", kBase);
  const Job job = read_job(file);
  EXPECT_EQ(job.name, file.string());
  EXPECT_EQ(job.text, kBase);
  EXPECT_EQ(job.output, "my chain.v2.h5");
}

TEST(JobFiles, AbsentFileAndDirectory) {
  const TemporaryFolder folder;
  const auto absent = folder.path() / "absent.toml";
  EXPECT_EQ(problem_of_file(absent),
            absent.string() + ": the job file cannot be read: No such file or directory; check the name");
  EXPECT_TRUE(contains(problem_of_file(folder.path()), "it is a directory"));
  EXPECT_TRUE(contains(problem_of_file(""), "cannot be read"));
}

TEST(JobFiles, EmptyFiles) {
  const TemporaryFolder folder;
  for (const std::string content : {"", "\n", "# nothing\n", "\xEF\xBB\xBF"}) {
    const auto file = folder.write("empty.toml", content);
    EXPECT_TRUE(contains(problem_of_file(file), "empty.toml:1:1: this job asks for no computation"));
  }
}

TEST(JobFiles, BinaryGarbage) {
  std::string garbage =
      "\x7F"
      "ELF\x02\x01\x01";
  std::uint32_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 1664525U + 1013904223U;
    garbage += static_cast<char>(state >> 24);
  }
  for (const std::string& text :
       {garbage, std::string(1000, '\0'), kBase + '\0', std::string("\xFF\xFE[\0", 4)}) {
    const Strings problems = problems_of(text);
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_TRUE(has_problem(problems, "job.toml:", "this is not TOML"));
    const bool clean = std::none_of(problems[0].begin(), problems[0].end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    EXPECT_TRUE(clean) << problems[0];
  }
}

TEST(JobFiles, HugeArrays) {
  std::string good = "[lattice]\nshape = [250000]\n[time]\nend = 1\noutputs = 2\n[heat]\ninitial = [1.0";
  for (int i = 1; i < 250'000; ++i) good += ",1.5";
  expect_good(good + "]\n");
  std::string bad = kBase + "[transport]\ntemperatures = [\"a\"";
  for (int i = 1; i < 250'000; ++i) bad += ",\"a\"";
  const Strings problems = problems_of(bad + "]\n");
  EXPECT_EQ(problems.size(), 21U);
  EXPECT_TRUE(has_problem(problems, "job.toml:16:1: transport.temperatures: 20 wrong entries"));
}

TEST(JobFiles, ManyUnknownKeys) {
  std::string text = kBase;
  for (int i = 0; i < 50'000; ++i) text += "key" + std::to_string(i) + " = 1\n";
  const Strings problems = problems_of(text);
  EXPECT_EQ(problems.size(), 21U);
  EXPECT_TRUE(has_problem(problems, "job.toml:14:1: exact: more than 20 unknown keys"));
}

std::string repeated(const std::string& part, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += part;
  return result;
}

TEST(JobFiles, DeepNesting) {
  for (const int depth : {10, 200, 1'000'000}) {
    EXPECT_FALSE(problems_of(kBase + "seed = " + repeated("[", depth) + repeated("]", depth) + "\n").empty());
    EXPECT_FALSE(problems_of(kBase + "a" + repeated(".a", depth) + " = 1\n").empty());
    EXPECT_FALSE(problems_of(kBase + "\"a\"" + repeated(" . \"a\"", depth) + " = 1\n").empty());
    EXPECT_FALSE(problems_of(kBase + "[a" + repeated(".a", depth) + "]\n").empty());
    EXPECT_FALSE(problems_of(kBase + "a" + repeated(" = {a", depth) + "\n").empty());
  }
  const std::string inner = "a.a.a.a.a.a.a.a";
  EXPECT_FALSE(problems_of(inner + repeated(" = {" + inner, 250) + " = 1" + repeated("}", 250)).empty());
  expect_only(kBase + "\n a" + repeated(".a", 100) + " = 1\n", "16:1: a key has more than 8 parts");
}

TEST(JobFiles, DotsInStringsAndCommentsAreNoKeys) {
  const std::string dots = repeated("a.", 100);
  expect_good("title = \"" + dots + "\\\" " + dots + "\" # " + dots + "\n# " + dots + "\n" + kBase);
  expect_good("title = '" + dots + "\\'\n" + kBase);
  expect_good("title = \"\"\"" + dots + "\n\"" + dots + "\"\"\"\n" + kBase);
  expect_good("title = '''" + dots + "\n'" + dots + "'''\n" + kBase);
}

TEST(JobFiles, TooManyLevelsForAnExchange) {
  std::string levels = "levels = [0";
  for (int n = 1; n < 3000; ++n) levels += ",1";
  expect_only(with_site(levels + "]"), "6:1: interaction.kind: the exchange of 3000 levels is too large");
  const std::string lattice = replaced(with_site(levels + "]"), "shape = [4]", "shape = [10000]");
  EXPECT_TRUE(has_problem(problems_of(lattice), "job.toml:4:1: site.levels: 10000 sites with 3000 levels"));
}

// ------------------------------------------------------------------------------------------------ durations

TEST(Duration, Good) {
  const std::vector<std::pair<std::string, double>> cases = {{"90", 90.0},
                                                             {"0", 0.0},
                                                             {"90s", 90.0},
                                                             {"0.5s", 0.5},
                                                             {"10m", 600.0},
                                                             {"1.5h", 5400.0},
                                                             {"3h50m", 13800.0},
                                                             {"1d2h", 93600.0},
                                                             {"1d2h3m4s", 93784.0},
                                                             {"3:50:00", 13800.0},
                                                             {"3:50", 230.0},
                                                             {"90:00", 5400.0},
                                                             {"100:00:00", 360000.0},
                                                             {"1-02:00:00", 93600.0},
                                                             {"1-02:03", 93780.0},
                                                             {"1-02", 93600.0}};
  for (const auto& [text, seconds] : cases) EXPECT_EQ(parse_duration(text), seconds) << text;
}

TEST(Duration, Bad) {
  for (const std::string text : {"",
                                 " ",
                                 "m",
                                 "10x",
                                 "-5",
                                 "-5m",
                                 "1e3",
                                 "inf",
                                 "nan",
                                 "10m3h",
                                 "10m10m",
                                 "3h50",
                                 "1d2",
                                 "1:2:3:4",
                                 "1:60",
                                 "1:-1",
                                 ":30",
                                 "3:",
                                 "3::5",
                                 "1-24:00:00",
                                 "1-",
                                 "1-2-3",
                                 "1.5:00",
                                 "1.",
                                 ".5s",
                                 "10 m",
                                 "0x10",
                                 "1d-2",
                                 "99999999999999999999d",
                                 "1000000001",
                                 "10m\n"}) {
    EXPECT_THROW(parse_duration(text), InputError) << text;
  }
  EXPECT_THROW(parse_duration(std::string(1'000'000, '9')), InputError);
  EXPECT_THROW(parse_duration(std::string("5\0m", 3)), InputError);
}

TEST(Duration, MessageSaysHow) {
  try {
    parse_duration("soon");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_TRUE(contains(error.what(), "\"soon\" is not a duration"));
    EXPECT_TRUE(contains(error.what(), "3h50m"));
  }
}

}  // namespace
}  // namespace qheat
