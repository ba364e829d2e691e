"""A copy of the sources in which faults are put in, built and tested."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

# The least optimisation at which the program is quick enough: what is measured are the tests, not the compiler.
CONFIGURE = ["-DCMAKE_BUILD_TYPE=Mutation", "-DCMAKE_CXX_FLAGS_MUTATION=-O1", "-DMNIST_DIST_TESTS=ON"]
PATIENCE = 180  # seconds for a test; one that takes longer hangs

ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}
SKIPPED = 77


def take_interruptions():
    """What is started in the background may ignore Ctrl-C, and so would the programs whose interruption is tested."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Workshop:
    def __init__(self, root, number):
        """@param number: workshops with different ones may work at the same time"""
        self.sources = root / "build" / "mutation" / str(number) / "sources"
        self.build_folder = root / "build" / "mutation" / str(number) / "build"
        self.output = root / "build" / "mutation" / str(number) / "output.txt"  # of the test that ran last
        self.copy_sources(root)
        subprocess.run(["cmake", "-S", self.sources, "-B", self.build_folder, *CONFIGURE], check=True,
                       stdout=subprocess.DEVNULL)

    def copy_sources(self, root):
        """All files that git knows or would know, as they are now; unchanged ones keep their time, so make skips
        them."""
        listing = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                 check=True, stdout=subprocess.PIPE).stdout
        names = {name for name in listing.decode().split("\0") if name and (root / name).is_file()}
        for path in [path for path in self.sources.rglob("*") if path.is_file()]:
            if str(path.relative_to(self.sources)) not in names:
                path.unlink()
        for name in names:
            source, target = root / name, self.sources / name
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
                target.chmod(source.stat().st_mode)

    @contextlib.contextmanager
    def fault(self, fault):
        path = self.sources / fault.file
        original = path.read_text(encoding="utf-8")
        path.write_text(original.replace(fault.find, fault.replace), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(original, encoding="utf-8")

    def build(self, tests):
        """Builds what these tests need. @return whether it compiles"""
        targets = set()
        for test in tests:
            if test.startswith(("e2e_", "campaigns")):
                targets |= {"mnist-dist", "h5pack", "file_system_shim", "mpi_shim", "vectors_shim"}
            else:
                targets.add("unit_tests" if test == "unit" else "mpi_tests")
        command = ["cmake", "--build", self.build_folder, "--target", *sorted(targets)]
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def outcome(self, test):
        """Runs a test: a name of CTest's ("unit", "mpi_2"), or one and what follows "test_" in its script's name, with
        cases of it ("e2e_errors ErrorsOfRanks.test_name", "campaigns races"). @return "passed", "failed", "skipped" or
        "hangs" """
        name, *cases = test.split()
        command, environment = self.command(name, cases)
        with self.output.open("wb") as output:
            process = subprocess.Popen(command, env=environment, cwd=self.build_folder, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output, start_new_session=True,
                                       preexec_fn=take_interruptions)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return "hangs"
        finally:
            self.kill_all()
            process.wait()
        return {0: "passed", SKIPPED: "skipped"}.get(code, "failed")

    def kill_all(self):
        """All programs of this workshop: what a test leaves behind would slow the next ones down."""
        subprocess.run(["pkill", "-KILL", "-f", f"{self.sources}/|{self.build_folder}/"], check=False)

    def command(self, name, cases):
        listing = subprocess.run(["ctest", "--test-dir", self.build_folder, "--show-only=json-v1"], check=True,
                                 stdout=subprocess.PIPE).stdout
        script = f"test_{name.removeprefix('e2e_')}.py"
        for test in json.loads(listing)["tests"]:
            command = test.get("command", [])  # none where the test's program was not built
            is_script = name.startswith("e2e_") and any(Path(word).name == script for word in command)
            if test["name"] != name and not is_script:
                continue
            environment = dict(ENVIRONMENT)
            for entry in test["properties"]:
                if entry["name"] == "ENVIRONMENT":
                    environment.update(variable.split("=", 1) for variable in entry["value"])
            if name == "campaigns":
                command += cases
            if is_script:
                script_at = next(i for i, word in enumerate(command) if Path(word).name == script)
                command = [*command[:script_at + 1], *cases]
            return command, environment
        raise SystemExit(f"no test is called {name}")
