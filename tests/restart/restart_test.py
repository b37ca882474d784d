#!/usr/bin/python3
"""Interrupted runs: what is resumed equals what was never interrupted, and nothing that goes wrong with checkpoints
or results loses work, hangs, or leaves half-written files.

    python3 tests/restart/restart_test.py PATH_TO_QHEAT [MPIEXEC]

QHEAT_PROGRAM and QHEAT_MPIEXEC say the same in the environment.
"""

import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "app"))

from program import FULL_DISK_WRAPPER, NIGHTLY, ProgramCase, chain, datasets, main, nightly, often  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402

STOPPED = 75
OTHER_RANKS_TOLERANCE = 1e-9
PATIENCE = 20.0  # seconds for something that happens within one
STOPS = (signal.SIGTERM, signal.SIGUSR1)
THERMAL = [2.0, 1.5, 2.0, 2.5, 0.5, 0.5, 0.5, 0.7]


def krylov_job(outputs=41, checkpoint=0.1):
    """3432 states, followed by Krylov subspaces."""
    return chain(14, time={"end": 0.5 * (outputs - 1), "outputs": outputs}, exact={"method": "krylov"},
                 output={"checkpoint": checkpoint})


def diagonal_job(outputs=301, checkpoint=0.1):
    """252 states, diagonalised."""
    return chain(10, time={"end": 20.0, "outputs": outputs}, exact={"method": "diagonalize"},
                 output={"checkpoint": checkpoint})


def mixture_job(sites=8, outputs=21, checkpoint=0.5):
    """A sector for each number of excited sites, large ones sampled by more random states than a block holds."""
    job = chain(sites, time={"end": 0.2 * (outputs - 1), "outputs": outputs}, output={"checkpoint": checkpoint},
                exact={"method": "krylov", "samples": 10})
    return {**job, "initial": {"kind": "thermal", "temperatures": THERMAL[:sites]}}


def rates_job(outputs=401, checkpoint=0.1):
    """The many-body rate equation on 3432 cells with dephasing, by explicit steps."""
    return chain(14, bath={"dephasing": 0.5}, time={"end": 50.0, "outputs": outputs}, rates={"kernels": ["tcl2"]},
                 output={"checkpoint": checkpoint})


def stiff_job(outputs=101, checkpoint=0.1):
    """The same on 70 cells for so long that steps are implicit."""
    return chain(8, bath={"dephasing": 2.0}, interaction={"strength": 1.0}, rates={"kernels": ["tcl2"]},
                 time={"end": 30000.0, "outputs": outputs}, output={"checkpoint": checkpoint})


def average_job(realizations=600, checkpoint=0.1):
    """Many realisations of 70 states: one a rank at a time, or on one rank one after the other."""
    detuning = {"distribution": "gaussian", "width": 0.3, "realizations": realizations}
    return chain(8, exact={}, site_detuning=detuning, output={"checkpoint": checkpoint})


def elements_job(levels=24, checkpoint=0.1):
    """All elements between two wells."""
    return {"interaction": {"kind": "well", "strength": 1.0,
                            "well": {"shape": "harmonic", "separation": 2.0, "potential": "inverse"}},
            "matrix-elements": {"levels": levels, "tensor": True}, "output": {"checkpoint": checkpoint}}


def open_job(outputs=41, checkpoint=0.1):
    """184756 elements of a density matrix, with dephasing and reservoirs at both ends."""
    ends = [{"site": 0, "temperature": 2.0, "rate": 0.4}, {"site": 9, "temperature": 0.5, "rate": 0.4}]
    return chain(10, bath={"dephasing": 0.1, "reservoir": ends}, time={"end": 25.0, "outputs": outputs}, exact={},
                 output={"checkpoint": checkpoint})


def fluctuations_job(checkpoint=0.1, **tables):
    """Random states of a ring of 15 sites, sector by sector; with dephasing the operators of one of 9 sites."""
    sites = 9 if "bath" in tables else 15
    return {"lattice": {"shape": [sites], "periodic": [True]}, "site": {"levels": [0.0, 1.0]},
            "interaction": {"kind": "exchange", "strength": 1.0}, "time": {"end": 12.0, "outputs": 61},
            "transport": {"samples": 2, "smaller": 0, "routes": ["spreading", "green-kubo"]},
            "output": {"checkpoint": checkpoint}, **tables}


