#!/usr/bin/python3
"""Transport coefficients and units as a user meets them: jobs, results, log, pictures, on 1 to 4 ranks
(by day on 1 and 3)."""

import subprocess

import numpy as np
from program import ProgramCase, chain, h5py, main, often, program, toml

K_B, HBAR, MEV = 1.380649e-23, 1.054571817e-34, 1.602176634e-22
KERNELS = {"exact": True, "orders": [2], "markov": True}


def heat_capacity(splitting, temperature):
    """C_V of two levels."""
    x = splitting / temperature
    return x**2 * np.exp(-x) / (1 + np.exp(-x))**2


def text(group, name):
    """An attribute that is a text."""
    return group.attrs[name].decode()


class TransportTest(ProgramCase):
    """[transport] and [units]."""

    TEMPERATURES = [0.05, 0.3, 1.0, 7.0, 200.0]

    def job(self, **tables):
        """Dephased exchange of four sites, whose D is 0.01/0.5 by second order at long times."""
        base = chain(4, bath={"dephasing": 0.5}, kernel=KERNELS, transport={"temperatures": self.TEMPERATURES})
        return toml({**base, "interaction": {"kind": "exchange", "strength": 0.1}, "time": {"end": 40.0, "outputs": 201},
                     **tables})

    def draw(self, *words):
        """Plot; return the names of the pictures."""
        return subprocess.run([program(), "plot", *words, "-o", "p"], cwd=self.folder, check=True, capture_output=True,
                              text=True).stdout

    def test_conductivity_is_d_times_the_specific_heat(self):
        self.write("a.toml", self.job())
        for ranks in often(1, 3, nightly=(2, 4)):
            with self.subTest(ranks=ranks):
                run = self.finish("run", "a.toml", "--out", "a.h5", ranks=ranks)
                self.assertRegex(run.out, r"D, kernel exact +0\.020\d* \+- ")
                self.assertRegex(run.out, r"D, Eq\. 18 +0\.02\n")
                with h5py.File(self.folder / "a.h5") as file:
                    self.check(file["transport"], np.array(file["kernel/tcl2/bond_rate"]))

    def check(self, group, rates):
        heat = heat_capacity(1.0, np.array(self.TEMPERATURES))
        np.testing.assert_allclose(group["specific_heat"], heat, rtol=1e-12)
        np.testing.assert_allclose(group["energy"], 1 / (1 + np.exp(1 / np.array(self.TEMPERATURES))), rtol=1e-12)
        self.assertEqual(text(group["kernel"], "kernel"), "exact")
        np.testing.assert_allclose(group["conductivity"], group.attrs["diffusion"] * heat, rtol=1e-12)
        np.testing.assert_allclose(group["pair_rate/conductivity"], 0.02 * heat, rtol=1e-12)
        np.testing.assert_allclose(group["kernel/tcl2/diffusion"], rates.mean(axis=1), rtol=1e-12)
        for name in ("exact", "tcl2", "markov"):
            kernel = group[f"kernel/{name}"]
            self.assertLess(abs(kernel.attrs["value"] - 0.02), max(kernel.attrs["error"], 1e-15), name)
            np.testing.assert_allclose(kernel["conductivity"], kernel.attrs["value"] * heat, rtol=1e-12)
            np.testing.assert_allclose(kernel["conductivity_error"], kernel.attrs["error"] * heat, rtol=1e-12)
        begin, end = group["kernel/tcl2"].attrs["window"]
        self.assertEqual(end, 40.0)
        self.assertGreater(begin, 2.0)
        slope = np.array(group["exponent"])
        x = 1 / np.array(self.TEMPERATURES)
        np.testing.assert_allclose(slope, x * np.tanh(x / 2) - 2, rtol=1e-10)

    def test_a_closed_chain_has_no_coefficient(self):
        """No number, but a reason, in log and file; thermodynamics all the same."""
        self.write("a.toml", self.job(bath={}, kernel={"exact": True, "orders": [2]}, time={"end": 8.0, "outputs": 81}))
        run = self.finish("run", "a.toml", "--out", "a.h5")
        self.assertIn("D, kernel tcl2    none: D(t) is not one number within 5 %", run.out)
        self.assertNotIn("kappa(T) = D C_V of a site with D", run.out)
        with h5py.File(self.folder / "a.h5") as file:
            group = file["transport"]
            self.assertNotIn("conductivity", group)
            self.assertNotIn("diffusion", group.attrs)
            self.assertIn("of no kernel has a window", text(group, "reason"))
            self.assertIn("not one number", text(group["kernel/exact"], "reason"))
            self.assertIn("specific_heat", group)

    def test_thermodynamics_alone(self):
        self.write("a.toml", toml(chain(4, transport={"temperatures": [1.0]})))
        self.assertIn("C_V(T) alone; add [kernel]", self.finish("check", "a.toml").out)
        self.finish("run", "a.toml", "--out", "a.h5")
        with h5py.File(self.folder / "a.h5") as file:
            np.testing.assert_allclose(file["transport/specific_heat"][0], heat_capacity(1.0, 1.0), rtol=1e-12)

    UNITS = {"units": {"energy": "meV", "length": "nm", "cross_section": "0.25 nm^2"}}

    def in_units(self):
        return self.job(**self.UNITS, lattice={"shape": [4], "spacing": "4 angstrom"},
                        transport={"temperatures": ["10 K", "300 K"]}, bath={"dephasing": "0.5 meV"},
                        time={"end": "25 ps", "outputs": 101})

    def test_units(self):
        """W/(m K) from the definition J = -kappa dT/dx, with no factor of the program."""
        self.write("a.toml", self.in_units())
        run = self.finish("run", "a.toml", "--out", "a.h5")
        self.assertIn("W/(m K)", run.out)
        with h5py.File(self.folder / "a.h5") as file:
            kappa = file["transport/pair_rate/conductivity"]
            self.assertEqual(text(kappa, "units"), "length^2 energy")
            self.assertEqual(text(kappa, "laboratory_units"), "W/(m K)")
            rate = 2 * (0.1 * MEV)**2 / (2 * 0.5 * MEV) / HBAR  # swaps a second
            kelvin = np.array([10.0, 300.0])
            heat = K_B * heat_capacity(MEV, K_B * kelvin)
            expected = rate * heat * 0.4e-9**2 / (0.4e-9 * 0.25e-18)
            np.testing.assert_allclose(kappa * kappa.attrs["laboratory_factor"], expected, rtol=1e-8)
            temperature = file["transport/temperature"]
            np.testing.assert_allclose(temperature * temperature.attrs["laboratory_factor"], kelvin, rtol=1e-12)
            time = file["time"]
            self.assertEqual(text(time, "laboratory_units"), "ps")
            self.assertAlmostEqual(time[-1] * time.attrs["laboratory_factor"], 25.0, places=9)
            self.assertEqual(text(file["units"], "conductivity"), "W/(m K)")

    def test_pictures_in_units(self):
        self.write("a.toml", self.in_units())
        self.finish("run", "a.toml", "--out", "a.h5")
        names = ("conductivity", "specific_heat", "diffusion", "kernel_rates")
        drawn = self.draw("a.h5", "--svg", "--only", ",".join(names))
        for name in names:
            self.assertIn(f"{name}.png", drawn)

    def test_sweep_over_the_temperature_of_an_interaction(self):
        """Elements, D and kappa at each temperature, and how they follow it: D falls as the squared element."""
        well = {"shape": "square", "alpha": 0.5, "law": "T", "temperature": 1.0, "exchange": 1.0}
        job = {**chain(2, bath={"dephasing": 0.2}, kernel={"exact": False, "orders": [], "markov": True}, transport={}),
               "units": {"energy": "meV", "length": "nm"}, "site": {"well_levels": 2, "well_energy": 0.5},
               "interaction": {"kind": "well", "strength": 0.05}, "interaction.well": well,
               "matrix-elements": {"levels": 2}}
        kelvin = [2.0, 4.0, 8.0, 16.0]
        sweep = '[sweep]\n"interaction.well.temperature" = %s\n' % str([f"{t} K" for t in kelvin]).replace("'", '"')
        self.write("a.toml", toml(job) + sweep)
        self.finish("run", "a.toml", "--out", "a.h5", ranks=2)
        with h5py.File(self.folder / "a.h5") as file:
            table = file["sweep/scalar/transport"]
            temperature = file["sweep/interaction.well.temperature"]
            factor = temperature.attrs["laboratory_factor"]
            np.testing.assert_allclose(np.array(temperature) * factor, kelvin, rtol=1e-12)
            elements = [file[f"points/{k:04}/matrix_elements/total"][0, 1] for k in range(4)]
            rates = 2 * (0.05 * np.array(elements))**2 / 0.4
            np.testing.assert_allclose(table["diffusion"], rates, rtol=1e-9)
            heat = heat_capacity(1.5, np.array(temperature))
            np.testing.assert_allclose(table["conductivity"], rates * heat, rtol=1e-9)
            self.assertEqual(text(table["conductivity"], "laboratory_units"), "W/(m K)")
            slope = np.log(table["conductivity"][2] / table["conductivity"][0]) / np.log(4)
            self.assertAlmostEqual(table["conductivity_exponent"][1], slope, places=9)
            self.assertEqual(text(file["points/0001/units"], "temperature"), "K")
        self.assertIn("conductivity.png", self.draw("a.h5", "--only", "conductivity"))

    def test_the_route_has_all_outputs_whichever_kernel_it_takes(self):
        """Names and shapes are the same on any number of ranks; a Markov kernel's own series has one time."""
        self.write("a.toml", self.job(kernel={"exact": False, "orders": [], "markov": True}))
        shapes = []
        for ranks in often(1, 3, nightly=(2, 4)):
            self.finish("run", "a.toml", "--out", "a.h5", ranks=ranks)
            with h5py.File(self.folder / "a.h5") as file:
                group = file["transport"]
                self.assertEqual(group["kernel/diffusion"].shape, file["time"].shape)
                self.assertEqual(group["kernel/diffusion_error"].shape, file["time"].shape)
                self.assertEqual(group["kernel/markov/diffusion"].shape, (1,))
                np.testing.assert_array_equal(group["kernel/diffusion"], group["kernel/markov/diffusion"][0])
                found = {}
                group.visititems(lambda name, item: found.update({name: getattr(item, "shape", None)}))
                shapes.append(found)
        self.assertTrue(all(found == shapes[0] for found in shapes))

    def test_sweep_of_the_closed_form_alone(self):
        """Without a kernel there is Eq. 18, with its exponent and its picture."""
        job = chain(3, bath={"dephasing": 0.2}, transport={"temperatures": [1.0]})
        self.write("a.toml", toml(job) + '[sweep]\n"interaction.strength" = [0.1, 0.2, 0.4]\n')
        self.finish("run", "a.toml", "--out", "a.h5")
        with h5py.File(self.folder / "a.h5") as file:
            self.assertAlmostEqual(file["sweep/scalar/transport/pair_rate/conductivity_exponent"][1], 2.0, places=9)
        self.assertIn("conductivity.png", self.draw("a.h5"))  # without being asked for

    def test_picture_of_two_files(self):
        """D of [transport] against what the jobs differ in, as of a sweep."""
        for name, strength in (("a", 0.1), ("b", 0.2)):
            self.write(f"{name}.toml", self.job(interaction={"kind": "exchange", "strength": strength}))
            self.finish("run", f"{name}.toml", "--out", f"{name}.h5")
        self.assertIn("diffusion.png", self.draw("a.h5", "b.h5", "--only", "diffusion"))

    def test_units_that_differ_from_point_to_point(self):
        """The table stays in program units, and its picture says so."""
        job = self.job(**self.UNITS, transport={"temperatures": ["10 K"]})
        self.write("a.toml", job + '[sweep]\n"lattice.spacing" = ["1 nm", "2 nm"]\n')
        self.finish("run", "a.toml", "--out", "a.h5")
        with h5py.File(self.folder / "a.h5") as file:
            diffusion = file["sweep/scalar/transport/diffusion"]
            self.assertNotIn("laboratory_units", diffusion.attrs)
            self.assertEqual(text(diffusion, "units"), "length^2 energy")
            self.assertAlmostEqual(diffusion[1] / diffusion[0], 4.0)

    def test_bad_input_is_told_at_once(self):
        self.write("a.toml", self.job(transport={"temperatures": [1.0, -2.0]}, units={"energy": "meV", "length": "K"},
                                      bath={"dephasing": "2 nm"}))
        run = self.finish("run", "a.toml", code=2)
        self.assertRegex(run.err, r"transport\.temperatures\[1\]: -2")
        self.assertRegex(run.err, r"units\.length: \"K\" is no unit of length")
        self.assertRegex(run.err, r"bath\.dephasing: \"2 nm\" is a length, and a rate stands here")
        self.assertIn("3 problems", run.err)


if __name__ == "__main__":
    main()
