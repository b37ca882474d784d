// Reservoirs by their rates and jumps in job files: what is read, and what is told.

#include <gtest/gtest.h>

#include <string>

#include "qheat/io/job.hpp"
#include "qheat/model/two_point_closure.hpp"
#include "support/told_problems.hpp"

using namespace qheat;

namespace {

const std::string kModel =
    "[lattice]\nshape = [4]\n[site]\nlevels = [0.0, 1.0]\n[interaction]\nkind = \"xy\"\nstrength = 0.5\n";
const std::string kStart =
    "[initial]\nkind = \"product\"\nlevels = [1, 0, 0, 0]\n[time]\nend = 1.0\noutputs = 2\n";

Job read(const std::string& rest) {
  return parse_job(kModel + rest, "bath.toml");
}

/// The job is refused, and this is among what is told.
void expect_told(const std::string& rest, const std::string& part) {
  const auto problems = qheat_test::problems_of(kModel + rest, "bath.toml");
  EXPECT_TRUE(qheat_test::has_problem(problems, "", part)) << rest;
}

TEST(JobBath, ReadsReservoirsByTheirRates) {
  const auto job = read(
      "[[bath.reservoir]]\nsite = 0\nup = 0.3\ndown = 0\n"
      "[[bath.reservoir]]\nface = \"x+\"\nup = [0.1]\ndown = 0.4\n[steady]\n");
  const auto& reservoirs = job.model->bath.reservoirs;
  ASSERT_EQ(reservoirs.size(), 2U);
  EXPECT_EQ(reservoirs[0].given.at(0).up, 0.3);
  EXPECT_EQ(reservoirs[0].given.at(0).down, 0.0);
  EXPECT_EQ(reservoirs[1].site, 3);
  EXPECT_EQ(reservoirs[1].given.at(0).up, 0.1);
  EXPECT_TRUE(two_point_obstacles(*job.model).empty());
}

TEST(JobBath, TellsWhatIsWrongWithRates) {
  const auto with = [](const std::string& keys) {
    return "[[bath.reservoir]]\nsite = 0\n" + keys + "[steady]\n";
  };
  expect_told(with("up = 0.3\n"), "8:1: bath.reservoir[0].down: this key is missing");
  expect_told(with("up = -0.3\ndown = 1\n"), "10:1: bath.reservoir[0].up: -0.3 is not possible");
  expect_told(with("up = 0\ndown = 0.0\n"), "10:1: bath.reservoir[0].up: both up and down are 0");
  expect_told(with("up = [1, 2]\ndown = 0\n"), "10:1: bath.reservoir[0].up: has 2 entries; give 1");
  expect_told(with("up = 1\ndown = 0\nrate = 2\n"), "12:1: bath.reservoir[0].rate: this key belongs to");
  expect_told(with("up = 1\ndown = 0\ntemperature = 2\n"), "12:1: bath.reservoir[0].temperature");
  expect_told(with("up = 1\ndown = 0\nstatistics = \"bose\"\n"), "12:1: bath.reservoir[0].statistics");
  expect_told(with("up = \"fast\"\ndown = 0\n"), "10:1: bath.reservoir[0].up");
  expect_told(with("upp = 1\ntemperature = 1\nrate = 1\n"), "did you mean up?");
}

TEST(JobBath, ReadsJumps) {
  const auto job = read(
      "[[bath.jump]]\nelements = [[0, 1, 0.5, -1.0]]\nrate = 0.2\n"
      "[[bath.jump]]\nelements = [[0, 0, 1, 1, 2.0]]\nrate = 0.1\nbonds = [2, 0]\n"
      "[[bath.jump]]\nelements = [[1, 0, 1.0], [0, 1, 0.0]]\nrate = 0\nsites = [3]\n[steady]\n");
  const auto& jumps = job.model->bath.jumps;
  ASSERT_EQ(jumps.size(), 4U + 2U + 1U);
  EXPECT_EQ(jumps[2].sites, std::vector<int>{2});
  EXPECT_EQ(jumps[2].elements.at(0).to, 0U);
  EXPECT_EQ(jumps[2].elements.at(0).from, 1U);
  EXPECT_EQ(jumps[2].elements.at(0).value, Complex(0.5, -1.0));
  EXPECT_EQ(jumps[2].rate, 0.2);
  EXPECT_EQ(jumps[4].sites, (std::vector<int>{2, 3}));
  EXPECT_EQ(jumps[4].elements.at(0).from, 3U);
  EXPECT_EQ(jumps[6].elements.size(), 1U);
  const auto all_bonds =
      read("[[bath.jump]]\nelements = [[0, 1, 1, 0, 1.0]]\nrate = 0.2\n[exact]\n" + kStart);
  EXPECT_EQ(all_bonds.model->bath.jumps.size(), 3U);
  EXPECT_FALSE(all_bonds.model->bath.closed());
  EXPECT_TRUE(all_bonds.unavailable.empty());
}

TEST(JobBath, TellsWhatIsWrongWithJumps) {
  const auto with = [](const std::string& keys) { return "[[bath.jump]]\n" + keys + "[exact]\n" + kStart; };
  const std::string down = "elements = [[0, 1, 1.0]]\n";
  const std::string hop = "elements = [[0, 1, 1, 0, 1.0]]\n";
  expect_told(with(down), "8:1: bath.jump[0].rate: this key is missing");
  expect_told(with("rate = 1\n"), "8:1: bath.jump[0].elements: this key is missing");
  expect_told(with(down + "rate = -1\n"), "10:1: bath.jump[0].rate: -1 is not possible");
  expect_told(with(down + "rate = inf\n"), "bath.jump[0].rate");
  expect_told(with("elements = [[0, 2, 1.0]]\nrate = 1\n"), "bath.jump[0].elements[0][1]: 2 is not possible");
  expect_told(with("elements = [[0, 1]]\nrate = 1\n"),
              "bath.jump[0].elements[0]: has 2 entries; give 3 to 4");
  expect_told(with("elements = []\nrate = 1\n"), "bath.jump[0].elements: has 0 entries");
  expect_told(with("elements = [[0, 1, 0.0]]\nrate = 1\n"), "9:1: bath.jump[0].elements: all elements are 0");
  expect_told(with("elements = [[0, 1, 1.0], [0, 1, 2.0]]\nrate = 1\n"),
              "bath.jump[0].elements[1]: element [0, 1, ...] is listed twice");
  expect_told(with(down + "rate = 1\nsites = [4]\n"), "bath.jump[0].sites[0]: 4 is not possible");
  expect_told(with(down + "rate = 1\nsites = [1, 1]\n"),
              "11:1: bath.jump[0].sites: a number is listed twice");
  expect_told(with(down + "rate = 1\nsites = []\n"), "11:1: bath.jump[0].sites: has 0 entries");
  expect_told(with(hop + "rate = 1\nbonds = [3]\n"), "bath.jump[0].bonds[0]: 3 is not possible");
  expect_told(with(down + "rate = 1\nbonds = [0]\n"), "bath.jump[0].elements[0]: has 3 entries; give 5 to 6");
  expect_told(with(hop + "rate = 1\nsites = [0]\n"), "bath.jump[0].elements[0]: has 5 entries; give 3 to 4");
  expect_told(with(down + "rate = 1\nsites = [0]\nbonds = [0]\n"),
              "bath.jump[0]: both sites and bonds are given");
  expect_told(with(down + "rate = 1\nsite = 0\n"),
              "11:1: bath.jump[0].site: this key is unknown; did you mean sites?");
  expect_told(with("elements = [[0, 1, 1e30]]\nrate = 1e10\n"), "bath.jump[0].rate: rate times the square");
  expect_told(with(down + "rate = 1\n[bath.correlation]\nkind = \"exponential\"\nrate = 1\n"),
              "8:1: bath.jump: [bath.correlation] is a bath of its own");
}

TEST(JobBath, TellsWhatJumpsExclude) {
  const std::string collective =
      "[[bath.jump]]\nelements = [[0, 0, 0, 1, 1.0], [0, 0, 1, 0, 1.0]]\nrate = 1\n";
  const std::string down = "[[bath.jump]]\nelements = [[0, 1, 1.0]]\nrate = 1\n";
  expect_told(down + collective + "[kernel]\n" + kStart,
              "12:1: bath.jump[1].elements: this jump drives coherences between cells");
  expect_told(collective + "[rates]\nkernels = [\"exact\"]\n" + kStart, "9:1: bath.jump[0].elements");
  EXPECT_NO_THROW(read(down + "[kernel]\n" + kStart));
  EXPECT_NO_THROW(read(collective + "[exact]\n" + kStart));
  EXPECT_FALSE(read(down + "[kernel]\nmarkov = true\n" + kStart).unavailable.empty());
  expect_told(down + "[exact]\nmethod = \"diagonalize\"\n" + kStart,
              "exact.method: diagonalize is for closed");
  EXPECT_NO_THROW(read(down + "[exact]\nmethod = \"runge-kutta\"\n" + kStart));
  expect_told(down + "[steady]\nrates = [0.5, 1.0]\n", "steady.rates: there is no reservoir");
}

TEST(JobBath, SizesMoveWhatIsAtTheEnd) {
  const std::string ends =
      "[[bath.jump]]\nelements = [[1, 0, 1.0]]\nrate = 1\nsites = [0]\n"
      "[[bath.jump]]\nelements = [[0, 1, 1.0]]\nrate = 1\nsites = [3]\n[steady]\nsizes = [3, 6]\n";
  const auto job = read(ends);
  ASSERT_EQ(job.steady->models.size(), 2U);
  EXPECT_EQ(job.steady->models[0].bath.jumps[1].sites, std::vector<int>{2});
  EXPECT_EQ(job.steady->models[1].bath.jumps[1].sites, std::vector<int>{5});
  EXPECT_EQ(job.steady->models[1].bath.jumps[0].sites, std::vector<int>{0});
  expect_told("[[bath.jump]]\nelements = [[0, 1, 1.0]]\nrate = 1\nsites = [0, 2]\n[steady]\nsizes = [3, 6]\n",
              "bath.jump[0].sites[1]: site 2 is inside the chain");
  expect_told(
      "[[bath.jump]]\nelements = [[0, 1, 1, 0, 1.0]]\nrate = 1\nbonds = [0]\n"
      "[[bath.jump]]\nelements = [[0, 1, 1.0]]\nrate = 1\n[steady]\nsizes = [3, 6]\n",
      "bath.jump[0].bonds: is for one size only");
}

}  // namespace
