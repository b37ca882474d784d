"""Start the qheat program on any number of ranks, interrupt it, and look at what it wrote.

Shared by the end-to-end tests. Every process has a time limit: a hang is a failure, and leaves nothing running.
"""

import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's h5py belongs to

try:
    import h5py
except ImportError:
    if sys.executable == SYSTEM_PYTHON or not os.path.exists(SYSTEM_PYTHON):
        raise
    os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])

import numpy as np  # noqa: E402

# Starts a rank for which too large a file is an error (EFBIG), as on a full disk, and not the end of the process.
FULL_DISK_WRAPPER = ("/bin/sh", "-c", 'trap "" XFSZ; exec "$0" "$@"')
TIMEOUT = 60.0  # seconds that any one process may take
NIGHTLY = bool(os.environ.get("QHEAT_NIGHTLY"))
POLL = 0.002
MPI_ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_btl": "self,vader", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    "OMPI_MCA_pml": "ob1",  # a quarter of a second less at each start: no search for fast networks
}


def nightly(covered_by):
    """Decorate a test that runs at night only (QHEAT_NIGHTLY); say what covers its subject by day."""
    return unittest.skipUnless(NIGHTLY, f"nightly: by day {covered_by}")


def often(*always, nightly=()):
    """Return numbers of ranks to try: by day those that find most, at night the others too."""
    return (*always, *(nightly if NIGHTLY else ()))


def program():
    """Return the path of the program under test."""
    name = os.environ.get("QHEAT_PROGRAM") or shutil.which("qheat")
    if not name:
        sys.exit("give the path of qheat as first argument or in QHEAT_PROGRAM")
    return str(pathlib.Path(name).resolve())


def mpiexec():
    """Return the words that start a program under MPI, without the number of ranks."""
    return shlex.split(os.environ.get("QHEAT_MPIEXEC") or "mpiexec")


def take_arguments(argv):
    """Move PATH_TO_QHEAT and mpiexec from the command line to the environment; return what is left."""
    left = list(argv[:1])
    for number, name in enumerate(("QHEAT_PROGRAM", "QHEAT_MPIEXEC"), start=1):
        if len(argv) > number and not argv[number].startswith("-"):
            os.environ[name] = argv[number]
        else:
            return left + argv[number:]
    return left + argv[3:]


def main():
    """Run the tests of the calling file."""
    argv = take_arguments(sys.argv)
    program()
    unittest.main(module="__main__", argv=argv)


def environment(extra=None):
    """Return the environment of all runs."""
    variables = dict(os.environ)
    for name, value in MPI_ENVIRONMENT.items():
        variables.setdefault(name, value)
    variables.update(extra or {})
    return variables


def command(arguments, ranks, wrapper=()):
    """Return the command line: the program itself (ranks = 0), or under MPI; `wrapper` starts each rank."""
    words = [*wrapper, program(), *map(str, arguments)]
    return words if ranks == 0 else [*mpiexec(), "-n", str(ranks), *words]


class Run:
    """A run of the program that can be watched and interrupted while it goes on.

    `ranks` = 0 starts the program directly, without mpiexec. Output goes to files, so that no pipe fills.
    """

    def __init__(self, arguments, folder, ranks=0, extra_environment=None, wrapper=()):
        self.ranks = ranks
        self._files = [tempfile.TemporaryFile() for _ in range(2)]
        self._session = tempfile.TemporaryDirectory(prefix="qheat-mpi-")
        self.code = None
        self.process = subprocess.Popen(
            command(arguments, ranks, wrapper), cwd=folder, stdin=subprocess.DEVNULL, stdout=self._files[0],
            stderr=self._files[1], env=environment({**self.alone(), **(extra_environment or {})}),
            start_new_session=True)
        self.started = time.monotonic()

    def alone(self):
        """Return what saves a process without mpiexec the daemon of Open MPI beside it, and half of its start.

        Such processes call themselves alike and would meet in one folder for what they share with nobody.
        """
        if self.ranks:
            return {}
        return {"OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_orte_tmpdir_base": self._session.name}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.destroy()
        for file in self._files:
            file.close()
        self._session.cleanup()

    def destroy(self):
        """End whatever still runs."""
        if self.process.poll() is None:
            for pid in self.rank_pids() + [self.process.pid]:
                self.signal(signal.SIGKILL, [pid])
            self.process.wait()

    def text(self, number):
        """Return what the run has written so far to stdout (0) or stderr (1)."""
        size = os.fstat(self._files[number].fileno()).st_size
        return os.pread(self._files[number].fileno(), size, 0).decode(errors="replace")

    @property
    def out(self):
        return self.text(0)

    @property
    def err(self):
        return self.text(1)

    def wait(self, timeout=TIMEOUT):
        """Wait for the end and return the exit code (negative: killed by that signal)."""
        try:
            self.code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            text = self.out + self.err
            self.destroy()
            raise AssertionError(f"hangs: {shlex.join(self.process.args)}\n{text}") from None
        return self.code

    def wait_until(self, condition, what, timeout=TIMEOUT):
        """Wait until `condition()` holds; False if the run ended before."""
        while not condition():
            if self.process.poll() is not None:
                return bool(condition())
            if time.monotonic() - self.started > timeout:
                text = self.out + self.err
                self.destroy()
                raise AssertionError(f"waited in vain for {what}: {shlex.join(self.process.args)}\n{text}")
            time.sleep(POLL)
        return True

    def wait_for_work(self):
        """Wait until the computation has begun: signals are caught from then on."""
        return self.wait_until(lambda: re.search(r"propagation|perturbative|equation|steady state|matrix elements\n|fluctuations", self.err), "the computation")

    def rank_pids(self):
        """Return the process ids of the ranks."""
        if self.ranks == 0:
            return [self.process.pid]
        return [pid for pid in descendants(self.process.pid) if executable(pid) == program()]

    def signal(self, number, pids=None):
        """Send a signal to all ranks, or to those given."""
        for pid in self.rank_pids() if pids is None else pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def limit_file_size(self, size):
        """From now on no rank can write files beyond `size` bytes (None: any size)."""
        limit = resource.RLIM_INFINITY if size is None else size
        for pid in self.rank_pids():
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            except ProcessLookupError:
                pass


