#!/usr/bin/python3
"""Kernels of any kind, their scores and the rate equations with them, as a user meets them.

    python3 tests/app/kernel_test.py PATH_TO_QHEAT [MPIEXEC]

QHEAT_PROGRAM and QHEAT_MPIEXEC say the same in the environment.
"""

import pathlib
import re
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from program import ProgramCase, chain, datasets, main, nightly, often, toml  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402

STOPPED = 75
ALONE_AND_THREE = (0, 3)  # without mpiexec, and on three ranks
SCORES = ("symmetry", "locality", "additivity", "spectator_independence", "energy_conservation", "swap_fraction",
          "level_independence", "negativity")
# swaps, pairs, and single sites whose neighbours look on; complex, so that rates have no symmetry
GENERAL = [[0, 1, 1, 0, 1.0], [0, 0, 1, 1, 0.5, 0.3], [0, 0, 1, 0, 0.4], [0, 1, 1, 1, -0.2, 0.1]]


def general(**tables):
    """Return the tables of a chain of three sites whose interaction conserves nothing."""
    job = chain(3, exact={}, kernel={"orders": [2, 3]}, rates={"kernels": ["exact", "tcl3"]}, **tables)
    job["interaction"] = {"kind": "matrix", "strength": 0.2, "elements": GENERAL}
    job["time"] = {"end": 6.0, "outputs": 13}
    return job


def without_initial(job):
    """Return the tables without the initial state."""
    return {name: keys for name, keys in job.items() if name != "initial"}


class KernelCase(ProgramCase):
    """A test around one job, a.toml, with the results a.h5."""

    def results(self, job, ranks=0):
        """Run the job and return its datasets."""
        self.write("a.toml", job)
        self.finish("run", "a.toml", ranks=ranks)
        return datasets(self.folder / "a.h5")

    def element(self, found, kernel, time, to, start):
        """Return the rate from one configuration to another."""
        cells = found["kernel/cells"].tolist()
        return found[f"kernel/{kernel}/generator"][time, cells.index(to), cells.index(start)]

    def check_exact_rates(self, job, ranks=0):
        """The many-body equation with the exact kernel gives the exact populations until it diverges."""
        found = self.results(job, ranks)
        known = found["time"] < min(found["kernel/exact/singular_times"], default=np.inf)
        deviation = np.abs(found["rates/exact/populations"] - found["exact/populations"]).max(axis=(1, 2))
        self.assertLess(deviation[known].max(), 1e-7)
        for name in ("rates/exact/populations", "sites/exact/populations", "rates/exact/energy", "sites/exact/energy"):
            self.assertTrue(np.all(np.isfinite(found[name][known])), name)
            self.assertTrue(np.all(np.isnan(found[name][~known])), name)
        np.testing.assert_allclose(found["rates/exact/deviation"], deviation, rtol=0, atol=1e-15)
        return found, known


