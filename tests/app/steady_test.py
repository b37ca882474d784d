#!/usr/bin/python3
"""What steady states may say, and what they must not: one diffusion constant with its error, no coefficient without a
gradient, no temperature where there is none.

    python3 tests/app/steady_test.py PATH_TO_QHEAT [MPIEXEC]
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from program import ProgramCase, datasets, main  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402


def job(shape, strength=0.2, kind="xy", levels=(0.0, 1.0), dephasing=0.4, hot=3.0, cold=0.6, rate=0.3, **tables):
    """Return the tables of a lattice between reservoirs on its first and its last face along x."""
    ends = [{"face": face, "temperature": t, "rate": rate} for face, t in (("x-", hot), ("x+", cold))]
    return {"lattice": {"shape": list(shape)}, "site": {"levels": list(levels)},
            "interaction": {"kind": kind, "strength": strength},
            "bath": {"dephasing": dephasing, "reservoir": ends}, **{"steady": {}, **tables}}


class SteadyTextTest(ProgramCase):
    """Jobs of which an earlier version printed what they do not say."""

    def run_job(self, tables, ranks=0):
        """Run a job; return its text and its datasets."""
        self.write("a.toml", tables)
        run = self.finish("run", "a.toml", ranks=ranks)
        return run.out, datasets(self.folder / "a.h5")

    def test_one_diffusion_constant_holds_all_routes(self):
        """The error holds rates, windows and routes; verdict and constant never contradict each other."""
        sizes, gammas = [4, 5, 6, 8], [1.0, 0.5]
        out, found = self.run_job(job([6], kind="exchange", hot=2.0, cold=0.5, steady={
            "sizes": sizes, "rates": [0.5, 2.0], "dephasings": gammas}))
        fit = {name.removeprefix("steady/fit/"): value for name, value in found.items()}
        value, error = fit["diffusion_value"], fit["diffusion_error"]
        for row in range(4):
            self.assertEqual((value[row], error[row]), (value[row % 2], error[row % 2]))
            window = np.polyfit(sizes[1:], fit["resistance"][row][1:], 1)[0]
            routes = [fit["conductivity"][row], 1.0 / window, fit["diffusion"][row, -1]]
            np.testing.assert_allclose(routes, value[row], rtol=0, atol=error[row])
            self.assertGreater(error[row], 5.0 * fit["conductivity_error"][row])
            self.assertLess(error[row], 0.02 * value[row])
        self.assertNotIn("does not agree", out)
        self.assertEqual(out.count("+-"), 2, out)  # one a dephasing
        for gamma in ("1", "0.5"):
            self.assertIn(f"diffusion       dephasing {gamma}: D = ", out)
            self.assertIn(f"transport dephasing {gamma}: diffusive at these sizes: J N tends to a constant", out)

    def test_exact_line_has_an_error(self):
        """xy: D = lambda^2/gamma to rounding, but no error of 1e-13 is claimed."""
        _, found = self.run_job(job([6], steady={"sizes": [10, 20, 40, 80], "rates": [0.5, 1.0], "method": "two-point"}))
        np.testing.assert_allclose(found["steady/fit/diffusion_value"], 0.04 / 0.4, rtol=1e-8)
        self.assertTrue(np.all(np.abs(found["steady/fit/diffusion_value"] - 0.1) <= found["steady/fit/diffusion_error"]))
        self.assertTrue(np.all(found["steady/fit/diffusion_error"] >= 1e-8))

    def test_nothing_of_sources_and_jumps_is_a_temperature(self):
        """Rates that are those of no temperature, and jumps: heats without T, no entropy production, no kappa."""
        tables = job([4], kind="exchange", levels=(0.0, 1.0, 2.5), dephasing=0.1)
        ends = [{"site": 0, "up": 0.3, "down": [0.1, 0.0]}, {"site": 3, "up": 0.0, "down": 0.2}]
        loss = {"elements": [[0, 0, 1, 0, 1.0], [0, 0, 0, 1, 1.0]], "rate": 0.1, "bonds": [1]}
        tables["bath"]["reservoir"] = ends
        out, found = self.run_job(tables)
        self.assertIn("reservoir at site 0: heat ", out)
        self.assertIn("reservoir at site 3, T = 0: heat ", out)
        self.assertNotIn("entropy production", out)
        self.assertFalse(found["steady/is_temperature"].any())
        for name in ("kappa", "temperature", "entropy_production"):
            self.assertTrue(np.isnan(found[f"steady/{name}"]).all(), name)
        np.testing.assert_allclose(found["steady/heat"].sum(), 0.0, atol=1e-9)
        tables["bath"]["jump"] = [loss]
        out, found = self.run_job(tables)
        self.assertIn("jump at sites 1, 2: heat -", out)
        self.assertIn("1 jump(s)", out)
        all_heat = found["steady/heat"].sum() + found["steady/jump_heat"].sum()
        np.testing.assert_allclose(all_heat, 0.0, atol=1e-9)
        self.assertTrue((found["steady/jump_heat"] < 0.0).all())

    def test_temperatures_of_rates_are_told(self):
        """A sink, an inverted reservoir and one of a temperature, all given by their rates."""
        for up, down, told in ((0.0, 0.4, "T = 0"), (0.4, 0.1, "T = -0.721348"), (0.2, 0.2, "T = inf")):
            tables = job([3])
            tables["bath"]["reservoir"] = [{"site": 0, "up": up, "down": down}]
            out, found = self.run_job(tables)
            self.assertIn(f"reservoir at site 0, {told}: heat ", out)
            np.testing.assert_allclose(found["steady/populations"][:, 1], up / (up + down), atol=1e-9)

    def test_detuned_sites_have_no_constant_inside(self):
        tables = job([100], dephasing=0.1, hot=float("inf"), steady={"sizes": [25, 50, 100], "method": "two-point"})
        tables["site.detuning"] = {"distribution": "uniform", "width": 0.5, "seed": 1}
        out, found = self.run_job(tables)
        for name in ("diffusion", "kappa", "inside_diffusion_error"):
            self.assertTrue(np.isnan(found[f"steady/fit/{name}"]).all(), name)
        self.assertTrue(np.isnan(found["steady/kappa"]).all())
        self.assertIn("no D inside (-): levels differ from site to site", out)
        self.assertIn("one realisation of the detunings", out)
        self.assertEqual(found["steady/is_temperature"].sum(), 2)

    def test_planes_between_faces(self):
        """Heat goes down from plane to plane, in the direction of the current; D and kappa between planes."""
        out, found = self.run_job(job([3, 2], kind="exchange", levels=(0.0, 1.0, 2.5)), ranks=2)
        planes = {name.removeprefix("steady/planes/"): value for name, value in found.items()}
        for name in ("energy", "temperature"):
            self.assertTrue(np.all(np.diff(planes[name]) < 0), planes[name])
            np.testing.assert_allclose(planes["energy"], found["steady/energy"].reshape(2, 3).mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(planes["current"], found["steady/heat"][0], rtol=1e-6)
        np.testing.assert_allclose(planes["diffusion"], -planes["current"] / np.diff(planes["energy"]), rtol=1e-12)
        np.testing.assert_allclose(planes["kappa"], -planes["current"] / np.diff(planes["temperature"]), rtol=1e-12)
        self.assertTrue(np.isnan(planes["inside_diffusion"][0]))
        self.assertIn("no diffusion constant: fewer than 4 planes", out)
        self.assertIn("between neighbouring planes, contacts included: D = ", out)
        with h5py.File(self.folder / "a.h5", "r") as file:
            self.assertEqual(bytes(file["steady/planes"].attrs["axis"]), b"x")

    def test_planes_need_opposite_faces(self):
        tables = job([3, 2], kind="exchange")
        tables["bath"]["reservoir"] = [{"site": site, "temperature": t, "rate": 0.3} for site, t in ((0, 3.0), (5, 0.6))]
        out, found = self.run_job(tables)
        self.assertIn("no diffusion constant: reservoirs are not on two opposite whole faces of one axis", out)
        self.assertFalse([name for name in found if name.startswith("steady/planes")])

    def test_detuned_bridge_has_no_temperature(self):
        tables = job([4], strength=3.0, levels=(0.0, 25.0), dephasing=1.0, hot=27.0, cold=25.0, rate=2.0)
        tables["site.detuning"] = {"offsets": [[0, 0], [0, 10], [0, 10], [0, 0]]}
        for end in tables["bath"]["reservoir"]:
            end["statistics"] = "bose"
        out, found = self.run_job(tables)
        self.assertGreater(found["steady/temperature"][1], 27.0)
        self.assertEqual(found["steady/is_temperature"].tolist(), [1, 0, 0, 1])
        self.assertTrue(np.isnan(found["steady/kappa"]).all())
        self.assertTrue(np.isnan(found["steady/planes/inside_kappa"]).all())
        self.assertNotIn("conductivity", out)
        self.assertNotIn("kappa =", out)
        self.assertIn("break detailed balance", self.finish("check", "a.toml").out)
        # what the reservoirs give leaves the first site and enters the last one
        outflow, heat = found["steady/outflow"], found["steady/heat"]
        np.testing.assert_allclose([outflow[0, 0], outflow[-1, 1]], heat, rtol=1e-9)

    def test_degenerate_levels_carry_no_heat(self):
        tables = job([6], strength=100.0, kind="exchange", levels=(0.0, 0.0), dephasing=20.0, hot=27.0, cold=25.0,
                     rate=10.0, steady={"sizes": [4, 5, 6]})
        out, found = self.run_job(tables)
        for text in (out, self.finish("check", "a.toml").out):
            self.assertIn("sites carry no level energy", text)
        self.assertIn("both reservoirs occupy their levels alike (f = 0.5), so nothing drives a current", out)
        self.assertNotIn("it takes several sizes", out)
        self.assertNotIn("nan", out)
        self.assertFalse(found["steady/is_temperature"].any())

    def test_strong_interactions_are_told_by_check(self):
        self.write("a.toml", job([4], strength=0.9))
        self.assertIn("not small against the level spacings", self.finish("check", "a.toml").out)
        self.write("a.toml", job([4], strength=0.2))
        self.assertNotIn("WARNING", self.finish("check", "a.toml").out)

    def test_no_gradient_no_coefficient(self):
        """A ballistic chain, with reservoirs much faster than it: whatever residual is left."""
        for method, rate in (("direct", 800.0), ("iterative", 8.0)):
            tables = job([5], strength=0.5, dephasing=0.0, hot=2.0, cold=0.5, rate=rate,
                         steady={"method": method, "tolerance": 1e-8})
            out, found = self.run_job(tables)
            for name in ("diffusion", "kappa"):
                self.assertTrue(np.isnan(found[f"steady/{name}"][1:-1]).all(), found[f"steady/{name}"])
            self.assertIn("no diffusion constant: no gradient inside to be told from zero", out)


if __name__ == "__main__":
    main()
