"""What the Slurm scripts of jobs/ have in common, run without Slurm; and programs that srun started without MPI."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from slurm_stand_in import DATA, JOB, PATIENCE, PROGRAMS, SCRIPTS, JobTest, main, setUpModule, write_program


class Environment(JobTest):
    """What the three scripts have in common, with a program that only says how it was called."""

    def setUp(self):
        super().setUp()
        self.fake = self.folder / "build" / "mnist-dist"
        self.fake.parent.mkdir()
        write_program(self.fake, '#!/bin/sh\necho "fake $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS $*"\n')

    def test_the_program_is_found_in_the_build_folder(self):
        (self.folder / "jobs").mkdir()
        for submit_folder in (self.folder, self.folder / "jobs"):
            with self.subTest(folder=submit_folder):
                status, output = self.slurm.run("train.sbatch", "--epochs", "3", tasks=1, MNIST_DIST="",
                                                SLURM_SUBMIT_DIR=submit_folder)
                self.assertEqual(status, 0, output)
                self.assertIn(f"fake 1 1 train {submit_folder}/mnist.h5 -o {submit_folder}/runs/{JOB} --shards 8 "
                              "--epochs 3\n", output)
                self.assertIn("fake 1 1 evaluate", output)

    def launches(self, codes, **variables):
        """srun ends with these codes, one after the other: the job's exit code, its output and how often it started."""
        starts = self.folder / "starts"
        starts.write_text("", encoding="utf-8")
        write_program(self.slurm.shims / "srun", f"""#!/bin/sh
echo >>{starts}
set -- {" ".join(map(str, codes))} 0 0
shift $(($(wc -l <{starts}) - 1))
exit $1
""")
        status, output = self.slurm.run("train.sbatch", LAUNCHER="srun", **variables)
        return status, output, len(starts.read_text(encoding="utf-8"))

    def test_a_launch_that_fails_is_tried_once_more(self):
        status, output, starts = self.launches([1])
        self.assertEqual((status, starts, self.slurm.calls()), (0, 3, []), output)  # twice train, and evaluate
        self.assertIn("exit code 1 before a checkpoint: trying once more", output)

    def test_a_launch_that_fails_twice_is_one_for_other_nodes_and_then_for_nobody(self):
        status, output, starts = self.launches([1, 213])
        self.assertEqual((status, starts, self.slurm.calls()), (213, 2, [f"scontrol requeue {JOB}"]), output)
        status, output, starts = self.launches([1, 213], restarts=1)
        self.assertEqual((status, starts, self.slurm.calls()), (213, 2, [f"scontrol requeue {JOB}"]), output)

    def test_exit_codes_of_the_program_are_no_failed_launches(self):
        for code in (2, 3, 4, 5, 70, 75):
            with self.subTest(code=code):
                status, output, starts = self.launches([code], restarts=1)
                self.assertEqual((status, starts, self.slurm.calls()), (code, 1, []), output)

    def test_a_time_limit_shorter_than_the_lead_of_its_signal(self):
        for limit, warned in (("00:01:00", True), ("00:02:00", True), ("00:02:01", False), ("00:10:00", False),
                              ("01:00:00", False), ("1-00:00:00", False), ("UNLIMITED", False)):
            for script in SCRIPTS:
                with self.subTest(script=script, limit=limit):
                    _, output = self.slurm.run(script, tasks=1, MNIST_DIST=self.fake, TIME_LIMIT=limit, array_task=1)
                    self.assertEqual(f"warning: the time limit is {limit}" in output, warned, output)

    def test_what_tcp_needs_is_set_unless_the_user_did(self):
        write_program(self.fake, "#!/bin/sh\nenv\n")
        settings = {"OMPI_MCA_oob_tcp_keepalive_time": "2", "OMPI_MCA_oob_tcp_keepalive_intvl": "1",
                    "OMPI_MCA_oob_tcp_keepalive_probes": "3", "OMPI_MCA_btl_tcp_eager_limit": "1000000",
                    "OMPI_MCA_btl_tcp_rndv_eager_limit": "1000000", "SLURM_PMIX_FENCE": "ring"}
        for given in ({}, {"OMPI_MCA_btl_tcp_eager_limit": "70000", "SLURM_PMIX_FENCE": "tree"}):
            _, output = self.slurm.run("train.sbatch", tasks=1, MNIST_DIST=self.fake, **given)
            for name, value in {**settings, **given}.items():
                self.assertIn(f"\n{name}={value}\n", output)

    def test_no_program(self):
        self.fake.unlink()
        for script in SCRIPTS:
            with self.subTest(script=script):
                status, output = self.slurm.run(script, MNIST_DIST="", array_task=1)
                self.assertEqual(status, 2, output)
                self.assertIn("set MNIST_DIST", output)

    def test_a_wrong_program_is_no_lost_node(self):
        for script in SCRIPTS:
            for wrong in ("/nonexistent", self.folder, "no-such-mnist-dist"):
                with self.subTest(script=script, wrong=wrong):
                    status, output = self.slurm.run(script, MNIST_DIST=wrong, array_task=1)
                    self.assertEqual((status, output.count("\n"), self.slurm.calls()), (2, 1, []), output)
                    self.assertIn(f"error: MNIST_DIST is {wrong}, ", output)

    def test_a_fresh_run_where_fresh_is_neither_empty_nor_zero(self):
        self.run_folder.mkdir(parents=True)
        (self.run_folder / "config.toml").touch()
        for fresh, resumes in (("", True), ("0", True), ("1", False)):
            with self.subTest(fresh=fresh):
                _, output = self.slurm.run("train.sbatch", tasks=1, MNIST_DIST=self.fake, FRESH=fresh)
                self.assertEqual(f"train --resume {self.run_folder}\n" in output, resumes, output)

    def test_a_data_set_with_quotes_and_backslashes_in_its_name(self):
        self.run_folder.mkdir(parents=True)
        name = r'a "7" \ \\n.h5'
        write_program(self.fake, "#!/bin/sh\nprintf '<%s>\\n' \"$*\" >&2\n")
        (self.run_folder / "config.toml").write_text(f"data = {json.dumps(name)}\n", encoding="utf-8")
        _, output = self.slurm.run("train.sbatch", tasks=1, MNIST_DIST=self.fake)
        self.assertIn(f"<info {name}>\n", output)

    def test_options_that_the_scripts_give_themselves(self):
        for script in SCRIPTS:
            for option, variable in (("--output=x", "RUN"), ("-o", "RUN"), ("--resume", "RUN"), ("--shards", "SHARDS"),
                                     ("--data", "DATA")):
                with self.subTest(script=script, option=option):
                    status, output = self.slurm.run(script, option, "x", MNIST_DIST=self.fake, array_task=1)
                    self.assertEqual((status, output.count("\n"), self.slurm.calls()), (2, 1, []), output)
                    self.assertIn(f"error: {option} is given by this script: set {variable} ", output)

    def test_options_for_a_run_that_has_its_own_are_told(self):
        for restarts, told in ((0, True), (1, False)):
            with self.subTest(restarts=restarts):
                self.run_folder.mkdir(parents=True, exist_ok=True)
                (self.run_folder / "config.toml").touch()
                _, output = self.slurm.run("train.sbatch", "--epochs", "3", tasks=1, MNIST_DIST=self.fake,
                                           restarts=restarts)
                self.assertEqual("so these options are left out: --epochs 3\n" in output, told, output)

    def test_a_run_that_is_named_and_not_there_is_told(self):
        _, output = self.slurm.run("train.sbatch", tasks=1, MNIST_DIST=self.fake, RUN=self.folder / "typo")
        self.assertIn(f"There is no run in {self.folder}/typo yet: a new one begins\n", output)

    def test_an_unknown_launcher(self):
        for script in SCRIPTS:
            with self.subTest(script=script):
                status, output = self.slurm.run(script, LAUNCHER="ssh", array_task=1)
                self.assertEqual(status, 2, output)
                self.assertIn("LAUNCHER is ssh", output)

    def test_without_slurm(self):
        for script in SCRIPTS:
            with self.subTest(script=script):
                status, output = self.slurm.run(script, SLURM_SUBMIT_DIR="")
                self.assertNotEqual(status, 0)
                self.assertIn("start this script with sbatch", output)


