#!/usr/bin/python3
"""Several hosts on this machine. Each has a hostname, an address, shared memory and process numbers of its own; files
are the same for all, as on a cluster. A switch joins them, and mpirun starts there, as on a login node.

    tests/cluster/hosts.py 4 --rate 1gbit -- sh -c '$MPIRUN -np 4 --map-by node mnist-dist train'

COMMAND runs on this machine, with $MPIRUN (an mpirun over the hosts, from wherever it is called), $ON (`$ON HOST
COMMAND...` runs a command on a host, as ssh does) and $HOSTS (their names). What COMMAND sets for mpirun itself, by
OMPI_MCA_* or --mca, wins over what is set here; --host takes some of the hosts.

Hosts are namespaces of the kernel, the switch and its bridge too: nothing of them is seen from outside. All of it lasts
as long as pipes from this process: however this process ends, the kernel ends the hosts and all that runs on them.
"""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

NOT_HERE = 77  # exit code: this machine can have no such hosts
MOST_HOSTS = 250
LONGEST_PACKET = 65536  # bytes that TCP hands to a network card at once

# What mpirun is told where nobody has told it otherwise.
SETTINGS = {
    "OMPI_ALLOW_RUN_AS_ROOT": 1,
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": 1,
    "OMPI_MCA_rmaps_base_oversubscribe": 1,
    # Hosts share cores here: each would bind its first rank to the first one.
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": 1,
    # A host that does not answer is given up after 2 + 3 * 1 seconds, not after hours.
    "OMPI_MCA_oob_tcp_keepalive_time": 2,
    "OMPI_MCA_oob_tcp_keepalive_intvl": 1,
    "OMPI_MCA_oob_tcp_keepalive_probes": 3,
    # Messages of up to so many bytes are sent without asking first.
    "OMPI_MCA_btl_tcp_eager_limit": 1000000,
    "OMPI_MCA_btl_tcp_rndv_eager_limit": 1000000,
    # Without it, a start takes seconds where munge is installed and not running.
    "PMIX_MCA_psec": "native",
}

# The first process of a host or of the switch: it waits for the end of the pipe. That of a host inherits children that
# have ended, and the kernel takes them away where this signal is ignored.
KEEPER = "hostname {name} && {setup} && echo ready && {wait}"
HOST_WAIT = "exec env --ignore-signal=CHLD cat >/dev/null"
SWITCH_WAIT = "cat >/dev/null; rm -r {folder}"
HOST_SETUP = "mount -t tmpfs tmpfs /dev/shm && ip link set lo up"
SWITCH_SETUP = "ip link set lo up && ip link add bridge type bridge && ip address add {address}/24 dev bridge" \
               " && ip link set bridge up"

MPIRUN = """#!/bin/sh
{settings}
# Open MPI's shared memory lies where each host has its own.
export OMPI_MCA_btl_vader_backing_directory=/dev/shm OMPI_MCA_osc_sm_backing_directory=/dev/shm
export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent={agent} OMPI_MCA_orte_default_hostfile={hostfile}
exec nsenter --target {switch} --net --uts -- "${{MPIEXEC:-mpirun}}" "$@"
"""

# As ssh does it: one command line for the shell there, in the home folder, and none of the environment.
AGENT = """#!/bin/sh
host=$1
case $host in
{cases}
  *) echo "no host $host" >&2; exit 255 ;;
esac
shift
nsenter --target $pid --net --uts --ipc --mount --pid -- \\
  env -i HOME="$HOME" USER="$USER" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin sh -c "cd; $*"
code=$?
[ $code -gt 128 ] || exit $code
echo "Connection to $host closed by remote host." >&2
exit 255
"""


class NotHere(Exception):
    """This machine can have no such hosts; the text says why."""


