"""The scripts of jobs/, unchanged, on the real Slurm of tools/slurm-local: whatever happens to a job, it ends by itself
in the bits of a run that nothing happened to. Skipped where Slurm cannot be installed or started."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import runner  # noqa: E402
from program import H5PACK, LONG_EPOCHS, MNIST_DIST, PATIENCE, draw_digits, pack, sha256, wait_until  # noqa: E402

TRAIN, SCALING, SWEEP = (str(ROOT / "jobs" / f"{name}.sbatch") for name in ("train", "scaling", "sweep"))
LAUNCHERS = ("srun", "mpirun")
TOOL = ROOT / "tools" / "slurm-local"

EPOCHS = 80  # long enough to be disturbed several times, on a fast machine too
OPTIONS = ("--epochs", str(EPOCHS), *LONG_EPOCHS)


def wait_for(condition, what):
    """A question to Slurm is a process each time."""
    wait_until(lambda: condition() or time.sleep(0.2), what)


class Slurm:
    """A Slurm of its own, for a test or for several."""

    def __init__(self):
        """@throws CalledProcessError where there is none"""
        started = subprocess.run([TOOL, "up"], text=True, capture_output=True, timeout=PATIENCE, check=True)
        # A user's environment: nodes have /dev/shm of their own, without the folders of this test.
        ours = (runner.SESSION_FOLDER, *runner.SEGMENT_FOLDERS)
        self.environment = {**{name: value for name, value in os.environ.items() if name not in ours},
                            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                            "DATA": str(Shared.data), **dict(re.findall(r"(\w+)=(\S+)", started.stdout))}
        self.folder = Path(self.environment["SLURM_CONF"]).parent
        # The name of the bridge between the nodes; empty where nodes are no hosts of their own.
        self.bridge = (self.folder / "bridge").read_text(encoding="utf-8")

    def run(self, *command, check=True, folder=None, **variables):
        """One of Slurm's commands, or any other one that is to know of it."""
        return subprocess.run(command, cwd=folder, text=True, capture_output=True, check=check, timeout=PATIENCE,
                              env={**self.environment, **{name: str(value) for name, value in variables.items()}})

    def stop(self):
        self.run(TOOL, "down")

    def cut_off(self, node):
        self.run("ip", "link", "set", f"{self.bridge}-{node[-1]}", "down")

    def power_off(self, node):
        os.kill(int((self.folder / f"{node}.pid").read_text(encoding="utf-8")), signal.SIGKILL)


class Shared:
    slurm = None
    data = None
    undisturbed = None  # the SHA-256 of a model that one process trained without Slurm


def setUpModule():
    work = Path(tempfile.mkdtemp(prefix="mnist-dist-slurm-data-"))
    unittest.addModuleCleanup(shutil.rmtree, work)
    Shared.data = pack(draw_digits(work / "digits", 400, 100))
    subprocess.run([MNIST_DIST, "train", Shared.data, "-o", work / "run", *OPTIONS], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE)
    Shared.undisturbed = sha256(work / "run" / "model.h5")
    try:
        Shared.slurm = Slurm()
    except subprocess.CalledProcessError as error:
        print("skipped: no Slurm here:", (error.stderr.splitlines() or ["?"])[-1])
        sys.exit(77)
    unittest.addModuleCleanup(Shared.slurm.stop)


