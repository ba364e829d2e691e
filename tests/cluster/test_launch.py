"""Attacks `launch` where several hosts train: one loses its link, or all that runs on it. Skipped (exit code 77) where
this machine can have no such hosts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import cluster
import program
from program import DONE, LONG_EPOCHS, RANK_FAILED, Shared, error_lines, main, warning_lines

# A rank of a host that is cut off, and that waits for somebody to read what it prints, ends by its own limit alone.
TRAINING = ("--epochs", 4, *LONG_EPOCHS, "--hang-timeout", 5)


def setUpModule():
    cluster.setUpModule()
    Shared.train("undisturbed", *TRAINING)


class LostHosts(cluster.ClusterTest):
    COUNT = 3

    def launch(self, slots):
        """A training on the first hosts. @param slots: of each"""
        words = [f"{name}:{number}" for name, number in zip(self.hosts.names, slots)]
        job = program.Job(("launch", "-np", sum(slots), "--hosts", ",".join(words), "--", "train", Shared.data, "-o",
                           self.folder / "run", *TRAINING), None, self.folder, variables={
                               # The hosts share this machine's cores.
                               "OMPI_MCA_hwloc_base_binding_policy": "none",
                               "MPIEXEC": shutil.which(program.MPIEXEC),
                               "PATH": f"{Path(self.hosts.mpirun).parent}:{os.environ['PATH']}"})
        self.addCleanup(job.close)
        return job

    def train(self, slots):
        """One that has done its first epoch."""
        job = self.launch(slots)
        self.wait_for_epoch(job, self.folder / "run", 1)
        return job

    def assert_goes_on(self, job, *mentions):
        result = job.wait()
        self.assert_exit(result, DONE)
        self.assertEqual(error_lines(result), [])
        restarts = [line for line in warning_lines(result) if "restart" in line]
        self.assertEqual(len(restarts), 1, result.stderr)
        for mention in mentions:
            self.assertIn(mention, restarts[0])
        self.assert_same_run(self.folder / "run", Shared.folder / "undisturbed")

    def test_a_link_is_cut(self):
        job = self.train((1, 2, 1))
        self.hosts.cut(1)
        self.assert_goes_on(job, f"{self.hosts.names[1]} does not answer", "with 2 ranks")

    def test_the_link_of_the_first_rank_is_cut(self):
        """The host that writes the run's folder."""
        job = self.train((1, 1))
        self.hosts.cut(0)
        self.assert_goes_on(job, f"{self.hosts.names[0]} does not answer", "with 1 rank")

    def test_the_only_host_is_cut_off(self):
        job = self.train((2,))
        self.hosts.cut(0)
        self.assert_one_error(job.wait(), RANK_FAILED, f"{self.hosts.names[0]} does not answer: no host is left",
                              "train --resume")

    def test_a_host_that_comes_back(self):
        """All that ran there has gone, mpirun's daemon too; the host itself answers."""
        job = self.train((1, 1, 1))
        self.hosts.kill(1)
        self.assert_goes_on(job, "with 3 ranks")

    def test_a_host_without_a_library(self):
        """It is named, and nothing is tried again: it would be the same."""
        loaded = subprocess.run(["ldd", program.MNIST_DIST], check=True, text=True, capture_output=True).stdout
        library = re.search(r"(libhdf5\S*\.so\S*) => (\S+)", loaded)
        self.assertEqual(self.hosts.run(1, "mount", "--bind", "/dev/null", library[2]).returncode, 0)
        result = self.launch((1, 1, 1)).wait()
        self.assert_one_error(result, RANK_FAILED, f"{self.hosts.names[1]} cannot load ", f"{library[1]}: ")
        self.assertEqual(warning_lines(result), [])


if __name__ == "__main__":
    main()
