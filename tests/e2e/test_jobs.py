"""The Slurm scripts of jobs/, run without Slurm: a stand-in does for them what sbatch, srun and scontrol would do."""

import csv
import json
import os
import signal
import statistics
import subprocess
import tempfile
import unittest
from pathlib import Path

from slurm_stand_in import (DATA, JOB, JOBS, PROGRAMS, SCRIPTS, JobTest, child_of, end_of, epochs_in, main,
                            sbatch_parser, script_options, setUpModule, sha256, wait_for_epochs, write_program)

# A run that lasts until it is told to stop: it never runs out of epochs or patience while a test waits.
LONG = ("--hidden", "64", "--epochs", "100000", "--window", "100000", "--min-change", "0")


class Options(unittest.TestCase):
    def test_all_are_read_by_sbatch(self):
        for script in SCRIPTS:
            with self.subTest(script=script):
                read, overlooked = script_options(JOBS / script)
                self.assertEqual(overlooked, [])
                options = sbatch_parser().parse_args(read)
                self.assertTrue(options.requeue)
                self.assertEqual(options.signal, "B:USR1@120")
                self.assertEqual(options.open_mode, "append")
                self.assertEqual(options.cpus_per_task, 1)
                self.assertGreaterEqual(options.ntasks, 1)
                self.assertEqual(options.array, "1-5" if script == "sweep.sbatch" else None)

    def test_one_below_a_command_would_be_noticed(self):
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "late.sbatch"
            script.write_text("#!/bin/sh\n# a comment\n\n#SBATCH --requeue\nset -e\n#SBATCH --ntasks=8\n",
                              encoding="utf-8")
            self.assertEqual(script_options(script), (["--requeue"], ["--ntasks=8"]))

    def test_what_the_scripts_share_is_the_same_in_all(self):
        shared = {(JOBS / script).read_text(encoding="utf-8").split("\nset -euo pipefail\n")[1].split("\nrun")[0]
                  for script in SCRIPTS}
        self.assertEqual(len(shared), 1)

    def test_scripts_can_be_run(self):
        for script in SCRIPTS:
            self.assertTrue(os.access(JOBS / script, os.X_OK), script)


