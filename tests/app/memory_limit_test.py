#!/usr/bin/python3
"""Runs under limits of the address space (ulimit -v, as batch systems set them), from tiny to sufficient.

Each ends soon: with exit code 0 and the numbers of a run without a limit, or with 1 and a message. None hangs, none is
ended by a signal, none is wrong.
"""

import pathlib
import resource
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from program import ProgramCase, chain, datasets, main  # noqa: E402

import numpy as np  # noqa: E402

SECONDS = 50.0  # one run alone takes at most a few
NOT_LOADED = 127  # the system's loader cannot even map the program's libraries
MEGABYTES = (60, 150, 220, 300, 380, 460, 700, 1200)

NO_TIME = {"end": 0.5, "outputs": 2}
JOBS = {
    "kernels": chain(10, time=NO_TIME, kernel={"exact": True, "orders": [2, 4], "store_limit": 10}),
    "diagonalize": chain(10, time=NO_TIME, exact={"method": "diagonalize"}),
    "chebyshev": chain(18, time={"end": 0.2, "outputs": 2}, exact={"method": "chebyshev"}),
    "eigenstates": chain(14, spectrum={"states": 4}),
}
STEADY = """
[lattice]
shape = [5]
[site]
levels = [0.0, 1.0]
[interaction]
kind = "xy"
strength = 0.5
[[bath.reservoir]]
site = 0
temperature = 2.0
rate = 1.0
[[bath.reservoir]]
site = 4
temperature = 0.5
rate = 1.0
[steady]
method = "direct"
"""


def limited(megabytes):
    """Return what starts a rank under a limit of its address space."""
    return ("/bin/sh", "-c", f'ulimit -v {1024 * megabytes}; exec "$0" "$@"')


class LimitedAddressSpace(ProgramCase):
    """Every computation at every limit."""

    def check(self, name, tables, ranks=0, limits=MEGABYTES):
        """Run a job without a limit, then under each."""
        job = self.write(f"{name}.toml", tables)
        self.finish("run", job, "--out", "free.h5", ranks=ranks)
        expected = datasets(self.folder / "free.h5")
        codes = []
        for megabytes in limits:
            run = self.start("run", job, "--out", "limited.h5", ranks=ranks, wrapper=limited(megabytes))
            codes.append(run.wait(SECONDS))
            what = f"{megabytes} MB: {self.story(run)}"
            self.assertIn(run.code, (0, 1, 2, NOT_LOADED), what)
            if run.code == 1:
                self.assertRegex(run.err, "out of memory|GB are free", what)
            if run.code == 2:  # refused beforehand: a job for more memory
                self.assertIn("GB are free", run.err, what)
            if run.code == 0:
                self.compare(expected, datasets(self.folder / "limited.h5"))
        self.assertEqual(codes[-1], 0, f"{limits[-1]} MB are enough")
        self.assertNotEqual(codes[0], 0)

    def compare(self, expected, found):
        """The limit changes nothing but, perhaps, the method."""
        self.assertEqual(sorted(expected), sorted(found))
        for name, values in expected.items():
            if name == "job" or not np.issubdtype(np.asarray(values).dtype, np.floating) or "error" in name:
                continue
            if name in ("exact/norm", "spectrum/residuals") or name.startswith("kernel/") and "condition" in name:
                continue
            np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1e-7, err_msg=name)

    def test_kernels(self):
        self.check("kernels", JOBS["kernels"])

    def test_diagonalization(self):
        self.check("diagonalize", JOBS["diagonalize"])

    def test_chebyshev(self):
        self.check("chebyshev", JOBS["chebyshev"])

    def test_eigenstates(self):
        self.check("eigenstates", JOBS["eigenstates"], limits=(300, 380, 420, 700))

    def test_steady(self):
        self.check("steady", STEADY)

    def test_two_ranks(self):
        self.check("two", JOBS["diagonalize"], ranks=2, limits=(150, 300, 380, 1200))

    def test_memory_that_ends_on_the_way(self):
        """One rank of a run under way can have no more memory: all ranks end, with a message."""
        long_runs = {
            "kernels": chain(8, time={"end": 400.0, "outputs": 4001}, kernel={"exact": True, "orders": [2, 4]}),
            "exact": chain(16, time={"end": 2000.0, "outputs": 40001}, exact={"method": "chebyshev"}),
        }
        for name, tables in long_runs.items():
            job = self.write(f"{name}.toml", tables)
            for ranks in (0, 2):
                run = self.start("run", job, "--out", "ends.h5", ranks=ranks)
                self.assertTrue(run.wait_until(lambda: run.err.count("[") > 0, "the computation"), self.story(run))
                time.sleep(0.3)  # behind the tests of what is free
                resource.prlimit(run.rank_pids()[-1], resource.RLIMIT_AS, (1 << 20, resource.RLIM_INFINITY))
                run.wait(SECONDS)
                self.assertIn(run.code, (0, 1), self.story(run))
                if run.code == 1:
                    self.assertRegex(run.err, "out of memory|GB are free", self.story(run))


if __name__ == "__main__":
    main()