class LayoutTest(KernelCase):
    """Names, shapes and types."""

    TIMES, SITES, LEVELS, BONDS, CELLS = 5, 4, 2, 3, 6
    OF_KERNELS = {**dict.fromkeys(SCORES, (TIMES,)), "generator": (TIMES, CELLS, CELLS),
                  "bond_rate": (TIMES, BONDS), "compared": (TIMES, 8), "error": (TIMES,)}
    OF_RATES = {"populations": (TIMES, SITES, LEVELS), "energy": (TIMES, SITES), "deviation": (TIMES,)}

    def expected(self):
        """Return {path: shape} of all that belongs to kernels."""
        shapes = {"kernel/cells": (self.CELLS, self.SITES), "kernel/exact/condition": (self.TIMES,),
                  "kernel/exact/singular_times": None}
        for kernel in ("exact", "tcl2", "tcl4"):
            shapes.update({f"kernel/{kernel}/{name}": shape for name, shape in self.OF_KERNELS.items()})
            shapes.update({f"rates/{kernel}/{name}": shape for name, shape in self.OF_RATES.items()})
            shapes.update({f"sites/{kernel}/{name}": shape for name, shape in self.OF_RATES.items()})
            shapes[f"sites/{kernel}/closure_error"] = (self.TIMES,)
        return shapes

    def test_closed(self):
        job = chain(4, time={"end": 4.0, "outputs": self.TIMES}, exact={}, kernel={"orders": [2, 4]},
                    rates={"kernels": ["tcl4", "exact", "tcl2"]})
        for ranks in ALONE_AND_THREE:
            found = self.results(job, ranks)
            of_kernels = {name: values for name, values in found.items()
                          if name.split("/")[0] in ("kernel", "rates", "sites")}
            shapes = self.expected()
            self.assertEqual(sorted(of_kernels), sorted(shapes))
            shapes["kernel/exact/singular_times"] = (found["kernel/exact/singular_times"].size,)
            self.assertGreater(found["kernel/exact/singular_times"].size, 0)
            for name, values in of_kernels.items():
                self.assertEqual(values.shape, shapes[name], name)
                integer = name.endswith(("cells", "compared"))
                self.assertEqual(values.dtype, np.int64 if integer else np.float64, name)

    def test_markov(self):
        """A Markov kernel is one matrix with one row of scores."""
        job = chain(4, bath={"dephasing": 0.2}, kernel={"exact": False, "markov": True},
                    rates={"kernels": ["markov"]})
        found = self.results(job)
        self.assertEqual(found["kernel/markov/generator"].shape, (6, 6))
        self.assertEqual(found["kernel/markov/bond_rate"].shape, (1, 3))
        self.assertEqual(found["kernel/markov/compared"].shape, (1, 8))
        for score in SCORES:
            self.assertEqual(found[f"kernel/markov/{score}"].shape, (1,), score)
        np.testing.assert_allclose(found["kernel/markov/bond_rate"], 0.25 / 0.2, rtol=1e-12)
        self.assertEqual(found["rates/markov/populations"].shape, (11, 4, 2))

    def test_correlation_function(self):
        """Kernels and rates with each kind of correlation function, the same on any number of ranks."""
        kinds = ({"kind": "exponential", "rate": 0.4}, {"kind": "gaussian", "rate": 0.8},
                 {"kind": "bosons", "alpha": 0.2, "cutoff": 3.0, "temperature": 0.7})
        detuned = {"offsets": [[0.0, 0.1 * site] for site in range(4)]}
        tables = {"site_detuning": detuned, "kernel": {"exact": False, "markov": True},
                  "rates": {"kernels": ["tcl2", "markov"]}}
        for kind in kinds:
            alone = self.results(chain(4, bath_correlation=kind, **tables), 1)
            self.assertLess(alone["kernel/tcl2/error"].max(), 1e-9)
            for ranks in often(3, nightly=(2, 4)):
                found = self.results(chain(4, bath_correlation=kind, **tables), ranks)
                for name in ("kernel/tcl2/generator", "rates/tcl2/populations", "sites/markov/populations"):
                    np.testing.assert_allclose(found[name], alone[name], atol=1e-9, err_msg=name)
            if kind["kind"] == "exponential":
                dephased = self.results(chain(4, bath={"dephasing": 0.4}, **tables), 1)
                for name, values in dephased.items():
                    if values.dtype.kind == "f" and not name.startswith("timing"):
                        np.testing.assert_allclose(alone[name], values, atol=1e-12, err_msg=name)

    def test_memory(self):
        """A memory kernel has no scores and no site equation."""
        found = self.results(chain(4, exact={}, time={"end": 2.0, "outputs": 3}, kernel={"exact": False, "memory": True},
                                   rates={"kernels": ["memory"]}))
        self.assertEqual(found["kernel/memory/generator"].shape, (3, 6, 6))
        self.assertEqual(sorted(name for name in found if "memory" in name),
                         ["kernel/memory/error", "kernel/memory/generator", "rates/memory/deviation",
                          "rates/memory/energy", "rates/memory/error", "rates/memory/populations"])
        self.assertLess(found["rates/memory/deviation"].max(), max(1e-7, 10 * found["rates/memory/error"].max()))

    def test_untested_scores_count_nothing(self):
        """Where a score is NaN nothing was compared, and the other way round."""
        found = self.results(general())
        for kernel in ("exact", "tcl2", "tcl3"):
            compared = found[f"kernel/{kernel}/compared"]
            for column, score in enumerate(SCORES):
                values = found[f"kernel/{kernel}/{score}"]
                np.testing.assert_array_equal(np.isnan(values), compared[:, column] == 0, f"{kernel} {score}")
                self.assertTrue(np.all(values[~np.isnan(values)] <= 1.0 + 1e-12))
        self.assertTrue(np.isnan(found["kernel/exact/symmetry"][0]), "W = 0 at t = 0")
        self.assertTrue(np.all(found["kernel/exact/generator"][0] == 0.0))
        self.assertTrue(np.all(np.isnan(found["kernel/exact/level_independence"])), "one pair of levels")