class CopiesUnderSrun(unittest.TestCase):
    """srun without --mpi=pmix starts programs that know nothing of each other."""

    def start(self, *command, **variables):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                           **{name: str(value) for name, value in variables.items()}}
            result = subprocess.run([*command, DATA["mnist.h5"]], cwd=folder, env=environment, text=True,
                                    capture_output=True, timeout=PATIENCE, check=False)
            return result.returncode, result.stderr.splitlines(), (Path(folder) / "runs").exists()

    def test_they_are_refused_in_one_line(self):
        for command in ("train", "evaluate", "bench"):
            with self.subTest(command=command):
                status, errors, trained = self.start(PROGRAMS["MNIST_DIST"], command, SLURM_NTASKS=4, SLURM_PROCID=0,
                                                     SLURM_STEP_ID=0, SLURM_STEP_NUM_TASKS=4)
                self.assertEqual((status, len(errors), trained), (2, 1, False), errors)
                self.assertIn("srun started 4 tasks", errors[0])
                self.assertIn("--mpi=pmix", errors[0])

    def test_one_of_them_speaks(self):
        status, errors, _ = self.start(PROGRAMS["MNIST_DIST"], "train", SLURM_NTASKS=4, SLURM_PROCID=3,
                                       SLURM_STEP_ID=0, SLURM_STEP_NUM_TASKS=4)
        self.assertEqual((status, errors), (2, []))

    def test_one_process_in_a_job_of_many_tasks_may_train(self):
        train = (PROGRAMS["MNIST_DIST"], "train", "--epochs", "1", "--hidden", "16")
        mpirun = (PROGRAMS["MPIEXEC"], "-np", "1")
        step = {"SLURM_STEP_ID": 0, "SLURM_STEP_NUM_TASKS": 4}  # in it, mpirun has started its daemons
        for command, variables in ((train, {}), ((*mpirun, *train), {}), ((*mpirun, *train), step)):
            with self.subTest(command=command[0], variables=variables):
                status, errors, trained = self.start(*command, SLURM_NTASKS=4, SLURM_PROCID=0, **variables)
                self.assertEqual((status, trained), (0, True), errors)


if __name__ == "__main__":
    main()