def descendants(pid):
    """Return the process ids of all children, their children, and so on."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = pathlib.Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(entry))
    found, level = [], [pid]
    while level:
        level = [child for parent in level for child in parents.get(parent, [])]
        found += level
    return found


def executable(pid):
    """Return the path of the program that a process runs, or an empty string."""
    try:
        return os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
    except OSError:
        return ""


def datasets(path):
    """Return {path in the file: values} of all datasets except timings and the numbers 0, 1, ... of axes."""
    found = {}

    def visit(name, item):
        if not isinstance(item, h5py.Dataset) or name.startswith("timing/"):
            return
        if h5py.h5ds.is_scale(item.id) and "units" not in item.attrs:
            return
        values = item[()]
        found[name] = values if hasattr(values, "dtype") else np.bytes_(values)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


def toml_value(value):
    """Return a Python value in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(v)}" for key, v in value.items()) + " }"
    return repr(value)


def toml(tables):
    """Return a job file's text from {table: {key: value}}."""
    lines = []
    for table, keys in tables.items():
        lines += [f"[{table}]", *(f"{key} = {toml_value(value)}" for key, value in keys.items()), ""]
    return "\n".join(lines)


def chain(sites, excited=None, **tables):
    """Return the tables of a two-level exchange chain with its first half excited; `tables` change or add some.

    Dashes and dots in table names are written as underscores: site_detuning is [site.detuning].
    """
    excited = sites // 2 if excited is None else excited
    job = {
        "lattice": {"shape": [sites]},
        "site": {"levels": [0.0, 1.0]},
        "interaction": {"kind": "exchange", "strength": 0.5},
        "initial": {"kind": "product", "levels": [1] * excited + [0] * (sites - excited)},
        "time": {"end": 10.0, "outputs": 11},
    }
    for name, keys in tables.items():
        job.setdefault(name.replace("_", "."), {}).update(keys)
    return job


class ProgramCase(unittest.TestCase):
    """A test with a directory of its own, in which the program runs."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="qheat-test-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def write(self, name, tables):
        """Write a job file (text, bytes or tables) and return its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = tables if isinstance(tables, (str, bytes)) else toml(tables)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return name

    def start(self, *arguments, ranks=0, folder=None, **options):
        """Start the program; it is ended with the test at the latest."""
        run = Run(arguments, folder or self.folder, ranks, **options)
        self.addCleanup(run.__exit__)
        return run

    def finish(self, *arguments, code=0, timeout=TIMEOUT, **options):
        """Run the program to its end and check the exit code."""
        run = self.start(*arguments, **options)
        run.wait(timeout)
        self.assertEqual(run.code, code, self.story(run))
        return run

    @staticmethod
    def story(run):
        """Return what to tell about a run that went wrong."""
        return f"{shlex.join(run.process.args)}\n--- stdout\n{run.out}--- stderr\n{run.err}"

    def assert_same(self, first, second, tolerance=0.0, without=("job",)):
        """Check that two results files hold the same datasets, bit for bit or within a tolerance."""
        a, b = datasets(first), datasets(second)
        self.assertEqual(sorted(a), sorted(b))
        for name in a:
            if name in without:
                continue
            self.assertEqual((a[name].shape, a[name].dtype), (b[name].shape, b[name].dtype), name)
            if tolerance == 0.0:
                self.assertEqual(a[name].tobytes(), b[name].tobytes(), f"{name} differs")
            else:
                # Standard errors of sampled values are roots of differences: they know half the digits.
                allowed = np.sqrt(tolerance) / 100 if name.endswith("_error") else tolerance
                np.testing.assert_allclose(a[name], b[name], rtol=0, atol=allowed, err_msg=name)