class PhysicsTest(KernelCase):
    """Known results."""

    def three_sites(self, **tables):
        """Run the chain of three sites with one excitation."""
        return self.results(chain(3, 1, interaction={"strength": 0.1}, exact={}, kernel={"orders": [2, 4, 8]},
                                  rates={"kernels": ["exact"]}, **tables))

    def test_three_sites(self):
        """w = 2 lambda sin(3 lambda t) / (1 + 2 cos(3 lambda t)), which diverges at t = 2 pi/(9 lambda)."""
        found = self.three_sites(time={"end": 20.0, "outputs": 41})
        t = found["time"]
        self.assertAlmostEqual(found["kernel/exact/singular_times"][0], 2 * np.pi / 0.9, delta=1e-8)
        before = t < 2 * np.pi / 0.9
        w = 0.2 * np.sin(0.3 * t[before]) / (1 + 2 * np.cos(0.3 * t[before]))
        np.testing.assert_allclose(found["kernel/exact/bond_rate"][before], np.transpose([w, w]), rtol=1e-10, atol=1e-14)
        self.assertAlmostEqual(self.element(found, "exact", 2, [0, 1, 0], [1, 0, 0]), 0.0203059710843, delta=1e-13)
        self.assertAlmostEqual(self.element(found, "exact", 2, [0, 0, 1], [1, 0, 0]), -1.026414718e-4, delta=1e-13)

    def test_orders_approach_the_exact_kernel(self):
        found = self.three_sites(time={"end": 4.0, "outputs": 5})
        exact = found["kernel/exact/generator"]
        errors = [np.abs(found[f"kernel/tcl{order}/generator"] - exact).max() for order in (2, 4, 8)]
        self.assertLess(errors[1], errors[0] / 3)
        self.assertLess(errors[2], errors[1] / 9)
        np.testing.assert_allclose(found["kernel/tcl2/bond_rate"][:, 0], 0.02 * found["time"], rtol=1e-12)

    def test_jumps_have_kernels_and_rates(self):
        """Jumps of sites take part in both equations; those of bonds leave sites no equation of their own."""
        loss = {"elements": [[0, 1, 1.0]], "rate": 0.1}
        hop = {"elements": [[0, 1, 1, 0, 0.6, 0.8]], "rate": 0.2, "bonds": [1]}
        pair = {"elements": [[0, 0, 1, 1, 1.0]], "rate": 0.3, "bonds": [0]}
        tables = {"interaction": {"strength": 0.05}, "exact": {}, "kernel": {"orders": [2]},
                  "rates": {"kernels": ["exact", "tcl2"]}, "time": {"end": 3.0, "outputs": 7}}
        found, known = self.check_exact_rates(chain(4, bath={"dephasing": 0.3, "jump": [loss]}, **tables))
        self.assertTrue(known.all())
        self.assertLess(found["sites/exact/deviation"].max(), 0.05)
        for jumps, cells in (([hop], 6), ([loss, hop, pair], 16)):
            found = self.results(chain(4, bath={"dephasing": 0.3, "jump": jumps}, **tables), ranks=2)
            self.assertEqual(len(found["kernel/cells"]), cells)
            self.assertLess(found["rates/exact/deviation"].max(), 1e-7)
            self.assertLess(found["rates/tcl2/deviation"].max(), 1e-3)
            for kernel in ("exact", "tcl2"):
                self.assertTrue(np.isfinite(found[f"sites/{kernel}/populations"][0]).all())
                self.assertTrue(np.isnan(found[f"sites/{kernel}/populations"][1:]).all())

    def test_exact_kernel_gives_exact_populations(self):
        found, known = self.check_exact_rates(
            chain(6, exact={}, time={"end": 4.0, "outputs": 41}, rates={"kernels": ["exact"]}), ranks=2)
        self.assertGreater(np.count_nonzero(known), 5)
        self.assertGreater(np.count_nonzero(~known), 5)

    def test_without_conserved_levels(self):
        found, _ = self.check_exact_rates(general())
        self.assertEqual(found["kernel/cells"].shape, (8, 3))
        for kernel in ("exact", "tcl2", "tcl3"):
            np.testing.assert_allclose(found[f"kernel/{kernel}/generator"].sum(axis=1), 0.0, atol=1e-11)

    def test_thermal_start(self):
        job = {**chain(4, exact={}, time={"end": 1.0, "outputs": 11}, rates={"kernels": ["exact"]}),
               "initial": {"kind": "thermal", "temperatures": [2.0, 1.0, 0.5, 0.7]}}
        self.check_exact_rates(job, ranks=3)


def between_reservoirs(sites, **tables):
    """Return a chain with dephasing between two reservoirs of different temperatures."""
    job = chain(sites, exact={}, interaction={"strength": 0.1}, time={"end": 6.0, "outputs": 13}, **tables)
    reservoirs = [{"face": "x-", "temperature": 2.0, "rate": 0.3}, {"face": "x+", "temperature": 0.5, "rate": 0.2}]
    return {**job, "bath": {"dephasing": 0.2, "reservoir": reservoirs}}


