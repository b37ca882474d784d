#!/usr/bin/python3
"""The command line, bad and borderline input, and the same answer on any number of ranks.

    python3 tests/app/app_test.py PATH_TO_QHEAT [MPIEXEC]

QHEAT_PROGRAM and QHEAT_MPIEXEC say the same in the environment.
"""

import os
import pathlib
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from program import ProgramCase, chain, datasets, main, often, toml  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402

ALONE_AND_THREE = (0, 3)  # without mpiexec, and on three ranks


class BadJobTest(ProgramCase):
    """Job files that cannot be used: exit code 2, and everything told once."""

    def check_refused(self, name, *said, subcommand="run", ranks=ALONE_AND_THREE):
        for number in ranks:
            run = self.finish(subcommand, name, ranks=number, code=2)
            for pattern in said:
                self.assertRegex(run.err, pattern)
            told = [line for line in run.err.splitlines() if name in line]
            self.assertEqual(len(told), len(set(told)), f"told more than once:\n{run.err}")
        return told

    def test_absent(self):
        told = self.check_refused("absent.toml", r"absent\.toml: the job file cannot be read: .*[Nn]o such file")
        self.assertEqual(len(told), 1)

    def test_directory(self):
        (self.folder / "folder.toml").mkdir()
        self.check_refused("folder.toml", "it is a directory")

    def test_nothing_in_it(self):
        for text in ("", "\n\n", "# only a comment\n"):
            self.write("a.toml", text)
            self.check_refused("a.toml", r"a\.toml:1:1: .*asks for no computation", ranks=(0,))

    def test_binary(self):
        texts = (bytes(range(256)) * 20, b"\x00" * 100, b"\x89HDF\r\n\x1a\n" + b"\xff" * 100)
        for number, data in enumerate(texts):
            self.write("a.toml", data)
            self.check_refused("a.toml", r"a\.toml:1:\d+: this is not TOML", ranks=(0, 3) if number == 0 else (0,))

    def test_syntax_error(self):
        self.write("a.toml", "[lattice]\nshape = [4\n\n[site]\nlevels = [0, 1]\n")
        self.check_refused("a.toml", r"a\.toml:\d:\d+: this is not TOML")

    def test_unknown_keys(self):
        self.write("a.toml", chain(4, interaction={"strenght": 1.0}, exact={}, extra={"a": 1}))
        self.check_refused("a.toml", r"a\.toml:10:1: interaction\.strenght: this key is unknown; did you mean strength",
                           r"a\.toml:\d+:\d+: extra: this (key|table) is unknown")

    def test_five_problems_at_once(self):
        job = chain(4, interaction={"kind": "exchagne"}, exact={"method": "magic", "tolerance": 5.0},
                    time={"end": -1.0}, output={"file": "a.txt"})
        self.write("a.toml", job)
        told = self.check_refused("a.toml", "interaction.kind", "exact.method", "exact.tolerance", "time.end",
                                  "output.file", r"qheat: 5 problems")
        self.assertEqual(len([line for line in told if line.startswith("a.toml:")]), 5)

    def test_wrong_sizes(self):
        self.write("a.toml", chain(4, initial={"levels": [1, 0, 2]}, exact={}))
        self.check_refused("a.toml", r"initial\.levels")

    def test_output_over_job(self):
        self.write("a.h5", chain(4, exact={}))
        self.check_refused("a.h5", "would overwrite the job file", ranks=(0,))

    def test_result_given_as_output_over_job(self):
        """--out is no way around that."""
        self.write("a.toml", chain(4, exact={}))
        before = (self.folder / "a.toml").read_bytes()
        for out in ("a.toml", str(self.folder / "a.toml"), "./a.toml"):
            with self.subTest(out=out):
                self.finish("run", "a.toml", "--out", out, code=2)
                self.assertEqual((self.folder / "a.toml").read_bytes(), before)
                self.write("a.toml", before)

    def test_check_says_the_same(self):
        self.write("a.toml", chain(4, interaction={"strenght": 1.0}, exact={}))
        self.check_refused("a.toml", r"a\.toml:10:1: interaction\.strenght", subcommand="check")


class UnavailableTest(ProgramCase):
    """What this version does not compute is refused with its place in the file (or it has come to be computed)."""

    RESERVOIRS = '[[bath.reservoir]]\nsite = 0\ntemperature = 2.0\nrate = 1.0\n'
    KERNEL = {"exact": False, "orders": [2]}

    def cases(self):
        """Yield (what is named, job text)."""
        yield "kernel.memory", toml(chain(4, kernel={**self.KERNEL, "memory": True}))
        yield r"rates\.kernels\[0\]", toml(chain(4, rates={"kernels": ["markov"]})) + self.RESERVOIRS
        yield "exact.method", toml(chain(4, exact={"method": "chebyshev"}))
        yield "exact", toml(chain(4, bath={"dephasing": 0.1}, exact={}))
        yield "steady", toml(chain(4, steady={})) + self.RESERVOIRS
        yield "kernel.markov", toml(chain(4, kernel={**self.KERNEL, "markov": True})) + self.RESERVOIRS
        detuning = {"distribution": "uniform", "width": 0.1, "realizations": 2}
        yield "site.detuning.realizations", toml(chain(4, kernel=self.KERNEL, site_detuning=detuning))
        well = {"lattice": {"shape": [3]}, "interaction": {"kind": "well", "strength": 1.0},
                "interaction.well": {"width": 1.0}, "matrix-elements": {}}
        yield "matrix-elements", toml(well)

    def test_run_refuses(self):
        for key, text in self.cases():
            with self.subTest(key=key):
                self.write("a.toml", text)
                run = self.start("run", "a.toml")
                self.assertIn(run.wait(), (0, 2), self.story(run))
                if run.code == 2:
                    self.assertRegex(run.err, rf"a\.toml:\d+:\d+: {key}.*: this version does not .*; ")
                self.assertEqual((self.folder / "a.h5").exists(), run.code == 0)
                (self.folder / "a.h5").unlink(missing_ok=True)

    def test_told_once_on_three_ranks(self):
        self.write("a.toml", toml(chain(4, kernel={**self.KERNEL, "markov": True})) + self.RESERVOIRS)
        run = self.finish("run", "a.toml", ranks=3, code=2)
        self.assertEqual(run.err.count("this version does not"), 1, run.err)