def orders_job(end=1500.0, outputs=3, sites=8, checkpoint=0.1, **tables):
    """TCL4 of detuned states on a long way between few outputs."""
    offsets = [[0, 0.1 * k * k % 0.37] for k in range(sites)]
    return chain(sites, kernel={"exact": False, "orders": [4]}, time={"end": end, "outputs": outputs},
                 interaction={"strength": 0.02}, site_detuning={"offsets": offsets}, output={"checkpoint": checkpoint},
                 **tables)


def never_saved(job):
    """Return the job without checkpoints on the way."""
    return {**job, "output": {"checkpoint": "1d"}}


def place_in(checkpoint):
    """Return the stage under way in a checkpoint and how far it is."""
    with h5py.File(checkpoint, "r") as file:
        name = next(name for name in ("next", "place", "done", "orders-0-place") if name in file["partial"])
        return file.attrs["partial_stage"], file.attrs["complete"].item(), tuple(file["partial"][name][()])


def identity(path):
    """Return what changes when a file is replaced, or None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def steady_job(rates=60, checkpoint=0.1, **steady):
    """Steady states of three chains between reservoirs, at many rates."""
    ends = [{"site": 0, "temperature": 2.0, "rate": 0.5}, {"face": "x+", "temperature": 0.5, "rate": 0.5}]
    job = chain(4, bath={"dephasing": 0.4, "reservoir": ends}, output={"checkpoint": checkpoint},
                steady={"sizes": [3, 4, 5], "rates": [0.5 + 0.05 * k for k in range(rates)], **steady})
    return {table: keys for table, keys in job.items() if table not in ("initial", "time")}


def long_iteration_job(sites=9, checkpoint=0.05):
    """One steady state that takes several cycles of iterations."""
    ends = [{"site": 0, "temperature": 2.0, "rate": 1.0}, {"face": "x+", "temperature": 0.5, "rate": 1.0}]
    job = chain(sites, bath={"reservoir": ends}, output={"checkpoint": checkpoint},
                steady={"method": "iterative", "tolerance": 1e-12})
    return {table: keys for table, keys in job.items() if table not in ("initial", "time")}


class RestartCase(ProgramCase):
    """A test around one job, a.toml, with the results a.h5 and the checkpoint a.h5.chk."""

    def setUp(self):
        super().setUp()
        self.results = self.folder / "a.h5"
        self.checkpoint = self.folder / "a.h5.chk"
        self.previous = self.folder / "a.h5.chk.prev"
        self.random = random.Random(self.id())

    def reference(self, job, ranks=0):
        """Run the job without interruption into reference.h5; return the seconds of its computation."""
        name = self.write(f"reference-{ranks}.toml", never_saved(job))
        run = self.start("run", name, "--out", f"reference-{ranks}.h5", ranks=ranks)
        run.wait_for_work()
        start = time.monotonic()
        self.assertEqual(run.wait(), 0, self.story(run))
        return time.monotonic() - start

    def stop(self, run, delay, number, everywhere):
        """Ask a run to stop `delay` seconds after its work began; return its exit code."""
        run.wait_for_work()
        time.sleep(delay)
        pids = run.rank_pids()
        run.signal(number, pids if everywhere else pids[-1:])
        return run.wait()

    def interrupted(self, seconds, cuts, ranks):
        """Run a.toml with `cuts` interruptions; False if it was too quick for them."""
        places = set()
        for cut in range(cuts):
            delay = seconds * self.random.uniform(0.02, 0.7 / cuts)
            run = self.start("run", "a.toml", *(["--resume"] if cut else []), ranks=ranks)
            code = self.stop(run, delay, STOPS[cut % 2], everywhere=cut % 2 == 0)
            if code == 0:
                return False
            self.assertEqual(code, STOPPED, self.story(run))
            self.assertEqual("resuming from" in run.err, cut > 0, run.err)
            places.add(place_in(self.checkpoint))
            if cut == 0:
                shutil.copy(self.checkpoint, self.folder / "first.chk")
        self.assertEqual(len(places), cuts, "every part of the run moves on")
        run = self.finish("run", "a.toml", "--resume", ranks=ranks)
        self.assertIn("resuming from", run.err)
        return True

    def cut_series(self, job, seconds, cuts, ranks):
        """Interrupt the job `cuts` times; gentler if the machine is quicker than it was."""
        self.write("a.toml", job)
        for attempt in range(4):
            if self.interrupted(seconds / 2**attempt, cuts, ranks):
                return
            for file in self.folder.glob("a.h5*"):
                file.unlink()
        self.fail("the job is too short to be interrupted")

    def resume_elsewhere(self, ranks):
        """Resume the first interruption on another number of ranks, into another file."""
        name = f"other-{ranks}.h5"
        shutil.copy(self.folder / "first.chk", self.folder / f"{name}.chk")
        return self.start("run", "a.toml", "--resume", "--out", name, ranks=ranks)

    def save_and_kill(self, ranks=0, checkpoints=3):
        """Run a.toml, and kill a rank when some checkpoints have been written."""
        run = self.start("run", "a.toml", ranks=ranks)
        for _ in range(checkpoints):
            last = identity(self.checkpoint)
            changed = run.wait_until(lambda: identity(self.checkpoint) not in (None, last), "a checkpoint")
            self.assertTrue(changed, self.story(run))
        run.signal(signal.SIGKILL, run.rank_pids()[-1:])
        self.assertNotIn(run.wait(), (0, STOPPED), self.story(run))
        return run

    def interrupt_once(self, ranks=0, delay=0.1):
        """Run a.toml and stop it: there is a checkpoint."""
        run = self.start("run", "a.toml", ranks=ranks)
        self.assertEqual(self.stop(run, delay, signal.SIGTERM, True), STOPPED, self.story(run))
        return run

    def assert_clean(self, *kept):
        """Check that nothing but jobs, results and the files named is left."""
        names = sorted(p.name for p in self.folder.iterdir() if p.suffix not in (".toml", ".h5"))
        self.assertEqual(names, sorted(kept))


class ResumeTest(RestartCase):
    """A run cut into pieces gives the series of a run that was not."""

    def check_same_ranks(self, job, ranks, cuts=3):
        seconds = self.reference(job, ranks)
        self.cut_series(job, seconds, cuts, ranks)
        self.assert_same(self.folder / f"reference-{ranks}.h5", self.results)

    def check_all_ranks(self, job, others=often(0, nightly=(3,))):
        """Cut on two ranks; go on from the first cut also on one and three (by day three where it says so)."""
        self.check_same_ranks(job, 2, cuts=3 if NIGHTLY else 2)
        others = {ranks: self.resume_elsewhere(ranks) for ranks in others}
        for ranks, run in others.items():
            self.assertEqual(run.wait(), 0, self.story(run))
            self.assertIn("resuming from", run.err)
            self.assert_same(self.results, self.folder / f"other-{ranks}.h5", OTHER_RANKS_TOLERANCE)
        self.assert_clean("first.chk")

    def test_krylov(self):
        self.check_all_ranks(krylov_job(), others=(0, 3))

    def test_diagonalisation(self):
        self.check_all_ranks(diagonal_job())

    def test_mixture(self):
        self.check_all_ranks(mixture_job(sites=6, outputs=13))

    def test_average(self):
        self.check_all_ranks(average_job(300))

    def test_matrix_elements(self):
        self.check_all_ranks(elements_job(levels=20))

    @nightly("test_average goes on from its first cut on one rank too")
    def test_one_rank_average(self):
        self.check_same_ranks(average_job(300), 0, cuts=3)

    def test_rates(self):
        self.check_all_ranks(rates_job())

    def test_open(self):
        self.check_all_ranks(open_job())

    def test_fluctuations(self):
        self.check_all_ranks(fluctuations_job())

    def test_dephased_fluctuations(self):
        self.check_same_ranks(fluctuations_job(bath={"dephasing": 0.05}, time={"end": 100.0, "outputs": 101}), 0, cuts=2)

    def test_orders_between_two_outputs(self):
        self.check_all_ranks(orders_job(750.0))

    def test_one_rank_rates_of_orders(self):
        """Rate equations evaluate the kernel inside a step, and stop there too."""
        self.check_same_ranks(orders_job(20.0, outputs=51, rates={"kernels": ["tcl4"]}), 0, cuts=2)

    def test_one_rank_runge_kutta(self):
        job = {**open_job(), "exact": {"method": "runge-kutta"}, "time": {"end": 2.0, "outputs": 5}}
        self.check_same_ranks(job, 0, cuts=2)

    def test_long_iteration(self):
        self.check_all_ranks(long_iteration_job())

    def test_one_rank_steady_states(self):
        self.check_same_ranks(steady_job(), 0, cuts=3)

    def test_one_rank_steady_states_of_dephasings(self):
        self.check_same_ranks(steady_job(rates=3, dephasings=[0.1 * k for k in range(20)]), 0, cuts=3)

    @nightly("test_krylov goes on from its first cut on one rank too")
    def test_one_rank_krylov(self):
        self.check_same_ranks(krylov_job(), 0, cuts=5)

    def test_one_rank_chebyshev(self):
        job = krylov_job(outputs=161)
        self.write("a.toml", {**job, "exact": {"method": "chebyshev"}})
        check = self.start("check", "a.toml")
        if check.wait() == 2 and "this version does not" in check.err:
            self.skipTest("this version has no Chebyshev method")
        self.check_same_ranks({**job, "exact": {"method": "chebyshev"}}, 0, cuts=3)

    @nightly("test_mixture goes on from its first cut on one rank too")
    def test_one_rank_mixture(self):
        self.check_same_ranks(mixture_job(), 0, cuts=4)

    def test_one_rank_stiff_rates(self):
        self.check_same_ranks(stiff_job(), 0, cuts=4)


class KillTest(RestartCase):
    """Runs that die without notice."""

    def check(self, ranks, job):
        self.reference(job, ranks)
        self.write("a.toml", job)
        self.save_and_kill(ranks)
        self.assertFalse(self.results.exists())
        run = self.finish("run", "a.toml", "--resume", ranks=ranks)
        self.assertIn("resuming from", run.err)
        self.assert_same(self.folder / f"reference-{ranks}.h5", self.results)
        self.assert_clean()

    def test_one_rank(self):
        self.check(0, krylov_job(checkpoint=0.01))

    def test_two_ranks(self):
        self.check(2, krylov_job(checkpoint=0.01))

    def test_killed_while_saving(self):
        """What a kill may leave: .tmp files, and .prev without .chk."""
        job = krylov_job()
        self.reference(job)
        self.write("a.toml", job)
        self.interrupt_once()
        self.checkpoint.rename(self.previous)
        (self.folder / "a.h5.chk.tmp").write_bytes(b"half a checkpoint")
        (self.folder / "a.h5.tmp").write_bytes(b"half a result")
        run = self.finish("run", "a.toml", "--resume")
        self.assertRegex(run.err, r"resuming from .*a\.h5\.chk\.prev")
        self.assert_same(self.folder / "reference-0.h5", self.results)
        self.assert_clean()


class StopTest(RestartCase):
    """Exit code 75 and what is left then."""

    def check_stopped(self, run):
        self.assertEqual(run.code, STOPPED, self.story(run))
        self.assertRegex(run.err, r"stopped; the state is in .*a\.h5\.chk: go on with --resume")
        self.assertEqual(place_in(self.checkpoint)[1], 1)
        self.assertFalse(self.results.exists())
        self.assert_clean(*(p.name for p in (self.checkpoint, self.previous) if p.exists()))

    def test_signals(self):
        self.write("a.toml", krylov_job(outputs=4001))
        for number in STOPS:
            with self.subTest(signal=number):
                run = self.start("run", "a.toml")
                self.stop(run, 0.0, number, True)
                self.check_stopped(run)

    def test_one_of_three_ranks_is_told(self):
        self.write("a.toml", krylov_job(outputs=4001))
        run = self.start("run", "a.toml", ranks=3)
        self.stop(run, 0.0, signal.SIGUSR1, False)
        self.check_stopped(run)
        self.assertEqual(run.err.count("stopped;"), 1)

    def test_max_time(self):
        self.write("a.toml", krylov_job(outputs=4001))
        started = time.monotonic()
        run = self.finish("run", "a.toml", "--max-time", "3s", code=STOPPED)
        self.assertLess(time.monotonic() - started, 20.0)
        self.check_stopped(run)
        before = place_in(self.checkpoint)
        run = self.finish("run", "a.toml", "--resume", "--max-time", "2", code=STOPPED, ranks=2)
        self.check_stopped(run)
        self.assertGreater(place_in(self.checkpoint)[2], before[2])

    def test_orders_without_end(self):
        """A way of billions of steps between two outputs: stopped by time and by signals, and refused beyond."""
        job = orders_job(1e9, outputs=4, sites=3)
        self.write("a.toml", job)
        for ranks in (0, 2):
            start = time.monotonic()
            run = self.finish("run", "a.toml", "--max-time", "1.5", code=STOPPED, ranks=ranks)
            self.assertLess(time.monotonic() - start, PATIENCE)
            self.check_stopped(run)
        run = self.start("run", "a.toml", "--resume")
        self.stop(run, 0.5, signal.SIGTERM, True)
        self.check_stopped(run)

    def test_second_signal(self):
        """During a long diagonalisation there is no safe point: the second signal ends the run at once."""
        self.write("a.toml", {**diagonal_job(), **chain(15, excited=6, exact={"method": "diagonalize"})})
        run = self.start("run", "a.toml")
        run.wait_for_work()
        run.signal(signal.SIGTERM)
        time.sleep(3.2)
        self.assertIsNone(run.process.poll(), self.story(run))
        run.signal(signal.SIGTERM)
        self.assertEqual(run.wait(5.0), -signal.SIGTERM)
        self.assertFalse(self.results.exists())

    def test_echo_of_a_signal(self):
        """Batch systems and mpirun may deliver the same signal twice: that is one request."""
        self.write("a.toml", krylov_job(outputs=4001))
        run = self.start("run", "a.toml", ranks=2)
        run.wait_for_work()
        for _ in range(3):
            run.signal(signal.SIGUSR1)
        run.wait()
        self.check_stopped(run)


class DamageTest(RestartCase):
    """Checkpoints that cannot be used."""

    def setUp(self):
        super().setUp()
        self.job = krylov_job(outputs=21)
        self.reference(self.job)
        self.write("a.toml", self.job)

    def check_resumed(self, *said, ranks=0):
        """Resume; what is said on stderr; the results are right whatever happened to the checkpoint."""
        run = self.finish("run", "a.toml", "--resume", ranks=ranks)
        for pattern in said:
            self.assertRegex(run.err, pattern)
        tolerance = 0.0 if ranks == 0 else OTHER_RANKS_TOLERANCE
        self.assert_same(self.folder / "reference-0.h5", self.results, tolerance)
        self.assert_clean()

    def flip(self, path, dataset):
        """Change a byte in the middle of a dataset's last chunk."""
        with h5py.File(path, "r") as file:
            data = file[dataset].id
            chunk = data.get_chunk_info(data.get_num_chunks() - 1)
        data = bytearray(path.read_bytes())
        data[chunk.byte_offset + chunk.size // 2] ^= 0x55
        path.write_bytes(data)

    def test_no_checkpoint(self):
        self.check_resumed(r"there is no checkpoint .*a\.h5\.chk: starting afresh")

    def test_truncated(self):
        self.interrupt_once(delay=0.0)
        os.truncate(self.checkpoint, self.checkpoint.stat().st_size // 2)
        self.previous.unlink(missing_ok=True)
        self.check_resumed(r"a\.h5\.chk cannot be used", "starting afresh")

    def test_empty(self):
        self.checkpoint.write_bytes(b"")
        self.check_resumed(r"a\.h5\.chk cannot be used", "starting afresh")

    def test_not_complete(self):
        self.interrupt_once(delay=0.0)
        with h5py.File(self.checkpoint, "r+") as file:
            del file.attrs["complete"]
        self.previous.unlink(missing_ok=True)
        self.check_resumed("not written to its end", "starting afresh")

    def test_flipped_byte_takes_the_one_before(self):
        for ranks, found in ((0, ("partial/values", "partial/place", "partial/state-0")), (2, often(
                "partial/state-0", nightly=("partial/values", "partial/place")))):
            for dataset in found:
                with self.subTest(ranks=ranks, dataset=dataset):
                    self.interrupt_once(delay=0.0)
                    shutil.copy(self.checkpoint, self.previous)
                    self.flip(self.checkpoint, dataset)
                    self.check_resumed(r"a\.h5\.chk cannot be used: .*damaged", r"resuming from .*\.chk\.prev",
                                       ranks=ranks)

    def test_damaged_checkpoint_does_not_replace_the_good_one(self):
        """A run that goes on from .prev and is stopped again leaves that one as it was, beside a new .chk."""
        self.interrupt_once(delay=0.0)
        good = self.checkpoint.read_bytes()
        self.previous.write_bytes(good)
        self.flip(self.checkpoint, "partial/values")
        self.finish("run", "a.toml", "--resume", "--max-time", "0.001", code=STOPPED)
        self.assertEqual(self.previous.read_bytes(), good)
        self.assertTrue(h5py.is_hdf5(self.checkpoint))
        self.check_resumed(r"resuming from .*a\.h5\.chk\n")

    def metadata(self, path):
        """Return the places of all bytes, except zeros, that belong to no dataset's values."""
        data = path.read_bytes()
        values = set()

        def visit(_, item):
            for k in range(item.id.get_num_chunks() if isinstance(item, h5py.Dataset) and item.chunks else 0):
                chunk = item.id.get_chunk_info(k)
                values.update(range(chunk.byte_offset, chunk.byte_offset + chunk.size))

        with h5py.File(path, "r") as file:
            file.visititems(visit)
        return [place for place, byte in enumerate(data) if byte and place not in values]

    def test_flipped_bytes_between_the_values(self):
        """Damage anywhere is found while the checkpoint before can still be taken, or does no harm."""
        self.interrupt_once(delay=0.0)
        good = self.checkpoint.read_bytes()
        places = self.metadata(self.checkpoint)
        names = [good.find(name) for name in (b"state-0\0", b"squares\0") if name in good]
        for place in [*names, *self.random.sample(places, 6)]:
            with self.subTest(place=place):
                data = bytearray(good)
                data[place] ^= 1 << self.random.randrange(8)
                self.checkpoint.write_bytes(data)
                self.previous.write_bytes(good)
                self.check_resumed()

    def test_flipped_byte_and_none_before(self):
        self.interrupt_once(delay=0.0)
        self.flip(self.checkpoint, "partial/values")
        self.previous.unlink(missing_ok=True)
        self.check_resumed(r"a\.h5\.chk cannot be used: .*damaged", "starting afresh")

    def test_damage_that_one_rank_meets(self):
        """Ranks read different parts of a large checkpoint: one of them alone finds it damaged."""
        self.write("a.toml", chain(6, time={"end": 60.0, "outputs": 6001}, exact={"method": "krylov"}))
        self.interrupt_once(delay=0.0)
        self.flip(self.checkpoint, "partial/values")
        run = self.finish("run", "a.toml", "--resume", "--max-time", "1", ranks=3, code=STOPPED)
        self.assertIn("starting afresh", run.err)

    def test_of_another_job(self):
        """A checkpoint of another job is refused, and left as it is."""
        self.interrupt_once(delay=0.0)
        before = self.checkpoint.read_bytes()
        self.write("a.toml", never_saved(diagonal_job()))
        for ranks in (0, 2):
            run = self.finish("run", "a.toml", "--resume", ranks=ranks, code=2)
            self.assertEqual(run.err.count("belongs to another job"), 1, run.err)
            self.assertIn("a.h5.chk", run.err)
            self.assertEqual(self.checkpoint.read_bytes(), before)

    def test_text_instead(self):
        self.checkpoint.write_text("not HDF5 at all\n" * 1000)
        self.check_resumed(r"a\.h5\.chk cannot be used", "starting afresh", ranks=2)

    def test_results_instead(self):
        shutil.copy(self.folder / "reference-0.h5", self.checkpoint)
        self.check_resumed(r"a\.h5\.chk cannot be used", "starting afresh")


class FullDiskTest(RestartCase):
    """Files cannot grow: what a full disk or a quota does."""

    def start_limited(self, ranks):
        """Start a.toml; when there is a checkpoint, no file can grow any more. Returns run and checkpoint."""
        before = identity(self.checkpoint)
        run = self.start("run", "a.toml", ranks=ranks, wrapper=FULL_DISK_WRAPPER)
        saved = run.wait_until(lambda: identity(self.checkpoint) not in (None, before), "a checkpoint",
                               PATIENCE)
        self.assertTrue(saved, self.story(run))
        run.limit_file_size(1000)
        failed = run.wait_until(lambda: "checkpoint failed, the run goes on" in run.err, "the failure", PATIENCE)
        self.assertTrue(failed, self.story(run))
        return run

    def check_results_fail(self, job, ranks):
        self.write("a.toml", job)
        self.reference(job, ranks)
        run = self.start_limited(ranks)
        self.assertEqual(run.wait(), 1, self.story(run))
        self.assertRegex(run.err, r"qheat: .*a\.h5")
        self.assertEqual(len(re.findall(r"^qheat: ", run.err, re.M)), 1, run.err)
        self.assertFalse(self.results.exists())
        self.assertNotIn("a.h5.tmp", os.listdir(self.folder))
        again = self.finish("run", "a.toml", "--resume", ranks=ranks)
        self.assertIn("resuming from", again.err)
        self.assert_same(self.folder / f"reference-{ranks}.h5", self.results)
        self.assert_clean()

    def test_results_fail(self):
        self.check_results_fail(krylov_job(checkpoint=0.02), 0)

    def test_results_fail_on_two_ranks(self):
        self.check_results_fail(krylov_job(outputs=21, checkpoint=0.02), 2)

    def test_run_goes_on(self):
        """A checkpoint that fails harms neither the ones before nor the run."""
        job = krylov_job(checkpoint=0.02)
        self.write("a.toml", job)
        self.reference(job)
        run = self.start_limited(0)
        kept = [path for path in (self.checkpoint, self.previous) if path.exists()]
        self.assertTrue(kept)
        for path in kept:
            self.assertEqual(place_in(path)[1], 1)
        run.limit_file_size(None)
        self.assertEqual(run.wait(), 0, self.story(run))
        self.assert_same(self.folder / "reference-0.h5", self.results)
        self.assert_clean()

    def test_stop_without_room(self):
        """A run that is asked to stop and cannot save says so: exit code 1, not 75."""
        self.write("a.toml", krylov_job(outputs=4001, checkpoint=0.02))
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                run = self.start_limited(ranks)
                run.signal(signal.SIGTERM)
                self.assertEqual(run.wait(), 1, self.story(run))
                self.assertIn("could not save its state", run.err)


class LockTest(RestartCase):
    """Two runs with one output."""

    def test_in_use(self):
        self.write("a.toml", krylov_job(outputs=4001))
        first = self.start("run", "a.toml")
        first.wait_for_work()
        for ranks in (0, 2):
            second = self.finish("run", "a.toml", ranks=ranks, code=1)
            self.assertEqual(second.err.count("a.h5 is in use by another run"), 1, second.err)
        self.finish("run", "a.toml", "--resume", code=1)
        first.signal(signal.SIGKILL)
        self.assertEqual(first.wait(), -signal.SIGKILL)
        self.finish("run", "a.toml", "--max-time", "1", code=STOPPED)

    def test_other_output(self):
        """The same job into another file is nobody's business."""
        self.write("a.toml", krylov_job(outputs=4001))
        first = self.start("run", "a.toml")
        first.wait_for_work()
        self.finish("run", "a.toml", "--out", "b.h5", "--max-time", "1", code=STOPPED)
        self.assertIsNone(first.process.poll())


class ResultsFileTest(RestartCase):
    """What a run leaves, and the layout of the results file."""

    OUTPUTS, SITES, LEVELS, BONDS, CELLS = 6, 4, 2, 3, 6
    FLOATS = {
        "time": (OUTPUTS,), "x": (SITES,), "bond_x": (BONDS,), "model/site_energies": (SITES, LEVELS),
        "exact/populations": (OUTPUTS, SITES, LEVELS), "exact/energy": (OUTPUTS, SITES),
        "exact/current": (OUTPUTS, BONDS), "exact/outflow": (OUTPUTS, BONDS, 2), "exact/norm": (OUTPUTS,),
        "exact/total_energy": (OUTPUTS,), "exact/truncation_error": (OUTPUTS,),
        "kernel/tcl2/generator": (OUTPUTS, CELLS, CELLS), "kernel/tcl2/bond_rate": (OUTPUTS, BONDS),
        "kernel/tcl2/error": (OUTPUTS,),
        "rates/tcl2/populations": (OUTPUTS, SITES, LEVELS), "rates/tcl2/energy": (OUTPUTS, SITES),
        "sites/tcl2/populations": (OUTPUTS, SITES, LEVELS), "sites/tcl2/energy": (OUTPUTS, SITES),
        "sites/tcl2/closure_error": (OUTPUTS,),
        "rates/tcl2/deviation": (OUTPUTS,), "sites/tcl2/deviation": (OUTPUTS,),
        **{f"kernel/tcl2/{score}": (6,) for score in (
            "symmetry", "locality", "additivity", "spectator_independence", "energy_conservation", "swap_fraction",
            "level_independence", "negativity")},
    }
    INTEGERS = {"site": (SITES,), "model/bonds": (BONDS, 2), "kernel/cells": (CELLS, SITES), "kernel/tcl2/compared": (OUTPUTS, 8)}
    TEXTS = ("filetype", "qheat_version", "git_revision", "petsc_version", "slepc_version", "scalar", "created")

    def run_everything(self, ranks):
        job = chain(self.SITES, time={"end": 5.0, "outputs": self.OUTPUTS}, exact={}, rates={"kernels": ["tcl2"]},
                    kernel={"exact": False, "orders": [2]}, output={"checkpoint": 0.001})
        text = self.write("a.toml", job)
        self.finish("run", text, ranks=ranks)
        return (self.folder / text).read_text()

    def check_attributes(self, attributes, ranks):
        for name in self.TEXTS:
            self.assertTrue(str(attributes[name]), name)
        self.assertEqual(attributes["filetype"].decode() if isinstance(attributes["filetype"], bytes)
                         else attributes["filetype"], "qheat results")
        self.assertEqual(list(attributes["format_version"]), [1, 2])
        self.assertEqual(attributes["format_version"].dtype.kind, "i")
        self.assertEqual(int(attributes["ranks"]), max(1, ranks))
        self.assertIn(int(attributes["index_bits"]), (32, 64))
        self.assertEqual(int(attributes["complete"]), 1)

    def test_layout(self):
        for ranks in (0, 3):
            with self.subTest(ranks=ranks):
                text = self.run_everything(ranks)
                found = datasets(self.results)
                job = found.pop("job")
                self.assertEqual((job.decode() if isinstance(job, bytes) else job), text)
                shapes = {name: values.shape for name, values in found.items()}
                self.assertEqual(shapes, {**self.FLOATS, **self.INTEGERS})
                for name in self.FLOATS:
                    self.assertEqual(found[name].dtype, np.float64, name)
                for name in self.INTEGERS:
                    self.assertEqual(found[name].dtype.kind, "i", name)
                with h5py.File(self.results, "r") as file:
                    self.check_attributes(file.attrs, ranks)
                    self.assertIn("seconds", next(iter(file["timing"].values())))
                self.assert_clean()

    def test_physics(self):
        """What must hold whatever the numbers are."""
        self.run_everything(0)
        found = datasets(self.results)
        for name in ("exact", "rates/tcl2", "sites/tcl2"):
            populations = found[f"{name}/populations"]
            np.testing.assert_allclose(populations.sum(axis=2), 1.0, atol=1e-9)
            np.testing.assert_allclose(populations[0, :, 1], [1, 1, 0, 0], atol=1e-12)
            np.testing.assert_allclose(found[f"{name}/energy"], populations[:, :, 1], atol=1e-12)
        self.assertEqual(found["model/bonds"].tolist(), [[0, 1], [1, 2], [2, 3]])
        self.assertTrue(np.all(found["kernel/tcl2/generator"][0] == 0.0))
        np.testing.assert_allclose(found["kernel/tcl2/generator"].sum(axis=1), 0.0, atol=1e-12)

    def test_second_run_replaces_the_first(self):
        self.run_everything(0)
        first = identity(self.results)
        self.run_everything(0)
        self.assertNotEqual(identity(self.results), first)
        self.assert_clean()


if __name__ == "__main__":
    main()