class OpenTest(KernelCase):
    """Kernels of systems with dephasing and reservoirs."""

    def test_dephasing(self):
        """The exact kernel and higher orders beside the closed form of the second."""
        job = chain(4, exact={}, interaction={"strength": 0.1}, bath={"dephasing": 0.4},
                    time={"end": 20.0, "outputs": 21}, kernel={"orders": [2, 3, 4], "memory": True},
                    rates={"kernels": ["exact", "memory", "tcl2", "tcl4"]})
        found, known = self.check_exact_rates(job, ranks=2)
        self.assertTrue(known.all())
        deviations = {kernel: found[f"rates/{kernel}/deviation"].max() for kernel in ("memory", "tcl2", "tcl4")}
        self.assertLess(deviations["memory"], found["rates/memory/error"][0] + 1e-9)
        self.assertLess(deviations["tcl4"], deviations["tcl2"] / 3)
        # w = 2 lambda^2 (1 - e^{-Gamma t})/Gamma, Gamma = 2 gamma
        w = 2 * 0.01 * (1 - np.exp(-0.8 * found["time"])) / 0.8
        np.testing.assert_allclose(found["kernel/tcl2/bond_rate"], np.tile(w[:, None], (1, 3)), rtol=1e-12)

    def test_reservoirs(self):
        job = between_reservoirs(3, kernel={"orders": [2, 4], "memory": True},
                                 rates={"kernels": ["exact", "memory", "tcl2", "tcl4"]})
        for ranks in ALONE_AND_THREE:
            found, known = self.check_exact_rates(job, ranks)
            self.assertTrue(known.all())
            self.assertEqual(found["kernel/cells"].shape, (8, 3))
            deviations = {kernel: found[f"rates/{kernel}/deviation"].max() for kernel in ("memory", "tcl2", "tcl4")}
            self.assertLess(deviations["memory"], found["rates/memory/error"][0] + 1e-9)
            self.assertLess(deviations["tcl4"], deviations["tcl2"] / 3)
            up = 0.3 / (1 + np.exp(1 / 2.0))
            for kernel in ("exact", "tcl2", "tcl4"):
                self.assertAlmostEqual(self.element(found, kernel, 0, [1, 0, 0], [0, 0, 0]), up, delta=1e-12)
                generator = found[f"kernel/{kernel}/generator"]
                np.testing.assert_allclose(generator.sum(axis=1), 0.0, atol=1e-11)
                self.assertLess(found[f"kernel/{kernel}/locality"].min(), 1.0 + 1e-12)
            self.assertLess(found["sites/exact/closure_error"][1:].max(), 0.1)

    def test_averaged(self):
        """Static detunings and dephasing together; the exact kernel with reservoirs as well."""
        detuning = {"distribution": "uniform", "width": 0.4, "seed": 3, "realizations": 5}
        for bath, orders in (({"dephasing": 0.4}, [2]), (between_reservoirs(3)["bath"], [])):
            job = {**chain(3, 1, exact={}, interaction={"strength": 0.1}, time={"end": 4.0, "outputs": 5},
                           kernel={"orders": orders}, rates={"kernels": ["exact"]}), "bath": bath}
            job["site"]["detuning"] = detuning
            for ranks in ALONE_AND_THREE:
                found = self.results(job, ranks)
                self.assertLess(found["rates/exact/deviation"].max(), 1e-7)


class AverageTest(KernelCase):
    """Kernels averaged over realisations of the detuning."""

    def job(self, realizations, **tables):
        job = chain(4, bath={"dephasing": 0.1}, interaction={"kind": "xy", "strength": 0.2},
                    time={"end": 40.0, "outputs": 9}, **tables)
        job["site"]["detuning"] = {"distribution": "uniform", "width": 0.5, "realizations": realizations}
        return job

    def test_markov(self):
        """The mean of Lorentzians, which the mean of TCL2 tends to; rate and site equations follow."""
        found = self.results(self.job(200, kernel={"exact": False, "markov": True},
                                      rates={"kernels": ["tcl2", "markov"]}))
        triangle = np.linspace(-0.5, 0.5, 20001)  # density of the difference of two uniform shifts
        lorentzian = 0.08 * 0.2 / (0.04 + triangle**2)
        expected = np.trapezoid(lorentzian * (2 - 4 * np.abs(triangle)), triangle) if hasattr(np, "trapezoid") \
            else np.trapz(lorentzian * (2 - 4 * np.abs(triangle)), triangle)
        self.assertAlmostEqual(expected, 0.254, delta=2e-3)
        markov = found["kernel/markov/bond_rate"][0]
        sampling = found["kernel/markov/sampling_error"][0]
        self.assertTrue(0.01 < sampling < 0.05)
        np.testing.assert_allclose(markov, expected, rtol=0, atol=4 * sampling * markov.max())
        np.testing.assert_allclose(found["kernel/tcl2/bond_rate"][-1], markov, rtol=1e-3)
        self.assertLess(found["kernel/markov/error"].max(), 1e-12)
        slope = found["sites/markov/populations"][:, 0, 1]
        self.assertLess(np.abs(found["rates/markov/populations"] - found["sites/markov/populations"]).max(), 1e-8)
        self.assertTrue(np.all(np.isfinite(slope)))

    def test_sampling_is_no_rounding(self):
        """Few realisations: the exact kernel says what it lacks, and no energy drifts in a bath."""
        self.write("a.toml", self.job(8, exact={}, kernel={"exact": True, "orders": [2]}, rates={"kernels": ["exact"]}))
        run = self.finish("run", "a.toml")
        self.assertIn("more realizations are needed", run.out)
        self.assertNotIn("no digits", run.out)
        self.assertNotIn("total energy", run.out)
        found = datasets(self.folder / "a.h5")
        error, sampling = found["kernel/exact/error"], found["kernel/exact/sampling_error"]
        self.assertLess(error.max(), 1e-9)
        self.assertGreater(sampling[-1], 0.05)
        np.testing.assert_array_equal(np.isnan(found["kernel/exact/bond_rate"][:, 0]), error + sampling > 0.05)
        self.assertTrue(np.all(np.isfinite(found["kernel/tcl2/bond_rate"])))

    def test_correlation_function(self):
        bath = {"correlation": {"kind": "bosons", "alpha": 0.2, "cutoff": 3.0, "temperature": 1.0}}
        for ranks in ALONE_AND_THREE:
            found = self.results({**self.job(20, kernel={"exact": False, "markov": True}), "bath": bath}, ranks)
            np.testing.assert_allclose(found["kernel/tcl2/bond_rate"][-1], found["kernel/markov/bond_rate"][0], rtol=1e-6)
            self.assertGreater(found["kernel/markov/sampling_error"][0], 0.0)