class TooLargeTest(ProgramCase):
    """Refused before anything is allocated."""

    def check_quick_failure(self, job, *said, code=1):
        self.write("a.toml", job)
        for ranks in ALONE_AND_THREE:
            started = time.monotonic()
            run = self.finish("run", "a.toml", ranks=ranks, code=code, timeout=20.0)
            self.assertLess(time.monotonic() - started, 10.0)
            self.assertEqual(run.err.count("qheat: "), 1, run.err)
            for pattern in said:
                self.assertRegex(run.err, pattern)
            self.assertFalse(list(self.folder.glob("a.h5*")))

    def test_exact_40_sites(self):
        self.check_quick_failure(chain(40, exact={}), r"137846528820 states does not fit here: it needs at least .* GB a rank, .* GB "
                                 r"to be quick, on each of \d rank\(s\), but .* GB are free", "fewer sites")

    def test_rates_40_sites(self):
        self.check_quick_failure(chain(40, rates={"kernels": ["tcl2"]}), "memory|GB|bit")

    def test_70_sites(self):
        """70 over 35 is 1.1e20."""
        self.check_quick_failure(chain(70, exact={}), r"63 bits|2\^63")

    def test_phases_without_digits(self):
        """|H| t of 1e15: no method has digits left, and 2^31 steps are far away."""
        for method in ("krylov", "chebyshev", "diagonalize"):
            self.check_quick_failure(chain(6, interaction={"strength": 1e8}, time={"end": 1e9}, exact={"method": method}),
                                     "digits")

    def test_generators_that_do_not_fit(self):
        self.check_quick_failure(chain(26, kernel={"exact": False, "orders": [2], "store_limit": 10**14}),
                                 "GB", "kernel.store_limit")

    def test_outputs_that_do_not_fit(self):
        self.check_quick_failure(chain(3000, time={"outputs": 10_000_000}, kernel={"exact": False, "orders": [2]}), "time.outputs")

    def test_bond_rates_of_70_sites(self):
        """The bond rates need no list of cells, however many there are."""
        job = {key: table for key, table in chain(70, kernel={"exact": False, "orders": [2]}).items()
               if key != "initial"}
        self.write("a.toml", job)
        self.finish("run", "a.toml")
        self.assertEqual(datasets(self.folder / "a.h5")["kernel/tcl2/bond_rate"].shape[1], 69)

    def test_check_40_sites(self):
        """`check` is for finding out, and no job that does not fit is valid."""
        self.write("a.toml", chain(40, exact={}))
        run = self.finish("check", "a.toml", code=1, timeout=20.0)
        self.assertIn("137846528820 states", run.out)
        self.assertIn("does not fit here", run.err)
        self.assertNotIn("valid", run.out)


    def test_check_counts_the_series(self):
        """Ten million outputs of a hundred numbers are gigabytes, however small the sector."""
        self.write("a.toml", chain(10, time={"outputs": 10_000_000}, exact={}))
        run = self.start("check", "a.toml")
        self.assertIn(run.wait(20.0), (0, 1))  # as much memory as there is
        said = re.search(r"at least ([\d.e+-]+) GB a rank", run.out)
        self.assertGreater(float(said[1]), 10.0, run.out)


class SmallTest(ProgramCase):
    """The least that can be asked for."""

    def check_runs(self, job, ranks=often(3, nightly=(0,))):
        self.write("a.toml", job)
        for number in ranks:
            self.finish("check", "a.toml", ranks=0)
            self.finish("run", "a.toml", ranks=number)
            found = datasets(self.folder / "a.h5")
            for name in ("exact", "rates/tcl2", "sites/tcl2"):
                if f"{name}/populations" in found:
                    np.testing.assert_allclose(found[f"{name}/populations"].sum(axis=2), 1.0, atol=1e-8)
        return found

    EVERYTHING = {"exact": {}, "kernel": {"exact": False, "orders": [2]}, "rates": {"kernels": ["tcl2"]}}

    def test_one_site(self):
        found = self.check_runs(chain(1, 1, **self.EVERYTHING))
        self.assertEqual(found["model/bonds"].shape, (0, 2))
        self.assertEqual(found["exact/current"].shape, (11, 0))
        np.testing.assert_allclose(found["exact/populations"][:, 0, 1], 1.0, atol=1e-12)

    def test_one_cell(self):
        """All sites excited: nothing can move."""
        found = self.check_runs(chain(4, 4, **self.EVERYTHING))
        self.assertEqual(found["kernel/cells"].shape, (1, 4))
        np.testing.assert_allclose(found["exact/populations"][:, :, 1], 1.0, atol=1e-12)

    def test_start_only(self):
        found = self.check_runs(chain(4, time={"end": 0.0, "outputs": 1}, **self.EVERYTHING))
        self.assertEqual(found["time"].tolist(), [0.0])
        np.testing.assert_allclose(found["exact/populations"][0, :, 1], [1, 1, 0, 0], atol=1e-12)

    def test_start_only_by_krylov(self):
        self.check_runs(chain(4, time={"end": 0.0, "outputs": 1}, exact={"method": "krylov"}))

    def test_no_interaction(self):
        for method in ("krylov", "diagonalize"):
            job = chain(4, interaction={"strength": 0.0}, rates={"kernels": ["tcl2"]}, exact={"method": method})
            found = self.check_runs(job, ranks=(0,) if method == "krylov" else (3,))
            for name in ("exact", "rates/tcl2", "sites/tcl2"):
                np.testing.assert_allclose(found[f"{name}/populations"][:, :, 1], [[1, 1, 0, 0]] * 11, atol=1e-12)

    def test_dephasing(self):
        found = self.check_runs(chain(4, bath={"dephasing": 0.4}, **self.EVERYTHING))
        self.assertTrue(np.isfinite(found["sites/tcl2/closure_error"][1:]).all())
        self.assertGreater(found["exact/smallest_population"].min(), -1e-10)
        self.assertLess(found["exact/hermiticity_error"].max(), 1e-12)

    def test_one_site_with_a_reservoir(self):
        """dP/dt = -g (P - f): the population of the upper level tends to f = 1/(1 + e^{1/T})."""
        hot = {"site": 0, "temperature": 0.8, "rate": 0.7}
        found = self.check_runs(chain(1, 1, bath={"reservoir": [hot]}, exact={}))
        f = 1.0 / (1.0 + np.exp(1.0 / 0.8))
        np.testing.assert_allclose(found["exact/populations"][:, 0, 1], f + (1.0 - f) * np.exp(-0.7 * found["time"]),
                                   atol=1e-9)

    def test_start_only_of_an_open_system(self):
        for method in ("chebyshev", "krylov"):
            self.check_runs(chain(4, time={"end": 0.0, "outputs": 1}, bath={"dephasing": 0.4}, exact={"method": method}))

    def test_infinite_temperature(self):
        job = {**chain(3, **self.EVERYTHING), "initial": {"kind": "thermal", "temperatures": [float("inf"), 1.0, 2.0]}}
        found = self.check_runs(toml(job))
        self.assertAlmostEqual(found["exact/populations"][0, 0, 1], 0.5)


