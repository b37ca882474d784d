"""Results files as netCDF-4: ncdump and xarray open them, every axis has a name, every dataset a meaning."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np
from program import NIGHTLY, ProgramCase, chain, h5py, main, toml

try:
    import xarray
except ImportError:
    xarray = None

from resource_jobs import RESERVOIRS

DEPHASED = {"bath": {"dephasing": 0.3}}
JOBS = {
    "closed": (chain(4, exact={}, kernel={"exact": True, "orders": [2, 3], "memory": True, "markov": False},
                     rates={"kernels": ["tcl2", "exact", "memory"]}, spectrum={"states": 4}), ""),
    "markov": (chain(4, **DEPHASED, exact={}, kernel={"markov": True}, rates={"kernels": ["markov"]}), ""),
    "averaged": (chain(3, **DEPHASED, exact={}, kernel={"exact": False, "markov": True},
                       site_detuning={"distribution": "uniform", "width": 0.5, "seed": 1, "realizations": 3}), ""),
    "transport": ({**chain(4, **DEPHASED, kernel={"markov": True}, transport={"temperatures": [0.5, 1.0]}),
                   "units": {"energy": "meV", "length": "nm"}}, ""),
    "steady": (chain(4, **DEPHASED, steady={}), RESERVOIRS % 3),
    "sizes": (chain(4, steady={"sizes": [3, 4, 5, 6], "dephasings": [0.1, 0.2], "rates": [1.0, 2.0]}), RESERVOIRS % 3),
    "ring": ({**chain(4, exact={}), "lattice": {"shape": [4], "periodic": [True], "spacing": 2.0}}, ""),
    "sweep": (chain(3, **DEPHASED, exact={}, kernel={"exact": True}, steady={}), RESERVOIRS % 2 +
              '[sweep]\n"site.detuning" = [{ distribution = "uniform", width = 0.1, seed = 1 }, '
              '{ distribution = "uniform", width = 0.1, seed = 2 }]\n'
              '"interaction.strength" = [0.1, 0.2, 0.3]\naverage = ["site.detuning"]\n'),
    "one site": (chain(1, exact={}), ""),
    "no times": ({k: v for k, v in chain(4, spectrum={}).items() if k != "time"}, ""),
}


class NetcdfTest(ProgramCase):
    """What readers of netCDF find in files of every computation."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.kept = pathlib.Path(scratch.name)

    def results_of(self, name):
        """Return the results of a job, which runs once for all tests."""
        file = self.kept / f"{name}.h5"
        if not file.exists():
            tables, behind = JOBS[name]
            self.write("a.toml", toml(tables) + behind)
            self.finish("run", "a.toml", "--out", file, timeout=100.0)
        return file

    def test_every_axis_has_a_name(self):
        for name in JOBS:
            with self.subTest(job=name), h5py.File(self.results_of(name)) as file:
                datasets = []
                file.visititems(lambda path, thing: datasets.append(path) if isinstance(thing, h5py.Dataset) else None)
                for path in datasets:
                    if h5py.h5ds.is_scale(file[path].id):
                        continue
                    self.assertIn("units", file[path].attrs, path)
                    self.assertIn("long_name", file[path].attrs, path)
                    for axis, dimension in enumerate(file[path].dims):
                        self.assertEqual(len(dimension), 1, f"{path}, axis {axis}")
                        self.assertEqual(dimension[0].shape, (file[path].shape[axis],))
                        self.assertNotIn("_axis_", dimension[0].name, path)

    @unittest.skipUnless(shutil.which("ncdump"), "ncdump is not installed")
    def test_ncdump(self):
        for name in JOBS:
            with self.subTest(job=name):
                file = self.results_of(name)
                for options in (["-h"], []):
                    done = subprocess.run(["ncdump", *options, file], capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertIn("site = ", done.stdout)
                    self.assertNotIn("phony_dim", done.stdout)

    @unittest.skipUnless(xarray, "xarray is not installed")
    def test_xarray(self):
        engines = ("h5netcdf", "netcdf4")
        for number, name in enumerate(JOBS):
            file = self.results_of(name)
            groups = ["/"]
            with h5py.File(file) as results:
                results.visititems(lambda path, thing: groups.append(path) if isinstance(thing, h5py.Group) else None)
            if not NIGHTLY:  # points of a sweep are alike
                groups = [group for group in groups if not re.match("(points|mean)/(?!0000)", group)]
            for engine in engines if NIGHTLY else engines[number % 2:][:1]:  # by day in turn
                for group in groups:
                    with self.subTest(job=name, engine=engine, group=group):
                        with xarray.open_dataset(file, engine=engine, group=group) as found:
                            found.load()

    @unittest.skipUnless(xarray, "xarray is not installed")
    def test_coordinates(self):
        file = self.results_of("ring")
        with xarray.open_dataset(file, engine="h5netcdf") as root, \
                xarray.open_dataset(file, engine="h5netcdf", group="exact") as exact:
            np.testing.assert_array_equal(root.x, [0.0, 2.0, 4.0, 6.0])
            np.testing.assert_array_equal(root.bond_x, [1.0, 3.0, 5.0, 7.0])
            both = exact.assign_coords(time=root.time)
            self.assertEqual(both.energy.dims, ("time", "site"))
            self.assertEqual(float(both.energy.sel(time=10.0).sum("site")), float(exact.energy[-1].sum()))


if __name__ == "__main__":
    main()
