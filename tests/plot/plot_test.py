#!/usr/bin/python3
"""Tests of the picture maker on complete, minimal, odd and broken results files.

    /usr/bin/python3 tests/plot/plot_test.py
    /usr/bin/python3 -m unittest discover -s tests/plot -p plot_test.py
"""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the matrices are small
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's h5py belongs to

try:
    import h5py
except ImportError:
    if __name__ != "__main__" or sys.executable == SYSTEM_PYTHON or not os.path.exists(SYSTEM_PYTHON):
        raise
    os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])

import matplotlib.figure
import matplotlib.image
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
PLOT = HERE.parents[1] / "src" / "plot"
sys.path[:0] = [str(HERE), str(PLOT)]

import make_sample  # noqa: E402
import qheat_plot  # noqa: E402
from figures import (FAMILIES, TIMELESS, assumptions, condition, conservation, diffusion,  # noqa: E402
                     diffusion_dephasing, elements, families, fluctuations, kernel_rates, kernels, layout, memory,
                     populations, profiles, singular, space_time, steady, style, tcl_error, view, waves)
from figures.results import NotDrawn, Results  # noqa: E402

NIGHTLY = bool(os.environ.get("QHEAT_NIGHTLY"))
ALL = [name for name, _ in FAMILIES]
# pictures of a file with second-order rate equations and no more
COMMON = ["populations", "space_time", "currents", "kernel_rates", "error", "profiles", "conservation"]
TIMES = np.linspace(0, 10, 21)


def write_file(path, datasets, attributes=(), job='title = "Odd"'):
    """Write a results file from {path: values}."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"filetype": "qheat results", "format_version": [1, 0], "complete": [1],
                           **dict(attributes)})
        if job is not None:
            file["job"] = job
        for name, values in datasets.items():
            file[name] = values


def everything(excited, times, bonds):
    """Return a full set of datasets in which all solutions are equal; excited [T, N]."""
    sites, steps = excited.shape[1], len(times)
    levels = make_sample.both_levels(excited)
    datasets = {"time": times, "model/bonds": np.array(bonds, dtype=int).reshape(-1, 2),
                "exact/populations": levels, "exact/energy": excited,
                "exact/current": np.zeros((steps, len(bonds))) * excited[:, :1],
                "exact/norm": excited.sum(axis=1), "exact/total_energy": excited.sum(axis=1),
                "kernel/cells": np.eye(sites, dtype=int),
                "kernel/tcl2/generator": np.ones((steps, sites, sites)) * excited[:, :1, None],
                "kernel/tcl2/bond_rate": np.ones((steps, len(bonds))) * excited[:, :1],
                "sites/tcl2/closure_error": np.zeros(steps) * excited[:, 0]}
    for parent in ("rates/tcl2", "sites/tcl2"):
        datasets[f"{parent}/populations"] = levels
        datasets[f"{parent}/energy"] = excited
    return datasets


class PlotterCase(unittest.TestCase):
    """A test with a scratch directory, in which the plotter runs."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def run_plotter(self, *arguments):
        """Run the plotter as a user does; return the finished process."""
        return subprocess.run([sys.executable, str(PLOT / "qheat_plot.py"), *map(str, arguments)],
                              cwd=self.directory, capture_output=True, text=True, timeout=200)

    @unittest.mock.patch.object(style, "DPI", 100)
    def call_plotter(self, *arguments):
        """Run the plotter within this process, fast and coarse; return what `run_plotter` returns."""
        command, here = [str(argument) for argument in arguments], os.getcwd()
        os.chdir(self.directory)
        try:
            with contextlib.redirect_stdout(io.StringIO()) as out, \
                    contextlib.redirect_stderr(io.StringIO()) as err:
                code = qheat_plot.main(command)
        finally:
            os.chdir(here)
        return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())

    def check_picture(self, path):
        """Check that a picture has something in it: dark and coloured points on white."""
        self.assertGreater(path.stat().st_size, 2000, path)
        if path.suffix == ".svg":
            root = xml.etree.ElementTree.parse(path).getroot()
            self.assertTrue(root.tag.endswith("svg"))
            return
        image = matplotlib.image.imread(path)[:, :, :3]
        self.assertGreater(min(image.shape[:2]), 400)
        inked = (image.min(axis=2) < 0.8).mean()
        self.assertGreater(inked, 0.002, path)

    def check_pictures(self, process, names, directory, formats=("png",)):
        """Check exit code, printed list and written files; all pictures are in good order."""
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        expected = [f"{directory}/{name}.{suffix}" for name in names for suffix in formats]
        self.assertEqual(process.stdout.split(), expected)
        written = sorted(path.name for path in (self.directory / directory).iterdir())
        self.assertEqual(written, sorted(pathlib.Path(path).name for path in expected))
        for path in expected:
            self.check_picture(self.directory / path)

    def check_refusal(self, process, code, *words):
        """Check for a one-line error with the given words, and nothing written."""
        self.assertEqual(process.returncode, code, process.stderr)
        self.assertEqual(process.stdout, "")
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        self.assertTrue(process.stderr.startswith("qheat plot: "), process.stderr)
        for word in words:
            self.assertIn(word, process.stderr)
        self.assertEqual(list(self.directory.glob("**/*.png")), [])