class LatticeTest(ProgramCase):
    """Several levels and dimensions: the same populations and currents on 1 to 4 ranks (by day on 3)."""

    TOLERANCE = 1e-10

    def check_ranks(self, job):
        self.write("a.toml", job)
        self.finish("run", "a.toml", "--out", "r0.h5")
        numbers = often(3, nightly=(1, 2, 4))
        runs = [self.start("run", "a.toml", "--out", f"r{ranks}.h5", ranks=ranks) for ranks in numbers]
        for run in runs:
            self.assertEqual(run.wait(), 0, self.story(run))
        for ranks in numbers:
            self.assert_same(self.folder / "r0.h5", self.folder / f"r{ranks}.h5", self.TOLERANCE)
        found = datasets(self.folder / "r0.h5")
        total = found["exact/energy"]
        self.assertTrue(np.all(np.isfinite(total)))
        np.testing.assert_allclose(found["exact/norm"], 1.0, atol=1e-8)
        return found

    def job(self, shape, levels, start, method, **lattice):
        sites = int(np.prod(shape))
        tables = chain(sites, exact={"method": method}, rates={"kernels": ["tcl2"]}, time={"end": 4.0, "outputs": 5})
        tables["lattice"] = {"shape": shape, **lattice}
        tables["site"] = {"levels": [float(n) for n in range(levels)]}
        tables["initial"]["levels"] = start
        return tables

    def test_three_levels_ring(self):
        found = self.check_ranks(self.job([5], 3, [2, 1, 0, 0, 1], "krylov", periodic=[True]))
        self.assertEqual(found["model/bonds"].tolist(), [[0, 1], [1, 2], [2, 3], [3, 4], [4, 0]])

    def test_four_levels_square(self):
        found = self.check_ranks(self.job([2, 3], 4, [3, 2, 1, 0, 0, 0], "diagonalize"))
        self.assertEqual(found["model/bonds"].tolist(), [[0, 1], [0, 2], [1, 3], [2, 3], [2, 4], [3, 5], [4, 5]])

    def test_cube(self):
        found = self.check_ranks(self.job([2, 2, 2], 2, [1, 1, 0, 0, 1, 0, 0, 0], "krylov"))
        self.assertEqual(len(found["model/bonds"]), 12)

    def test_closed_square_of_three_levels(self):
        self.check_ranks(self.job([2, 3], 3, [2, 2, 1, 0, 0, 1], "krylov", periodic=[True, True]))

    def test_mixture(self):
        job = self.job([6], 2, [0] * 6, "krylov")
        job["initial"] = {"kind": "thermal", "temperatures": [2.0, 1.0, 0.5, 0.5, 1.0, 2.0]}
        self.check_ranks(job)

    def test_spectrum(self):
        job = chain(6, spectrum={"states": 3, "end": "highest"})
        job["initial"] = {"kind": "thermal", "temperatures": [1.0] * 6}
        self.write("a.toml", job)
        for ranks in often(0, 3, nightly=(1, 2, 4)):
            self.finish("run", "a.toml", "--out", f"r{ranks}.h5", ranks=ranks)
            found = datasets(self.folder / f"r{ranks}.h5")
            # all sites excited; then one is not, and travels as a standing wave of the open chain
            coupling = job["interaction"]["strength"]
            wave = [5 + 5 * coupling - 2 * coupling * (1 - np.cos(np.pi * k / 6)) for k in (0, 1)]
            np.testing.assert_allclose(found["spectrum/energies"], [6 + 5 * coupling, *wave], atol=1e-8)
            np.testing.assert_allclose(found["spectrum/energy"].sum(axis=1), [6, 5, 5], atol=1e-8)
            np.testing.assert_array_equal(found["spectrum/band_counts"][0], [0, 6])
            np.testing.assert_allclose(found["spectrum/current"], 0.0, atol=1e-6)
        self.assertIn("3 highest energies", self.finish("check", "a.toml").out)

    def test_average_over_realizations(self):
        detuning = {"distribution": "lorentzian", "width": 0.3, "realizations": 7, "seed": 3}
        found = self.check_ranks(chain(4, exact={}, site_detuning=detuning))
        self.assertEqual(found["exact/populations_error"].shape, (11, 4, 2))
        self.assertGreater(found["exact/populations_error"][5].min(), 1e-4)
        self.assertLess(found["exact/norm_error"].max(), 1e-12)
        self.assertIn("7 realizations", self.finish("check", "a.toml").out)

    def test_modular_model(self):
        job = chain(3, exact={}, rates={"kernels": ["tcl2"]}, interaction={"kind": "random-bands", "seed": 2})
        job["site"] = {"band_levels": 4, "band_energy": 1.0, "band_width": 0.5}
        found = self.check_ranks(job)
        self.assertEqual(found["exact/populations"].shape, (11, 3, 5))
        self.assertEqual(found["rates/tcl2/populations"].shape, (11, 3, 2))
    def test_open_ring_of_three_levels(self):
        job = self.job([4], 3, [2, 1, 0, 0], "chebyshev", periodic=[True])
        del job["rates"]
        job["bath"] = {"dephasing": 0.2, "reservoir": [{"site": 1, "temperature": 1.5, "rate": 0.6},
                                                       {"site": 3, "temperature": 0.5, "rate": 0.3,
                                                        "statistics": "bose"}]}
        self.check_ranks(job)

    def test_krylov_and_diagonalisation_agree(self):
        for number, method in enumerate(("krylov", "diagonalize")):
            self.write(f"{method}.toml", self.job([8], 2, [1, 1, 1, 1, 0, 0, 0, 0], method))
            self.finish("run", f"{method}.toml", ranks=3 * number)
        self.assert_same(self.folder / "krylov.h5", self.folder / "diagonalize.h5", 1e-9)


