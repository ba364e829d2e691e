"""What `launch` tells mpirun, and wrong words that it is called with."""

import os
import subprocess
from pathlib import Path

import program
from program import (FILE_SYSTEM, HANG, MNIST_DIST, MPIEXEC, PATIENCE, RANK_FAILED, USAGE, Shared, error_lines,
                     main, warning_lines)
from test_launch import TRAINING, LaunchTest, command_of, setUpModule, untold

# As launch counts them: hardware threads of one core are no more.
CORES = len({Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text(encoding="ascii")
             for cpu in os.sched_getaffinity(0)})


class Settings(LaunchTest):
    def test_more_ranks_than_cores(self):
        result = self.finish("train", Shared.data, "-o", "run", *TRAINING, "--shards", 8, ranks=8)
        if CORES < 8:
            self.assertEqual(len(warning_lines(result)), 1, result.stderr)
            self.assertIn("8 ranks take turns on", warning_lines(result)[0])
            self.assertIn(" --oversubscribe --mca mpi_yield_when_idle 1 --bind-to none", command_of(result))
        self.assert_same_run(self.folder / "run", Shared.folder / "undisturbed")

    def test_a_core_for_each_rank(self):
        result = self.finish("train", Shared.data, "--epochs", 1, ranks=1)
        self.assertNotIn("oversubscribe", command_of(result))
        self.assertEqual(warning_lines(result), [])

    def test_what_is_shown_works(self):
        """In a shell, whatever the names are."""
        (self.folder / "it's mine.h5").symlink_to(Shared.data)
        shown = command_of(self.finish("train", "it's mine.h5", "-o", "one", "--epochs", 1, ranks=2))
        again = shown.removeprefix("mnist-dist: ").replace(" one ", " two ")
        subprocess.run(["sh", "-c", again], cwd=self.folder, env=untold(), check=True, timeout=PATIENCE,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.assert_same_run(self.folder / "one", self.folder / "two")

    def test_the_environment_wins(self):
        program.environment = lambda: {**untold(), "OMPI_MCA_hwloc_base_binding_policy": "none"}
        try:
            self.assertNotIn("--bind-to", command_of(self.finish("evaluate", Shared.data, "--model",
                                                                 Shared.folder / "undisturbed" / "model.h5", ranks=1)))
        finally:
            program.environment = untold


class WrongWords(LaunchTest):
    def test_before_the_command(self):
        for words, mentions in ((("-np", 2), ["COMMAND"]), (("--", "train"), ["--np"]), (("-np", 0, "train"), ["--np"]),
                                (("-np", "two", "train"), ["--np"]), (("-np", 2, "--host", "a", "train"), ["--hosts"]),
                                (("-np", 2, "--", "trian"), ["did you mean train?"]),
                                (("-np", 2, "predict", "x.png"), ["launch starts train", "'predict'"]),
                                (("-np", 2, "launch", "-np", 2, "train"), ["'launch'"]),
                                (("-np", 1000000, "--", "train"), ["--np", "65536"]),
                                (("-np", 2, "--hosts", "a:x", "train"), ["--hosts", "a:x"]),
                                (("-np", 2, "--hosts", "", "train"), ["--hosts", "'' names nothing"]),
                                (("-np", 2, "--hosts=", "train"), ["--hosts", "names nothing"]),
                                (("-np", 2, "--hosts", "a:2000000000,b:2000000000", "train"), ["--hosts", "65536"]),
                                (("-np", 4, "--hosts", "a:1,b:2", "train"), ["a:1,b:2", "3 ranks", "4"])):
            result = self.run_program("launch", *words)
            self.assert_one_error(result, USAGE, *mentions)
            self.assertEqual(result.stderr.splitlines(), error_lines(result))

    def test_more_ranks_than_shards(self):
        """No mpirun is started where the words, a file or the run tell the number of shards."""
        (self.folder / "five.toml").write_text("shards = 5\n", encoding="utf-8")
        self.train("run", "--epochs", 1, "--shards", 6)
        for words, shards in (((), 8), (("--recipe", "fast"), 8), (("-c", "five.toml"), 5), (("--resume", "run"), 6),
                              (("-c", "five.toml", "--shards", 7), 7)):
            result = self.launch("train", *words, ranks=9).wait()
            self.assert_one_error(result, USAGE, "-np asks for 9 ranks", f"--shards is {shards}: ",
                                  f"at most {shards}")
            self.assertEqual(result.stderr.splitlines(), error_lines(result))
        self.finish("train", "--resume", "run", "--epochs", 2, ranks=6)
        os.mkfifo(self.folder / "pipe")  # which is for the ranks
        with open(self.folder / "pipe", "r+b", buffering=0) as pipe:
            pipe.write(b"shards = 5\n")
            self.launch_by("exit 2", Shared.data, "-c", "pipe").wait(HANG)
            self.assertEqual(pipe.read(100), b"shards = 5\n")
        for words in (("-c", "none"), ("--resume", "none")):
            result = self.launch("train", *words).wait()
            self.assert_one_error(result, FILE_SYSTEM, "none")
            self.assertEqual(result.stderr.splitlines(), error_lines(result))

    def test_in_the_command(self):
        for words, mention in ((("train", "--epoch", 5), "did you mean --epochs?"), (("evaluate", "--fly"), "--fly")):
            for mark in (("--",), ()):
                self.assert_one_error(self.run_program("launch", "-np", 2, *mark, *words), USAGE, mention)

    def test_help_of_the_command(self):
        self.assertEqual(self.finish("train", "--help").stdout, self.succeed("train", "--help"))

    def test_unknown_host(self):
        program.environment = lambda: {**untold(), "OMPI_MCA_plm_rsh_agent": "false"}  # what cannot connect
        try:
            result = self.launch("train", Shared.data, options=("--hosts", "nowhere.invalid")).wait(HANG)
        finally:
            program.environment = untold
        self.assert_one_error(result, RANK_FAILED, "nowhere.invalid does not answer", "ssh nowhere.invalid true")
        self.assertEqual(list((self.folder / "runs").iterdir()), [])

    def test_under_mpirun(self):
        launch = (MNIST_DIST, "launch", "-np", "2", "train")
        result = subprocess.run([MPIEXEC, "--allow-run-as-root", "--quiet", "-np", "1", *launch], cwd=self.folder,
                                env=untold(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=PATIENCE, check=False)
        self.assert_one_error(subprocess.CompletedProcess((), result.returncode, result.stdout, result.stderr), USAGE,
                              "without mpirun")

    def test_no_mpirun(self):
        job = program.Job(("launch", "-np", "2", "train"), None, self.folder, variables={"PATH": "/nowhere"})
        self.addCleanup(job.close)
        self.assert_one_error(job.wait(HANG), FILE_SYSTEM, "mpirun", "openmpi-bin")


if __name__ == "__main__":
    main()
