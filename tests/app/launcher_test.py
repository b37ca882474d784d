#!/usr/bin/python3
"""Processes that a launcher has started as ranks of one run, and MPI takes for a run each.

    python3 tests/app/launcher_test.py PATH_TO_QHEAT [MPIEXEC]

The launchers' variables are set by hand; no batch system is needed.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from program import ProgramCase, chain, main  # noqa: E402

STEP = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"}


class LauncherTest(ProgramCase):
    """Exit code 2, told by one process, nothing written; or a run as ever."""

    def setUp(self):
        super().setUp()
        self.write("a.toml", chain(4, exact={}))

    def start(self, *arguments, extra_environment, **options):
        """Start the program as users do: with Open MPI's daemon beside a process without mpiexec."""
        return super().start(*arguments, extra_environment={"OMPI_MCA_ess_singleton_isolated": "0", **extra_environment},
                             **options)

    def refused(self, variables, *said):
        run = self.finish("run", "a.toml", code=2, extra_environment=variables)
        for pattern in said:
            self.assertRegex(run.err, pattern)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["a.toml"])
        return run

    def accepted(self, variables, *arguments, **options):
        self.finish(*(arguments or ("run", "a.toml")), extra_environment=variables, **options)

    def test_srun_without_pmix(self):
        self.refused({**STEP, "SLURM_PROCID": "0"}, r"SLURM_STEP_NUM_TASKS = 4, but MPI knows of one rank",
                     r"srun --mpi=pmix")

    def test_one_process_speaks(self):
        for rank in ("1", "3"):
            self.assertEqual(self.refused({**STEP, "SLURM_PROCID": rank}).err, "")

    def test_srun_for_pmi2(self):
        self.refused({**STEP, "SLURM_PROCID": "0", "PMI_SIZE": "4", "PMI_RANK": "0"}, r"srun --mpi=pmix")

    def test_launcher_of_another_mpi(self):
        for size, rank in (("PMI_SIZE", "PMI_RANK"), ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
                           ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK")):
            with self.subTest(size=size):
                self.refused({size: "2", rank: "0"}, rf"{size} = 2, but MPI knows of one rank", "mpirun or mpiexec")
                self.assertEqual(self.refused({size: "2", rank: "1"}).err, "")

    def test_batch_script(self):
        """An allocation of four tasks without a step: a run on one of them is what was meant."""
        self.accepted({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_NPROCS": "4", "SLURM_PROCID": "0"})

    def test_one_task(self):
        self.accepted({**STEP, "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"})

    def test_interactive_shell_of_a_step(self):
        shell = {**STEP, "SLURM_PROCID": "0", "SLURM_PTY_PORT": "40000"}
        self.accepted(shell)
        self.accepted({**shell, "PMI_SIZE": "4", "PMI_RANK": "0"})  # what srun --mpi=pmi2 adds

    def test_mpirun_in_a_step(self):
        """The launcher below the step decides, on one rank as on two."""
        step = {**STEP, "SLURM_PROCID": "0"}
        # A step would make Open MPI ask Slurm for the nodes.
        alone = {"OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"}
        self.accepted({**step, **alone})
        without_job = {name: value for name, value in step.items() if name not in ("SLURM_JOB_ID", "SLURM_STEP_ID")}
        self.accepted(without_job, ranks=2)

    def test_no_number(self):
        for value in ("", "x", "-1", "4x", "99999999999999999999"):
            self.accepted({"SLURM_STEP_NUM_TASKS": value, "SLURM_PROCID": "0"})

    def test_only_runs_are_refused(self):
        step = {**STEP, "SLURM_PROCID": "0"}
        for arguments in (("check", "a.toml"), ("version",), ("--help",)):
            self.accepted(step, *arguments)


if __name__ == "__main__":
    main()