class SteadyTest(ProgramCase):
    """Steady states of several sizes and rates, by the density matrix and by two-point functions."""

    def job(self, kind="xy", dephasing=0.3, **steady):
        ends = [{"site": 0, "temperature": 2.0, "rate": 0.8}, {"face": "x+", "temperature": 0.5, "rate": 0.8}]
        tables = chain(4, interaction={"kind": kind}, bath={"dephasing": dephasing, "reservoir": ends}, steady=steady)
        return {table: keys for table, keys in tables.items() if table not in ("initial", "time")}

    def test_methods_agree_on_all_ranks(self):
        """Density matrix and two-point functions: all datasets alike, whatever the number of ranks."""
        for method in ("auto", "two-point"):
            self.write(f"{method}.toml", self.job(method=method, sizes=[2, 3, 4, 5], rates=[0.5, 1.0], tolerance=1e-12))
        self.finish("run", "auto.toml")
        self.finish("run", "auto.toml", "--out", "a.h5", ranks=3)
        self.assert_same(self.folder / "auto.h5", self.folder / "a.h5", 1e-7)
        with h5py.File(self.folder / "auto.h5", "r+") as file:  # two-point functions have no density matrix
            for group in ("steady", *(f"steady/size_{size}" for size in (2, 3, 4, 5))):
                del file[f"{group}/smallest_eigenvalue"]
        for ranks in often(0, 4, nightly=(1, 2, 3)):
            self.finish("run", "two-point.toml", "--out", "a.h5", ranks=ranks)
            # errors of resistances and conductivities are rounding, kappa of cold sites magnifies it
            self.assert_same(self.folder / "auto.h5", self.folder / "a.h5", 1e-7)

    def test_a_state_that_fails_leaves_the_others(self):
        """Reservoirs 10^9 times faster than the chain: of their heats no digit of a double is left, and iterations
        have no more, on any processor."""
        self.write("a.toml", self.job(dephasing=0.0, method="iterative", sizes=[5, 6], rates=[1.0, 1e9]))
        for ranks in (0, 2):
            run = self.finish("run", "a.toml", ranks=ranks, code=1)
            self.assertEqual(run.out.count("no steady state: "), 2, run.out)
            self.assertEqual(run.err.count("could not be computed: they are NaN"), 1, run.err)
            found = datasets(self.folder / "a.h5")
            np.testing.assert_array_equal(np.isnan(found["steady/fit/current"]), [[False, False], [True, True]])
            self.assertTrue(np.all(np.isfinite(found["steady/populations"])))

    def test_direct_states_do_not_depend_on_ranks(self):
        """Bit for bit, whatever the number of ranks and however they meet."""
        self.write("a.toml", self.job("exchange", method="direct", sizes=[4, 5], dephasings=[0.0, 0.6]))
        self.finish("run", "a.toml")
        expected = datasets(self.folder / "a.h5")
        for ranks in often(2, 3, nightly=(1, 3)):
            self.finish("run", "a.toml", "--out", "b.h5", ranks=ranks)
            found = datasets(self.folder / "b.h5")
            for name in (name for name in expected if name.startswith("steady/")):
                np.testing.assert_array_equal(found[name], expected[name], name)

    def test_impossible_states_are_refused_at_once(self):
        """Each with its own reason, and before anything is computed."""
        cases = [({"strength": 0.0}, {}, "no bond joins site 1 to a reservoir (interaction.strength = 0)"),
                 ({"strength": 1e-200}, {}, "interaction.strength: 1e-200 is too small to be computed with"),
                 ({}, {"rate": 1e15}, "more than 1e+14 times faster than a bond"),
                 ({}, {"rate": 1e-200}, "rate: 1e-200 is too small to be computed with"),
                 ({}, {"temperature": 1e300, "statistics": "bose"}, "temperature: 1e+300 is too large to be computed with"),
                 ({}, {"temperature": 1e30, "statistics": "bose"}, "more than 1e+14 times faster than a bond")]
        for interaction, reservoir, message in cases:
            job = self.job(dephasing=0.0)
            job["interaction"] = {**job["interaction"], **interaction}
            job["bath"]["reservoir"][0] |= reservoir
            self.write("a.toml", job)
            run = self.finish("run", "a.toml", code=2)
            self.assertIn(message, run.err)

    def test_layout(self):
        self.write("a.toml", self.job("exchange", sizes=[3, 5], rates=[2.0, 1.0]))
        run = self.finish("run", "a.toml", ranks=2)
        found = datasets(self.folder / "a.h5")
        self.assertEqual(found["steady/sizes"].tolist(), [3, 5])
        self.assertEqual(found["model/site_energies"].shape, (4, 2))
        for size in (3, 5):
            group = f"steady/size_{size}"
            self.assertEqual(found[f"{group}/populations"].shape, (size, 2))
            self.assertEqual(found[f"{group}/site_energies"].shape, (size, 2))
            for name in ("current", "kappa", "diffusion"):
                self.assertEqual(found[f"{group}/{name}"].shape, (size - 1,))
        for name in ("populations", "energy", "current", "outflow", "temperature", "heat", "kappa"):
            np.testing.assert_array_equal(found[f"steady/{name}"], found[f"steady/size_5/{name}"])
        # profiles are those at the rates as given, which is the second row
        np.testing.assert_allclose(found["steady/fit/current"][1, 1], found["steady/heat"][0], rtol=1e-9)
        self.assertEqual(found["steady/fit/resistance"].shape, (2, 2))
        self.assertTrue(np.isfinite(found["steady/fit/conductivity"]).all())
        self.assertTrue(np.isnan(found["steady/fit/conductivity_error"]).all())
        self.assertIn("no error: fewer than 3 sizes", run.out)
        self.assertIn("transport undecided", run.out)

    def test_ballistic(self):
        """Without dephasing the current does not depend on the length, and that is what is said."""
        self.write("a.toml", self.job(dephasing=0.0, method="two-point", sizes=[3, 5, 9], rates=[0.5, 1.0]))
        run = self.finish("run", "a.toml")
        self.assertIn("transport ballistic at these sizes", run.out)
        left, right = 1.0 / (1.0 + np.exp(0.5)), 1.0 / (1.0 + np.exp(2.0))
        for row, rate in enumerate((0.4, 0.8)):
            current = 2.0 * 0.25 * rate * (left - right) / (4.0 * 0.25 + rate**2)
            np.testing.assert_allclose(datasets(self.folder / "a.h5")["steady/fit/current"][row], current, rtol=1e-9)

    OCCUPATIONS = 1.0 / (1.0 + np.exp(0.5)), 1.0 / (1.0 + np.exp(2.0))

    def test_dephasings_by_two_point_functions(self):
        """The closed formula (physics: steady states) in each variant, the rates outermost; gamma = 0 has no kappa'."""
        sizes, rates, gammas = [4, 7, 12, 20], [0.5, 1.0], [0.4, 0.0, 1.5]
        job = self.job(dephasing=1.5, method="two-point", sizes=sizes, rates=rates, dephasings=gammas)
        self.write("a.toml", job)
        for ranks in often(0, 3, nightly=(1, 2, 4)):
            run = self.finish("run", "a.toml", ranks=ranks)
            if ranks == 0:
                (self.folder / "a.h5").rename(self.folder / "first.h5")
        self.assert_same(self.folder / "first.h5", self.folder / "a.h5", 1e-9)
        found = datasets(self.folder / "a.h5")
        g, gamma = 0.8 * np.repeat(rates, 3), np.tile(gammas, 2)
        np.testing.assert_array_equal(found["steady/fit/rate"], np.repeat(rates, 3))
        np.testing.assert_array_equal(found["steady/fit/dephasing"], gamma)
        resistance = 2.0 / g[:, None] + ((np.array(sizes) - 1) * 2 * gamma[:, None] + g[:, None]) / (2 * 0.25)
        np.testing.assert_allclose(found["steady/fit/resistance"], resistance, rtol=1e-9)
        bias = self.OCCUPATIONS[0] - self.OCCUPATIONS[1]
        np.testing.assert_allclose(found["steady/fit/current"], bias / resistance, rtol=1e-9)
        known = gamma > 0
        np.testing.assert_allclose(found["steady/fit/conductivity"][known], 0.25 / gamma[known], rtol=1e-8)
        np.testing.assert_allclose(found["steady/fit/diffusion"][known], np.tile(0.25 / gamma[known], (4, 1)).T, rtol=1e-6)
        self.assertTrue(np.isposinf(found["steady/fit/conductivity"][~known]).all())
        for name in ("conductivity_error", "diffusion", "kappa"):
            self.assertTrue(np.isnan(found[f"steady/fit/{name}"][~known]).all(), name)
        # shown: factor 1 and the dephasing of the job's bath, the last variant
        np.testing.assert_allclose(found["steady/heat"][0], bias / resistance[5, 3], rtol=1e-9)
        np.testing.assert_allclose(found["steady/size_7/heat"][0], bias / resistance[5, 1], rtol=1e-9)
        with h5py.File(self.folder / "a.h5", "r") as file:
            verdict = bytes(file["steady/fit"].attrs["verdict"]).decode()
        words = ["dephasing 0.4: diffusive", "dephasing 0: ballistic", "dephasing 1.5: diffusive"]
        for line, expected in zip(verdict.splitlines(), words, strict=True):
            self.assertTrue(line.startswith(expected), verdict)
            self.assertIn(f"transport {line}\n", run.out)
        self.assertEqual(run.out.count("no growth with N to be told from zero"), 2)

    def test_dephasings_by_density_matrix(self):
        """Exchange: each variant is the job that has its rate and dephasing, and lies near lambda^2/gamma."""
        self.write("a.toml", self.job("exchange", dephasing=0.7, sizes=[3, 4, 5], rates=[2.0, 1.0], dephasings=[4.0, 0.2]))
        self.finish("run", "a.toml", ranks=2)
        found = datasets(self.folder / "a.h5")
        np.testing.assert_allclose(found["steady/fit/conductivity"][[0, 2]], 0.25 / 4.0, rtol=0.05)
        for ranks, gamma in enumerate((4.0, 0.2)):
            self.write("one.toml", self.job("exchange", dephasing=gamma, sizes=[3, 4, 5], rates=[2.0, 1.0]))
            self.finish("run", "one.toml", ranks=3 * ranks)
            one = datasets(self.folder / "one.h5")
            self.assertNotIn("steady/fit/dephasing", one)
            for name in (name for name in one if name.startswith("steady/fit/")):
                self.assertEqual(found[name].shape, (4, *one[name].shape[1:]), name)
                allowed = 1e-6 if name.endswith("_error") else 1e-9
                np.testing.assert_allclose(found[name][ranks::2], one[name], rtol=1e-7, atol=allowed, err_msg=name)
            if gamma == 4.0:  # neither factor 1 at 0.7 is listed, so the first variant is shown
                self.write("two.toml", self.job("exchange", dephasing=4.0, sizes=[3, 4, 5], rates=[2.0]))
                self.finish("run", "two.toml")
                two = datasets(self.folder / "two.h5")
                np.testing.assert_allclose(found["steady/size_4/current"], two["steady/size_4/current"], rtol=1e-9)

    def test_dephasings_of_one_size(self):
        """No fit, but the constants inside the chain, which is the lattice as it is."""
        for kind, spacing in (("xy", 2.0), ("exchange", 1.0)):
            job = self.job(kind, dephasing=0.5, dephasings=[0.0, 2.0, 0.5], method="direct")
            self.write("a.toml", {**job, "lattice": {"shape": [5], "spacing": spacing}})
            run = self.finish("run", "a.toml", ranks=3)
            found = datasets(self.folder / "a.h5")
            self.assertNotIn("steady/sizes", found)
            inside = found["steady/fit/diffusion"]
            self.assertEqual((inside.shape, found["steady/fit/conductivity"].shape), ((3, 1), (3,)))
            self.assertTrue(np.isnan(found["steady/fit/conductivity"]).all())
            self.assertEqual(run.out.count("steady state    dephasing"), 3)
            if kind == "xy":
                np.testing.assert_allclose(inside[:, 0], [np.nan, 0.5, 2.0], rtol=1e-6)
            else:
                np.testing.assert_allclose(inside[1, 0], 0.25 / 2.0, rtol=0.1)
            # shown is the bath's own dephasing, the third
            np.testing.assert_allclose(found["steady/diffusion"][1:3].mean(), inside[2, 0], rtol=1e-2)

    def test_check_knows_the_largest(self):
        """All variants are counted, and the memory is that of the most demanding one."""
        self.write("a.toml", self.job(sizes=[4, 300], rates=[1.0, 2.0], dephasings=[0.3, 0.0, 1.0]))
        check = self.finish("check", "a.toml")
        self.assertIn("12 states: chains of 4, 300 sites at 2 rate(s) of the reservoirs and dephasings 0.3, 0, 1;", check.out)
        self.assertIn("two-point functions of 300 sites", check.out)
        self.write("b.toml", self.job(dephasings=[0.3, 0.0]))
        check = self.finish("check", "b.toml")
        self.assertIn("2 states: the lattice of 4 sites", check.out)
        self.assertIn("density matrix of 70 elements", check.out)

    def test_three_levels_have_gradients_and_no_fit(self):
        job = self.job("exchange", sizes=[3, 4], rates=[1.0])
        job["site"] = {"levels": [0.0, 1.0, 1.7]}
        self.write("a.toml", job)
        run = self.finish("run", "a.toml", ranks=2)
        found = datasets(self.folder / "a.h5")
        self.assertTrue(np.isnan(found["steady/fit/conductivity"]).all())
        self.assertGreater(found["steady/size_4/kappa"][1], 0.0)
        self.assertGreater(found["steady/fit/diffusion"][0, 1], 0.0)
        self.assertIn("no fit", run.out)

    def test_long_chain_needs_no_method(self):
        """A density matrix of 200 sites fits nowhere: auto takes the two-point functions, and check says so."""
        self.write("a.toml", {**self.job(), "lattice": {"shape": [200]}})
        check = self.finish("check", "a.toml")
        self.assertIn("two-point functions of 200 sites", check.out)
        self.assertIn("two-point", self.finish("run", "a.toml", ranks=2).out)

    def test_bad_input(self):
        """One message, exit code 2, on any number of ranks."""
        bad = {
            r"steady\.sizes\[0\]: 1 is not possible": self.job(sizes=[1, 4]),
            r"steady\.sizes\[1\]: 4 is listed twice": self.job(sizes=[4, 4]),
            r"steady\.sizes\[1\]: 4 comes after 6": self.job(sizes=[6, 4]),
            r"steady\.rates\[0\]: -1": self.job(sizes=[4, 6], rates=[-1.0]),
            r"steady\.dephasings\[1\]: -1": self.job(dephasings=[1.0, -1.0]),
            r"steady\.dephasings\[2\]: 0.5 is listed twice": self.job(sizes=[4, 6], dephasings=[0.5, 0.0, 0.5]),
            r"steady\.dephasings: has 0 entries": self.job(dephasings=[]),
            r"steady\.method: the two-point functions of this model do not close: the interaction":
                self.job("exchange", method="two-point"),
            r"steady\.method: .*sites have 3 levels":
                {**self.job(method="two-point"), "site": {"levels": [0.0, 1.0, 2.0]}},
            r"interaction\.couplings: is for one size only":
                {**self.job(sizes=[4, 6]), "interaction": {"kind": "xy", "strength": 0.5, "couplings": [1.0, 2.0, 1.0]}},
            r"bath\.reservoir\[0\]\.temperature: 0 is not possible":
                {**self.job(), "bath": {"reservoir": [{"site": 0, "temperature": 0.0, "rate": 1.0}]}},
        }
        for number, (message, job) in enumerate(bad.items()):
            with self.subTest(message=message):
                self.write("a.toml", job)
                for ranks in ALONE_AND_THREE if number == 0 else often(0, nightly=(3,)):
                    run = self.finish("run", "a.toml", ranks=ranks, code=2, timeout=20.0)
                    self.assertRegex(run.err, message)
                    self.assertEqual(run.err.count("a.toml:"), 1, run.err)

    def test_no_answer_is_told(self):
        """A localised chain without dephasing relaxes more slowly than rounding can tell: an error on all ranks."""
        job = {**self.job(dephasing=0.0, method="two-point"), "lattice": {"shape": [150]}}
        job["site.detuning"] = {"distribution": "uniform", "width": 8.0}
        self.write("a.toml", job)
        for ranks in often(3, nightly=(0,)):
            run = self.finish("run", "a.toml", ranks=ranks, code=1)
            self.assertIn("not unique", run.err)
            self.assertEqual(run.err.count("qheat: "), 1, run.err)


