"""What `check` and the header of `run` say about memory and time, against what a run takes.

Arguments behind the program and mpiexec: names of jobs (parts of them), to look at some alone.
"""

import os
import re
import resource
import sys

from program import ProgramCase, h5py, main, toml
from resource_jobs import JOBS

ALLOWED = 0.2  # of the largest resident set
SAID = re.compile(r"memory +at least ([\d.e+-]+) GB a rank, ([\d.e+-]+) GB to be quick")
TIME = re.compile(r"time +about (.*) on \d+ rank")


def processor_time():
    """Return the processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class MemoryTest(ProgramCase):
    """Every computation on 1 and 2 ranks."""

    def look_at(self, name, ranks):
        """Run a job; return bytes said and used on the busiest rank."""
        tables, behind = JOBS[name]
        self.write("a.toml", toml(tables) + behind)
        before = processor_time()
        run = self.finish("run", "a.toml", ranks=ranks, timeout=300.0)
        seconds = processor_time() - before
        said = float(SAID.search(run.out)[2]) * 1e9
        with h5py.File(self.folder / "a.h5", "r") as file:
            peaks = file["timing/peak_bytes"][()]
        self.assertEqual(peaks.shape, (ranks,))
        print(f"{name:32} {ranks} rank(s): said {said / 1e9:6.3f} GB, used {peaks.max() / 1e9:6.3f} GB, "
              f"ratio {said / peaks.max():5.2f}; said {TIME.search(run.out)[1]}, took {seconds:.1f} s of processor time",
              file=sys.stderr, flush=True)
        return said, peaks.max()

    def test_every_computation(self):
        wanted = os.environ.get("QHEAT_RESOURCE_JOBS", "").split(",")
        for name in JOBS:
            if not any(part in name for part in wanted):
                continue
            for ranks in (1, 2):
                with self.subTest(job=name, ranks=ranks):
                    said, used = self.look_at(name, ranks)
                    self.assertLess(abs(said - used), ALLOWED * used)

    def test_check_says_the_same(self):
        """The same function tells both; the program's own part differs from process to process."""
        tables, behind = JOBS["closed exact, Krylov"]
        self.write("a.toml", toml(tables) + behind)
        texts = [self.finish("check", "a.toml", ranks=2).out, self.finish("run", "a.toml", ranks=2).out]
        values = [[float(x) for x in SAID.search(text).groups()] for text in texts]
        for said, told in zip(*values):
            self.assertAlmostEqual(said, told, delta=0.03 * told)


if __name__ == "__main__":
    main()