class Job:
    """A batch job, or a task of an array."""

    def __init__(self, slurm, number, folder):
        self.slurm, self.number, self.folder = slurm, number, folder
        self.run = folder / "runs" / number

    def field(self, name):
        text = self.slurm.run("scontrol", "show", "job", "--oneliner", self.number, check=False).stdout
        found = re.search(rf"\b{name}=(\S*)", text)
        return found[1] if found else ""

    def output(self):
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in self.folder.glob("slurm-*.out"))

    def epochs(self):
        metrics = self.run / "metrics.csv"
        return max(0, len(metrics.read_text(encoding="utf-8").splitlines()) - 1) if metrics.exists() else 0

    def ended(self):
        # In the others, of which there are many (such as SIGNALING, PREEMPTED and NODE_FAIL), a job may be on its way
        # back into the queue.
        return self.field("JobState") in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "DEADLINE", "OUT_OF_MEMORY")

    def trains(self, starts):
        """Whether it has been started again so often, and has trained an epoch since."""
        if self.ended():
            raise AssertionError(f"{self.field('JobState')} before it was disturbed: {self.output()}")
        text = self.output()
        begun = re.findall(r"^run .*\n\nepoch.*\n((?: +\d+ .*\n)*)", text, re.MULTILINE)
        return self.field("JobState") == "RUNNING" and len(begun) > starts and begun[-1] != ""

    def nodes(self):
        return self.slurm.run("scontrol", "show", "hostnames", self.field("NodeList")).stdout.split()


class SlurmTest(unittest.TestCase):
    """A folder in which jobs are submitted."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mnist-dist-slurm-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.slurm = Shared.slurm

    def submit(self, script, *options, sbatch=(), **variables):
        """@param sbatch: options of sbatch"""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        result = self.slurm.run("sbatch", "--parsable", *sbatch, script, *options, folder=folder, **variables)
        return Job(self.slurm, result.stdout.strip(), folder)

    def assert_completes(self, job):
        wait_for(job.ended, f"the end of job {job.number}")
        self.assertEqual((job.field("JobState"), job.field("ExitCode")), ("COMPLETED", "0:0"), job.output())

    def assert_undisturbed(self, job):
        self.assert_completes(job)
        self.assertEqual(job.epochs(), EPOCHS)
        self.assertEqual(sha256(job.run / "model.h5"), Shared.undisturbed, job.output())

    def disturb(self, launcher, *command):
        """A job on two hosts, to which the command happens twice, with the job's number as its last word."""
        job = self.submit(TRAIN, *OPTIONS, sbatch=("--nodes=2", "--ntasks=2"), LAUNCHER=launcher)
        for starts in range(2):
            wait_for(lambda: job.trains(starts), f"start {starts} of job {job.number}")
            self.slurm.run(*command, job.number)
        self.assert_undisturbed(job)
        self.assertGreaterEqual(int(job.field("Restarts")), 2)  # more where Slurm lost patience with a busy machine
        return job


class Train(SlurmTest):
    def test_srun(self):
        job = self.submit(TRAIN, *OPTIONS)
        self.assert_undisturbed(job)
        self.assertRegex(job.output(), r"\nranks    8 on \d hosts?,")
        self.assertIn(f"\nDone: {job.run}/model.h5, accuracy ", job.output())

    def test_mpirun(self):
        job = self.submit(TRAIN, *OPTIONS, sbatch=("--nodes=2", "--ntasks=3"), LAUNCHER="mpirun")
        self.assert_undisturbed(job)
        self.assertIn("3 on 2 hosts,", job.output())

    def test_time_limit_under_srun(self):
        job = self.disturb("srun", "scancel", "--batch", "--signal=USR1")
        self.assertIn("The time is up: job ", job.output())

    def test_time_limit_under_mpirun(self):
        job = self.disturb("mpirun", "scancel", "--batch", "--signal=USR1")
        self.assertIn("The time is up: job ", job.output())

    def test_preemption_under_srun(self):
        self.disturb("srun", "scontrol", "requeue")

    def test_preemption_under_mpirun(self):
        self.disturb("mpirun", "scontrol", "requeue")

    def test_cancelled_it_stays_so_and_another_job_goes_on(self):
        for launcher in LAUNCHERS:
            with self.subTest(launcher=launcher):
                first = self.submit(TRAIN, *OPTIONS, sbatch=("--nodes=2", "--ntasks=2"), LAUNCHER=launcher)
                wait_for(lambda: first.trains(0), "an epoch")
                self.slurm.run("scancel", first.number)
                wait_for(first.ended, "the end of what was cancelled")
                self.assertEqual(first.field("JobState"), "CANCELLED")

                second = self.submit(TRAIN, sbatch=("--ntasks=3",), LAUNCHER=launcher, RUN=first.run)
                self.assert_completes(second)
                self.assertEqual(sha256(first.run / "model.h5"), Shared.undisturbed)

    def test_copies_are_refused(self):
        # Debian's Open MPI refuses this itself, unless it does not see Slurm.
        unseen = [word for name in ("JOB_ID", "JOBID", "STEPID", "NODELIST") for word in ("-u", f"SLURM_{name}")]
        result = self.slurm.run("srun", "-n2", "--mpi=none", "env", *unseen, MNIST_DIST, "train", Shared.data,
                                check=False, folder=self.folder)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stderr.count("srun started 2 tasks"), 1, result.stderr)
        self.assertFalse((self.folder / "runs").exists())