class DigitsTest(KernelCase):
    """Where rounding leaves nothing, nothing is written."""

    OFFSETS = [[0, 0], [0, 0.3], [0, 0.75]]

    def test_no_digits(self):
        job = chain(3, 1, kernel={"exact": True, "orders": [2]}, rates={"kernels": ["tcl2"]},
                    time={"end": 1e17, "outputs": 4}, site_detuning={"offsets": self.OFFSETS})
        self.write("a.toml", job)
        run = self.finish("run", "a.toml")
        self.assertIn("rounding leaves the kernel no digits", run.out)
        found = datasets(self.folder / "a.h5")
        for kernel in ("exact", "tcl2"):
            self.assertTrue(np.all(found[f"kernel/{kernel}/error"][1:] > 1.0))
            self.assertTrue(np.all(np.isnan(found[f"kernel/{kernel}/bond_rate"][1:])))
        self.assertTrue(np.all(np.isnan(np.diagonal(found["kernel/tcl2/generator"][1:], axis1=1, axis2=2))))
        self.assertEqual(found["kernel/exact/singular_times"].size, 0)
        for equation in ("rates", "sites"):
            populations = found[f"{equation}/tcl2/populations"]
            self.assertTrue(np.all(np.isfinite(populations[0])) and np.all(np.isnan(populations[1:])))

    def test_orders_that_cannot_be_followed(self):
        """check and run refuse what exact propagation does; TCL2 alone needs no steps."""
        tables = {"time": {"end": 1e15, "outputs": 4}, "site_detuning": {"offsets": self.OFFSETS}}
        self.write("a.toml", chain(3, 1, kernel={"exact": False, "orders": [4]}, **tables))
        for command in ("check", "run"):
            run = self.finish(command, "a.toml", code=2)
            self.assertIn("lower time.end", run.err)
            self.assertIn("kernels tcl", run.err)
        self.write("b.toml", chain(3, 1, kernel={"exact": False, "orders": [2]}, **tables))
        self.finish("check", "b.toml")

    def test_first_singular_time(self):
        """Said without rate equations too; what comes after it is not judged."""
        job = chain(3, 1, kernel={"orders": [2]}, time={"end": 20.0, "outputs": 41}, interaction={"strength": 0.1})
        self.write("a.toml", job)
        run = self.finish("run", "a.toml")
        first = 2 * np.pi / 0.9
        self.assertAlmostEqual(datasets(self.folder / "a.h5")["kernel/exact/singular_times"][0], first, delta=1e-6)
        self.assertIn(f"diverges at t_1 = {first:.5g}", run.out)
        self.assertIn("14 of 41 output times lie before it", run.out)
        self.assertNotIn("diverges", run.out[run.out.index("kernel tcl2"):])