class CommandLineTest(ProgramCase):
    """Subcommands, options, and PETSc's options."""

    def small_job(self, **tables):
        return self.write("a.toml", chain(4, **{"rates": {"kernels": ["tcl2"]}, **tables}))

    def test_help(self):
        for ranks in ALONE_AND_THREE:
            run = self.finish("--help", ranks=ranks)
            for word in ("run", "check", "info", "plot", "version"):
                self.assertEqual(run.out.count(f"  {word} "), 1, run.out)
        for word in ("run", "check", "info", "plot"):
            self.assertIn("Usage: qheat " + word, self.finish(word, "--help").out)
        self.assertIn("--resume", self.finish("run", "--help").out)

    def test_wrong_use(self):
        self.small_job()
        wrong = ([], ["fly"], ["--fly"], ["run"], ["run", "a.toml", "--fly"], ["run", "a.toml", "b.toml"], ["info"],
                 ["check", "a.toml", "--resume"], ["run", "a.toml", "--max-time"], ["run", "a.toml", "--max-time", "fast"],
                 ["run", "a.toml", "--max-time=-5"], ["run", "a.toml", "--max-time", "0"], ["run", "a.toml", "--max-time", ""])
        for words in wrong:
            with self.subTest(words=words):
                run = self.finish(*words, code=2)
                self.assertTrue(run.err.strip())
                self.assertFalse((self.folder / "a.h5").exists())

    def test_wrong_use_is_told_once(self):
        for words in ([], ["run", "--fly"]):
            run = self.finish(*words, ranks=3, code=2)
            self.assertEqual(run.err.count("--help"), 1, run.err)

    def test_version(self):
        run = self.finish("version")
        self.assertRegex(run.out, r"^qheat \d+\.\d+")
        for word in ("PETSc", "SLEPc", "HDF5", "MPI", "scalars", "-bit indices"):
            self.assertIn(word, run.out)

    def test_check(self):
        self.small_job(exact={})
        for ranks in ALONE_AND_THREE:
            run = self.finish("check", "a.toml", ranks=ranks)
            self.assertEqual(run.out.count("a.toml: valid"), 1)
            for word in ("4 sites", "3 bonds", "6 states", "memory", "GB"):
                self.assertIn(word, run.out)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["a.toml"])

    def test_info(self):
        self.write("a.toml", chain(4, exact={}, rates={"kernels": ["tcl2"]}))
        self.write("a.toml", 'title = "Four sites"\n' + (self.folder / "a.toml").read_text())
        self.finish("run", "a.toml")
        run = self.finish("info", "a.h5")
        for word in ("qheat results", "complete", "Four sites", "0 to 10, 11 outputs", "populations [11, 4, 2]"):
            self.assertIn(word, run.out)
        self.assertNotIn("NOT", run.out)
        self.assertLess(len(run.out.splitlines()), 25)

    def test_info_on_a_checkpoint(self):
        self.write("a.toml", chain(14, time={"end": 1000.0, "outputs": 2001}, exact={"method": "krylov"}))
        self.finish("run", "a.toml", "--max-time", "1", code=75)
        run = self.finish("info", "a.h5.chk")
        self.assertIn("qheat checkpoint", run.out)
        way = re.search(r"under way +exact/\S+: t = (\S+) of 1000, (\d+) % done", run.out)
        self.assertIsNotNone(way, run.out)
        self.assertLess(abs(float(way[1]) / 10 - int(way[2])), 1.01)
        self.assertNotIn("place", run.out)

    def test_info_on_other_files(self):
        self.write("garbage.h5", b"\x89HDF\r\n\x1a\n" + bytes(1000))
        self.write("text.h5", "hello\n")
        self.write("empty.h5", "")
        with h5py.File(self.folder / "other.h5", "w") as file:
            file["x"] = 1.0
        with h5py.File(self.folder / "odd.h5", "w") as file:
            file.attrs["filetype"] = 5
        with h5py.File(self.folder / "bare.h5", "w") as file:
            file.attrs["filetype"] = "qheat results"
        (self.folder / "folder.h5").mkdir()
        for name in ("garbage.h5", "text.h5", "empty.h5", "other.h5", "odd.h5", "bare.h5", "folder.h5", "absent.h5"):
            with self.subTest(name=name):
                run = self.finish("info", name, code=2)
                self.assertEqual(len(run.err.splitlines()), 1, run.err)
                self.assertIn(name, run.err)

    def test_plot_of_garbage(self):
        self.write("garbage.h5", b"not HDF5")
        for name in ("garbage.h5", "absent.h5"):
            run = self.finish("plot", name, code=2)
            self.assertIn(name, run.err)
            self.assertNotIn("Traceback", run.err)

    def test_petsc_options(self):
        self.small_job()
        run = self.finish("run", "a.toml", "--", "-rates_ts_monitor")
        self.assertRegex(run.out, r"TS dt .* time")
        self.assertNotIn("warning", run.err)
        run = self.finish("run", "a.toml", "--", "-rates_ts_monitr", "-log_view", ranks=3)
        self.assertEqual(run.err.count("-rates_ts_monitr was not used"), 1, run.err)

    def test_wrong_petsc_options(self):
        """Nonsense behind -- is bad input or a failure with PETSc's words, told once."""
        self.small_job()
        for words in (["-rates_ts_type", "nonsense"], ["-options_file", "absent.txt"]):
            for ranks in ALONE_AND_THREE:
                with self.subTest(words=words, ranks=ranks):
                    run = self.start("run", "a.toml", "--", *words, ranks=ranks)
                    self.assertIn(run.wait(), (1, 2), self.story(run))
                    self.assertEqual(run.err.count("qheat: "), 1, run.err)

    def test_petsc_environment_is_ignored(self):
        """What a run computes does not depend on the user's other programs."""
        self.small_job()
        (self.folder / ".petscrc").write_text("-rates_ts_type euler\n-rates_ts_monitor\n")
        run = self.finish("run", "a.toml", extra_environment={"PETSC_OPTIONS": "-rates_ts_monitor"})
        self.assertNotIn("TS dt", run.out)