class CompleteFiles(PlotterCase):
    """Files with all that the program writes."""

    def test_all_pictures_in_the_default_directory_and_the_same_bytes_again(self):
        make_sample.write_sample(self.directory / "chain.h5", shape=(4,), times=41, ensemble=3,
                                 kernels=make_sample.ALL_KERNELS)
        process = self.call_plotter("chain.h5", "--svg")
        self.check_pictures(process, ALL, "chain_plots", ("png", "svg"))
        self.assertNotIn("not drawn", process.stderr)
        for folder in ("once", "again"):
            process = self.run_plotter("chain.h5", "-o", folder, "--format", "svg,png", "--only", "ensemble,space_time,error")
            self.assertEqual(process.returncode, 0)
        self.assertEqual(len([*(self.directory / "again").iterdir()]), 6)
        for path in (self.directory / "again").iterdir():
            twin = self.directory / "once" / path.name
            self.assertEqual(path.read_bytes(), twin.read_bytes(), path.name)

    def test_exact_kernel_with_singular_times(self):
        make_sample.write_sample(self.directory / "kernels.h5", shape=(5,), kernels=("exact", "tcl2"))
        with h5py.File(self.directory / "kernels.h5") as file:
            self.assertGreater(file["kernel/exact/singular_times"].size, 0)
            self.assertTrue(np.isnan(file["sites/exact/energy"][-1]).all())
        process = self.call_plotter("kernels.h5", "-o", "a/b")
        self.check_pictures(process, [name for name in ALL if name not in ("ensemble", "memory")], "a/b")

    def test_steady_state_needs_no_times(self):
        values = {"energy": np.linspace(0.4, 0.2, 6), "temperature": np.linspace(2.0, 0.9, 6), "current": np.full(5, 0.1)}
        bonds = np.array([[i, i + 1] for i in range(5)])
        named = {f"steady/{name}": value for name, value in values.items()}
        write_file(self.directory / "hot.h5", {"time": np.zeros(0), "model/bonds": bonds, **named})
        process = self.call_plotter("hot.h5")
        self.check_pictures(process, ["steady"], "hot_plots")
        self.assertNotIn("not drawn", process.stderr)

    def draw_steady(self, datasets, **attributes):
        """Write hot.h5 with datasets of /steady and a lattice of 3 x 2 sites; return the figure of `steady`."""
        bonds = np.array([[0, 1], [0, 3], [1, 2], [1, 4], [2, 5], [3, 4], [4, 5]])
        named = {f"steady/{name}": np.asarray(value) for name, value in datasets.items()}
        write_file(self.directory / "hot.h5", {"time": np.zeros(0), "model/bonds": bonds, **named},
                   job="[lattice]\nshape = [3, 2]\n")
        with h5py.File(self.directory / "hot.h5", "r+") as file:
            for name, value in attributes.items():
                file["steady/planes"].attrs[name] = np.bytes_(value)
        results = Results(self.directory / "hot.h5")
        figure = dict((name, draw) for name, draw, _ in TIMELESS)["steady"](results)
        results.file.close()
        return figure

    def test_steady_state_of_two_dimensions(self):
        """Means of planes and no line through flat site numbers; arrows where the currents go; the reservoirs' heats."""
        energy, current = np.array([0.7, 0.5, 0.3] * 2), np.array([0.1, 0.0, 0.1, 0.0, 0.0, 0.1, 0.1])
        figure = self.draw_steady({
            "energy": energy, "temperature": 3 * energy, "is_temperature": np.ones(6, dtype=int), "current": current,
            "outflow": np.stack([current, -current], axis=1), "heat": [0.1, 0.1, -0.1, -0.1],
            "planes/energy": energy[:3], "planes/temperature": 3 * energy[:3], "planes/current": [0.1, 0.1]}, axis="x")
        profile, _, currents, bird = figure.axes[:4]
        self.assertEqual(profile.get_xlabel(), "plane along $x$")
        np.testing.assert_array_equal([line.get_ydata() for line in profile.lines if line.get_marker() == "o"], [energy[:3]])
        self.assertFalse([line for line in profile.lines if line.get_linestyle() != "None"])
        np.testing.assert_allclose([bar.get_height() for bar in currents.patches], [0.1, 0.1])
        np.testing.assert_allclose([line.get_ydata()[0] for line in currents.lines], [0.1, 0.1])
        (arrows,) = [part for part in bird.collections if part.__class__.__name__ == "Quiver"]
        np.testing.assert_allclose(arrows.U, 0.8)
        np.testing.assert_allclose(arrows.V, 0.0)
        self.assertEqual(arrows.U.size, 4)

    def test_what_is_no_temperature_is_marked(self):
        """And a bond that takes energy from the interaction has two bars."""
        temperature = np.array([27.0, 36.0, 36.0, 25.0, 26.0, 26.0])
        known = np.array([1, 0, 0, 1, 1, 1])
        current = np.full(7, 0.15)
        figure = self.draw_steady({"energy": temperature / 4, "temperature": temperature, "is_temperature": known,
                                   "current": current, "outflow": np.stack([current - 0.05, -current - 0.05], axis=1),
                                   "heat": [0.1, -0.1]})
        _, panel, currents, _ = figure.axes[:4]
        grey = [line for line in panel.lines if line.get_color() == steady.UNKNOWN]
        np.testing.assert_array_equal([line.get_ydata() for line in grey], [temperature[known == 0]])
        self.assertIn("no temperature", panel.get_legend().get_texts()[0].get_text())
        np.testing.assert_allclose(sorted({round(bar.get_height(), 12) for bar in currents.patches}), [0.1, 0.2])

    def test_steady_states_of_several_sizes(self):
        """Also where currents are unknown, and with one rate."""
        sizes, rates = np.array([4, 6, 50]), np.array([0.5, 1.0])
        resistance = 3.0 + sizes / 0.1 + np.zeros((2, 1))
        fit = {"rate": rates, "resistance": resistance, "current": 0.2 / resistance, "contact_resistance": np.full(2, 3.0),
               "conductivity": np.full(2, 0.1)}
        values = {"sizes": sizes, **{f"fit/{name}": value for name, value in fit.items()}}
        for size in sizes:
            for name in ("energy", "temperature"):
                values[f"size_{size}/{name}"] = np.linspace(0.4, 0.2, size)
        values.update({"energy": np.linspace(0.4, 0.2, 50), "temperature": np.linspace(2, 1, 50), "current": np.ones(49)})
        for case, change in enumerate(({}, {"fit/current": np.full((2, 3), np.nan)}, {"size_6/energy": np.zeros(3)})):
            name = f"sizes{case}"
            named = {f"steady/{key}": value for key, value in {**values, **change}.items()}
            write_file(self.directory / f"{name}.h5", {"time": np.zeros(0), **named})
            process = self.call_plotter(f"{name}.h5")
            self.check_pictures(process, ["steady", "steady_sizes"], f"{name}_plots")
            self.assertNotIn("not drawn", process.stderr)

    def dephasings(self, gammas, rates=(0.5, 1.0), sizes=(4, 8, 16), fit=True, job='title = "D"', verdict=""):
        """Write dephased.h5: an xy chain with lambda = 0.2, ballistic at gamma = 0; return the diffusion constants."""
        gamma, rate = np.tile(gammas, len(rates)), np.repeat(rates, len(gammas))
        with np.errstate(divide="ignore"):
            constant = 0.04 / gamma
        inside = np.where(gamma > 0, constant, np.nan)[:, None] * np.ones(len(sizes))
        datasets = {"fit/rate": rate, "fit/dephasing": gamma, "fit/diffusion": inside,
                    "fit/conductivity": constant if fit else constant * np.nan,
                    "fit/conductivity_error": np.where(gamma > 0, 0.1 * constant, np.nan)}
        if len(sizes) > 1:
            resistance = 3.0 + np.array(sizes) / constant[:, None]
            datasets |= {"sizes": np.array(sizes), "fit/resistance": resistance, "fit/current": 0.2 / resistance,
                         "fit/contact_resistance": np.full(gamma.size, 3.0)}
            for size in sizes:
                datasets |= {f"size_{size}/{name}": np.linspace(0.4, 0.2, size) for name in ("energy", "temperature")}
        datasets |= {"energy": np.linspace(0.4, 0.2, 4), "temperature": np.linspace(2, 1, 4), "current": np.ones(3)}
        write_file(self.directory / "dephased.h5", {f"steady/{name}": value for name, value in datasets.items()}, job=job)
        with h5py.File(self.directory / "dephased.h5", "r+") as file:
            file["steady/fit"].attrs["verdict"] = np.bytes_(verdict)
        return constant

    def test_steady_states_of_several_dephasings(self):
        """Also of one size, of one dephasing, without any finite constant."""
        for case in (dict(gammas=[0.4, 0.0, 0.1]), dict(gammas=[0.1, 0.2], sizes=(4,), fit=False), dict(gammas=[0.0]),
                     dict(gammas=np.linspace(0, 3, 12), rates=np.linspace(1, 2, 6))):
            self.dephasings(**case)
            process = self.call_plotter("dephased.h5")
            sizes = [] if "sizes" in case else ["steady_sizes"]
            self.check_pictures(process, ["steady", *sizes, "diffusion_dephasing"], "dephased_plots")
            self.assertNotIn("not drawn", process.stderr)
            for picture in (self.directory / "dephased_plots").iterdir():
                picture.unlink()

    def test_diffusion_against_dephasing_is_what_the_file_says(self):
        """Dots and guide at D = (lambda a)^2/gamma, none at gamma = 0, which has its verdict; no guide for other models.

        What was not found diffusive is grey.
        """
        job = ('[lattice]\nspacing = 3.0\n[site]\nlevels = [0.0, 1.0]\n'
               '[interaction]\nkind = "%s"\nstrength = 0.2\n')
        verdict = "dephasing 0.4: diffusive at these sizes: fine\ndephasing 0: lost: why\ndephasing 0.1: undecided: why"
        for kind, guided in (("xy", True), ("exchange", True), ("random-bands", False)):
            constant = self.dephasings([0.4, 0.0, 0.1], job=job % kind, verdict=verdict)
            results = Results(self.directory / "dephased.h5")
            figure = dict((name, draw) for name, draw, _ in TIMELESS)["diffusion_dephasing"](results)
            results.file.close()
            (ax,) = figure.axes
            self.assertEqual([text.get_text() for text in ax.texts], [r"$\gamma = 0$: lost"])
            grey = [line for line in ax.lines if line.get_color() == diffusion_dephasing.NOT_DIFFUSIVE]
            drawn = {mark: [line.get_ydata() for line in lines if line.get_marker() == mark]
                     for mark, lines in (("o", [line for line in ax.lines if line not in grey]), ("x", ax.lines))}
            doubtful = {mark: [line.get_ydata() for line in grey if line.get_marker() == mark] for mark in "oD"}
            for dots, fits, chosen in ((drawn["o"], drawn["x"], [0]), (doubtful["o"], doubtful["D"], [1, 2])):
                expected = np.where(np.isfinite(constant[chosen]), constant[chosen], np.nan)
                np.testing.assert_allclose(dots, [expected] * 2)
                np.testing.assert_allclose(fits, [9.0 * expected] * 2)
            labels = [text.get_text() for text in ax.get_legend().get_texts()]
            self.assertEqual(sum("grey" in label for label in labels), 1)
            self.assertEqual(any(r"\gg" in label for label in labels), kind == "exchange")
            guides = [line for line in ax.lines if len(line.get_xdata()) == 50]
            self.assertEqual(len(guides), int(guided))
            for guide in guides:
                x, y = guide.get_xydata().T
                np.testing.assert_allclose(x * y, 0.36)

    def test_spectra(self):
        """With and without output times, one sector and several, few states and many, without energies of sites."""
        for states, sites in ((8, 10), (1, 1), (60, 4)):
            energy = np.random.default_rng(1).random((states, sites))
            datasets = {"spectrum/energies": np.sort(energy.sum(axis=1)), "spectrum/energy": energy,
                        "spectrum/residuals": np.zeros(states), "spectrum/band_counts": np.full((states, 2), 3)}
            self.plot_spectrum(datasets, states)
            counts = np.stack([np.arange(states) % 3, 5 - np.arange(states) % 3], axis=1)
            self.plot_spectrum({**datasets, "spectrum/band_counts": counts}, states)
            self.plot_spectrum({"spectrum/energies": np.arange(states) + 1.0}, states)
        write_file(self.directory / "both.h5", {**datasets, "time": TIMES, "exact/energy": np.ones((21, 2))})
        process = self.call_plotter("both.h5")
        self.check_pictures(process, ["populations", "space_time", "spectrum"], "both_plots")
        self.assertIn("not drawn: currents", process.stderr)

    def test_matrix_elements(self):
        """Maps of different levels, a upwards; a scale about zero only where signs differ; one level is no picture."""
        random = np.random.default_rng(2)
        elements = {"direct": random.normal(size=(7, 7)), "exchange": random.random((7, 7)) + 1.0, "total": np.full((7, 7), 2.0)}
        datasets = {f"matrix_elements/{name}": values for name, values in elements.items()}
        write_file(self.directory / "wells.h5", {**datasets, "matrix_elements/level": np.arange(1, 8)})
        self.check_pictures(self.call_plotter("wells.h5"), ["matrix_elements"], "wells_plots")
        results = Results(self.directory / "wells.h5")
        figure = dict((name, draw) for name, draw, _ in TIMELESS)["matrix_elements"](results)
        results.file.close()
        for ax, (name, values) in zip(figure.axes, elements.items()):
            mesh = ax.collections[0]
            shown = np.ma.reshape(mesh.get_array(), (7, 7))
            np.testing.assert_array_equal(shown.mask, np.eye(7, dtype=bool), name)
            np.testing.assert_array_equal(shown.compressed(), values[~np.eye(7, dtype=bool)], name)
            low, high = mesh.get_clim()
            self.assertEqual(low == -high, name == "direct", name)
        write_file(self.directory / "one.h5", {f"matrix_elements/{name}": np.ones((1, 1)) for name in elements}
                   | {"matrix_elements/level": np.ones(1)})
        self.assertNotEqual(self.call_plotter("one.h5").returncode, 0)

    def plot_spectrum(self, datasets, states):
        """Plot a file and check that its picture shows the number of states in both panels."""
        write_file(self.directory / "states.h5", datasets)
        process = self.call_plotter("states.h5")
        self.check_pictures(process, ["spectrum"], "states_plots")
        self.assertNotIn("not drawn", process.stderr)
        results = Results(self.directory / "states.h5")
        figure = dict((name, draw) for name, draw, _ in TIMELESS)["spectrum"](results)
        results.file.close()
        self.assertEqual(sum(len(line.get_xdata()) for line in figure.axes[0].lines), states)
        if "spectrum/energy" in datasets:
            values = figure.axes[1].collections[0].get_array()
            np.testing.assert_array_equal(np.ravel(values), datasets["spectrum/energy"].T.ravel())

    def test_square_lattice_has_no_profiles(self):
        make_sample.write_sample(self.directory / "square.h5", shape=(2, 2), times=21)
        process = self.call_plotter("square.h5")
        absent = ("profiles", "ensemble", "memory", "condition")
        self.check_pictures(process, [name for name in ALL if name not in absent], "square_plots")
        self.assertIn("not drawn: profiles", process.stderr)


