"""Runs to a later time.end go on from finished and stopped ones, and equal those that ran through."""

import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "app"))

import numpy as np  # noqa: E402
from program import ProgramCase, chain, h5py, main, toml  # noqa: E402

STOPPED = 75
ENDS = [{"site": 0, "temperature": 2.0, "rate": 0.4}, {"site": 5, "temperature": 0.5, "rate": 0.4}]
OPEN = {"dephasing": 0.1, "reservoir": ENDS}
JOBS = {
    "chebyshev": chain(10, exact={"method": "chebyshev"}),
    "krylov": chain(8, exact={"method": "krylov"}),
    "diagonalize": chain(8, exact={"method": "diagonalize"}, kernel={"orders": [2]}, rates={"kernels": ["tcl2"]}),
    "faber": chain(6, exact={}, bath=OPEN),
    "open krylov": chain(6, exact={"method": "krylov"}, bath=OPEN),
    "runge-kutta": chain(4, exact={"method": "runge-kutta"}, bath={"dephasing": 0.1}),
    "implicit": chain(4, exact={"method": "implicit"}, bath={"dephasing": 50.0}),
}


def until(job, outputs, spacing=2.0, **output):
    """Return the job with this many outputs, a fixed time apart."""
    return {**job, "time": {"end": spacing * (outputs - 1), "outputs": outputs}, "output": {"file": "a.h5", **output}}


class ExtendTest(ProgramCase):
    """`--resume` with a larger time.end at the same spacing of outputs."""

    def read(self, name="a.h5"):
        with h5py.File(self.folder / name) as file:
            found = {}
            file.visititems(lambda path, thing: found.update({path: thing[()]}) if isinstance(thing, h5py.Dataset) else None)
        return {path: values for path, values in found.items() if not path.startswith(("timing", "job"))}

    def compare(self, earlier, reference):
        found = self.read()
        self.assertEqual(found.keys(), reference.keys())
        for name, values in reference.items():
            with self.subTest(dataset=name):
                self.assertEqual(found[name].shape, values.shape)
                if "error" not in name and "singular" not in name:
                    np.testing.assert_allclose(found[name], values, atol=2e-8)
                if name.startswith("exact/") and name in earlier and len(earlier[name]) > 1:
                    np.testing.assert_array_equal(found[name][: len(earlier[name])], earlier[name])

    def test_finished_runs(self):
        for name, job in JOBS.items():
            for ranks in ((1, 2), (2, 1)) if name in ("chebyshev", "faber") else ((1, 1),):
                with self.subTest(job=name, ranks=ranks):
                    self.write("b.toml", until(job, 11))
                    self.finish("run", "b.toml", "--out", "b.h5")
                    self.write("a.toml", until(job, 6, keep_state=True))
                    self.finish("run", "a.toml", ranks=ranks[0])
                    earlier = self.read()
                    self.assertTrue((self.folder / "a.h5.end").exists())
                    self.write("a.toml", until(job, 11, keep_state=True))
                    run = self.finish("run", "a.toml", "--resume", ranks=ranks[1])
                    self.assertIn("going on to a later end from", run.err)
                    self.assertNotIn("computed anew", run.err)
                    self.compare(earlier, self.read("b.h5"))

    def test_twice(self):
        job = JOBS["chebyshev"]
        for outputs in (4, 7, 11):
            self.write("a.toml", until(job, outputs, keep_state=True))
            self.finish("run", "a.toml", "--resume")
        self.write("b.toml", until(job, 11))
        self.finish("run", "b.toml", "--out", "b.h5")
        self.compare({}, self.read("b.h5"))

    def test_stopped_run(self):
        job = chain(10, exact={"method": "krylov"})
        self.write("a.toml", until(job, 801, 0.5))
        run = self.start("run", "a.toml")
        run.wait_for_work()
        time.sleep(0.2)
        run.signal(signal.SIGTERM)
        self.assertEqual(run.wait(), STOPPED)
        with h5py.File(self.folder / "a.h5.chk") as file:
            reached = int(file["partial/place"][0])
        self.assertGreater(reached, 0)
        self.write("a.toml", until(job, 901, 0.5))
        run = self.finish("run", "a.toml", "--resume", timeout=200.0)
        self.assertIn("going on to a later end from", run.err)
        earlier = self.read()
        self.write("b.toml", until(job, 901, 0.5))
        self.finish("run", "b.toml", "--out", "b.h5", timeout=200.0)
        self.compare({}, self.read("b.h5"))
        self.assertEqual(len(earlier["time"]), 901)

    def test_what_is_no_extension(self):
        job = JOBS["diagonalize"]
        self.write("a.toml", until(job, 6, keep_state=True))
        self.finish("run", "a.toml")
        stronger = {**job, "interaction": {"kind": "exchange", "strength": 0.6}}
        for other in (until(stronger, 11), until(job, 11, spacing=1.0), until(job, 4)):
            self.write("a.toml", other)
            self.assertIn("belongs to another job", self.finish("run", "a.toml", "--resume", code=2).err)
        (self.folder / "a.toml").write_text('title = "another"\n' + toml(until(job, 11)))
        self.assertIn("going on", self.finish("run", "a.toml", "--resume").err)

    def test_mixtures_are_computed_anew(self):
        job = {**chain(4, exact={}), "initial": {"kind": "thermal", "temperatures": [2.0, 1.0, 1.0, 0.5]}}
        self.write("b.toml", until(job, 11))
        self.finish("run", "b.toml", "--out", "b.h5")
        self.write("a.toml", until(job, 6, keep_state=True))
        self.finish("run", "a.toml")
        self.write("a.toml", until(job, 11))
        self.finish("run", "a.toml", "--resume")
        self.compare({}, self.read("b.h5"))


if __name__ == "__main__":
    main()
