#include "qheat/model/units.hpp"

#include <gtest/gtest.h>

namespace {

using namespace qheat;

UnitSystem milli_electronvolts(double cross_section) {
  return {.energy = unit_named("meV")->si,
          .length = 1e-9,
          .site_volume = 1e-9 * cross_section,
          .energy_unit = "meV",
          .length_unit = "nm"};
}

/// w = 1 meV/hbar, C_V = k_B, a = 1 nm, A = 1 nm^2; published values of CODATA 2018.
TEST(Units, ValuesOfTheLiterature) {
  const UnitSystem units = milli_electronvolts(1e-18);
  EXPECT_NEAR(units.factor(Quantity::conductivity), 0.0209758, 1e-7);
  EXPECT_NEAR(units.factor(Quantity::temperature), 11.604518, 1e-6);
  EXPECT_NEAR(units.factor(Quantity::time), 0.6582119569, 1e-9);
  EXPECT_NEAR(units.factor(Quantity::rate), 1.0 / 0.6582119569, 1e-9);
  EXPECT_NEAR(units.factor(Quantity::power), 1.602176634e-22 / 0.6582119569e-12, 1e-17);
  EXPECT_NEAR(units.factor(Quantity::diffusion), 1e-18 / 0.6582119569e-12, 1e-14);
  EXPECT_DOUBLE_EQ(units.factor(Quantity::energy), 1.0);
  EXPECT_NEAR(unit_named("cm^-1")->si / unit_named("meV")->si, 0.1239841984, 1e-9);
  EXPECT_NEAR(unit_named("THz")->si / unit_named("meV")->si, 4.135667696, 1e-8);
}

/// kappa = D C_V of a site and the volume it stands for: J = -kappa dT/dx, from the definition alone.
TEST(Units, ConductivityIsPowerOverAreaAndGradient) {
  const UnitSystem units = milli_electronvolts(0.5e-18);
  const double kappa = 0.3, spacing = 1.0;  // a site: J = kappa (T_1 - T_2)/a^2
  const double current =
      units.factor(Quantity::power) * kappa * 2.0 / (spacing * spacing);  // between T = 3, 1
  const double gradient = units.factor(Quantity::temperature) * 2.0 / 1e-9;
  EXPECT_NEAR(units.factor(Quantity::conductivity) * kappa, current / 0.5e-18 / gradient, 1e-12);
}

TEST(Units, WhatFitsBecomesANumber) {
  const UnitSystem units = milli_electronvolts(1e-18);
  const auto value = [&](double number, const char* unit, Quantity quantity) {
    return units.program_value(number, *unit_named(unit), quantity);
  };
  EXPECT_NEAR(*value(300.0, "K", Quantity::temperature), 25.851999, 1e-5);
  EXPECT_NEAR(*value(11.604518, "K", Quantity::energy), 1.0, 1e-7);
  EXPECT_NEAR(*value(2.0, "ps", Quantity::time), 2.0 / 0.6582119569, 1e-8);
  EXPECT_NEAR(*value(1.0, "1/ps", Quantity::rate), 0.6582119569, 1e-9);
  EXPECT_DOUBLE_EQ(*value(0.5, "meV", Quantity::rate), 0.5);
  EXPECT_DOUBLE_EQ(*value(4.0, "angstrom", Quantity::length), 0.4);
  EXPECT_DOUBLE_EQ(*value(0.25, "nm^2", Quantity::area), 0.25);
  EXPECT_FALSE(value(1.0, "nm", Quantity::energy));
  EXPECT_FALSE(value(1.0, "K", Quantity::rate));
  EXPECT_FALSE(value(1.0, "THz", Quantity::rate));  // angular or not?
  EXPECT_FALSE(value(1.0, "ps", Quantity::temperature));
  EXPECT_FALSE(unit_named("Kelvin"));
}

TEST(Units, ProgramUnitsAndNames) {
  EXPECT_EQ(words_of(Quantity::time).program_unit, "1/energy");
  EXPECT_EQ(words_of(Quantity::conductivity).program_unit, "length^2 energy");
  EXPECT_EQ(units_of(Quantity::length), "nm, pm, um, mm, m, angstrom, bohr");
  for (const QuantityWords& words : all_quantities())
    EXPECT_FALSE(milli_electronvolts(1e-18).laboratory_unit(words.quantity).empty()) << words.name;
}

}  // namespace