class LostHosts(SlurmTest):
    """In a Slurm of its own, a job of each launcher trains on the same two hosts, and two others are there."""

    def setUp(self):
        super().setUp()
        if not self.slurm.bridge:
            self.skipTest("no namespaces here: all nodes are one host")
        self.slurm = Slurm()
        self.addCleanup(self.slurm.stop)

    def lose(self, lose, place):
        """@param place: which of the two hosts; the batch script runs on the first one"""
        jobs = [self.submit(TRAIN, *OPTIONS, sbatch=("--nodes=2", "--ntasks=2"), LAUNCHER=launcher)
                for launcher in LAUNCHERS]
        wait_for(lambda: all(job.trains(0) for job in jobs), "both jobs")
        self.assertEqual(jobs[0].nodes(), jobs[1].nodes())
        lost = jobs[0].nodes()[place]
        lose(lost)
        for job in jobs:
            self.assert_undisturbed(job)
            self.assertNotEqual(job.field("Restarts"), "0")
            self.assertNotIn(lost, job.nodes())

    def test_without_power(self):
        self.lose(self.slurm.power_off, 1)

    def test_without_power_under_the_batch_script(self):
        self.lose(self.slurm.power_off, 0)

    def test_without_its_link(self):
        self.lose(self.slurm.cut_off, 1)


