"""Attacks promise 2 where a disk is full: what was acknowledged is on it and whole, and with room again the run ends in
the same bits."""

import contextlib
import re
import resource
import subprocess

from program import (ENDLESS, FILE_SYSTEM, FOREVER, LONG_EPOCHS, ProgramTest, Shared, epochs_in_newest_checkpoint, h5py,
                     main, read_metrics, sha256)

SMALL_NETWORK = ("--hidden", "100", *ENDLESS)  # 80,000 parameters, of which a checkpoint has four times as many: 1.3 MB

setUpModule = Shared.make


class FullDisk(ProgramTest):
    """While a checkpoint is written, no more bytes fit; later there is room again."""

    def assert_goes_on_undisturbed(self, run, *options):
        """What was written before is whole, and with room again the run gets to where an undisturbed one gets."""
        self.assert_checkpoints_whole(run)
        with h5py.File(run / "model.h5") as model:
            self.assertEqual(model.attrs["format"], b"mnist-dist model")
        epochs = epochs_in_newest_checkpoint(run) + 2
        self.assertGreater(epochs, 2)
        self.resume(run, "--epochs", epochs, ranks=2)
        self.assert_checkpoints_whole(run)
        self.assert_same_run(run, self.train("undisturbed", "--epochs", epochs, *options))

    def mount_small_disk(self, size):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("a small disk can be mounted by root only")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        return disk

    def start_on(self, disk, *options):
        return self.start("train", Shared.data, "-o", "disk/run", *options, *SMALL_NETWORK, ranks=2)

    def test_disk_that_is_filled_meanwhile(self):
        disk = self.mount_small_disk("8m")
        job = self.start_on(disk, "--epochs", FOREVER)
        self.wait_for_epoch(job, disk / "run", 2)
        with contextlib.suppress(OSError), open(disk / "of-others", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        self.assert_one_error(job.wait(), FILE_SYSTEM, "disk/run", "No space left on device")
        (disk / "of-others").unlink()
        self.assert_goes_on_undisturbed(disk / "run", *SMALL_NETWORK)

    def test_disk_that_is_too_small(self):
        """It is said before the first epoch; with as much room as is asked for, the run ends."""
        disk = self.mount_small_disk("4m")
        result = self.start_on(disk, "--epochs", 6).wait()
        self.assert_one_error(result, FILE_SYSTEM, "disk/run", "make room, then go on with --resume")
        self.assertEqual(read_metrics(disk / "run"), [])
        needed = float(re.search(r"takes up to ([\d.]+) MB", result.stderr)[1])
        subprocess.run(["mount", "-o", f"remount,size={int((needed + 0.1) * 1e6)}", disk], check=True)
        self.resume(disk / "run")
        self.assert_same_run(disk / "run", self.train("undisturbed", "--epochs", 6, *SMALL_NETWORK))

    def test_limit_of_file_size(self):
        job = self.start("train", Shared.data, "-o", "run", "--epochs", FOREVER, *LONG_EPOCHS)
        self.wait_for_epoch(job, self.folder / "run", 2)
        resource.prlimit(job.process.pid, resource.RLIMIT_FSIZE, (65536, 65536))
        result = job.wait()
        self.assert_one_error(result, FILE_SYSTEM, "cannot write run/", "File too large")
        self.assert_goes_on_undisturbed(self.folder / "run", *LONG_EPOCHS)

    def test_failing_resume_keeps_the_model(self):
        """When the files of a run cannot be written, those that are there stay."""
        run = self.train("run", "--epochs", 2, *SMALL_NETWORK)
        model = sha256(run / "model.h5")
        (run / "metrics.csv").unlink()
        (run / "metrics.csv").mkdir()
        self.assert_one_error(self.run_program("train", "--resume", "run"), FILE_SYSTEM, "metrics.csv")
        self.assertTrue((run / "model.h5").exists(), "model.h5 is lost")
        self.assertEqual(sha256(run / "model.h5"), model)


if __name__ == "__main__":
    main()
