#!/usr/bin/python3
"""Jobs that stand for many: every point is the run that its own job file would give, whoever computes it, and the
whole can be stopped, dealt out and put together.

    python3 tests/app/sweep_test.py PATH_TO_QHEAT [MPIEXEC]
"""

import csv
import pathlib
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from program import ProgramCase, chain, datasets, main, toml  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402

SCORES = ("symmetry", "locality", "additivity", "spectator_independence", "energy_conservation", "swap_fraction",
          "level_independence")


def swept(tables, **sweep):
    """Return the tables of a job with a table [sweep]; dots in its keys are written as two underscores."""
    return {**tables, "sweep": {key if key in ("combine", "average") else f'"{key.replace("__", ".")}"': value
                                for key, value in sweep.items()}}


def below(path, tree):
    """Return the datasets of {path: values} below a group, with the paths from there on."""
    return {name.removeprefix(path + "/"): value for name, value in tree.items() if name.startswith(path + "/")}


def until(time, score):
    """Return when a score falls below 0.95, by the definition."""
    known = ~np.isnan(score)
    time, score = time[known], score[known]
    if not score.size:
        return np.nan
    low = np.flatnonzero(score < 0.95)
    if not low.size:
        return np.inf
    k = low[0]
    if k == 0:
        return 0.0
    return time[k - 1] + (time[k] - time[k - 1]) * (score[k - 1] - 0.95) / (score[k - 1] - score[k])


class SweepCase(ProgramCase):
    """Runs of sweeps."""

    def run_sweep(self, tables, *arguments, **options):
        """Run a sweep as a.toml; return the run and its datasets."""
        self.write("a.toml", tables)
        run = self.finish("run", "a.toml", *arguments, **options)
        return run, datasets(self.folder / "a.h5")

    def run_point(self, tables):
        """Run a job by itself; return its datasets."""
        self.write("point.toml", tables)
        self.finish("run", "point.toml")
        return datasets(self.folder / "point.h5")

    def assert_equal(self, first, second, tolerance=0.0):
        """Check that two sets of datasets are the same, but for job files and timings."""
        first, second = ({name: value for name, value in found.items()
                          if name.split("/")[-1] not in ("job", "seconds") and "timing/" not in name} for found in (first, second))
        self.assertEqual(sorted(first), sorted(second))
        for name in first:
            np.testing.assert_allclose(first[name], second[name], rtol=0, atol=tolerance, err_msg=name)


class PointsTest(SweepCase):
    """Points are ordinary runs."""

    JOB = chain(4, exact={}, kernel={"exact": True, "orders": [2]}, rates={"kernels": ["tcl2"]})

    def test_grid_on_any_number_of_ranks(self):
        strengths, gammas = [0.1, 0.3, 0.9], [0.0, 0.2]
        alone = [self.run_point({**self.JOB, "interaction": {"kind": "exchange", "strength": strength},
                                 "bath": {"dephasing": gamma}}) for strength in strengths for gamma in gammas]
        for ranks in (0, 2, 3):
            _, found = self.run_sweep(swept(self.JOB, interaction__strength=strengths, bath__dephasing=gammas), ranks=ranks)
            np.testing.assert_array_equal(found["sweep/interaction.strength"], np.repeat(strengths, 2))
            np.testing.assert_array_equal(found["sweep/bath.dephasing"], gammas * 3)
            np.testing.assert_array_equal(found["sweep/finished"], 1)
            for number, expected in enumerate(alone):
                self.assert_equal(below(f"points/{number:04}", found), expected)
            self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                             ["a.h5", "a.toml", "point.h5", "point.toml"])

    def test_table_of_scalars(self):
        _, found = self.run_sweep(swept(self.JOB, interaction__strength=[0.05, 0.2, 0.8]), ranks=2)
        for number in range(3):
            point = below(f"points/{number:04}", found)
            for kernel in ("exact", "tcl2"):
                for score in SCORES:
                    expected = until(point["time"], point[f"kernel/{kernel}/{score}"])
                    np.testing.assert_allclose(found[f"sweep/scalar/kernel/{kernel}/{score}_until"][number], expected)
                np.testing.assert_allclose(found[f"sweep/scalar/kernel/{kernel}/mean_bond_rate"][number],
                                           point[f"kernel/{kernel}/bond_rate"][-1].mean())
            singular = point["kernel/exact/singular_times"]
            self.assertEqual(found["sweep/scalar/kernel/exact/first_singular_time"][number],
                             singular[0] if singular.size else np.inf)

    def test_sizes_and_starts_value_by_value(self):
        shapes, starts = [[2], [3], [4]], [[1, 0], [1, 0, 0], [1, 0, 0, 0]]
        _, found = self.run_sweep(swept(chain(4, exact={}), combine="zip", lattice__shape=shapes, initial__levels=starts))
        for number in range(3):
            self.assertEqual(found[f"points/{number:04}/exact/energy"].shape, (11, number + 2))
        np.testing.assert_array_equal(found["sweep/lattice.shape"], [0, 1, 2])
        with h5py.File(self.folder / "a.h5", "r") as file:
            texts = [text.decode() for text in file["sweep/lattice.shape"].attrs["values"]]
            self.assertEqual(texts, ["[2]", "[3]", "[4]"])
            self.assertEqual(file.attrs["filetype"], b"qheat results")
            self.assertEqual(file["points/0001"].attrs["filetype"], b"qheat results")
            self.assertEqual(file["points/0001"].attrs["complete"], 1)

    def test_more_ranks_than_points(self):
        """One point on all of three ranks, and two points on one rank each of three."""
        for strengths in ([0.3], [0.3, 0.5]):
            expected = self.run_point({**chain(4, exact={}), "interaction": {"kind": "exchange", "strength": 0.3}})
            _, found = self.run_sweep(swept(chain(4, exact={}), interaction__strength=strengths), ranks=3)
            self.assert_equal(below("points/0000", found), expected, tolerance=1e-12)