class OwnLimits(SlurmTest):
    """What Slurm does by itself, and in its own time."""

    def test_preemption_with_a_grace_time(self):
        self.slurm = Slurm()  # all of its nodes are wanted
        self.addCleanup(self.slurm.stop)
        jobs = [self.submit(TRAIN, *OPTIONS, sbatch=("--nodes=2", "--ntasks=2"), LAUNCHER=launcher)
                for launcher in LAUNCHERS]
        wait_for(lambda: all(job.trains(0) for job in jobs), "both jobs")
        self.slurm.run("sbatch", "--partition=urgent", "--nodes=4", "--exclusive", "--wrap=true", folder=self.folder)
        for job in jobs:
            self.assert_undisturbed(job)
            self.assertNotEqual(job.field("Restarts"), "0")
            self.assertIn("The job makes way for another one", job.output())

    def test_time_limit(self):
        """Slurm looks every 30 seconds, and the ranks stop meanwhile, so as not to end before it does."""
        job = self.submit(TRAIN, *OPTIONS, "--hang-timeout", "0",
                          sbatch=("--ntasks=2", "--time=3", "--signal=B:USR1@140"))
        wait_for(lambda: job.trains(0), "an epoch")
        ranks = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/exe") if self.is_rank_of(job, path)]
        self.assertEqual(len(ranks), 2)
        for rank in ranks:
            os.kill(rank, signal.SIGSTOP)
        wait_for(lambda: all(map(self.is_told, ranks)), "the signal before the time limit")
        for rank in ranks:
            os.kill(rank, signal.SIGCONT)
        self.assert_undisturbed(job)
        self.assertNotEqual(job.field("Restarts"), "0")
        self.assertIn("The time is up: job ", job.output())

    @staticmethod
    def is_rank_of(job, path):
        try:
            return path.samefile(MNIST_DIST) and str(job.run).encode() in (path.parent / "cmdline").read_bytes()
        except OSError:
            return False  # it has ended

    @staticmethod
    def is_told(pid):
        pending = re.search(r"^ShdPnd:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
        return bool(int(pending[1], 16) >> (signal.SIGUSR1 - 1) & 1)


class Down(SlurmTest):
    def processes(self, folder, namespaces):
        """What runs for a Slurm: in its folder or with its settings, or on its nodes."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                texts = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                if str(folder).encode() in texts or os.readlink(process / "ns" / "net") in namespaces:
                    found.append(process.name)
            except OSError:
                continue  # it has ended
        return found

    def test_nothing_is_left(self):
        self.slurm = Slurm()
        self.addCleanup(lambda: self.slurm.folder.exists() and self.slurm.stop())
        job = self.submit(TRAIN, *OPTIONS, sbatch=("--nodes=2", "--ntasks=2"))
        wait_for(lambda: job.trains(0), "an epoch")
        folder, bridge = self.slurm.folder, self.slurm.bridge
        pids = [(folder / f"node{number}.pid").read_text(encoding="utf-8").strip() for number in range(1, 5)]
        namespaces = {os.readlink(f"/proc/{pid}/ns/net") for pid in pids} - {os.readlink("/proc/self/ns/net")}
        self.assertEqual(len(namespaces), 4 if bridge else 0)
        self.assertGreaterEqual(len(self.processes(folder, namespaces)), 8)
        self.slurm.stop()
        self.assertFalse(folder.exists())
        wait_for(lambda: not self.processes(folder, namespaces), "the end of its processes")
        links = [path.name for path in Path("/sys/class/net").iterdir()]
        self.assertEqual([link for link in links if bridge and re.fullmatch(rf"{bridge}(-\d)?", link)], [])


class OtherScripts(SlurmTest):
    def test_sweep(self):
        """The last task of an array has the array's number, too, and both hit their limit."""
        array = self.submit(SWEEP, *OPTIONS, sbatch=("--array=1-2",), VALUES="0 5")
        tasks = [Job(self.slurm, f"{array.number}_{task}", array.folder) for task in (1, 2)]
        for task, seed in zip(tasks, (0, 5)):
            task.run = array.folder / "runs" / f"sweep-{array.number}" / f"seed-{seed}"
        for task in tasks:
            wait_for(lambda: task.epochs() > 0, "an epoch")
            self.slurm.run("scancel", "--batch", "--signal=USR1", task.number)
        for task in tasks:
            self.assert_completes(task)
            self.assertEqual(task.epochs(), EPOCHS)
            self.assertNotEqual(task.field("Restarts"), "0")
        self.assertEqual(sha256(tasks[0].run / "model.h5"), Shared.undisturbed)
        rows = re.findall(rf"^(seed-[05]) +{EPOCHS} ", array.output(), re.MULTILINE)
        self.assertEqual(set(rows), {"seed-0", "seed-5"}, array.output())

    def test_scaling(self):
        job = self.submit(SCALING, *OPTIONS[2:], sbatch=("--nodes=2", "--ntasks=3"), EPOCHS=2)
        self.assert_completes(job)
        self.assertEqual(re.findall(r"^ +([1-3])  +[0-9.]+ +\d+ +[0-9.]+ +\d+ %$", job.output(), re.MULTILINE),
                         ["1", "2", "3"], job.output())
        self.assertIn("All runs computed the same model: SHA-256 ", job.output())


if __name__ == "__main__":
    missing = [name for name, value in (("MNIST_DIST", MNIST_DIST), ("H5PACK", H5PACK)) if not value]
    if missing:
        sys.exit(f"set {', '.join(missing)} to the programs to test, as CTest does")
    runner.SIDE_BY_SIDE = 12  # all of them: they wait for Slurm
    runner.main()
