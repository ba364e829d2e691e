"""Attacks promise 4 before a job begins: faults are planted in this machine, and `doctor` must name each one, in one
line, and nothing where nothing is wrong."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from unittest import mock

from program import DONE, FILE_SYSTEM, MNIST_DIST, PATIENCE, USAGE, ProgramTest, Shared, environment, main, shim

UNHEALTHY = 7

# What a healthy machine has, or sets.
HEALTHY = {"PMIX_MCA_psec": "native", "OMPI_MCA_hwloc_base_binding_policy": "core"}
UNWANTED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "SLURM_STEP_NUM_TASKS", "OPENBLAS_CORETYPE")


def setUpModule():
    Shared.make()
    for name in UNWANTED:
        os.environ.pop(name, None)
    os.environ.update(HEALTHY)


def cores():
    """How many this machine has; hardware threads of one are no more."""
    return len({path.read_text(encoding="ascii") for path in
                Path("/sys/devices/system/cpu").glob("cpu*/topology/thread_siblings_list")})


def usable():
    return sorted(os.sched_getaffinity(0))


def findings(result):
    return [line for line in result.stdout.splitlines() if line.startswith(("problem", "note"))]


class DoctorTest(ProgramTest):
    def doctor(self, *options, ranks=None, preexec=None, **variables):
        with mock.patch.dict(os.environ, variables):
            return self.run_program("doctor", *options, ranks=ranks, preexec=preexec)

    def doctor_after(self, mounts, *options):
        """With file systems of its own, which go with the program."""
        if os.geteuid() != 0 or not shutil.which("unshare"):
            self.skipTest("only root can mount")
        command = " && ".join([*mounts, f'exec "{MNIST_DIST}" doctor "$@"'])
        result = subprocess.run(["unshare", "--mount", "sh", "-c", command + " || exit 77", "sh", *map(str, options)],
                                cwd=self.folder, env=environment(), text=True, capture_output=True, timeout=PATIENCE)
        if result.returncode == 77:
            self.skipTest(f"no mounts here: {result.stderr}")
        return result

    def assert_finds(self, result, kind, *mentions):
        """One finding, and in it all of this."""
        self.assert_exit(result, UNHEALTHY if kind == "problem" else DONE)
        found = findings(result)
        self.assertEqual(len(found), 1, result.stdout + result.stderr)
        self.assertTrue(found[0].startswith(kind), found[0])
        for mention in mentions:
            self.assertIn(mention, found[0])
        self.assertIn("1 note" if kind == "note" else "1 problem: ", result.stdout.splitlines()[-1])

    def make_folder(self):
        folder = self.folder / "run"
        folder.mkdir()
        return folder


class Healthy(DoctorTest):
    def test_nothing_is_found(self):
        if shutil.disk_usage("/dev/shm").total <= 64 << 20:
            self.skipTest("/dev/shm is as small as a container's")
        enough = cores() >= 2 and len(usable()) >= 2
        for ranks in (None, 1, 2) if enough else (None,):
            with self.subTest(ranks=ranks):
                result = self.doctor(Shared.data, "-o", "runs/new", ranks=ranks)
                self.assert_exit(result, DONE)
                self.assertEqual(findings(result), [])
                self.assertEqual(result.stdout.splitlines()[-1],
                                 f"healthy: {ranks or 1} rank{'s' if ranks == 2 else ''} on 1 host")
                self.assertIn("rank 0" if ranks != 2 else "ranks 0 to 1", result.stdout.splitlines()[1])
                self.assertEqual(result.stderr, "")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_usage(self):
        self.assert_one_error(self.doctor("--no-such-option"), USAGE, "--no-such-option")
        self.assert_one_error(self.doctor("--dropout", 2, ranks=2), USAGE, "--dropout")
        self.assert_one_error(self.doctor("-c", "nothing.toml"), FILE_SYSTEM, "nothing.toml")


class Ranks(DoctorTest):
    def test_launcher_without_mpi(self):
        self.assert_finds(self.doctor(Shared.data, PMI_SIZE="4", PMI_RANK="0"), "problem", "4 ranks", "MPI sees 1",
                          "--mpi=pmix")
        silent = self.doctor(Shared.data, PMI_SIZE="4", PMI_RANK="2")
        self.assert_exit(silent, UNHEALTHY)
        self.assertEqual(silent.stdout, "")

    def test_srun_without_mpi(self):
        self.assert_one_error(self.doctor(Shared.data, SLURM_NTASKS="4", SLURM_PROCID="0", SLURM_STEP_ID="0",
                                          SLURM_STEP_NUM_TASKS="4"), USAGE, "srun started 4 tasks", "--mpi=pmix")

    def test_alone_in_a_job_of_many_tasks(self):
        result = self.doctor(Shared.data, SLURM_NTASKS="4", SLURM_PROCID="0")
        self.assert_exit(result, DONE)
        self.assertNotIn("problem", result.stdout)

    def test_more_than_cores(self):
        if not 1 <= cores() <= 7:
            self.skipTest("too many cores, or none that the system tells of")
        self.assert_finds(self.doctor(Shared.data, ranks=cores() + 1, OMPI_MCA_hwloc_base_binding_policy="none"),
                          "problem", f"{cores() + 1} ranks on {cores()} core")

    def test_all_on_one_core(self):
        if cores() < 2:
            self.skipTest("this machine has one core")
        one = usable()[0]
        result = self.doctor(Shared.data, ranks=2, preexec=lambda: os.sched_setaffinity(0, [one]),
                             OMPI_MCA_hwloc_base_binding_policy="none")
        self.assert_finds(result, "problem", f"2 ranks may use CPUs {one} only", "--bind-to core")

    def test_not_bound(self):
        if cores() < 2 or len(usable()) < 2:
            self.skipTest("this machine has one core")
        self.assert_finds(self.doctor(Shared.data, ranks=2, OMPI_MCA_hwloc_base_binding_policy="none"), "note",
                          "no rank is bound")

    def test_more_than_shards(self):
        self.assert_finds(self.doctor(Shared.data, "--shards", 1, ranks=2), "problem", "2 ranks", "--shards")

    def test_threads(self):
        self.assert_finds(self.doctor(Shared.data, OMP_NUM_THREADS="4"), "note", "OMP_NUM_THREADS=4")

    def test_memory(self):
        result = self.doctor(Shared.data, "--hidden", "1000000,1000000")
        self.assert_exit(result, UNHEALTHY)
        self.assertIn("of memory for 1 rank, and there is", result.stdout)


class Data(DoctorTest):
    def test_missing(self):
        self.assert_finds(self.doctor(), "note", "mnist.h5 is not there")
        self.assert_finds(self.doctor("nothing.h5"), "problem", "cannot read nothing.h5", "h5pack")
        self.assert_finds(self.doctor("--data", Shared.digits), "problem", "is a folder")

    def test_damaged(self):
        damaged = self.folder / "damaged.h5"
        bytes_ = bytearray(Shared.data.read_bytes())
        bytes_[len(bytes_) // 2] ^= 1
        damaged.write_bytes(bytes_)
        self.assert_finds(self.doctor(damaged), "problem", "damaged.h5", "SHA-256")

    def test_locks_of_hdf5_do_not_matter(self):
        """The program reads without them, also on a file system that has none."""
        copy = self.folder / "copy.h5"
        shutil.copy(Shared.data, copy)
        with open(copy, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            result = self.doctor(copy)
            self.assert_exit(result, DONE)
            self.assertEqual(findings(result), [])


class Folder(DoctorTest):
    def test_read_only(self):
        folder = self.make_folder()
        self.assert_finds(self.doctor_after([f"mount -t tmpfs -o ro tmpfs {folder}"], Shared.data, "-o", folder),
                          "problem", "Read-only file system", f"cannot be written in {folder}", "-o")

    def test_of_somebody_else(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        folder = self.make_folder()
        folder.chmod(0o555)
        self.assert_finds(self.doctor(Shared.data, "-o", folder / "new"), "problem", "Permission denied")

    def test_small(self):
        folder = self.make_folder()
        self.assert_finds(self.doctor_after([f"mount -t tmpfs -o size=256k tmpfs {folder}"], Shared.data, "-o",
                                            folder / "new"), "problem", f"{folder} has room for", "make room")

    def test_full(self):
        folder = self.make_folder()
        fill = f"head -c 256K /dev/zero >{folder}/all"
        result = self.doctor_after([f"mount -t tmpfs -o size=256k tmpfs {folder}", fill], Shared.data, "-o", folder)
        self.assert_exit(result, UNHEALTHY)
        self.assertIn("No space left on device", result.stdout)
        self.assertIn("make room", result.stdout)

    def test_no_folder(self):
        file = self.folder / "file"
        file.touch()
        self.assert_finds(self.doctor(Shared.data, "-o", file), "problem", "file")

    def test_of_another_run(self):
        """In the words of `train`, which refuses it. Without -o, a folder that is made below holds the new run."""
        runs = self.folder / "runs"
        for part in ("config.toml", "checkpoints"):
            for folder in (runs, runs / "old"):
                (folder / part).mkdir(parents=True)
            refusal = self.run_program("train", Shared.data, "-o", "runs/old/", "--epochs", 1)
            self.assert_one_error(refusal, USAGE, "runs/old already holds a run: go on with --resume runs/old")
            said = refusal.stderr.strip().removeprefix("mnist-dist: error: ")
            self.assert_finds(self.doctor(Shared.data, "-o", "runs/old/"), "problem", said)
            self.assert_exit(self.doctor(Shared.data), DONE)
            self.assert_exit(self.doctor(Shared.data, "-o", "runs/new"), DONE)
            shutil.rmtree(runs)

    def test_no_locks(self):
        self.assert_finds(self.doctor(Shared.data, "-o", self.make_folder(), **shim(MACHINE_NO_LOCKS=1)), "problem",
                          "two jobs could write one run")


class SharedMemory(DoctorTest):
    def test_of_another_rank_cannot_be_read(self):
        if cores() < 2 or len(usable()) < 2:
            self.skipTest("this machine has one core")
        self.assert_finds(self.doctor(Shared.data, ranks=2, **shim(MACHINE_NO_READING=1)), "problem",
                          "rank 1 may not read", "process_vm_readv: Operation not permitted")

    def test_of_a_container(self):
        self.assert_finds(self.doctor_after(["mount -t tmpfs -o size=64m tmpfs /dev/shm"], Shared.data), "note",
                          "/dev/shm has", "--shm-size")

    def test_too_little(self):
        self.assert_finds(self.doctor_after(["mount -t tmpfs -o size=1m tmpfs /dev/shm"], Shared.data), "problem",
                          "/dev/shm has 1", "free of", "--shm-size")


if __name__ == "__main__":
    main()