class ModelTest(ProgramCase):
    """The parameters of a job in its results, in what info shows and in the log."""

    def test_parameters_are_numbers(self):
        ends = [{"site": 0, "temperature": float("inf"), "rate": 0.8}, {"face": "x+", "temperature": 0.5, "rate": 0.4}]
        job = chain(4, interaction={"anisotropy": 0.7, "couplings": [1.0, 2.0, 1.0]}, steady={"tolerance": 1e-12},
                    bath={"dephasing": 0.3, "reservoir": ends}, lattice={"spacing": 2.5},
                    site_detuning={"distribution": "uniform", "width": 0.1, "seed": 7})
        self.write("a.toml", job)
        run = self.finish("run", "a.toml")
        expected = {"shape": [4], "periodic": [0], "bonds_listed": 0, "spacing": 2.5, "levels": [0, 1], "bands": [0, 1],
                    "kind": b"exchange", "strength": 0.5, "anisotropy": 0.7, "detuning_listed": 0,
                    "detuning": b"uniform", "detuning_width": 0.1, "detuning_seed": 7, "realizations": 1,
                    "dephasing": 0.3, "reservoir_site": [0, 3], "reservoir_temperature": [np.inf, 0.5],
                    "reservoir_rate": [0.8, 0.4], "reservoir_statistics": [b"fermi", b"fermi"]}
        with h5py.File(self.folder / "a.h5") as file:
            found = dict(file["model"].attrs)
            self.assertEqual(sorted(found), sorted(expected))
            for name, value in expected.items():
                np.testing.assert_array_equal(found[name], value, name)
            np.testing.assert_array_equal(file["model/couplings"], [1.0, 2.0, 1.0])
            self.assertEqual(file["steady"].attrs["residual"].dtype, float)
            self.assertLess(file["steady"].attrs["residual"], 1e-9)
        shown = self.finish("info", "a.h5").out
        for word in ("kind = exchange", "anisotropy = 0.7", "reservoir_temperature = [inf, 0.5]", "residual = "):
            self.assertIn(word, shown)
        for text in (run.out, self.finish("check", "a.toml").out):
            self.assertRegex(text, r"interaction +exchange, anisotropy = 0\.7, couplings listed, lambda = 0\.5")
            self.assertIn("uniform detunings of width 0.1, seed 7", text)
            self.assertIn("spacing 2.5", text)

    def test_bath_correlation(self):
        job = chain(3, kernel={"exact": False, "orders": [2]})
        job["bath.correlation"] = {"kind": "bosons", "alpha": 0.1, "cutoff": 2.0, "temperature": 1.5}
        self.write("a.toml", job)
        self.finish("run", "a.toml")
        with h5py.File(self.folder / "a.h5") as file:
            found = {name: value for name, value in file["model"].attrs.items() if name.startswith("correlation")}
        self.assertEqual(found, {"correlation": b"bosons", "correlation_alpha": 0.1, "correlation_cutoff": 2.0,
                                 "correlation_temperature": 1.5})