class Train(JobTest):
    def test_trains_and_evaluates(self):
        status, output = self.slurm.run("train.sbatch", "--epochs", "3", "--hidden", "32", LAUNCHER="srun")
        self.assertEqual(status, 0, output)
        self.assertTrue((self.run_folder / "model.h5").is_file())
        self.assertIn("epochs = 3", (self.run_folder / "config.toml").read_text(encoding="utf-8"))
        self.assertIn("of 200 images right", output)
        report = json.loads((self.run_folder / "report.json").read_text(encoding="utf-8"))
        accuracy = report["exact accuracy"]["accuracy"]
        self.assertIn(f"\nDone: {self.run_folder}/model.h5, accuracy {accuracy} on the test images\n", output)
        calls = self.slurm.calls()
        self.assertEqual(len(calls), 2, calls)
        for call, command in zip(calls, ("train", "evaluate")):
            self.assertIn(f"srun --mpi=pmix --cpus-per-task=1 --ntasks 2 {PROGRAMS['MNIST_DIST']} {command} ", call)

    def test_more_ranks_than_eight_get_as_many_shards(self):
        for tasks, shards in ((2, 8), (9, 9)):
            with self.subTest(tasks=tasks):
                run = self.folder / "runs" / f"of-{tasks}"
                status, output = self.slurm.run("train.sbatch", "--epochs", "1", "--hidden", "16", tasks=tasks, RUN=run)
                self.assertEqual(status, 0, output)
                self.assertIn(f"shards = {shards}\n", (run / "config.toml").read_text(encoding="utf-8"))

    def test_without_test_images(self):
        """What there is is evaluated, and nothing is wrong."""
        data = self.folder / "mnist.h5"
        data.unlink()
        subprocess.run([PROGRAMS["H5PACK"], "pack", DATA["mnist.h5"].parent / "digits" / "training", data], check=True,
                       stdout=subprocess.DEVNULL)
        options = ("--epochs", "1", "--hidden", "16")
        status, output = self.slurm.run("train.sbatch", *options)
        self.assertEqual(status, 0, output)
        report = json.loads((self.run_folder / "report-holdout.json").read_text(encoding="utf-8"))
        accuracy = report["exact accuracy"]["accuracy"]
        self.assertTrue(output.endswith(f"\nDone: {self.run_folder}/model.h5, accuracy {accuracy} on the holdout\n"),
                        output)

        run = self.folder / "runs" / "all"
        status, output = self.slurm.run("train.sbatch", *options, "--holdout", "0", RUN=run)
        self.assertEqual(status, 0, output)
        self.assertIn(f"\nDone: {run}/model.h5, not evaluated: there are no test images", output)

    def test_where_the_evaluation_fails_the_model_is_named(self):
        (self.run_folder / "report.json").mkdir(parents=True)  # which no file can replace
        status, output = self.slurm.run("train.sbatch", "--epochs", "1", "--hidden", "16")
        self.assertEqual(status, 4, output)
        self.assertIn(f"\nTrained: {self.run_folder}/model.h5\n", output)

    def interrupt(self, *options, epochs=1, target=lambda process: process.pid, **variables):
        """Trains until there are so many epochs and sends USR1; the exit code and what the job printed."""
        process = self.slurm.start("train.sbatch", *options, **variables)
        wait_for_epochs(process, self.run_folder, epochs)
        os.kill(target(process), signal.SIGUSR1)
        return end_of(process)

    def test_interrupted_it_goes_back_into_the_queue_and_on_from_there(self):
        status, output = self.interrupt(*LONG)
        self.assertEqual(status, 75, output)
        self.assertEqual(self.slurm.calls(), [f"scontrol requeue {JOB}"])
        before = epochs_in(self.run_folder)

        # The second start is interrupted too: a job may need many.
        status, output = self.interrupt(*LONG, epochs=before + 2, restarts=1)
        self.assertEqual(status, 75, output)
        self.assertEqual(self.slurm.calls(), [f"scontrol requeue {JOB}"] * 2)
        self.assertGreaterEqual(epochs_in(self.run_folder), before + 2)

    def test_interrupted_before_there_are_ranks(self):
        scontrol = self.slurm.shims / "scontrol"
        scontrol.rename(self.slurm.shims / "other-scontrol")
        number = self.folder / "number"  # of the script's process
        write_program(scontrol, f"""#!/bin/sh
until [ -s {number} ]; do sleep 0.01; done
[ "$1" != show ] || [ -e {number}.told ] || kill -USR1 $(cat {number})
touch {number}.told
exec other-scontrol "$@"
""")
        process = self.slurm.start("train.sbatch", *LONG)
        number.write_text(str(process.pid), encoding="utf-8")
        _, output = end_of(process)
        self.assertEqual(self.slurm.calls(), [f"scontrol requeue {JOB}"], output)
        self.assertIn("The time is up: job ", output)

    def test_interrupted_it_ends_in_the_same_bits(self):
        options = ("--hidden", "256,256", "--epochs", "20", "--window", "20", "--min-change", "0")
        undisturbed = self.folder / "runs" / "undisturbed"
        status, output = self.slurm.run("train.sbatch", *options, RUN=undisturbed)
        self.assertEqual(status, 0, output)

        status, output = self.interrupt(*options)
        self.assertEqual(status, 75, output)
        self.assertLess(epochs_in(self.run_folder), 20)

        status, output = self.slurm.run("train.sbatch", *options, restarts=1)
        self.assertEqual(status, 0, output)
        self.assertIn("of 200 images right", output)
        self.assertEqual(epochs_in(self.run_folder), 20)
        self.assertEqual(sha256(self.run_folder / "model.h5"), sha256(undisturbed / "model.h5"))

    def test_ranks_that_somebody_else_stops_stay_stopped(self):
        status, output = self.interrupt(*LONG, target=child_of)
        self.assertEqual(status, 75, output)
        self.assertEqual(self.slurm.calls(), [])

    def test_preempted_it_goes_back_into_the_queue(self):
        """By Slurm the ranks are told, and not the script."""
        status, output = self.interrupt(*LONG, target=child_of, PREEMPT_TIME="2026-01-01T00:01:00")
        self.assertEqual(status, 75, output)
        self.assertEqual(self.slurm.calls(), [f"scontrol requeue {JOB}"])

    def test_restarted_after_its_end_it_only_evaluates_again(self):
        status, output = self.slurm.run("train.sbatch", "--epochs", "2", "--hidden", "16")
        self.assertEqual(status, 0, output)
        model = sha256(self.run_folder / "model.h5")
        status, output = self.slurm.run("train.sbatch", "--epochs", "2", "--hidden", "16", restarts=1)
        self.assertEqual(status, 0, output)
        self.assertIn("of 200 images right", output)
        self.assertEqual(sha256(self.run_folder / "model.h5"), model)

    def test_another_job_goes_on_with_a_run(self):
        options = ("--hidden", "256,256", "--epochs", "20", "--window", "20", "--min-change", "0")
        status, output = self.interrupt(*options)
        self.assertEqual(status, 75, output)
        (self.folder / "mnist.h5").unlink()  # the run's own data set counts, or DATA where it is given
        status, output = self.slurm.run("train.sbatch", SLURM_JOB_ID="4712", RUN=self.run_folder, DATA=DATA["mnist.h5"])
        self.assertEqual(status, 0, output)
        self.assertIn(f"Going on with the run in {self.run_folder}, with the settings of its config.toml\n", output)
        self.assertIn(", resumed in epoch ", output)
        self.assertNotIn("finished before", output)
        self.assertEqual(epochs_in(self.run_folder), 20)

        # Now it is finished.
        model = sha256(self.run_folder / "model.h5")
        status, output = self.slurm.run("train.sbatch", SLURM_JOB_ID="4713", RUN=self.run_folder, DATA=DATA["mnist.h5"])
        self.assertEqual(status, 0, output)
        self.assertIn(f"{self.run_folder} was finished before\n", output)
        self.assertIn("of 200 images right", output)
        self.assertEqual(sha256(self.run_folder / "model.h5"), model)

    def test_a_fresh_run_takes_no_folder_of_another(self):
        status, output = self.slurm.run("train.sbatch", "--epochs", "1", "--hidden", "16", FRESH=1)
        self.assertEqual(status, 0, output)
        status, output = self.slurm.run("train.sbatch", "--epochs", "1", "--hidden", "16", FRESH=1)
        self.assertEqual(status, 2, output)
        self.assertIn(f"{self.run_folder} already holds a run", output)
        # Started again, it goes on with its own.
        status, output = self.slurm.run("train.sbatch", "--epochs", "1", "--hidden", "16", FRESH=1, restarts=1)
        self.assertEqual(status, 0, output)

    def lose_a_rank(self, **variables):
        process = self.slurm.start("train.sbatch", *LONG, **variables)
        wait_for_epochs(process, self.run_folder, 1)
        launcher = child_of(process)
        ranks = Path(f"/proc/{launcher}/task/{launcher}/children").read_text(encoding="utf-8").split()
        os.kill(int(ranks[-1]), signal.SIGKILL)
        return end_of(process)

    def test_where_a_rank_was_lost_after_a_checkpoint_it_goes_back_into_the_queue(self):
        status, output = self.lose_a_rank()
        self.assertEqual(status, 137, output)
        self.assertEqual(self.slurm.calls(), [f"scontrol requeue {JOB}"])
        self.assertIn("Ranks were lost (exit code 137) after a checkpoint", output)

    def test_a_cancelled_job_stays_so(self):
        status, output = self.lose_a_rank(JOB_STATE="CANCELLED")
        self.assertEqual(status, 137, output)
        self.assertEqual(self.slurm.calls(), [])

    def test_restarted_before_it_had_begun_it_starts_anew(self):
        status, output = self.slurm.run("train.sbatch", "--epochs", "1", "--hidden", "16", restarts=1)
        self.assertEqual(status, 0, output)

    def test_an_error_of_the_program_ends_the_job_with_its_exit_code(self):
        status, output = self.slurm.run("train.sbatch", DATA=self.folder / "missing.h5")
        self.assertEqual(status, 4, output)
        self.assertIn("missing.h5", output)
        self.assertEqual(self.slurm.calls(), [])