def rate_in_bits(rate):
    """Bits a second of a rate as tc writes it, such as 1gbit."""
    for unit, factor in (("gbit", 10**9), ("mbit", 10**6), ("kbit", 10**3)):
        if rate.endswith(unit):
            return float(rate[: -len(unit)]) * factor
    raise ValueError(f"{rate}: no rate such as 1gbit or 100mbit")


class Hosts:
    """A context manager: there are hosts between `with` and the end of its block. Hosts are counted from 0."""

    def __init__(self, count, rate=None, slots=1, prefix=f"host{os.getpid()}"):
        """@param rate: of each link, in each direction, such as "1gbit"; None for as fast as it goes
        @param slots: the ranks that mpirun puts on a host before it takes the next one
        @param prefix: of the hosts' names; must differ where several users share a machine"""
        if not 1 <= count <= MOST_HOSTS:
            raise ValueError(f"{count} hosts: there can be 1 to {MOST_HOSTS}")
        self.names = [f"{prefix}-{index}" for index in range(count)]
        self.prefix, self.slots, self.shape, self.longest_packet = prefix, slots, None, LONGEST_PACKET
        if rate:
            # The burst passes at once, which no real link does: it is as short as the rate can be held with.
            burst = max(16000, int(rate_in_bits(rate) / 8e4))
            # And at most so much waits, as in a switch: else all hosts that send to one would lose packets.
            self.shape = f"tbf rate {rate} burst {burst} limit 4mb"
            # What is longer than the burst would be cut up by this machine's cores, for all hosts. A network card cuts
            # for its own host.
            self.longest_packet = min(LONGEST_PACKET, burst * 15 // 16)
        self.keepers, self.processes = [], []  # the first process of each host, then the switch's; by number
        self.folder = None

    def __enter__(self):
        missing = [name for name in ("ip", "tc", "nsenter", "unshare") if not shutil.which(name)]
        if missing:
            raise NotHere(f"no {missing[0]} here (Debian: iproute2 and util-linux)")
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.prefix}-"))
        try:
            for name in self.names:
                self._keep(("--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"),
                           name, HOST_SETUP, HOST_WAIT)
            self._keep(("--net", "--uts"), f"{self.prefix}-switch", SWITCH_SETUP.format(address="10.77.0.254"),
                       SWITCH_WAIT.format(folder=shlex.quote(str(self.folder))))
            for index in range(len(self.names)):
                self._plug_in(index)
            self._write_scripts()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for keeper in self.keepers:
            keeper.stdin.close()
        for keeper in self.keepers:
            keeper.wait()
            keeper.stdout.close()
            keeper.stderr.close()
        self.keepers, self.processes = [], []
        shutil.rmtree(self.folder, ignore_errors=True)  # it is still there where the hosts never were

    def _keep(self, namespaces, name, setup, wait):
        # A session of its own: Ctrl-C is for those who work on the hosts, who need them to end in order.
        shell = ["sh", "-c", KEEPER.format(name=name, setup=setup, wait=wait)]
        keeper = subprocess.Popen(["unshare", *namespaces, *shell],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  start_new_session=True)
        self.keepers.append(keeper)
        if keeper.stdout.readline() != "ready\n":
            raise NotHere(f"no namespaces here ({' '.join(keeper.stderr.read().split())}): they take root and the "
                          "capability SYS_ADMIN")
        children = Path(f"/proc/{keeper.pid}/task/{keeper.pid}/children").read_text(encoding="ascii").split()
        self.processes.append(int(children[0]) if "--fork" in namespaces else keeper.pid)

    def _plug_in(self, index):
        packets = f"gso_max_size {self.longest_packet}"
        self._ip(-1, f"link add port{index} type veth peer name eth0 netns {self.processes[index]}",
                 f"link set port{index} {packets} master bridge up")
        self._ip(index, f"address add {self.address(index)}/24 dev eth0", f"link set eth0 {packets} up")
        if self.shape:
            for place, device in ((-1, f"port{index}"), (index, "eth0")):
                self._inside(place, "tc", "qdisc", "add", "dev", device, "root", *self.shape.split())

    def _inside(self, index, *command, given=None):
        """In the network of a host, or of the switch (-1), with this machine's files."""
        subprocess.run(["nsenter", "--target", str(self.processes[index]), "--net", "--", *command], check=True,
                       input=given, text=True)

    def _ip(self, index, *lines):
        self._inside(index, "ip", "-batch", "-", given="\n".join(lines) + "\n")

    def _write_scripts(self):
        hostfile, agent = self.folder / "hostfile", self.folder / "on"
        hostfile.write_text("".join(f"{name} slots={self.slots}\n" for name in self.names), encoding="utf-8")
        cases = "\n".join(f"  {name}) pid={pid} ;;" for name, pid in zip(self.names, self.processes))
        settings = "\n".join(f': "${{{name}={value}}}"; export {name}' for name, value in SETTINGS.items())
        mpirun = MPIRUN.format(settings=settings, agent=agent, hostfile=hostfile, switch=self.processes[-1])
        for path, text in ((agent, AGENT.format(cases=cases)), (self.folder / "mpirun", mpirun)):
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)

    @property
    def mpirun(self):
        """A program: mpirun over these hosts."""
        return str(self.folder / "mpirun")

    @property
    def variables(self):
        """Environment variables that tell a command how to use the hosts."""
        return {"MPIRUN": self.mpirun, "ON": str(self.folder / "on"), "HOSTS": " ".join(self.names)}

    @staticmethod
    def address(index):
        return f"10.77.0.{index + 1}"

    def layout(self, *ranks):
        """mpirun's options for so many ranks on the first host, on the second, ...; None leaves a host out."""
        chosen = [f"{name}:{number}" for name, number in zip(self.names, ranks) if number]
        return ["-np", str(sum(number or 0 for number in ranks)), "--host", ",".join(chosen)]

    def run(self, index, *command, **options):
        """Runs a command on a host, as ssh does: @return what subprocess.run does"""
        return subprocess.run([self.folder / "on", self.names[index], shlex.join(map(str, command))], text=True,
                              check=False, **options)

    def cut(self, index):
        """Pulls the host's cable out. Nobody is told: what is sent is lost."""
        self._ip(-1, f"link set port{index} down")

    def mend(self, index):
        """Puts it in again."""
        self._ip(-1, f"link set port{index} up")

    def at_work(self, index):
        """The numbers, as this machine sees them, of all processes on a host but its first one."""
        return [pid for pid in all_processes() if pid != self.processes[index]
                and namespace_of(pid) == namespace_of(self.processes[index])]

    def kill(self, index):
        """SIGKILL for all that runs on a host, at once, mpirun's daemon too. The host itself stays."""
        subprocess.run(["nsenter", "--target", str(self.processes[index]), "--pid", "--", "sh", "-c", "kill -KILL -1"],
                       check=False)


def all_processes():
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def namespace_of(pid):
    """Of its process numbers; None for a process that has ended."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def end(number, _):
    sys.exit(128 + number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, help=f"hosts [1 to {MOST_HOSTS}]")
    parser.add_argument("--rate", help="of each link, such as 1gbit (default: as fast as it goes)")
    parser.add_argument("--slots", type=int, default=1, help="ranks of a host before the next one is taken (default 1)")
    parser.add_argument("--prefix", default=f"host{os.getpid()}", help="of the hosts' names")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="what runs while the hosts are there")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    try:
        with Hosts(arguments.count, arguments.rate, arguments.slots, arguments.prefix) as hosts:
            process = subprocess.Popen(arguments.command, env={**os.environ, **hosts.variables})
            try:
                code = process.wait()
            except BaseException:
                process.terminate()
                process.wait()
                raise
        sys.exit(code if code >= 0 else 128 - code)
    except NotHere as reason:
        print(f"skipped: {reason}", file=sys.stderr)
        sys.exit(NOT_HERE)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