class SizesOfNumbersTest(ProgramCase):
    """Whatever the sizes of its numbers, a job gives finite results or is refused."""

    SIZES = often(1e-50, 1e50, nightly=(1e-20, 1e20))

    def jobs(self):
        """Yield jobs in which one number is extreme, then those in which all of one kind are."""
        ends = [{"site": 0, "temperature": 2.0, "rate": 1.0}, {"site": 2, "temperature": 1.0, "rate": 1.0}]
        requests = {"exact": {}, "kernel": {"exact": True, "orders": [2, 4], "markov": True}, "rates": {"kernels": ["tcl2"]}}
        dephased = {"bath": {"dephasing": 0.3}}
        for size in self.SIZES:
            for change in ({"interaction": {"strength": size}}, {"time": {"end": size}}, {"lattice": {"spacing": size}},
                           {"site": {"levels": [0.0, size]}}, {"interaction": {"anisotropy": size}},
                           {"interaction": {"strength": size}, "time": {"end": size}},
                           {"interaction": {"strength": size}, "time": {"end": 1.0 / size}},
                           {"bath": {"dephasing": size}}):
                yield chain(3, **{**requests, **(dephased if "bath" not in change else {}), **change})
            hot = [{**end, "rate": size} for end in ends]
            for bath in ({"reservoir": hot, "dephasing": 0.1}, {"reservoir": ends, "dephasing": size}):
                yield chain(3, steady={}, bath=bath)

    def test_finite_or_refused(self):
        for number, job in enumerate(self.jobs()):
            with self.subTest(job=toml(job)):
                self.write("a.toml", job)
                run = self.start("run", "a.toml")
                self.assertIn(run.wait(), (0, 1, 2), self.story(run))
                self.assertNotIn("nan", re.sub(r"\d+ part.*", "", run.out + run.err).lower(), self.story(run))
                if run.code:
                    self.assertIn("qheat: ", run.err)
                    continue
                for name, values in datasets(self.folder / "a.h5").items():
                    if name.startswith("exact/") or name in ("steady/current", "steady/populations"):
                        self.assertTrue(np.isfinite(values).all(), name + self.story(run))
                    if name.endswith("exact/populations"):
                        np.testing.assert_allclose(values.sum(axis=2), 1.0, atol=1e-8)


