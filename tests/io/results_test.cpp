#include "qheat/io/results.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "io/hdf5_file.hpp"
#include "io/printable.hpp"
#include "qheat/parallel/error.hpp"
#include "support/scratch_folder.hpp"
#include "support/world.hpp"

namespace {

using namespace qheat;
using qheat_test::world;

class Results : public qheat_test::ScratchFolder {
 protected:
  std::filesystem::path name() const { return folder_ / "a.h5"; }
  const std::vector<double> values_{1.0, 2.0, 3.0};
};

TEST_F(Results, AttributesKeepTheirTypes) {
  ResultsFile file(name(), world(), 1 << 20);
  file.dataset("/model/x", {3}, values_);
  const std::vector<std::string> words{"fermi", "", "bose"};
  const std::vector<std::int64_t> one{7};
  const std::string text(200000, 'v');  // beyond what stands beside the header of an object
  const std::vector<double> many(100000, 0.5);
  file.attribute("/model", "rate", 0.1);
  file.attribute("/model", "seed", std::int64_t{1} << 60);
  file.attribute("/model", "shape", std::span<const std::int64_t>(one));
  file.attribute("/model", "statistics", std::span<const std::string>(words));
  file.attribute("/model", "verdict", text);
  file.attribute("/model", "many", std::span<const double>(many));
  file.commit();
  const auto read = hdf5::File::open(name());
  EXPECT_EQ(read.real_attribute("/model", "rate"), std::vector{0.1});
  EXPECT_EQ(read.integer_attribute("/model", "seed"), std::vector{std::int64_t{1} << 60});
  EXPECT_EQ(read.text_attribute("/model", "verdict"), text);
  EXPECT_EQ(read.real_attribute("/model", "many"), many);
  const auto attributes = read.attributes("/model");
  ASSERT_EQ(attributes.size(), 6U);
  EXPECT_EQ(attributes[4].name, "statistics");
  EXPECT_EQ(std::get<std::vector<std::string>>(attributes[4].values), words);
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(attributes[3].values), one);
}

/// /a is a dataset, so nothing can stand below it; an attribute of nothing cannot be written either.
TEST_F(Results, WhatFailsLeavesTheRest) {
  ResultsFile file(name(), world(), 1 << 20);
  file.dataset("/a", {3}, values_);
  file.dataset("/a/b", {3}, values_);
  file.series("/a/c", 2, {3});
  file.slice("/a/c", 0, values_);
  file.slice("/a/c", 1, values_);
  file.attribute("/absent", "unit", 1.0);
  file.dataset("/z", {3}, values_);
  try {
    file.commit();
    FAIL() << "no failure was told";
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("3 of the results could not be written: /a/b"), std::string::npos) << what;
    EXPECT_NE(what.find("a.incomplete.h5"), std::string::npos) << what;
  }
  EXPECT_FALSE(std::filesystem::exists(name()));
  {
    const auto read = hdf5::File::open(incomplete_file(name()));
    EXPECT_EQ(read.read("/a"), values_);
    EXPECT_EQ(read.read("/z"), values_);
    EXPECT_EQ(read.integer_attribute("/", "complete"), std::vector<std::int64_t>{0});
    const auto attributes = read.attributes("/");
    const auto missing = std::find_if(attributes.begin(), attributes.end(),
                                      [](const auto& attribute) { return attribute.name == "missing"; });
    ASSERT_NE(missing, attributes.end());
    const std::vector<std::string> names{"/a/b", "/a/c", "attribute unit of /absent"};
    EXPECT_EQ(std::get<std::vector<std::string>>(missing->values), names);
  }
  ResultsFile again(name(), world(), 1 << 20);
  again.dataset("/a", {3}, values_);
  again.commit();
  EXPECT_TRUE(std::filesystem::exists(name()));
  EXPECT_FALSE(std::filesystem::exists(incomplete_file(name())));
}

TEST_F(Results, NoRoomIsTold) {
  ResultsFile file(name(), world(), Index{1} << 60);
  file.dataset("/a", {3}, values_);
  EXPECT_THROW(file.commit(), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST(Printable, NothingActsOnTheTerminal) {
  EXPECT_EQ(printable("wärme → 1.h5 😀"), "wärme → 1.h5 😀");
  EXPECT_EQ(printable("\x1b[31m\x7f\n"), "\\x1b[31m\\x7f\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m");                                                    // CSI as one character
  EXPECT_EQ(printable("a\u202eb\u2028"), "a\\u202eb\\u2028");                 // right to left; end of line
  EXPECT_EQ(printable("\x9b\xff\xc3"), "\\x9b\\xff\\xc3");                    // no UTF-8
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");  // overlong, surrogate
  EXPECT_EQ(printable("ääää", 5), "ää...");
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable_lines("a\n\tb\r\n"), "a\n\tb\\x0d\n");
}

}  // namespace