class Scaling(JobTest):
    def test_prints_one_table(self):
        status, output = self.slurm.run("scaling.sbatch", "--hidden", "64", tasks=3, EPOCHS=3)
        self.assertEqual(status, 0, output)
        lines = output.splitlines()
        heading = next(i for i, line in enumerate(lines) if line.split()[:2] == ["ranks", "seconds/epoch"])
        rows = [line.split() for line in lines[heading + 1:heading + 4]]
        self.assertEqual([row[0] for row in rows], ["1", "2", "3"], output)
        self.assertEqual(rows[0][3:], ["1.00", "100", "%"], output)
        one = None
        for row in rows:
            run = self.folder / "runs" / f"scaling-{JOB}" / row[0]
            with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
                epochs = list(csv.DictReader(file))
            self.assertEqual(len(epochs), 3)
            seconds = statistics.median(float(epoch["seconds"]) for epoch in epochs)
            one = one or seconds
            self.assertAlmostEqual(float(row[1]), seconds, delta=0.00006)
            self.assertAlmostEqual(float(row[2]), statistics.median(float(epoch["images_per_second"])
                                                                    for epoch in epochs), delta=1)
            self.assertAlmostEqual(float(row[3]), one / seconds, delta=0.006)
            self.assertAlmostEqual(float(row[4]), 100 * one / seconds / int(row[0]), delta=0.6)
        self.assertIn("All runs computed the same model: SHA-256 ", output)
        self.assertIn(f"\nModels: {self.folder}/runs/scaling-{JOB}/*/model.h5\n", output)

    def test_the_median_epoch_counts(self):
        # A program that only writes: epochs of 9, 1, 2 and 1 seconds, divided by the ranks.
        write_program(self.folder / "fake", '''#!/bin/sh
[ "${OMPI_COMM_WORLD_RANK:-0}" = 0 ] || exit 0
while [ "$1" != -o ]; do shift; done
mkdir -p "$2"
echo model >"$2/model.h5"
n=$OMPI_COMM_WORLD_SIZE
awk -v n="$n" 'BEGIN { print "epoch,score,loss,accuracy,seconds,images_per_second"
  split("9 1 2 1", t); for (i = 1; i <= 4; ++i) printf "%d,0.5,1,0.5,%g,%g\\n", i, t[i] / n, 100 * n / t[i] }' \\
  >"$2/metrics.csv"
''')
        status, output = self.slurm.run("scaling.sbatch", tasks=2, MNIST_DIST=self.folder / "fake")
        self.assertEqual(status, 0, output)
        self.assertIn("     1          1.5000          75      1.00       100 %\n", output)
        self.assertIn("     2          0.7500         150      2.00       100 %\n", output)