class RequestTest(KernelCase):
    """What is computed and what is written."""

    def test_kernel_of_rates_alone(self):
        """A kernel named in [rates] needs no [kernel]; its generator is not asked for."""
        found = self.results(chain(4, rates={"kernels": ["exact", "tcl4"]}, time={"end": 1.0, "outputs": 3}))
        for kernel in ("exact", "tcl4"):
            for name in (*SCORES, "bond_rate", "compared", "error"):
                self.assertIn(f"kernel/{kernel}/{name}", found)
            self.assertNotIn(f"kernel/{kernel}/generator", found)
            self.assertIn(f"rates/{kernel}/populations", found)
            self.assertNotIn(f"rates/{kernel}/deviation", found)
        self.assertNotIn("kernel/cells", found)
        self.assertNotIn("kernel/tcl2/bond_rate", found)

    def test_kernel_beside_rates(self):
        found = self.results(chain(4, kernel={"exact": False, "orders": [2]}, rates={"kernels": ["tcl3"]},
                                   time={"end": 1.0, "outputs": 3}))
        self.assertIn("kernel/tcl3/generator", found)
        self.assertNotIn("rates/tcl2/populations", found)

    def test_all_cells(self):
        """Without an initial state the kernel is that of all cells: one block a sector, each as if alone."""
        job = chain(3, 1, kernel={"orders": [4]}, time={"end": 1.0, "outputs": 3})
        alone = self.results(job)
        for ranks in ALONE_AND_THREE:
            found = self.results(without_initial(job), ranks)
            cells = found["kernel/cells"]
            self.assertEqual(sorted(map(tuple, cells)), sorted(np.ndindex(2, 2, 2)))
            excited = cells.sum(axis=1)
            places = [cells.tolist().index(cell) for cell in alone["kernel/cells"].tolist()]
            for kernel in ("exact", "tcl4"):
                generator = found[f"kernel/{kernel}/generator"]
                self.assertTrue(np.all(generator[:, excited[:, None] != excited[None, :]] == 0.0))
                np.testing.assert_allclose(generator[:, places][:, :, places], alone[f"kernel/{kernel}/generator"],
                                           rtol=0, atol=1e-12)

    def test_store_limit(self):
        job = chain(4, kernel={"orders": [2, 3], "store_limit": 6}, time={"end": 1.0, "outputs": 3})
        full = self.results(job)
        job["kernel"]["store_limit"] = 5
        short = self.results(job)
        gone = {"kernel/cells", *(f"kernel/{kernel}/generator" for kernel in ("exact", "tcl2", "tcl3"))}
        self.assertEqual(set(full) - set(short), gone)
        for name in set(short) - {"job"}:
            np.testing.assert_array_equal(short[name], full[name], name)

    def test_uneven_start_is_told(self):
        """A pure start inside a band runs, and kernels and rate equations say what they describe."""
        job = chain(2, exact={}, kernel={"exact": True, "orders": [2]}, rates={"kernels": ["exact", "tcl2"]})
        job["site"] = {"levels": [0.0, 1.0, 1.1], "bands": [0, 1, 1]}
        job["interaction"] = {"kind": "exchange", "strength": 0.05}
        job["initial"] = {"kind": "product", "levels": [1, 0], "within_band": "pure"}
        self.write("a.toml", job)
        self.finish("run", "a.toml", "--out", "a.h5")
        with h5py.File(self.folder / "a.h5") as file:
            for group in ("kernel/exact", "kernel/tcl2", "rates/tcl2", "rates/exact"):
                self.assertIn("warning", file[group].attrs, group)


class RanksTest(KernelCase):
    """The same numbers on any number of ranks, and NaN in the same places."""

    def check_ranks(self, job):
        self.write("a.toml", job)
        numbers = often(1, 3, nightly=(2, 4))
        runs = [self.start("run", "a.toml", "--out", f"r{ranks}.h5", ranks=ranks) for ranks in numbers]
        for run in runs:
            self.assertEqual(run.wait(), 0, self.story(run))
        for ranks in numbers[1:]:
            self.assert_same(self.folder / "r1.h5", self.folder / f"r{ranks}.h5", 1e-9)

    def test_beyond_the_singular_time(self):
        self.check_ranks(chain(6, exact={}, time={"end": 2.5, "outputs": 11}, kernel={"orders": [2, 5]},
                               rates={"kernels": ["exact", "tcl5"]}))

    def test_all_sectors_of_three_levels(self):
        job = chain(3, kernel={"orders": [4]}, time={"end": 0.8, "outputs": 5})
        job["site"]["levels"] = [0.0, 1.0, 1.7]
        self.check_ranks(without_initial(job))

    def test_without_conserved_levels(self):
        self.check_ranks(general())

    def test_open(self):
        self.check_ranks(between_reservoirs(3, kernel={"orders": [2, 3], "memory": True},
                                            rates={"kernels": ["exact", "tcl3", "memory"]}))
        self.check_ranks(chain(5, bath={"dephasing": 0.3}, time={"end": 3.0, "outputs": 4},
                               kernel={"orders": [2, 4]}))

    def test_bands(self):
        job = chain(4, exact={}, kernel={"orders": [4]}, time={"end": 1.5, "outputs": 4},
                    rates={"kernels": ["exact", "tcl2"]})
        job["site"] = {"levels": [0.0, 1.0, 1.2], "bands": [0, 1, 1]}
        self.check_ranks(job)


