"""Attacks promise 4 on several hosts: a fault is planted in one of them, and `doctor` must name it, and nothing where
nothing is wrong."""

import shlex

from cluster import ClusterTest, setUpModule
from program import DONE, FILE_SYSTEM, PATIENCE, Shared, draw_digits, main, pack, shim

UNHEALTHY = 7


class ThreeHosts(ClusterTest):
    COUNT = 3
    RATE = "100mbit"  # which this machine keeps up with when it is busy, too: no link seems slow

    def plant(self, host, *command):
        result = self.hosts.run(host, *command, capture_output=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)

    def run_on_hosts(self, ranks, *arguments):
        """The program with so many ranks on each host."""
        return self.run_program(*arguments, ranks=self.over(*ranks))


class Doctor(ThreeHosts):
    def doctor(self, *options):
        return self.run_on_hosts((1, 1, 1), "doctor", Shared.data, *options)

    def assert_found(self, result, problems, *mentions):
        """So many problems, all of this in them, and no notes."""
        found = [line for line in result.stdout.splitlines() if line.startswith(("problem", "note"))]
        self.assertEqual(len(found), problems, result.stdout + result.stderr)
        self.assertEqual(result.returncode, UNHEALTHY if problems else DONE)
        for mention in mentions:
            self.assertIn(mention, "\n".join(found))

    def test_healthy(self):
        result = self.doctor()
        self.assert_found(result, 0)
        self.assertEqual(result.stdout.splitlines()[-1], "healthy: 3 ranks on 3 hosts")
        for rank, name in enumerate(self.hosts.names):
            self.assertIn(f"host     {name}: rank {rank}, ", result.stdout)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            self.assertIn(f"{self.hosts.names[one]} - {self.hosts.names[other]} ", result.stdout)

    def test_slow_host(self):
        self.plant(2, "tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", "10mbit", "burst", "65536",
                   "latency", "20ms")
        self.assert_found(self.doctor(), 1, f"2 of the links of {self.hosts.names[2]} are slow")

    def test_other_data_set(self):
        other = pack(draw_digits(self.folder / "other", 1200, 300, "--seed", "5"))
        self.plant(1, "mount", "--bind", other, Shared.data)
        self.assert_found(self.doctor(), 1, f"on {self.hosts.names[1]} is another one", "content_sha256")

    def test_no_data_set(self):
        self.plant(1, "mount", "-t", "tmpfs", "tmpfs", Shared.folder)
        self.assert_found(self.doctor(), 1, f"{self.hosts.names[1]}: cannot read")

    def test_folder_that_is_not_shared(self):
        runs = self.folder / "runs"
        runs.mkdir()
        self.plant(2, "mount", "-t", "tmpfs", "tmpfs", runs)
        self.assert_found(self.doctor("-o", runs), 1, f"{self.hosts.names[2]} cannot see what")
        self.assertEqual(list(runs.iterdir()), [])

    def test_shared_memory(self):
        self.plant(1, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/dev/shm")
        self.assert_found(self.doctor(), 1, f"{self.hosts.names[1]}: /dev/shm")

    def assert_found_at_rank(self, rank, fault, problems, *mentions):
        """The fault is one of the shim's, in one rank alone."""
        variables = shlex.join(f"{name}={value}" for name, value in shim(**fault).items())
        planted = f'if [ "$OMPI_COMM_WORLD_RANK" = {rank} ]; then export {variables}; fi; exec "$@"'
        result = self.run_program("doctor", Shared.data, "-o", "runs/new",
                                  ranks=[*self.over(1, 1, 1), "sh", "-c", planted, "sh"])
        self.assert_found(result, problems, *mentions)

    def test_clocks(self):
        """Of one host; that of the first one differs from all others."""
        first, second, third = self.hosts.names
        self.assert_found_at_rank(1, {"MACHINE_CLOCK_AHEAD": 1000}, 1, f"the clock of {second} is ", " s ahead of")
        self.assert_found_at_rank(0, {"MACHINE_CLOCK_AHEAD": 1000}, 2, f"the clock of {third} is ",
                                  f" s behind that of {first}")

    def test_locks(self):
        """That there are none, or that other hosts do not see them."""
        for fault in ("MACHINE_NO_LOCKS", "MACHINE_LOCAL_LOCKS"):
            self.assert_found_at_rank(2, {fault: 1}, 1, f"{self.hosts.names[2]} may lock a file of ",
                                      f"that {self.hosts.names[0]} has locked")


class Header(ThreeHosts):
    def test_train(self):
        result = self.run_on_hosts((2, 1, 1), "train", Shared.data, "--epochs", 1, "-o", "run")
        self.assertEqual(result.returncode, DONE, result.stderr)
        for name, ranks in zip(self.hosts.names, ("ranks 0 to 1", "rank 2", "rank 3")):
            self.assertIn(f"\nhost     {name}: {ranks}, ", result.stdout)


class Errors(ThreeHosts):
    def test_each_rank_is_named_with_its_host(self):
        for rank, name in enumerate(self.hosts.names):
            # Of all ranks, the first one that fails speaks.
            self.plant(rank, "mount", "-t", "tmpfs", "tmpfs", Shared.folder)
            if rank > 0:
                self.plant(rank - 1, "umount", Shared.folder)
            result = self.run_on_hosts((1, 1, 1), "train", Shared.data, "--epochs", 1)
            self.assert_one_error(result, FILE_SYSTEM, f"error (rank {rank} on {name}): cannot read")
        result = self.run_on_hosts((1, None, None), "train", "nothing.h5")
        self.assert_one_error(result, FILE_SYSTEM, "error: cannot read")


if __name__ == "__main__":
    main()