class OutputTest(ProgramCase):
    """Where results go."""

    def setUp(self):
        super().setUp()
        self.write("a.toml", chain(4, exact={}))

    def test_default_name(self):
        inside = self.folder / "elsewhere"
        inside.mkdir()
        self.finish("run", "../a.toml", folder=inside)
        self.assertEqual([p.name for p in inside.iterdir()], ["a.h5"])

    def test_odd_names(self):
        (self.folder / "fou rier").mkdir()
        for name in ("fou rier/wärme → 1.h5", "$HOME 'x' \"y\".h5", "{} {0}.h5", "-leading.h5"):
            with self.subTest(name=name):
                run = self.finish("run", "a.toml", f"--out={name}", ranks=2)
                self.assertIn(name, run.out)
                datasets(self.folder / name)
        job = self.write("jöb {} name.toml", chain(4, exact={}))
        self.finish("run", job)
        datasets(self.folder / "jöb {} name.h5")

    def test_cannot_be_written(self):
        (self.folder / "file").write_text("x")
        (self.folder / "folder.h5").mkdir()
        for out in ("file/a.h5", "absent/a.h5", "folder.h5"):
            for ranks in ALONE_AND_THREE:
                with self.subTest(out=out, ranks=ranks):
                    run = self.start("run", "a.toml", "--out", out, ranks=ranks)
                    self.assertIn(run.wait(), (1, 2), self.story(run))
                    self.assertEqual(run.err.count("qheat: "), 1, run.err)
                    self.assertIn(out, run.err)
                    self.assertNotIn("propagation", run.err, "found out before computing")

    def test_only_results_are_replaced(self):
        """Notes, pipes and circles of links are refused before anything is computed, and stay as they are."""
        (self.folder / "notes.h5").write_text("precious")
        os.mkfifo(self.folder / "pipe.h5")
        (self.folder / "round.h5").symlink_to("about")
        (self.folder / "about").symlink_to("round.h5")
        for out in ("notes.h5", "pipe.h5", "round.h5"):
            for ranks in ALONE_AND_THREE:
                with self.subTest(out=out, ranks=ranks):
                    run = self.finish("run", "a.toml", "--out", out, ranks=ranks, code=2)
                    self.assertEqual(run.err.count("qheat: "), 1, run.err)
                    self.assertNotIn("propagation", run.err)
        self.assertEqual((self.folder / "notes.h5").read_text(), "precious")
        self.assertTrue((self.folder / "pipe.h5").is_fifo())

    def test_names_on_the_command_line(self):
        """Held to the rules of output.file; names beside that of the results must fit too."""
        for out in ("", "name", "a.txt", ".h5", "folder/", "a\x1b[31m.h5", "x" * 245 + ".h5"):
            with self.subTest(out=out):
                run = self.finish("run", "a.toml", "--out", out, code=2)
                self.assertEqual(run.err.count("qheat: "), 1, run.err)
                self.assertNotIn("\x1b", run.err)
                self.assertEqual([path.name for path in self.folder.iterdir()], ["a.toml"])

    def test_chain_of_links(self):
        (self.folder / "first.h5").symlink_to("second.h5")
        (self.folder / "second.h5").symlink_to("real.h5")
        self.finish("run", "a.toml", "--out", "first.h5")
        datasets(self.folder / "real.h5")
        self.assertTrue((self.folder / "second.h5").is_symlink())

    def test_symbolic_link(self):
        """Results go where a link points, and the link stays."""
        (self.folder / "disk").mkdir()
        (self.folder / "a.h5").symlink_to("disk/real.h5")
        self.finish("run", "a.toml")
        datasets(self.folder / "a.h5")
        self.assertTrue((self.folder / "a.h5").is_symlink())
        self.assertTrue((self.folder / "disk" / "real.h5").exists())

    def test_lost_output(self):
        """Where the output is all that there is its loss is a failure; results matter more than a log."""
        self.finish("run", "a.toml")
        for words in (["check", "a.toml"], ["info", "a.h5"], ["version"], ["--help"], ["plot", "a.h5", "--only", "currents"]):
            with self.subTest(words=words):
                full = ("/bin/sh", "-c", 'exec "$0" "$@" >/dev/full')
                run = self.finish(*words, code=1, wrapper=full)
                self.assertRegex(run.err, "cannot (be written|write)")
        for stream in (1, 2):
            run = self.finish("run", "a.toml", wrapper=("/bin/sh", "-c", f'exec "$0" "$@" {stream}>/dev/full'))
            self.assertEqual("could not be written; the results are in a.h5" in run.err, stream == 1)
            datasets(self.folder / "a.h5")

    def test_closed_pipe(self):
        """A reader that has seen enough does not end the run."""
        self.finish("run", "a.toml", wrapper=("/bin/bash", "-c", '"$0" "$@" | true; exit ${PIPESTATUS[0]}'))
        datasets(self.folder / "a.h5")

    def test_titles_and_names_that_would_act(self):
        """A title of any length and content is kept as it is, and shown so that it cannot do anything."""
        title = "red \x1b[31m \u202e" + "long " * 20000
        body = (self.folder / "a.toml").read_text()
        escaped = title.replace("\x1b", "\\u001b").replace("\u202e", "\\u202e")
        self.write("a\x1b[2J.toml", f'title = "{escaped}"\n' + body)
        for words in (["check", "a\x1b[2J.toml"], ["run", "a\x1b[2J.toml", "--out", "a.h5"], ["info", "a.h5"]):
            run = self.finish(*words)
            self.assertIn(r"red \x1b[31m \u202elong", run.out)
            for text in (run.out, run.err):
                self.assertNotRegex(text, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
                self.assertLess(max(map(len, text.splitlines()), default=0), 300)
        with h5py.File(self.folder / "a.h5") as file:
            self.assertEqual(file.attrs["title"].decode(), title)
        run = self.finish("check", "absent\x1b[2J.toml", code=2)
        self.assertIn(r"absent\x1b[2J.toml", run.err)

    def test_pipes_as_job_files(self):
        """They are read, and while nobody writes a signal still ends the run."""
        os.mkfifo(self.folder / "pipe.toml")
        for number in (signal.SIGTERM, signal.SIGUSR1):
            run = self.start("run", "pipe.toml")
            run.wait_until(lambda: "libmpi" in pathlib.Path(f"/proc/{run.process.pid}/maps").read_text(), "MPI")
            time.sleep(0.5)
            run.signal(number)
            self.assertEqual(run.wait(20.0), -number)
        self.finish("run", "/dev/fd/0", "--out", "b.h5", wrapper=("/bin/sh", "-c", 'cat a.toml | exec "$0" "$@"'))
        self.finish("run", "a.toml")
        self.assert_same(self.folder / "a.h5", self.folder / "b.h5")

    def test_failure_keeps_the_results_before(self):
        self.finish("run", "a.toml")
        before = (self.folder / "a.h5").read_bytes()
        self.write("a.toml", chain(40, exact={}))
        self.finish("run", "a.toml", code=1)
        self.assertEqual((self.folder / "a.h5").read_bytes(), before)


if __name__ == "__main__":
    main()