class Fluctuations(PlotterCase):
    """Routes to D from equilibrium fluctuations."""

    PICTURES = ["diffusion", "spreading", "exponent", "waves", "site_kernel"]

    def sample(self, changes=None, **options):
        """Write walk.h5, change some of its datasets ({path: function of the old values}), and open it."""
        path = self.directory / "walk.h5"
        path.unlink(missing_ok=True)
        make_sample.write_fluctuations(path, **options)
        with h5py.File(path, "r+") as file:
            for name, change in (changes or {}).items():
                file[name][...] = change(file[name][()])
        results = Results(path)
        self.addCleanup(results.file.close)
        return results

    def figure(self, name, results):
        """Draw one picture."""
        return dict(families(results))[name](results)

    @staticmethod
    def texts(figure):
        """Return all entries of the legends."""
        return [text.get_text() for ax in figure.axes if ax.get_legend() for text in ax.get_legend().get_texts()]

    @staticmethod
    def points(line):
        """Return the finite points of a line [K, 2]."""
        points = np.array(line.get_xydata(), dtype=float)
        return points[np.isfinite(points).all(axis=1)]

    def test_all_pictures_of_all_lattices_and_nothing_else(self):
        """Rings, open chains, several axes; with a D and without; the kernel of the sites with singular times."""
        always = (dict(periodic=(False,), shape=(13,), edge_time=4.2, final=False),
                  dict(shape=(6, 4), periodic=(True, False), edge_time=2.1), dict(singular=[2.25, 5.0, 9.1]), dict(times=2),
                  dict(diffusion=1e-7))
        at_night = ({}, dict(shape=(4, 3, 3), periodic=(True,) * 3, final=False), dict(edge_time=0.31, singular=[0.1]),
                    dict(diffusion=1e7))
        for options in always + (at_night if NIGHTLY else ()):
            with self.subTest(**options):
                make_sample.write_fluctuations(self.directory / "walk.h5", **options)
                process = self.call_plotter("walk.h5")
                self.check_pictures(process, self.PICTURES, "walk_plots")
                self.assertNotIn("not drawn", process.stderr)

    def test_what_is_after_the_end_of_the_lattice_is_faint(self):
        """In every panel over time, and its time is marked; profiles of it are not drawn."""
        results = self.sample(edge_time=4.21)
        for name in ("diffusion", "exponent", "waves", "site_kernel"):
            with self.subTest(name=name):
                figure = self.figure(name, results)
                self.assertTrue(any("meets itself" in text for text in self.texts(figure)))
                for ax in [ax for ax in figure.axes if ax.get_gid() == style.OVER_TIME]:
                    marks = [line for line in ax.lines if list(line.get_xdata()) == [4.21, 4.21]]
                    self.assertEqual(len(marks), 1)
                    curves = [line for line in ax.lines if len(line.get_xdata()) == results.time.size
                              and line.get_linestyle() != "--"]
                    self.assertTrue(curves)
                    for line in curves:
                        if line.get_alpha() is None:
                            self.assertLessEqual(self.points(line)[:, 0].max(initial=0), 4.21)
                        else:
                            self.assertGreaterEqual(self.points(line)[:, 0].min(initial=9), 3.9)
        shown = [text for text in self.texts(self.figure("spreading", results)) if r"\sigma" in text]
        self.assertTrue(shown)
        self.assertLessEqual(max(float(text.split("=")[1].split(":")[0]) for text in shown), 4.21)

    def test_without_the_route_that_tells_the_end(self):
        results = self.sample(routes=("green_kubo",))
        self.assertEqual([name for name, _ in families(results)], ["diffusion"])
        figure = self.figure("diffusion", results)
        self.assertTrue(any("not in the file" in text for text in self.texts(figure)))
        self.assertIn("no verdict", figure.axes[0].get_title())
        results.file.close()
        with h5py.File(self.directory / "walk.h5", "r+") as file:
            file["transport"].attrs["edge_time"] = 3.1
        with Results(self.directory / "walk.h5") as results:
            self.assertTrue(any("3.1" in text for text in self.texts(self.figure("diffusion", results))))

    def test_profiles_of_a_random_walk_become_a_gaussian(self):
        """Of unit area; half way round a ring is on both sides."""
        for options in (dict(shape=(40,)), dict(shape=(41,), periodic=(False,)), dict(shape=(5, 30), periodic=(True, True))):
            with self.subTest(**options):
                figure = self.figure("spreading", self.sample(end=40.0, spacing=3.0, diffusion=2.25, **options))
                profiles = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
                self.assertEqual(len(profiles), 5)
                x, y = profiles[-1].get_xydata().T
                self.assertAlmostEqual((y * (x[1] - x[0])).sum(), 1, places=9)
                np.testing.assert_allclose((y * x**2).sum() / y.sum(), 1, rtol=1e-6)
                np.testing.assert_allclose(y, np.exp(-x**2 / 2) / np.sqrt(2 * np.pi), atol=0.01)
                np.testing.assert_allclose(x + x[::-1], 0, atol=1e-9)

    def test_an_excess_that_sums_to_nothing_has_no_profile(self):
        results = self.sample({"transport/spreading/profile": lambda values: values - 1 / 14})
        with self.assertRaises(NotDrawn):
            self.figure("spreading", results)

    def test_steps_by_the_nearest_image(self):
        lattice = fluctuations.Lattice(np.array([4, 3]), np.array([True, False]), 1.0)
        np.testing.assert_array_equal(lattice.steps(3, 0), [1, 2, -1, 0] * 3)
        np.testing.assert_array_equal(lattice.steps(3, 1), [0] * 4 + [1] * 4 + [2] * 4)

    def test_diffusion_in_laboratory_units(self):
        """Curves, windows, D and steady state in one unit; the line of a bad route ends at its errors."""
        factors = {"diffusion": ("m^2/s", 1e-6), "time": ("ps", 5.0), "rate": ("1/ps", 0.2), "area": ("nm^2", 4.0),
                   "length": ("nm", 2.0)}
        results = self.sample({"transport/modes/diffusion_error": lambda error: np.where(np.arange(41) // 5 == 4, 1.0, error)},
                              edge_time=9.05, laboratory=factors, spacing=3.0, steady=(0.24, 0.01))
        (ax,) = self.figure("diffusion", results).axes
        self.assertIn("m$^{2}$/s", ax.get_ylabel())
        lines = {line.get_color(): line for line in reversed(ax.lines)
                 if len(line.get_xdata()) == results.time.size and line.get_alpha() is None}
        self.assertEqual(len(lines), 4)
        for name, (_, colour, _) in diffusion.FROM_FLUCTUATIONS.items():
            x, y = self.points(lines[colour]).T
            np.testing.assert_allclose(y, 0.25e-6 * (1 - np.exp(-x / 5.0)), rtol=1e-9)
            self.assertLessEqual(x[-1], 45.25)
            self.assertEqual(x[-1] < 29, name == "modes")
        level = sorted({round(float(line.get_ydata()[0]), 9) for line in ax.lines if len(set(line.get_ydata())) == 1})
        np.testing.assert_allclose(level, [0.24e-6, 0.25e-6])
        self.assertTrue(any("45.25" in text for text in self.texts(ax.figure)))
        self.assertIn("program units", ax.get_title())
        (ax,) = self.figure("waves", results).axes
        line = next(line for line in ax.lines if line.get_linewidth() == waves.DIFFUSION["linewidth"])
        eigenvalue = 2 * (1 - np.cos(2 * np.pi / 14))
        np.testing.assert_allclose(line.get_ydata(), np.exp(-0.25 / 9 * eigenvalue * line.get_xdata() / 5), rtol=1e-9)

    def test_diffusion_on_a_shorter_lattice_and_why_there_is_no_constant(self):
        """One route of the shorter one, dotted, until the longer one ends; the reason stands in the legend."""
        results = self.sample(edge_time=6.05, final=False, shorter=0.9, reason="it costs $2")
        figure = self.figure("diffusion", results)
        (line,) = [line for line in figure.axes[0].lines if line.get_linewidth() == diffusion.SHORTER["linewidth"]]
        x, y = self.points(line).T
        np.testing.assert_allclose(y, 0.9 * 0.25 * (1 - np.exp(-x)))
        self.assertLess(x[-1], 6.05)
        self.assertIn("no $D$: it costs \\$2", self.texts(figure))
        self.assertTrue(any("on 6 sites" in text for text in self.texts(figure)))

    def test_kernel_of_the_sites_before_it_diverges(self):
        """Over waves at times before it only; flat and D/a^2 for a walk to neighbours; gaps where it diverges."""
        figure = self.figure("site_kernel", self.sample(singular=[6.05], spacing=2.0))
        waves_panel, distances, _ = figure.axes
        levels = [line.get_ydata() for line in waves_panel.lines if line.get_marker() == "o"]
        self.assertEqual(len(levels), 4)
        for values in levels:
            self.assertLess(np.ptp(values), 1e-12)
        times = [float(text[6:]) for text in self.texts(figure) if text.startswith("$t$ = ")]
        self.assertLess(max(times), 6.05)
        for line in [line for line in distances.lines if len(line.get_xdata()) > 2]:
            x, y = line.get_xydata().T
            self.assertTrue(np.isnan(y[x == 6.05]).all() and (x == 6.05).any())
        self.assertTrue(any("$t_1$ = 6.05" in text for text in self.texts(figure)))

    def test_waves_that_change_sign(self):
        """Their sizes, dotted where they are negative; noise of random states is shaded."""
        noise = 1e-3 * np.random.default_rng(1).normal(size=14)
        swing = np.append(np.cos(np.linspace(0, 12, 41))[:, None], np.ones((41, 6)), axis=1)
        results = self.sample({"transport/modes/amplitude": lambda _: swing,
                               "transport/spreading/profile": lambda values: values + noise}, samples=8)
        figure = self.figure("waves", results)
        first = [line for line in figure.axes[0].lines if line.get_color() == style.PALETTE[0]][:4]
        drawn = [self.points(line) for line in first if line.get_alpha() is None and line.get_linestyle() != "--"]
        for (x, y), sign in zip((points.T for points in drawn), (1, -1)):
            np.testing.assert_allclose(y, sign * np.cos(x), atol=1e-12)
        self.assertTrue(any("negative" in text for text in self.texts(figure)))
        self.assertTrue(any("noise" in text for text in self.texts(figure)))
        self.assertTrue(1e-3 < waves.noise(results)[0] < 1e-2)

    def test_points_of_a_sweep_and_several_files(self):
        """Each point has these pictures; of many files numbers and series are drawn."""
        for name, strength in (("a", 0.5), ("b", 0.6)):
            make_sample.write_fluctuations(self.directory / f"{name}.h5")
            with h5py.File(self.directory / f"{name}.h5", "r+") as file:
                file["job"] = np.bytes_(f"[interaction]\nstrength = {strength}\n")
        process = self.call_plotter("a.h5", "b.h5", "--only", "transport/spreading/variance", "-o", "many")
        self.assertEqual(process.returncode, 0, process.stderr)
        with h5py.File(self.directory / "sweep.h5", "w") as file, h5py.File(self.directory / "a.h5") as one:
            file.attrs.update({"filetype": "qheat results", "format_version": [1, 0], "complete": [1]})
            file["sweep/point"] = np.arange(1)
            for name in one:
                one.copy(name, file.require_group("points/0000"))
        process = self.call_plotter("sweep.h5", "--point", "0", "-o", "point")
        self.check_pictures(process, self.PICTURES, "point")


class Choices(PlotterCase):
    """What the user chooses to see."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.sample = pathlib.Path(scratch.name) / "chain.h5"
        make_sample.write_sample(cls.sample, shape=(5,), times=41, kernels=("exact", "tcl2"))

    def panels(self, name, **options):
        """Return the panels of one picture of the sample with a view of it."""
        results = Results(self.sample)
        self.addCleanup(results.file.close)
        figure = dict(FAMILIES)[name](results)
        view.View(**options).apply(figure, chosen=True)
        layout.fit(figure)
        return [ax for ax in figure.axes if ax.axison], results

    def test_only_those_that_are_named(self):
        process = self.call_plotter(self.sample, "--only", "currents,kernel_rates", "--xlim", "0,3", "--log", "y")
        self.check_pictures(process, ["currents", "kernel_rates"], "chain_plots")

    def test_unknown_names_and_ranges(self):
        for words, expected in ((("--only", "currents,fancy"), ("'fancy'", "kernel_rates")),
                                (("--xlim", "3,1"), ("3,1", "0,20")), (("--xlim", "a"), ("range",)),
                                (("--xlim", "nan,1"), ("range",)), (("--ylim", "0,1"), ("--only",)),
                                (("--log", "y"), ("--only",)), (("--log", "z", "--only", "currents"), ("'z'",)),
                                (("--only", ","), ("at least one",)), (("-o", ""), ("folder",))):
            with self.subTest(words=words):
                self.check_refusal(self.call_plotter(self.sample, *words), 2, *expected)

    def test_range_of_times(self):
        """The other axis shrinks to what is seen; names of times that are not shown go."""
        full, results = self.panels("currents")
        (ax,), _ = self.panels("currents", xlim=(0.0, results.time[4]))
        self.assertEqual(ax.get_xlim(), (0.0, results.time[4]))
        shown = [line.get_ydata()[:5] for line in ax.lines if len(line.get_xdata()) > 2]
        self.assertLess(ax.get_ylim()[1], 1.2 * max(values.max() for values in shown))
        self.assertGreaterEqual(ax.get_ylim()[1], max(values.max() for values in shown))
        rates, results = self.panels("kernel_rates", xlim=(0.0, 0.5 * results.singular_times[0]))
        for ax in rates:
            self.assertFalse(any(text.get_visible() for text in ax.texts if text.get_text() == "$t_1$"))

    def test_range_and_logarithm_of_values(self):
        (ax,), _ = self.panels("currents", ylim=(-0.5, 0.25))
        self.assertEqual(ax.get_ylim(), (-0.5, 0.25))
        (ax,), results = self.panels("currents", log="xy")
        self.assertEqual((ax.get_xscale(), ax.get_yscale()), ("log", "log"))
        self.assertEqual(ax.get_xlim()[0], results.time[1])
        negative = (results.series("/exact/current", 2) < 0).any()
        self.assertEqual(any("negative" in text.get_text() for text in ax.texts), negative)

    def test_maps_stay_as_they_are(self):
        for ax in self.panels("space_time", log="xy", ylim=None)[0]:
            self.assertEqual((ax.get_xscale(), ax.get_yscale()), ("linear", "linear"))


class Layout(PlotterCase):
    """Legends, labels and panels keep out of each other's way."""

    def test_nothing_overlaps_or_leaves_the_picture(self):
        make_sample.write_sample(self.directory / "all.h5", shape=(4,), times=41, ensemble=3,
                                 kernels=make_sample.ALL_KERNELS)
        with h5py.File(self.directory / "all.h5", "r+") as file:
            file["spectrum/energies"], file["spectrum/energy"] = np.arange(5.0), np.ones((5, 4))
            file["spectrum/band_counts"] = np.stack([np.arange(5), 4 - np.arange(5)], axis=1)
        results = Results(self.directory / "all.h5")
        self.addCleanup(results.file.close)
        style.apply()
        for name, draw in families(results):
            with self.subTest(name=name):
                self.check(draw(results))

    def test_nothing_overlaps_in_pictures_of_fluctuations(self):
        style.apply()
        lab = {"diffusion": ("m^2/s", 1e-6), "time": ("ps", 5.0)}
        for options in (dict(edge_time=4.0, singular=[2.0, 3.0]), dict(shape=(6, 5), periodic=(True, False), laboratory=lab),
                        dict(times=2, singular=[3.0])):
            make_sample.write_fluctuations(self.directory / "walk.h5", **options)
            with Results(self.directory / "walk.h5") as results:
                for name, draw in families(results):
                    with self.subTest(name=name, **options):
                        self.check(draw(results))

    def check(self, figure):
        """Check the boxes of panels with their labels, and of legends."""
        layout.fit(figure)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        frames = [layout.frame(ax, renderer) for ax in figure.axes]
        legends = [ax.get_legend().get_window_extent(renderer) for ax in figure.axes if ax.get_legend()]
        for box in frames + legends:
            self.assertGreaterEqual(min(box.x0, box.y0), -1)
            self.assertTrue(box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1, (box, figure.bbox))
        for axis in (axis for ax in figure.axes if ax.axison for axis in (ax.xaxis, ax.yaxis) if axis.get_label_text()):
            label = axis.label.get_window_extent(renderer)
            for tick in axis.get_ticklabels():
                if tick.get_text() and tick.get_visible():
                    self.assertFalse(self.overlap(label, tick.get_window_extent(renderer)), tick.get_text())
        for number, box in enumerate(frames):
            for other in frames[:number]:
                self.assertFalse(self.overlap(box, other), (box, other))
        for legend in legends:
            for ax in figure.axes:
                if ax.axison:
                    self.assertFalse(self.overlap(legend, ax.bbox), (legend, ax.bbox))

    @staticmethod
    def overlap(box, other):
        """True if two boxes share more than a pixel's edge."""
        return min(box.x1, other.x1) - max(box.x0, other.x0) > 2 and min(box.y1, other.y1) - max(box.y0, other.y0) > 2


class OddFiles(PlotterCase):
    """Files with little, strange or incomplete data."""

    def plot(self, datasets, names, **options):
        """Write the datasets, plot them, check the pictures; return what the plotter remarks."""
        write_file(self.directory / "odd.h5", datasets, **options)
        process = self.call_plotter("odd.h5")
        self.check_pictures(process, names, "odd_plots")
        return process.stderr

    def test_energy_alone(self):
        remarks = self.plot({"time": TIMES, "exact/energy": np.outer(np.cos(TIMES), [1, 2])},
                            ["populations", "space_time"], job=None)
        for name in ALL[3:]:
            self.assertIn(f"not drawn: {name}", remarks)

    def test_one_time(self):
        excited = np.array([[1.0, 0, 0]])
        self.plot(everything(excited, [0.0], [[0, 1], [1, 2]]), COMMON)

    def test_one_site(self):
        self.plot(everything(np.ones((21, 1)), TIMES, []),
                  ["populations", "space_time", "error", "conservation"])

    def test_one_bond_constant_data_unfinished_run(self):
        remarks = self.plot(everything(np.full((21, 2), 0.25), TIMES, [[0, 1]]), COMMON,
                            attributes={"complete": [0]})
        self.assertIn("did not finish", remarks)

    def test_nothing_but_nan(self):
        self.plot(everything(np.full((21, 4), np.nan), TIMES, [[0, 1], [1, 2], [2, 3]]), COMMON)

    def test_open_system(self):
        """The energy of an open system is not conserved; what its density matrix keeps is shown instead."""
        datasets = everything(np.full((21, 3), 0.25), TIMES, [[0, 1], [1, 2]])
        datasets["exact/hermiticity_error"] = np.full(21, 1e-15)
        self.plot(datasets, COMMON)
        results = Results(self.directory / "odd.h5")
        self.addCleanup(results.file.close)
        figure = dict(FAMILIES)["conservation"](results)
        self.assertEqual([ax.get_title() for ax in figure.axes], ["trace", "density matrix"])

    def test_infinite_and_huge_values(self):
        excited = np.exp(np.outer(TIMES, [1.0, -1.0, 70.0]))
        excited[5, 1] = np.inf
        self.plot(everything(excited, TIMES, [[0, 1], [1, 2]]), COMMON)

    def test_bands_sampling_errors_constant_kernel_and_a_difficult_title(self):
        excited = 0.5 + 0.1 * np.outer(np.sin(TIMES), [1, -1])
        datasets = everything(excited, TIMES, [[0, 1]])
        levels = np.stack([1 - excited, excited / 2, excited / 2], axis=2)
        datasets |= {"exact/populations": levels, "exact/populations_error": 0.1 * levels,
                     "exact/current_error": 0.1 * datasets["exact/current"],
                     "kernel/markov/generator": [[-1.0, 1.0], [1.0, -1.0]],
                     "kernel/markov/bond_rate": [[1.0]]}
        job = 'title = "5$ and 6$_x^{ %s"\n[site]\nlevels = [0.0, 1.0, 1.1]\nbands = [0, 1, 1]\n'
        self.plot(datasets, ["populations", "ensemble", *COMMON[1:]], job=job % ("so long a title " * 20))

    def test_datasets_of_wrong_shape_are_ignored(self):
        datasets = everything(np.full((21, 3), 0.5), TIMES, [[0, 1], [1, 2]])
        datasets |= {"exact/current": np.zeros((20, 2)), "exact/norm": ["a", "b"],
                     "kernel/tcl2/generator": np.zeros((21, 3, 2))}
        remarks = self.plot(datasets, [name for name in COMMON if name != "currents"], job="no TOML")
        for word in ("/exact/current has shape (20, 2)", "/exact/norm is not numeric", "generator has shape",
                     "/job is not readable"):
            self.assertIn(word, remarks)

    def test_many_sites_bonds_and_kernels(self):
        sites = 30
        excited = np.exp(-np.subtract.outer(np.zeros(21), np.arange(sites) - 9.0) ** 2 / 9)
        datasets = everything(excited, TIMES, [[i, i + 1] for i in range(sites - 1)])
        for kernel in ("exact", "tcl4", "markov"):
            datasets[f"sites/{kernel}/energy"] = 0.9 * excited
            datasets[f"kernel/{kernel}/bond_rate"] = np.outer(TIMES, np.arange(sites - 1))
        self.plot(datasets, COMMON)

    def plot_sample(self, names, change, **options):
        """Write a sample, change the open file, plot and check it; return what the plotter remarks."""
        make_sample.write_sample(self.directory / "odd.h5", shape=(3,), **{"times": 31, **options})
        with h5py.File(self.directory / "odd.h5", "r+") as file:
            change(file)
        process = self.call_plotter("odd.h5")
        self.check_pictures(process, names, "odd_plots")
        return process.stderr

    def test_kernels_that_are_nan_from_some_time_on(self):
        def change(file):
            for kernel in ("exact", "tcl4", "memory"):
                for dataset in file[f"kernel/{kernel}"].values():
                    if dataset.name != "/kernel/exact/singular_times":
                        dataset[12:] = np.nan
        self.plot_sample([name for name in ALL if name != "ensemble"], change,
                         kernels=("exact", "tcl2", "tcl4", "memory"))

    def test_exact_kernel_that_is_nan_throughout(self):
        def change(file):
            for dataset in file["kernel/exact"].values():
                dataset[...] = np.nan
        self.plot_sample([name for name in ALL if name not in ("ensemble", "memory")], change,
                         kernels=("exact", "tcl2"), end=4.0)

    def test_kernels_too_large_for_generators(self):
        def change(file):
            for group in file["kernel"].values():
                if isinstance(group, h5py.Group):
                    del group["generator"]
            del file["kernel/cells"]
        self.plot_sample([name for name in ALL if name not in ("ensemble", "memory")], change,
                         kernels=("exact", "tcl2", "tcl4", "markov"))

    def test_no_exact_kernel(self):
        remarks = self.plot_sample([name for name in ALL if name not in ("ensemble", "memory", "condition")],
                                   lambda file: None, kernels=("tcl2", "tcl4", "markov"))
        self.assertIn("not drawn: condition", remarks)

    def test_markov_alone_with_scores_of_one_row(self):
        def change(file):
            group = file["kernel/markov"]
            for name in [*group]:
                if name != "generator":
                    values = group[name][:1]
                    del group[name]
                    group[name] = values
            del file["rates"], file["sites"], file["exact"]
        self.plot_sample(["kernel_rates", "assumptions"], change, kernels=("markov",))

    def test_kernels_alone_at_one_time(self):
        def change(file):
            for path in ("time", *(f"kernel/{kernel}/{name}" for kernel in ("exact", "tcl2")
                                   for name in file[f"kernel/{kernel}"])):
                values = file[path][()]
                del file[path]
                if not path.endswith("singular_times"):
                    file[path] = values[3:4]
            del file["rates"], file["sites"], file["exact"]
        self.plot_sample(["kernel_rates", "assumptions", "tcl_error", "condition"], change,
                         kernels=("exact", "tcl2"))

    def test_one_cell(self):
        datasets = {"time": TIMES, "model/bonds": [[0, 1]], "kernel/cells": [[0, 0]]}
        for kernel in ("exact", "tcl2", "memory"):
            datasets[f"kernel/{kernel}/generator"] = np.zeros((21, 1, 1))
            datasets[f"kernel/{kernel}/symmetry"] = np.full(21, np.nan)
        datasets["kernel/exact/condition"] = np.ones(21)
        remarks = self.plot(datasets, ["assumptions", "tcl_error", "condition"])
        self.assertIn("not drawn: kernel_rates", remarks)
        self.assertIn("not drawn: memory", remarks)


class BrokenInput(PlotterCase):
    """What a user can get wrong: one line on stderr, the right exit code (of the process once: its start takes long)."""

    def test_missing_file(self):
        self.check_refusal(self.run_plotter("absent.h5"), 2, "absent.h5", "No such file")

    def test_directory(self):
        self.check_refusal(self.call_plotter("."), 2, "directory")

    def test_not_hdf5(self):
        (self.directory / "text.h5").write_text("not a results file\n")
        self.check_refusal(self.call_plotter("text.h5"), 2, "text.h5", "not an HDF5 file")

    def test_truncated_file(self):
        make_sample.write_sample(self.directory / "cut.h5", shape=(3,), times=11)
        content = (self.directory / "cut.h5").read_bytes()
        (self.directory / "cut.h5").write_bytes(content[:len(content) // 2])
        self.check_refusal(self.call_plotter("cut.h5"), 2, "cut.h5", "damaged")

    def test_no_datasets(self):
        write_file(self.directory / "empty.h5", {})
        self.check_refusal(self.call_plotter("empty.h5"), 2, "no datasets to draw")
        self.assertFalse((self.directory / "empty_plots").exists())

    def test_no_time(self):
        datasets = everything(np.ones((21, 2)), TIMES, [[0, 1]])
        datasets["time"] = np.zeros(0)
        write_file(self.directory / "timeless.h5", datasets)
        self.check_refusal(self.call_plotter("timeless.h5"), 2, "/time absent or empty")

    def test_newer_format(self):
        write_file(self.directory / "new.h5", {"time": TIMES}, {"format_version": [99, 0]})
        self.check_refusal(self.call_plotter("new.h5"), 2, "format version 99")

    def test_checkpoint(self):
        write_file(self.directory / "run.chk", {"time": TIMES}, {"filetype": "qheat checkpoint"})
        self.check_refusal(self.call_plotter("run.chk"), 2, "qheat checkpoint")

    def test_wrong_arguments(self):
        self.check_refusal(self.call_plotter("a.h5", "--format", "gif"), 2, "gif", "png, svg")
        self.check_refusal(self.call_plotter(), 2, "RESULT.h5")

    def test_unwritable_directory(self):
        write_file(self.directory / "fine.h5", {"time": TIMES, "exact/energy": np.ones((21, 2))})
        process = self.call_plotter("fine.h5", "-o", self.directory / "fine.h5" / "plots")
        self.check_refusal(process, 1, "cannot write", "fine.h5")


class Parts(PlotterCase):
    """Single functions whose result a picture does not show at a glance."""

    def open(self, datasets, **options):
        """Return the open results of a file with these datasets."""
        path = self.directory / f"part{len(list(self.directory.glob('part*.h5')))}.h5"
        write_file(path, datasets, **options)
        results = Results(path)
        self.addCleanup(results.file.close)
        return results

    def test_sample_conserves_energy_locally(self):
        make_sample.write_sample(self.directory / "sample.h5", shape=(4,), times=601)
        with h5py.File(self.directory / "sample.h5") as file:
            time, energy, outflow = file["time"][()], file["exact/energy"][()], file["exact/outflow"][()]
            leaving = np.zeros_like(energy)
            for number, bond in enumerate(file["model/bonds"][()]):
                leaving[:, bond] += outflow[:, number]
        slope = np.gradient(energy, time, axis=0)
        self.assertLess(np.abs(slope + leaving)[1:-1].max(), 1e-4)

    def test_levels_of_a_band_add_up(self):
        levels = np.tile([0.5, 0.2, 0.3], (21, 2, 1))
        results = self.open({"time": TIMES, "exact/populations": levels}, job="[site]\nbands = [0, 1, 1]")
        np.testing.assert_allclose(results.populations("/exact/populations")[3, 1], [0.5, 0.5])

    def test_incomparable_populations_give_way_to_energies(self):
        datasets = everything(np.full((21, 2), 0.5), TIMES, [[0, 1]])
        datasets["exact/populations"] = np.ones((21, 2, 3)) / 3
        self.assertEqual(populations.choose_quantity(self.open(datasets))[0], "energy")

    def test_curves_that_coincide_share_an_entry(self):
        """Also in one of several solutions only they differ; NaN in other places is another curve."""
        rising = np.linspace(0, 1, 21)
        excited = np.stack([rising, 1 - rising, rising * 1.001, rising], axis=1)
        groups = style.alike(excited)
        self.assertEqual(groups, [[0, 2, 3], [1]])
        other = excited.copy()
        other[10:, 3] = np.nan
        self.assertEqual(style.alike(other), [[0, 2], [1], [3]])
        self.assertEqual(style.alike(np.full((21, 2), np.nan)), [[0, 1]])
        datasets = everything(excited, TIMES, [[0, 1], [1, 2], [2, 3]])
        datasets["rates/tcl2/populations"] = make_sample.both_levels(np.where([0, 0, 1, 0], 0.5, excited))
        datasets["exact/current"] = excited[:, [0, 1, 3]]
        results = self.open(datasets)
        labels = [text.get_text() for text in populations.draw(results).axes[0].get_legend().get_texts()]
        self.assertEqual([label for label in labels if "site " in label and "rate" not in label],
                         ["site 0  (+1 alike)", "site 1", "site 2"])
        legend = dict(FAMILIES)["currents"](results).axes[0].get_legend()
        self.assertEqual([text.get_text() for text in legend.get_texts()], ["0 → 1  (+1 alike)", "1 → 2"])

    def test_what_is_drawn_after_the_first_singular_time_has_an_entry(self):
        names = {name: np.ones(21) for name in ("symmetry", "locality")}
        results = self.open({"time": TIMES, "model/bonds": [[0, 1]], "kernel/exact/singular_times": [5.2],
                             "kernel/exact/bond_rate": TIMES[:, None],
                             **{f"kernel/exact/{name}": values for name, values in names.items()}})
        for picture in ("kernel_rates", "assumptions"):
            ax = dict(FAMILIES)[picture](results).axes[0 if picture == "kernel_rates" else 3]
            labels = [text.get_text() for text in ax.get_legend().get_texts()]
            self.assertEqual(sum("after $t_1$" in label for label in labels), 1, picture)

    def test_errors_too_small_to_be_seen_are_told(self):
        excited = np.outer(TIMES / 10, [1.0, 0.5])
        for size, words in ((0.1, "±1 standard error"), (1e-5, "thinner")):
            datasets = {"time": TIMES, "model/bonds": [[0, 1]], "exact/current": excited,
                        "exact/current_error": np.full((21, 2), size)}
            results = self.open(datasets)
            legend = dict(FAMILIES)["currents"](results).axes[0].get_legend()
            self.assertIn(words, legend.get_texts()[-1].get_text())
            results.file.close()

    def test_titles_cannot_act(self):
        for title in ("a\\u001b[31mb\\nc", "$x$" * 30000):
            results = self.open({"time": TIMES, "exact/energy": np.ones((21, 2))}, job=f'title = "{title}"')
            self.assertTrue(results.title.isprintable())
            self.assertLess(len(style.heading(results, 6.0)), 300)
            results.file.close()
        self.assertEqual(style.printable("a\x1b[31m\u202eb\udc9b é"), "a\\x1b[31m\\u202eb\\udc9b é")

    def test_labels_of_logarithmic_axes(self):
        self.assertEqual([style.power_of_ten(value) for value in (1e-15, 1.0, 1e12, 3.0, 0.0)],
                         ["10⁻¹⁵", "10⁰", "10¹²", "", ""])

    def test_chains_and_other_lattices(self):
        for bonds, sites, chain in (([[0, 1], [1, 2]], 3, True), ([[0, 1], [1, 2], [2, 0]], 3, True),
                                    ([[0, 1], [0, 2], [1, 3], [2, 3]], 4, False), ([[0, 1]], 3, False)):
            results = self.open({"time": TIMES, "model/bonds": bonds})
            self.assertEqual(results.is_chain(sites), chain, bonds)
            results.file.close()
        with self.assertRaises(NotDrawn):
            profiles.draw(self.open({"time": TIMES, "exact/energy": np.ones((21, 1))}))

    def test_sample_kernels_of_the_exchange_pair_and_chain(self):
        # physics, section 4: exchange chain of three sites, one excitation
        model = make_sample.Model((3,), 0.0, 0.0, "exchange")
        times = np.linspace(0, 4, 41)
        values, slopes = model.exact_propagator(times)
        exact = slopes @ np.linalg.inv(values)
        strength = make_sample.LAMBDA
        rate = 2 * strength * np.sin(3 * strength * times) / (1 + 2 * np.cos(3 * strength * times))
        np.testing.assert_allclose(exact[:, 0, 1], rate, atol=1e-8)
        error = [np.abs(kernel - exact)[20].max() for kernel in model.series(6, times)[2::2]]
        self.assertLess(error[1], 0.1 * error[0])
        self.assertLess(error[2], 0.1 * error[1])

    def test_largest_elements_counts_those_alike(self):
        generator = np.zeros((21, 3, 3))
        generator[:, 0, 1] = generator[:, 1, 0] = TIMES
        generator[:, 2, 1] = -2 * TIMES
        generator[4, 2, 2] = np.nan
        results = self.open({"time": TIMES, "kernel/tcl2/generator": generator})
        dataset = results.generator("tcl2")
        found = elements.largest(results, dataset, ~np.eye(3, dtype=bool))
        self.assertEqual(found, [(2, 1, 1), (0, 1, 2)])
        np.testing.assert_array_equal(elements.curves(results, dataset, found),
                                      np.stack([-2 * TIMES, TIMES], axis=1))

    def test_element_names(self):
        cells = np.array([[1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]])
        self.assertEqual(elements.name(cells, 1, 0), "sites 0, 1: 10 → 01")
        self.assertEqual(elements.name(cells[:, :3], 1, 0), "100 → 010")
        self.assertEqual(elements.name(None, 1, 0), "cell 0 → 1")

    def test_local_elements_differ_on_one_site_or_one_bond(self):
        cells = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
        local = elements.local_elements(cells, np.array([[0, 1], [1, 2]]))
        np.testing.assert_array_equal(local, [[0, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 0, 0]])

    def test_order_and_looks_of_kernels(self):
        names = ["markov", "tcl12", "memory", "tcl4", "exact", "tcl2", "tcl10"]
        results = self.open({f"kernel/{name}/bond_rate": np.zeros((21, 1)) for name in names})
        found = results.kernels("/kernel")
        self.assertEqual([*map(str, found)], ["exact", "tcl2", "tcl4", "tcl10", "tcl12", "memory", "markov"])
        self.assertEqual(len({(kernel.colour, kernel.dash) for kernel in found}), len(names))
        shown = kernels.representative(found, 3)
        self.assertEqual([*map(str, shown)], ["exact", "tcl10", "markov"])

    def test_curves_are_interrupted_at_singular_times(self):
        results = self.open({"time": TIMES, "kernel/exact/singular_times": [2.2, 99.0]})
        time, values = singular.interrupted(results, TIMES)
        np.testing.assert_array_equal(time[np.isnan(values)], [2.2])
        self.assertEqual(singular.times_before(results), 5)

    def test_few_of_many_singular_times_are_marked(self):
        results = self.open({"time": TIMES, "kernel/exact/singular_times": np.linspace(1, 9, 33)})
        ax = matplotlib.figure.Figure().subplots()
        singular.mark(ax, results)
        self.assertEqual([line.get_xdata()[0] for line in ax.lines], [1, 1.25, 1.5, 1.75, 2, 2.25])
        self.assertIn("6 of 33", singular.keys(results)[0].get_label())

    def test_scores_after_the_first_singular_time_are_faint(self):
        """What the exact kernel does there is not judged; other kernels go on."""
        results = self.open({"time": TIMES, "kernel/exact/singular_times": [5.2]})
        scores = {kernels.kernel("exact"): np.where(TIMES < 5.2, 0.1, 1.0), kernels.kernel("tcl2"): np.full(21, 0.2)}
        ax = matplotlib.figure.Figure().subplots()
        assumptions.draw_panel(ax, results, "negativity", scores)
        curves = [line for line in ax.lines if len(line.get_xdata()) > 2]
        for line in curves:
            after = np.nanmax(line.get_xdata()) > 5.2
            exact = line.get_color() == kernels.kernel("exact").colour
            self.assertEqual(line.get_alpha() == singular.AFTER["alpha"], after and exact)
        self.assertEqual(len(curves), 3)
        self.assertLess(ax.get_ylim()[1], 0.5)

    def test_energy_of_a_system_in_a_bath_does_not_drift(self):
        """Averages of dephased systems tell no Hermiticity; their energy is not conserved all the same."""
        datasets = {"time": TIMES, "exact/norm": np.ones(21), "exact/total_energy": np.linspace(1, 1.5, 21)}
        for bath, panels in (("", 2), ("[bath]\ndephasing = 0", 2), ("[bath]\ndephasing = 0.1", 1),
                             ("[[bath.reservoir]]\nsite = 0\ntemperature = 1.0\nrate = 1", 1)):
            figure = conservation.draw(self.open(datasets, job=bath))
            self.assertEqual(len([ax for ax in figure.axes if ax.get_title()]), panels, bath)

    def test_sampling_error_is_drawn_apart(self):
        datasets = {"time": TIMES, "kernel/exact/condition": np.full(21, 2.0), "kernel/exact/error": np.full(21, 1e-14)}
        self.assertNotIn("sampling", self.legend(condition.draw(self.open(datasets))))
        datasets["kernel/exact/sampling_error"] = np.full(21, 0.1)
        figure = condition.draw(self.open(datasets))
        self.assertIn("more\nrealizations", self.legend(figure))
        self.assertLess(figure.axes[1].get_ylim()[0], 1e-13)

    @staticmethod
    def legend(figure):
        """Return what stands in all legends of a figure."""
        legends = [ax.get_legend() for ax in figure.axes] + list(figure.legends)
        return " ".join(text.get_text() for legend in legends if legend for text in legend.get_texts())

    def test_rates_are_seen_in_the_range_before_the_first_singular_time(self):
        """Also where the lowest order runs away, before that time or after it; without the exact kernel it guides."""
        results = self.open({"time": TIMES, "kernel/exact/singular_times": [5.2]})
        exact = np.where(TIMES < 5, 0.1 * TIMES, 1e3)
        curves = {"exact": exact, "tcl2": np.exp(3 * TIMES), "tcl4": -np.exp(4 * TIMES), "markov": np.full(21, 0.3)}

        def limits(names):
            ax = matplotlib.figure.Figure().subplots()
            kernel_rates.draw_panel(ax, results, "", {kernels.kernel(name): curves[name] for name in names})
            return ax.get_ylim()

        low, high = limits(curves)
        self.assertTrue(-0.3 < low < 0 and 0.5 <= high < 1)
        curves["exact"] = np.full(21, np.nan)
        self.assertGreater(limits(curves)[1], 1e3)
        curves["tcl2"] = np.where(TIMES < 5, 0.2 * TIMES, 1e5)
        self.assertLess(limits(["tcl2", "tcl4"])[1], 2)

    def test_differences_of_generators(self):
        exact = np.zeros((21, 2, 2)) + np.eye(2)
        exact[0], exact[7] = 0, np.nan
        results = self.open({"time": TIMES, "kernel/exact/generator": exact,
                             "kernel/tcl2/generator": 1.5 * exact})
        (values,) = tcl_error.differences(results).values()
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(values)), [0, 7])
        np.testing.assert_allclose(values[8:], 0.5)

    def test_integral_of_the_memory_kernel(self):
        np.testing.assert_allclose(memory.integral(TIMES, 2 * TIMES[:, None])[:, 0], TIMES ** 2)

    def test_best_kernel_follows_to_the_end(self):
        exact = np.ones((21, 2))
        stops = np.where(np.arange(21)[:, None] < 9, exact, np.nan)
        results = self.open({"time": TIMES, "exact/energy": exact, "rates/exact/energy": stops,
                             "rates/tcl2/energy": 0.8 * exact, "rates/tcl4/energy": 0.9 * exact})
        best = space_time.best_kernel(space_time.energies(results), exact)
        self.assertEqual(best.name, "tcl4")

    def test_energies_of_planes(self):
        results = self.open({"time": TIMES}, job="[lattice]\nshape = [2, 3]")
        values, axis = space_time.by_planes(results, np.arange(6.0)[None])
        self.assertEqual(axis, 1)
        np.testing.assert_array_equal(values, [[0.5, 2.5, 4.5]])

    def test_limits_of_diverging_rates(self):
        curve = np.append(np.linspace(0, 1, 200), 1e6)
        low, high = style.robust_range(curve)
        self.assertLess(high, 1.1)
        np.testing.assert_array_equal(style.robust_range(curve[:-1]), [0, 1])

    def test_runaways_are_not_followed(self):
        values = np.array([[1.0], [2.0], [4.0], [1.0]])
        np.testing.assert_array_equal(style.without_runaways(values, np.ones((4, 1))),
                                      [[1], [2], [np.nan], [np.nan]])

    def test_sites_that_change_are_among_the_chosen(self):
        values = np.zeros((21, 100))
        values[:, 37] = TIMES
        chosen = populations.choose_sites(values, 8)
        self.assertLessEqual(chosen.size, 8)
        self.assertTrue({0, 37, 99} <= set(chosen.tolist()))

    def test_limits(self):
        self.assertEqual(style.finite_range([np.array([np.nan, 2, np.inf]), np.array([1])]), (1, 2))
        self.assertIsNone(style.finite_range([np.array([np.nan])]))
        low, high = style.widen(3.0, 3.0)
        self.assertLess(low, 3.0)
        self.assertGreater(high, 3.0)


if __name__ == "__main__":
    unittest.main()
