#!/usr/bin/python3
"""Tests of the pictures of many: sweeps, averages, several files.

    /usr/bin/python3 tests/plot/sweep_plot_test.py
"""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from plot_test import PlotterCase, write_file  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402

from figures import many, sweep  # noqa: E402
from figures.results import NotDrawn, Results  # noqa: E402

TIMES = np.linspace(0, 10, 21)


def point(strength, gamma=0.0):
    """Return the datasets of one point: scores that fall as (strength t)^2, a current, a D with its error."""
    score = np.exp(-(strength * TIMES)**2 - gamma * TIMES / 100)
    score[0] = np.nan
    datasets = {"time": TIMES, "kernel/exact/singular_times": np.array([4 / strength] if strength > 0.4 else []),
                "steady/planes/current": np.full(3, strength**2), "steady/planes/inside_diffusion": np.array([strength]),
                "steady/planes/inside_diffusion_error": np.array([0.1 * strength]),
                "exact/energy": np.outer(np.exp(-strength * TIMES), [1.0, 0.5])}
    for kernel in ("exact", "tcl2"):
        datasets[f"kernel/{kernel}/bond_rate"] = np.outer(TIMES, [strength, 3 * strength])
        for name in many.SCORES:
            datasets[f"kernel/{kernel}/{name}"] = score if name != "level_independence" else np.full(21, np.nan)
    return datasets


def job(strength, gamma):
    return f'title = "Many"\n[interaction]\nstrength = {strength}\n[bath]\ndephasing = {gamma}\n'


class ManyCase(PlotterCase):
    """Tests with files of many."""

    def write_sweep(self, name, strengths, gammas=(0.0,), averaged=False, left_out=()):
        """Write a sweep's file, of means with errors if `averaged`."""
        values = [(strength, gamma) for strength in strengths for gamma in gammas]
        parts = "mean" if averaged else "points"
        datasets, table = {}, {}
        for number, (strength, gamma) in enumerate(values):
            if number in left_out:
                continue
            for path, value in point(strength, gamma).items():
                datasets[f"{parts}/{number:04}/{path}"] = value
                if averaged and path == "exact/energy":
                    datasets[f"{parts}/{number:04}/{path}_error"] = 0.05 * value
            write_file(self.directory / "one.h5", point(strength, gamma), job=job(strength, gamma))
            with Results(self.directory / "one.h5") as results:
                for scalar, value in many.scalars_of(results).items():
                    table.setdefault(scalar, np.full(len(values), np.nan))[number] = value
        group = "mean" if averaged else "sweep"
        for scalar, value in table.items():
            datasets[f"{group}/scalar/{scalar}"] = value
            if averaged and not scalar.endswith("_error"):
                datasets[f"{group}/scalar/{scalar}_error"] = 0.2 * value
        datasets["sweep/point"] = np.arange(len(values))
        for key, column in zip(("interaction.strength", "bath.dephasing"), np.array(values).T):
            datasets[f"{group}/{key}"] = column
        write_file(self.directory / name, datasets, job='title = "Many"')
        with h5py.File(self.directory / name, "r+") as file:
            file["sweep"].attrs["keys"] = [b"interaction.strength", b"bath.dephasing"] + [b"site.detuning.seed"] * averaged
            if averaged:
                file["sweep"].attrs["average"] = [b"site.detuning.seed"]
        return self.directory / name

    def many(self, name):
        results = Results(self.directory / name)
        self.addCleanup(results.__exit__)
        return many.of_sweep(results)

    def curve(self, ax, number):
        """Return what one errorbar of a panel shows: x, y, half lengths of its bars (None without)."""
        line, _, bars = ax.containers[number]
        ends = bars[0].get_segments() if bars else None
        return (np.array(line.get_xdata()), np.array(line.get_ydata()),
                None if ends is None else np.array([(end[1, 1] - end[0, 1]) / 2 for end in ends]))