class AverageTest(SweepCase):
    """Means over averaged keys."""

    def test_disorder_average(self):
        """Of steady states and scores: numpy's mean and standard error over the points."""
        ends = [{"face": face, "temperature": t, "rate": 0.3} for face, t in (("x-", 2.0), ("x+", 0.5))]
        job = chain(4, site_detuning={"distribution": "uniform", "width": 0.1}, steady={}, exact={},
                    bath={"dephasing": 0.3, "reservoir": ends})
        seeds = {"from": 1, "to": 5, "points": 5}
        _, found = self.run_sweep(swept(job, interaction__strength=[0.2, 0.4], site__detuning__seed=seeds,
                                        average=["site.detuning.seed"]), ranks=2)
        np.testing.assert_array_equal(found["mean/interaction.strength"], [0.2, 0.4])
        np.testing.assert_array_equal(found["mean/points"], [5, 5])
        for group in range(2):
            points = [below(f"points/{5 * group + k:04}", found) for k in range(5)]
            mean = below(f"mean/{group:04}", found)
            for name in ("exact/energy", "steady/current", "steady/planes/inside_diffusion", "steady/populations"):
                values = np.array([point[name] for point in points])
                np.testing.assert_allclose(mean[name], values.mean(axis=0), rtol=1e-13, atol=1e-15, err_msg=name)
                np.testing.assert_allclose(mean[name + "_error"], values.std(axis=0, ddof=1) / np.sqrt(5), rtol=1e-9,
                                           atol=1e-15, err_msg=name)
            self.assertGreater(mean["steady/current_error"][0], 0.0)
            np.testing.assert_array_equal(mean["time"], points[0]["time"])
            self.assertNotIn("model/site_energies", mean)
            column = found["sweep/scalar/steady/mean_current"][5 * group:5 * group + 5]
            np.testing.assert_allclose(found["mean/scalar/steady/mean_current"][group], column.mean())
            np.testing.assert_allclose(found["mean/scalar/steady/mean_current_error"][group],
                                       column.std(ddof=1) / np.sqrt(5))


class ExportTest(SweepCase):
    """Tables hold the numbers of the file, to the last digit."""

    def read(self, name):
        """Return a table as a list of {column: text}."""
        with open(self.folder / name, newline="") as file:
            return list(csv.DictReader(file))

    def test_sweep(self):
        job = chain(3, site_detuning={"distribution": "uniform", "width": 0.1}, exact={}, kernel={"exact": False})
        shapes = {"lattice__shape": [[2], [2], [3], [3]], "site__detuning__seed": [1, 2, 1, 2],
                  "initial__levels": [[1, 0], [1, 0], [1, 0, 0], [1, 0, 0]]}
        _, found = self.run_sweep(swept(job, combine="zip", average=["site.detuning.seed"], **shapes))
        run = self.finish("export", "a.h5", "--csv")
        self.assertIn("tables in a_csv", run.out)
        table = self.read("a_csv/sweep.csv")
        self.assertEqual([line["lattice.shape"] for line in table], ["[2]", "[2]", "[3]", "[3]"])
        self.assertEqual([line["site.detuning.seed"] for line in table], ["1", "2", "1", "2"])
        for name, column in found.items():
            if name.startswith("sweep/scalar/"):
                np.testing.assert_array_equal([float(line[name.removeprefix("sweep/scalar/")]) for line in table], column)
        means = self.read("a_csv/mean.csv")
        self.assertEqual([line["points"] for line in means], ["2", "2"])
        energy = self.read("a_csv/points/0002/exact/energy.csv")
        self.assertEqual(len(energy), 11 * 3)
        np.testing.assert_array_equal([float(line["energy"]) for line in energy],
                                      found["points/0002/exact/energy"].ravel())
        self.assertEqual(len(energy[0]), 3)
        self.assertEqual([line[list(line)[1]] for line in energy[:6]], ["0", "1", "2"] * 2)
        self.assertTrue((self.folder / "a_csv/mean/0001/exact/energy_error.csv").exists())

    def test_single_file_and_mistakes(self):
        self.write("b.toml", chain(3, exact={}))
        self.finish("run", "b.toml")
        self.finish("export", "b.h5", "--csv", "-o", "x/y")
        norm = self.read("x/y/exact/norm.csv")
        np.testing.assert_array_equal([float(line["norm"]) for line in norm], datasets(self.folder / "b.h5")["exact/norm"])
        self.finish("export", "b.h5", code=2)  # the format must be said
        self.assertIn("there is no file", self.finish("export", "c.h5", "--csv", code=2).err)
        self.assertIn("no HDF5 file", self.finish("export", "b.toml", "--csv", code=2).err)
        self.assertIn("cannot be written", self.finish("export", "b.h5", "--csv", "-o", "/proc/x", code=1).err)