class RestartTest(KernelCase):
    """Runs that are stopped inside a kernel or a rate equation go on there."""

    # stage: what the program says when it begins
    STAGES = {"kernel-exact": "] exact kernel\n", "kernel-tcl": "perturbative kernels",
              "many-body-exact": "rate equations, kernel exact", "many-body-tcl4": "rate equations, kernel tcl4"}

    def job(self):
        """Return a job with work in every stage."""
        return chain(8, exact={}, time={"end": 1.2, "outputs": 81}, kernel={"orders": [2, 4]},
                     rates={"kernels": ["exact", "tcl4"]}, output={"checkpoint": "1d"})

    def stop_in(self, stage, ranks):
        """Start the job and stop it in a stage; return whether it was stopped there."""
        run = self.start("run", "a.toml", ranks=ranks)
        run.wait_until(lambda: self.STAGES[stage] in run.err, f"stage {stage}")
        run.signal(signal.SIGTERM)
        if run.wait() != STOPPED:
            return False
        with h5py.File(self.folder / "a.h5.chk", "r") as file:
            return str(file.attrs["partial_stage"]).strip("b'").endswith("/" + stage)

    def check(self, ranks):
        self.write("a.toml", self.job())
        self.finish("run", "a.toml", "--out", "reference.h5", ranks=ranks)
        for stage in self.STAGES:
            with self.subTest(stage=stage):
                stopped = False
                for _ in range(5):
                    stopped = stopped or self.stop_in(stage, ranks)
                self.assertTrue(stopped, f"never stopped in {stage}")
                run = self.finish("run", "a.toml", "--resume", ranks=ranks)
                self.assertIn("resuming from", run.err)
                self.assert_same(self.folder / "reference.h5", self.folder / "a.h5")

    def test_alone(self):
        self.check(0)

    @nightly("test_alone stops in the same stages, test_open on two ranks")
    def test_two_ranks(self):
        self.check(2)

    def test_open(self):
        """Columns that have been propagated are not propagated again."""
        job = chain(8, bath={"dephasing": 0.3}, time={"end": 40.0, "outputs": 3}, kernel={"orders": []},
                    output={"checkpoint": "1d"})
        self.write("a.toml", job)
        self.finish("run", "a.toml", "--out", "reference.h5", ranks=2)
        run = self.start("run", "a.toml", ranks=2)
        run.wait_until(lambda: "propagation for kernels" in run.err, "the propagation")
        run.signal(signal.SIGTERM)
        self.assertEqual(run.wait(), STOPPED, self.story(run))
        with h5py.File(self.folder / "a.h5.chk", "r") as file:
            self.assertTrue(str(file.attrs["partial_stage"]).strip("b'").endswith("/propagator-0"))
        run = self.finish("run", "a.toml", "--resume", ranks=2)
        self.assertIn("resuming from", run.err)
        self.assert_same(self.folder / "reference.h5", self.folder / "a.h5")