class SweepPictures(ManyCase):
    STRENGTHS = [0.02, 0.1, 0.2, 0.42]

    def test_all_pictures(self):
        self.write_sweep("a.h5", self.STRENGTHS, [0.0, 0.5])
        names = ["assumptions_until", "scores", "bond_rate", "singular_time", "diffusion", "current"]
        self.check_pictures(self.call_plotter("a.h5"), names, "a_plots")

    def test_numbers_are_those_of_the_file(self):
        self.write_sweep("a.h5", self.STRENGTHS)
        figure = sweep.draw_scalar(self.many("a.h5"), "steady/planes/inside_diffusion")
        x, y, bars = self.curve(figure.axes[0], 0)
        np.testing.assert_array_equal(x, self.STRENGTHS)
        np.testing.assert_array_equal(y, self.STRENGTHS)
        np.testing.assert_allclose(bars, 0.1 * y)
        self.assertEqual((figure.axes[0].get_xscale(), figure.axes[0].get_yscale()), ("log", "log"))

    def test_scores_that_hold_to_the_end_are_marked(self):
        self.write_sweep("a.h5", self.STRENGTHS)
        ax = sweep.draw_holds(self.many("a.h5")).axes[1]  # locality
        x, y, _ = self.curve(ax, 0)
        np.testing.assert_array_equal(x, self.STRENGTHS[1:])
        np.testing.assert_allclose(y, np.sqrt(-np.log(0.95)) / x, rtol=0.05)  # of the curves; steps of 0.5
        open_ends = [line for line in ax.lines if line.get_marker() == "^"]
        self.assertEqual({(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in open_ends}, {(0.02, 10.0)})
        self.assertTrue(any("not tested" in text.get_text() for text in sweep.draw_holds(self.many("a.h5")).axes[6].texts))

    def test_other_keys_are_lines_of_their_own(self):
        self.write_sweep("a.h5", self.STRENGTHS, [0.0, 0.5])
        found = self.many("a.h5")
        self.assertEqual([label for label, _ in found.families], ["dephasing = 0", "dephasing = 0.5"])
        self.assertEqual(len(sweep.draw_scalar(found, "steady/mean_current").axes[0].containers), 2)
        found = self.many("a.h5")
        found.choose_against("bath.dephasing")
        self.assertEqual(len(found.families), 4)
        process = self.call_plotter("a.h5", "--only", "current", "--against", "bath.dephasng")
        self.check_refusal(process, 2, "nothing differs in 'bath.dephasng'", "interaction.strength, bath.dephasing")

    def test_averages_have_error_bars(self):
        self.write_sweep("a.h5", self.STRENGTHS, averaged=True)
        found = self.many("a.h5")
        x, y, bars = self.curve(sweep.draw_scalar(found, "steady/mean_current").axes[0], 0)
        np.testing.assert_allclose(bars, 0.2 * y)
        np.testing.assert_allclose(y, x**2)
        ax = sweep.draw_series(found, "exact/energy[1]").axes[0]
        self.assertEqual(len(ax.collections), 4)
        self.assertIn("mean over detuning.seed", ax.figure._supxlabel.get_text())

    def test_any_dataset(self):
        self.write_sweep("a.h5", self.STRENGTHS, left_out=[2])
        found = self.many("a.h5")
        lines = sweep.draw_series(found, "exact/energy[1]").axes[0].lines
        np.testing.assert_allclose([line.get_ydata()[-1] for line in lines],
                                   [0.5 * np.exp(-10 * strength) for strength in (0.02, 0.1, 0.42)])
        process = self.call_plotter("a.h5", "--only", "exact/energy[0],steady/mean_current", "-o", "x")
        self.check_pictures(process, ["exact_energy_0", "steady_mean_current"], "x")
        self.assertIn("some points have no results", process.stderr)
        for name, reason in (("exact/energy", "choose one series, such as exact/energy[0]"), ("exact/x", "no point has")):
            with self.assertRaisesRegex(NotDrawn, reason.replace("[", r"\[")):
                sweep.draw_series(found, name)

    def test_one_point_as_a_file(self):
        self.write_sweep("a.h5", self.STRENGTHS)
        process = self.call_plotter("a.h5", "--point", "2", "--only", "assumptions", "-o", "x")
        self.check_pictures(process, ["assumptions"], "x")
        self.check_refusal_of_point()

    def check_refusal_of_point(self):
        process = self.call_plotter("a.h5", "--point", "7")
        self.assertEqual(process.returncode, 2)
        self.assertIn("has no point 7", process.stderr)

    def test_values_that_are_no_numbers(self):
        self.write_sweep("a.h5", [0.0, 1.0, 2.0])
        with h5py.File(self.directory / "a.h5", "r+") as file:
            file["sweep/interaction.strength"].attrs["values"] = [b"[2]", b"[3]", b"[4]"]
        ax = sweep.draw_scalar(self.many("a.h5"), "steady/mean_current").axes[0]
        self.assertEqual([text.get_text() for text in ax.get_xticklabels()], ["[2]", "[3]", "[4]"])


class SeveralFiles(ManyCase):
    def write_files(self, values):
        names = []
        for number, (strength, gamma) in enumerate(values):
            names.append(f"{'abcdef'[number]}.h5")
            write_file(self.directory / names[-1], point(strength, gamma), job=job(strength, gamma))
        return names

    def test_against_what_differs(self):
        names = self.write_files([(0.5, 0.0), (0.1, 0.0), (1.0, 0.0)])
        files = [Results(self.directory / name) for name in names]
        for file in files:
            self.addCleanup(file.__exit__)
        found = many.of_files(files)
        self.assertEqual([key.name for key in found.keys], ["interaction.strength"])
        x, y, _ = self.curve(sweep.draw_scalar(found, "steady/mean_current").axes[0], 0)
        np.testing.assert_array_equal(x, [0.1, 0.5, 1.0])
        np.testing.assert_allclose(y, x**2)
        process = self.call_plotter(*names, "--only", "current,scores")
        self.check_pictures(process, ["current", "scores"], "a_plots")

    def test_files_that_do_not_differ(self):
        names = self.write_files([(0.5, 0.0), (0.5, 0.0)])
        self.check_refusal(self.call_plotter(*names), 2, "do not differ")
        self.check_refusal(self.call_plotter(names[0], "--against", "x"), 2, "--against is for sweeps")


class Definitions(unittest.TestCase):
    def test_until(self):
        time = np.arange(4.0)
        self.assertAlmostEqual(many.until(time, np.array([np.nan, 1, 0.97, 0.93])), 2.5)
        self.assertEqual(many.until(time, np.ones(4)), np.inf)
        self.assertEqual(many.until(time, np.array([np.nan, 0.9, 1, 1])), 0)
        self.assertTrue(np.isnan(many.until(time, np.full(4, np.nan))))

    def test_names(self):
        self.assertEqual(sweep.column_of("exact/populations[0,12]"), ("exact/populations", (0, 12)))
        self.assertEqual(sweep.column_of("exact/norm"), ("exact/norm", ()))
        self.assertEqual(many.flat({"a": {"b": 1, "c": [{"d": 2}, {"d": 3}]}}), {"a.b": 1, "a.c[0].d": 2, "a.c[1].d": 3})


if __name__ == "__main__":
    unittest.main()