class Sweep(JobTest):
    def test_varies_the_seed_and_ends_with_a_table(self):
        for task in (1, 2):
            status, output = self.slurm.run("sweep.sbatch", "--epochs", "2", "--hidden", "32", array_task=task)
            self.assertEqual(status, 0, output)
        runs = self.folder / "runs" / f"sweep-{JOB}"
        for seed in (1, 2):
            self.assertIn(f"seed = {seed}\n", (runs / f"seed-{seed}" / "config.toml").read_text(encoding="utf-8"))
        rows = [line.split() for line in output.splitlines() if line.startswith("seed-")]
        self.assertEqual(sorted(row[0] for row in rows), ["seed-1", "seed-2"], output)
        self.assertEqual([row[1] for row in rows], ["2", "2"])
        self.assertNotIn("latest", output)  # the link to the newest run is no run of its own
        self.assertGreaterEqual(float(rows[0][2]), float(rows[1][2]))
        self.assertIn(f"--model {runs}/RUN/model.h5", output)

    def test_varies_any_option(self):
        status, output = self.slurm.run("sweep.sbatch", "--epochs", "1", "--hidden", "16", array_task=3,
                                        OPTION="learning-rate", VALUES="0.1 0.2 0.005")
        self.assertEqual(status, 0, output)
        config = self.folder / "runs" / f"sweep-{JOB}" / "learning-rate-0.005" / "config.toml"
        self.assertIn("learning-rate = 0.005\n", config.read_text(encoding="utf-8"))

    def test_a_task_goes_back_into_the_queue_alone(self):
        # Slurm gives the last task of an array the array's own number.
        process = self.slurm.start("sweep.sbatch", *LONG, array_task=2)
        wait_for_epochs(process, self.folder / "runs" / f"sweep-{JOB}" / "seed-2", 1)
        os.kill(process.pid, signal.SIGUSR1)
        status, output = end_of(process)
        self.assertEqual(status, 75, output)
        self.assertEqual(self.slurm.calls(), [f"scontrol requeue {JOB}_2"])

    def test_an_array_longer_than_the_values(self):
        for task in (0, 6):
            with self.subTest(task=task):
                status, output = self.slurm.run("sweep.sbatch", array_task=task)
                self.assertEqual(status, 2, output)
                self.assertIn("--array=1-5", output)


if __name__ == "__main__":
    main()