class FailureTest(SweepCase):
    """One point that fails does not take the others with it."""

    LARGE = swept(chain(4, exact={"method": "diagonalize"}), combine="zip", lattice__shape=[[4], [24], [3]],
                  initial__levels=[[1, 0, 0, 0], [1, 0] * 12, [1, 0, 0]])

    def test_a_point_that_does_not_fit(self):
        for ranks in (0, 2):
            run, found = self.run_sweep(self.LARGE, ranks=ranks, code=1)
            self.assertEqual(run.err.count("does not fit here"), 2, run.err)  # at once, and in the list at the end
            self.assertRegex(run.err, r"point 1 \(lattice\.shape = \[24\], ")
            self.assertRegex(run.err, r"1 point\(s\) without results: 1; ")
            np.testing.assert_array_equal(found["sweep/finished"], [1, 0, 1])
            self.assertIn("points/0002/exact/energy", found)
            self.assertNotIn("points/0001/exact/energy", found)
            with h5py.File(self.folder / "a.h5", "r") as file:
                failures = [text.decode() for text in file["sweep"].attrs["failures"]]
            self.assertEqual(len(failures), 1)
            self.assertIn("does not fit here", failures[0])
            self.assertTrue((self.folder / "a.h5.points" / "0000.h5").exists())

    def test_means_count_what_is_there(self):
        job = swept(chain(4, exact={}), combine="zip", average=["time.end"],
                    lattice__shape=[[2], [2], [36], [36], [2]], interaction__strength=[0.1, 0.1, 0.1, 0.1, 0.2],
                    time__end=[1.0, 2.0, 1.0, 2.0, 1.0],
                    initial__levels=[[1, 0], [1, 0], [1, 0] * 18, [1, 0] * 18, [1, 0]])
        _, found = self.run_sweep(job, code=1)
        np.testing.assert_array_equal(found["mean/points"], [2, 0, 1])
        self.assertNotIn("mean/0001/exact/energy", found)
        self.assertTrue(np.isnan(found["mean/0002/exact/energy_error"]).all())

    def test_check_tells_it(self):
        self.write("a.toml", self.LARGE)
        run = self.finish("check", "a.toml", code=1)
        self.assertRegex(run.err, r"point 1 \(.*\): needs .* GB a rank")
        self.assertRegex(run.err, r"1 of 3 point\(s\) cannot be computed here")


class BadSweepTest(SweepCase):
    """Refused before anything runs, all at once."""

    def refused(self, tables, *said, ranks=(0, 3)):
        for number in ranks:
            self.write("a.toml", tables)
            run = self.finish("run", "a.toml", ranks=number, code=2)
            for pattern in said:
                self.assertRegex(run.err, pattern)
            self.assertEqual([path.name for path in self.folder.iterdir()], ["a.toml"])
        return run.err

    def test_values_that_are_not_allowed(self):
        said = self.refused(swept(chain(4, exact={}), interaction__strength=[0.1, "much"], time__outputs=[11, -1, 12, 0]),
                            r"a\.toml:\d+:\d+: time\.outputs: -1 is not possible.* \(point 1: interaction\.strength = 0\.1, "
                            r"time\.outputs = -1; 2 points in all\)",
                            r"time\.outputs: 0 is not possible", r"interaction\.strength: .*\(point 4: ", "3 problems")
        self.assertEqual(said.count("-1 is not possible"), 1)

    def test_keys_that_do_not_exist(self):
        self.refused(swept(chain(4, exact={}), interaction__strenght=[0.1, 0.2]),
                     r"a\.toml:\d+:\d+: interaction\.strenght: .*did you mean strength\? \(at all points\)")

    def test_too_many_points(self):
        many = {"from": 1, "to": 2000, "points": 2000}
        self.refused(swept(chain(4, exact={}), site__detuning__seed=many, interaction__strength=many),
                     r"more than 1000000 points")

    def test_what_this_version_cannot_do(self):
        detuning = {"distribution": "uniform", "width": 0.1, "realizations": 2}
        self.refused(swept(chain(4, spectrum={}, site_detuning=detuning), interaction__strength=[0.1, 0.2]),
                     r"this version does not average spectra over realizations.*\(at all points\)", ranks=(0,))

    def test_other_places(self):
        """Of a single job there are no points; nor is 0/3 a share."""
        self.write("b.toml", chain(4, exact={}))
        self.assertIn("stands for one job", self.finish("run", "b.toml", "--point", "1/2", code=2).err)
        self.assertIn("stands for one job", self.finish("collect", "b.toml", code=2).err)
        self.write("a.toml", swept(chain(4, exact={}), interaction__strength=[0.1]))
        for share in ("0/3", "4/3", "x", "1"):
            self.assertIn("--point", self.finish("run", "a.toml", "--point", share, code=2).err)
        self.assertIn("no point has been computed", self.finish("collect", "a.toml", code=1).err)