class BadInputTest(ProgramCase):
    """Refused at once, with what would help."""

    def check_refused(self, job, *said):
        self.write("a.toml", job)
        for subcommand, ranks in (("check", 0), *(("run", number) for number in often(0, nightly=(3,)))):
            run = self.finish(subcommand, "a.toml", ranks=ranks, code=2, timeout=20.0)
            for pattern in said:
                self.assertRegex(run.err, pattern)
            self.assertNotRegex(run.err, "propagation|diagonalization", "found out before computing")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["a.toml"])

    def test_on_three_ranks(self):
        """Told once."""
        self.write("a.toml", chain(4, kernel={"orders": [2, 13]}, rates={"kernels": ["tcl13"]}))
        run = self.finish("run", "a.toml", ranks=3, code=2, timeout=20.0)
        for key in (r"kernel\.orders\[1\]", r"rates\.kernels\[0\]"):
            self.assertEqual(len(re.findall(rf"a\.toml:\d+:\d+: {key}", run.err)), 1, run.err)

    def test_orders(self):
        for order in (0, 13):
            self.check_refused(chain(4, kernel={"orders": [2, order]}), r"a\.toml:\d+:\d+: kernel\.orders\[1\]: "
                               rf"{order} is not possible; .* 1 to 12")

    def test_unknown_kernel(self):
        self.check_refused(chain(4, rates={"kernels": ["tcl13"]}), r"rates\.kernels\[0\]")

    def test_markov_without_a_source(self):
        for tables in ({"kernel": {"exact": False, "markov": True}}, {"rates": {"kernels": ["markov"]}}):
            self.check_refused(chain(4, exact={}, **tables), "Markov|markov", "dephasing", "broadening")

    def test_cold_bosons_without_a_markov_rate(self):
        cold = {"kind": "bosons", "alpha": 0.2, "cutoff": 3.0, "temperature": 0.0}
        self.check_refused(chain(4, bath_correlation=cold, kernel={"exact": False, "markov": True}), "4 alpha > 1")

    def test_reservoirs(self):
        bath = {"reservoir": [{"site": 0, "temperature": 1.0, "rate": 0.5}], "dephasing": 0.1}
        self.check_refused(chain(4, bath=bath, kernel={"markov": True}), r"a\.toml:\d+:\d+: kernel\.markov: this "
                           "version does not compute Markov kernels with reservoirs")
        self.check_refused(chain(4, bath=bath, rates={"kernels": ["markov"]}), r"rates\.kernels\[0\]: .*reservoirs")

    def test_jumps(self):
        collective = {"elements": [[0, 0, 0, 1, 1.0], [0, 0, 1, 0, 1.0]], "rate": 0.1}
        self.check_refused(chain(4, bath={"jump": [collective]}, kernel={}),
                           r"bath\.jump\[0\]\.elements: this jump drives coherences between cells")
        loss = {"elements": [[0, 0, 1, 1, 1.0]], "rate": 0.1}
        self.check_refused(chain(4, bath={"jump": [loss]}, kernel={"markov": True}), r"kernel\.markov: .*jumps")

    def check_too_large(self, job, said):
        self.write("a.toml", job)
        for ranks in ALONE_AND_THREE:
            run = self.finish("run", "a.toml", ranks=ranks, code=1, timeout=20.0)
            self.assertEqual(run.err.count("qheat: "), 1, run.err)
            for pattern in (said, "fewer sites", "coarser bands", "more ranks"):
                self.assertRegex(run.err, pattern)
            self.assertFalse(list(self.folder.glob("a.h5*")))

    def test_too_many_cells(self):
        for kernel in ({"orders": [2]}, {"exact": False, "orders": [4]}):
            self.check_too_large(chain(20, kernel=kernel), r"GB a rank.*, but .* GB are free")
        self.check_too_large(chain(20, rates={"kernels": ["exact"]}), r"GB a rank.*, but .* GB are free")

    def test_uncountable_cells(self):
        self.check_too_large(without_initial(chain(70, kernel={"orders": [2]})), r"63 bits|2\^63")

    def test_check_tells_the_memory(self):
        """`check` is for finding out."""
        self.write("a.toml", chain(20, kernel={}))
        run = self.finish("check", "a.toml", code=1)
        self.assertIn("exact, tcl2 on 184756 cells", run.out)
        self.assertIn("does not fit here", run.err)


class SmallTest(KernelCase):
    """The least that can be asked for: no crash, and NaN where nothing can be compared."""

    EVERYTHING = {"exact": {}, "kernel": {"orders": [1, 2, 4], "memory": True},
                  "rates": {"kernels": ["exact", "tcl1", "tcl2", "tcl4", "memory"]}}

    def check_untested(self, job):
        for ranks in often(3, nightly=(0,)):
            found = self.results(job, ranks)
            for kernel in ("exact", "tcl1", "tcl2", "tcl4"):
                for score in SCORES:
                    self.assertTrue(np.all(np.isnan(found[f"kernel/{kernel}/{score}"])), f"{kernel} {score}")
                self.assertTrue(np.all(found[f"kernel/{kernel}/compared"] == 0), kernel)
                self.assertTrue(np.all(found[f"kernel/{kernel}/generator"] == 0.0), kernel)
            for kernel in ("exact", "tcl1", "tcl2", "tcl4", "memory"):
                np.testing.assert_allclose(found[f"rates/{kernel}/populations"], found["exact/populations"], atol=1e-12)
            self.assertEqual(found["kernel/exact/singular_times"].size, 0)
        return found

    def test_one_site(self):
        self.assertEqual(self.check_untested(chain(1, 1, **self.EVERYTHING))["kernel/cells"].tolist(), [[1]])

    def test_one_cell(self):
        self.check_untested(chain(4, 4, **self.EVERYTHING))

    def test_start_only(self):
        self.check_untested(chain(4, time={"end": 0.0, "outputs": 1}, **self.EVERYTHING))

    def test_no_interaction(self):
        self.check_untested(chain(4, interaction={"strength": 0.0}, **self.EVERYTHING))

    def test_infinite_temperature(self):
        job = {**chain(3, **self.EVERYTHING), "initial": {"kind": "thermal", "temperatures": [float("inf"), 1.0, 2.0]}}
        job["time"] = {"end": 0.5, "outputs": 3}
        found = self.results(toml(job))
        np.testing.assert_allclose(found["rates/exact/populations"], found["exact/populations"], atol=1e-7)


if __name__ == "__main__":
    main()
