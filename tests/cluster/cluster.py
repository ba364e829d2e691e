"""What the tests over several hosts share: hosts for each test, and runs on them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

# pylint: disable=wrong-import-position
from hosts import NOT_HERE, Hosts, NotHere
from program import ProgramTest, Shared


def setUpModule():  # pylint: disable=invalid-name
    """The data set; ends the script as skipped where there can be no hosts."""
    try:
        with Hosts(1):
            pass
    except NotHere as reason:
        print(f"skipped: {reason}", file=sys.stderr)
        sys.exit(NOT_HERE)
    Shared.make()


class ClusterTest(ProgramTest):
    COUNT = 4
    RATE = None  # of each link, such as "1gbit"; as fast as it goes

    def setUp(self):
        super().setUp()
        self.hosts = self.enterContext(Hosts(self.COUNT, self.RATE))

    def over(self, *ranks, options=()):
        """The launcher of so many ranks on each host, for all that takes `ranks`."""
        return [self.hosts.mpirun, *self.hosts.layout(*ranks), *options]