class SharesTest(SweepCase):
    """Job arrays: shares in runs of their own, put together afterwards."""

    JOB = swept(chain(4, exact={}), interaction__strength=[0.1, 0.2, 0.3, 0.4, 0.5])

    def test_shares_and_collect(self):
        _, expected = self.run_sweep(self.JOB, "--out", "a.h5")
        (self.folder / "a.h5").unlink()
        self.finish("run", "a.toml", "--point", "1/3")
        self.finish("run", "a.toml", "--point", "3/3", ranks=2)
        run = self.finish("collect", "a.toml", code=1)
        self.assertRegex(run.err, r"2 point\(s\) without results: 1, 4; ")
        found = datasets(self.folder / "a.h5")
        np.testing.assert_array_equal(found["sweep/finished"], [1, 0, 1, 1, 0])
        self.finish("run", "a.toml", "--point", "2/3")
        self.finish("collect", "a.toml", ranks=2)
        self.assert_equal(datasets(self.folder / "a.h5"), expected)
        self.assertFalse((self.folder / "a.h5.points").exists())

    def test_another_job(self):
        """Points of another job are not taken for those of this one."""
        self.write("a.toml", self.JOB)
        self.finish("run", "a.toml", "--point", "1/2")
        self.write("a.toml", swept(chain(4, exact={}), interaction__strength=[0.1, 0.2, 0.3, 0.4, 0.6]))
        for words in (("collect", "a.toml"), ("run", "a.toml", "--resume")):
            self.assertIn("holds points of another job", self.finish(*words, code=2).err)
        self.finish("run", "a.toml")
        np.testing.assert_array_equal(datasets(self.folder / "a.h5")["sweep/interaction.strength"],
                                      [0.1, 0.2, 0.3, 0.4, 0.6])


class StopTest(SweepCase):
    """Stopped and resumed sweeps give what uninterrupted ones give."""

    # some seconds each, with a safe point every few milliseconds
    JOB = swept(chain(12, exact={"method": "chebyshev"}, time={"end": 400.0, "outputs": 201}),
                interaction__strength=[0.5, 0.6, 0.7, 0.8, 0.9, 1.0])

    def test_signal_and_resume(self):
        _, expected = self.run_sweep(self.JOB, ranks=2, timeout=200)
        (self.folder / "a.h5").unlink()
        points = self.folder / "a.h5.points"
        run = self.start("run", "a.toml", ranks=2)
        self.assertTrue(run.wait_until(lambda: (points / "0005.h5").exists() or (points / "0004.h5").exists(), "a point"))
        run.signal(signal.SIGUSR1, run.rank_pids()[1:])  # one group's signal ends all
        self.assertEqual(run.wait(), 75, self.story(run))
        self.assertIn("go on with --resume", run.err)
        self.assertFalse((self.folder / "a.h5").exists())
        left = sorted(path.name for path in points.iterdir())
        finished = [name for name in left if name.endswith(".h5")]
        self.assertLess(len(finished), 6, left)
        before = {name: (points / name).stat().st_mtime_ns for name in finished}
        run = self.start("run", "a.toml", "--resume", "--max-time", "1s", ranks=2)
        self.assertIn(run.wait(), (0, 75), self.story(run))
        self.assertRegex(run.err, rf"[{len(finished)}-6] of 6 points are finished already")
        for name, when in before.items():
            if (points / name).exists():
                self.assertEqual((points / name).stat().st_mtime_ns, when)
        self.finish("run", "a.toml", "--resume", ranks=2, timeout=200)
        self.assert_equal(datasets(self.folder / "a.h5"), expected)


if __name__ == "__main__":
    main()
