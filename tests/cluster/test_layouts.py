"""The model has the same bits, whichever hosts the ranks are on."""

import re

from cluster import ClusterTest, setUpModule
from program import Shared, main, sha256

OPTIONS = ("--epochs", 2, "--hidden", "48,32", "--batch-size", 120)
BY_HOST = ("--map-by", "node")  # ranks are dealt in turn


class SameModel(ClusterTest):
    def assert_same(self, *ranks, options=(), shards=8):
        """With so many ranks on each host as with one rank of this machine."""
        settings = (*OPTIONS, "--shards", shards)
        expected = sha256(self.train("alone", *settings) / "model.h5")
        for exchange in ("gradients", "activations"):
            name = f"run-{exchange}"
            printed = self.succeed("train", Shared.data, "-o", name, *settings, "--exchange", exchange,
                                   ranks=self.over(*ranks, options=options))
            self.assertRegex(printed, f"ranks +{sum(ranks)} on {len(ranks)} host")
            self.assertEqual(sha256(self.folder / name / "model.h5"), expected, exchange)

    def test_one_host(self):
        self.assert_same(4)

    def test_two_hosts(self):
        self.assert_same(2, 2)

    def test_four_hosts(self):
        self.assert_same(1, 1, 1, 1)

    def test_unequal_hosts(self):
        self.assert_same(2, 1, 1)

    def test_two_hosts_dealt_in_turn(self):
        self.assert_same(2, 2, options=BY_HOST)

    def test_four_hosts_dealt_in_turn(self):
        self.assert_same(2, 2, 2, 2, options=BY_HOST)

    def test_unequal_hosts_dealt_in_turn(self):
        self.assert_same(3, 1, 2, options=BY_HOST)

    def test_a_shard_for_each_of_40_ranks(self):
        self.assert_same(10, 10, 10, 10, shards=40)

    def test_a_shard_for_each_of_40_ranks_dealt_in_turn(self):
        self.assert_same(10, 10, 10, 10, options=BY_HOST, shards=40)


class SlowLink(ClusterTest):
    """Whatever is fewer bytes takes less time there."""
    COUNT = 2
    RATE = "10mbit"

    def assert_chosen(self, batch_size, expected):
        printed = self.succeed("train", Shared.data, "-o", "run", "--epochs", 1, "--hidden", "48,32", "--batch-size",
                               batch_size, ranks=self.over(1, 1))
        measured = re.search(r"^exchange +(\w+) of .*, link (\d+) MB/s", printed, re.MULTILINE)
        self.assertEqual(measured[1], expected, printed)
        self.assertLessEqual(int(measured[2]), 2)  # 10 Mbit/s are 1.25

    def test_activations_of_few_rows(self):
        self.assert_chosen(20, "activations")

    def test_gradients_of_many_rows(self):
        self.assert_chosen(1000, "gradients")


if __name__ == "__main__":
    main()
