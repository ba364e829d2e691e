"""`mnist-dist bench`: figures that fit together, for people and for scripts, and nothing left behind."""

import json
import os
import time

from program import BAD_DATA, FILE_SYSTEM, USAGE, ProgramTest, Shared, h5py, main, pack

# A short measurement: what is tested is not how fast the machine is.
SHORT = ("--seconds", "0.02", "--hidden", "40,30")

PHASES = ["load", "forward", "backward", "gradient", "update", "wait", "between"]
WEIGHTS = [784 * 40, 40 * 30, 30 * 10]


def setUpModule():
    Shared.make()


class BenchTest(ProgramTest):
    def bench(self, *options, ranks=None):
        """The JSON object that it prints."""
        return json.loads(self.succeed("bench", Shared.data, "--json", *SHORT, *options, ranks=ranks))

    def assert_nothing_written(self):
        self.assertEqual(list(self.folder.iterdir()), [])


class Figures(BenchTest):
    def test_what_was_measured(self):
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                result = self.bench(ranks=ranks)
                self.assertEqual(list(result), ["machine", "run", "step", "blas", "exchange", "limit"])
                machine, run = result["machine"], result["run"]
                self.assertEqual((machine["ranks"], machine["hosts"]), (ranks or 1, 1))
                self.assertIn(machine["arithmetic"], self.succeed("info", self.model()))
                self.assertIn(machine["build"], self.succeed("info", self.model()))
                self.assertEqual(run["data"], str(Shared.data))
                self.assertEqual(run["network"], "784-40-30-10")
                self.assertEqual(run["parameters"], sum(WEIGHTS) + 40 + 30 + 10)
                self.assertEqual((run["batch_size"], run["reduction"]), (100, "tree"))

    def model(self):
        """Made once; it tells which build it is of."""
        path = Shared.folder / "model-run"
        if not path.exists():
            Shared.train("model-run", "--epochs", 1, "--hidden", 8)
        return path / "model.h5"

    def test_phases_make_up_the_step(self):
        for options, ranks in (((), None), ((), 2), (("--reduction", "mpi"), 2), (("--batch-size", 4), 3)):
            with self.subTest(options=options, ranks=ranks):
                step = self.bench(*options, ranks=ranks)["step"]
                phases = step["phases"]
                self.assertEqual(list(phases), [*PHASES, "together"])
                together = phases["together"]
                self.assertAlmostEqual(sum(phases[name]["mean_percent"] for name in PHASES), 100, places=6)
                self.assertAlmostEqual(sum(phases[name]["mean_seconds"] for name in PHASES), together["mean_seconds"],
                                       delta=1e-9)
                for name in PHASES:
                    self.assertLessEqual(phases[name]["mean_seconds"], phases[name]["slowest_rank_seconds"] + 1e-12)
                    self.assertGreater(phases[name]["slowest_rank_seconds"], 0, name)
                self.assertGreater(step["seconds"], 0)
                self.assertGreater(step["steps_with_phases"], 0)
                self.assertGreater(step["checkpoint_copy_seconds"], 0)
                self.assertAlmostEqual(step["rows_per_second"] * step["seconds"], step["rows"])
                self.assertAlmostEqual(step["rows_per_second"] * step["seconds_per_60000_rows"], 60000)
        self.assert_nothing_written()

    def test_products(self):
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                blas = self.bench(ranks=ranks)["blas"]
                rows = 100 // (ranks or 1)
                # The shards of a rank may have one row more than those of another.
                self.assertTrue(rows <= blas["rank_rows"] <= rows + 4, blas["rank_rows"])
                self.assertEqual([(product["layer"], product["product"]) for product in blas["products"]],
                                 [(1, "forward"), (1, "weight_gradient"),
                                  (2, "forward"), (2, "input_gradient"), (2, "weight_gradient"),
                                  (3, "forward"), (3, "input_gradient"), (3, "weight_gradient")])
                for product in blas["products"]:
                    self.assertEqual(product["flop"], 2 * product["rows"] * product["inner"] * product["columns"])
                    self.assertEqual(product["flop"], 2 * blas["rank_rows"] * WEIGHTS[product["layer"] - 1])
                    self.assertAlmostEqual(product["gigaflops_per_second"] * product["seconds"] * 1e9,
                                           product["flop"], places=3)
                self.assertEqual(blas["step_flop"], 100 * 2 * (3 * sum(WEIGHTS) - WEIGHTS[0]))
                for name in ("flop", "seconds"):
                    self.assertAlmostEqual(blas[f"rank_{name}"], sum(product[name] for product in blas["products"]))
                self.assertAlmostEqual(blas["rank_gigaflops_per_second"] * blas["rank_seconds"] * 1e9,
                                       blas["rank_flop"], places=3)
                self.assertGreater(blas["best_gigaflops_per_second"], 0)

    def test_exchange_and_limit(self):
        for reduction in ("tree", "mpi"):
            with self.subTest(reduction=reduction):
                result = self.bench("--reduction", reduction, ranks=2)
                exchange, limit = result["exchange"], result["limit"]
                self.assertGreaterEqual(exchange["bytes"], 4 * result["run"]["parameters"])
                self.assertAlmostEqual(exchange["mpi_gigabytes_per_second"] * exchange["mpi_seconds"] * 1e9,
                                       exchange["bytes"], delta=1)
                self.assertEqual(limit["exchange_seconds"], exchange[f"{reduction}_seconds"])
                blas = result["blas"]
                # Pixels that are zero are left out of the first layer's two products.
                first = sum(product["flop"] for product in blas["products"] if product["layer"] == 1)
                with h5py.File(Shared.data) as data:
                    share = (data["train/images"][:] > 0).mean()
                self.assertAlmostEqual((limit["needed_flop"] - (blas["rank_flop"] - first)) / first, share, delta=0.01)
                fastest = max(blas["best_gigaflops_per_second"],
                              *(product["gigaflops_per_second"] for product in blas["products"]))
                self.assertAlmostEqual(limit["products_seconds"] * fastest * 1e9, limit["needed_flop"], places=3)
                self.assertAlmostEqual(limit["seconds"], limit["products_seconds"] + limit["exchange_seconds"])
                self.assertAlmostEqual(limit["step_per_limit"] * limit["seconds"], result["step"]["seconds"])
        self.assertIsNone(self.bench()["exchange"]["mpi_gigabytes_per_second"])

    def test_settings(self):
        """Flags and --config as train takes them."""
        (self.folder / "config.toml").write_text("hidden = [12]\nbatch-size = 64\nshards = 4\n", encoding="utf-8")
        output = self.succeed("bench", Shared.data, "--json", "--seconds", 0.02, "-c", "config.toml", "--shards", 5)
        run = json.loads(output)["run"]
        self.assertEqual((run["network"], run["batch_size"], run["shards"]), ("784-12-10", 64, 5))


class Tables(BenchTest):
    def test_for_people(self):
        for ranks in (None, 2):
            output = self.succeed("bench", Shared.data, *SHORT, ranks=ranks)
            for words in ("network  784-40-30-10", f"ranks    {ranks or 1} on 1 host", "products by kernels",
                          "rows/s", "60000 rows", "GF/s", "a checkpoint keeps the steps waiting for ",
                          "layer 3: 30 x 10", "MPI_Allreduce", "tree", "times the limit", *PHASES):
                self.assertEqual(output.count(words) > 0, True, f"{words} is missing:\n{output}")
            self.assertEqual(output.count("times the limit"), 1, "more than one rank spoke")
        self.assert_nothing_written()

    def test_finds_the_data_set_by_its_usual_name(self):
        (self.folder / "mnist.h5").symlink_to(Shared.data)
        self.assertIn("mnist.h5: 1200 training images", self.succeed("bench", *SHORT))


class Predict(BenchTest):
    """--predict: other numbers of ranks and hosts, and other links."""

    LINKS = ["1 Gbit/s", "10 Gbit/s", "100 Gbit/s", "400 Gbit/s"]

    def test_for_people(self):
        for ranks in (None, 2):
            output = self.succeed("bench", Shared.data, *SHORT, "--predict", "--ranks-per-host", 4, ranks=ranks)
            lines = output.splitlines()
            self.assertLess(len(lines), 25, output)
            self.assertLessEqual(max(map(len, lines)), 120, output)
            self.assertEqual([f"{speed.strip()} Gbit/s" for speed in lines[1].split("Gbit/s")[:-1]], self.LINKS)
            table = [line.split()[:2] for line in lines if line[:11].split() == line.split()[:2]
                     and line[:5].strip().isdigit()]
            self.assertEqual(table[0], ["1", "1"])
            self.assertEqual(table[-1], ["1024", "4096"])
            self.assertEqual(len(table), 13)
            for words in ("784-40-30-10", "fastest", "eff 50 %", "assumed: ", f"{ranks or 1} rank", "4 ranks",
                          "8 shards"):
                self.assertIn(words, output)
            self.assertEqual(output.count("fastest"), 1, "more than one rank spoke")
        self.assert_nothing_written()

    def test_json(self):
        for ranks in (None, 2):
            result = self.bench("--predict", ranks=ranks)
            self.assertEqual(list(result),
                             ["machine", "run", "costs", "ranks_per_host", "links", "assumptions"])
            self.assertEqual(result["costs"]["alone"]["ranks_at_work"], 1)
            self.assertEqual(result["costs"]["together"]["ranks_at_work"], ranks or 1)
            self.assertEqual(result["ranks_per_host"], os.sysconf("SC_NPROCESSORS_ONLN"))
            self.assertGreater(len(result["assumptions"]), 3)
            self.assertEqual([link["name"] for link in result["links"]], self.LINKS)
            for link in result["links"]:
                self.check_link(link)
        self.assert_nothing_written()

    def check_link(self, link):
        """Figures that fit together."""
        layouts = link["layouts"]
        alone = layouts[0]
        self.assertEqual((alone["hosts"], alone["ranks"], alone["speed_up"]), (1, 1, 1))
        for layout in layouts:
            self.assertGreater(layout["epoch_seconds"], 0)
            self.assertAlmostEqual(layout["speed_up"] * layout["epoch_seconds"], alone["epoch_seconds"])
            self.assertAlmostEqual(layout["efficiency_percent"] * layout["ranks"], 100 * layout["speed_up"])
            self.assertEqual(layout["sent"] is None, layout["hosts"] == 1)
            self.assertEqual(layout["link_seconds"] > 0, layout["hosts"] > 1)
            self.assertLessEqual(layout["link_seconds"], layout["step_seconds"])
        fastest = min(layouts, key=lambda layout: layout["epoch_seconds"])
        self.assertEqual(link["fastest"]["ranks"], fastest["ranks"])
        efficient = max((layout for layout in layouts if layout["efficiency_percent"] >= 50),
                        key=lambda layout: layout["ranks"])
        self.assertEqual(link["efficient"]["ranks"], efficient["ranks"])

    def test_a_faster_link_is_never_slower(self):
        links = self.bench("--predict", "--ranks-per-host", 1)["links"]
        for slow, fast in zip(links, links[1:]):
            for one, other in zip(slow["layouts"], fast["layouts"]):
                self.assertLessEqual(other["epoch_seconds"], one["epoch_seconds"])
        self.assertEqual([layout["hosts"] for layout in links[0]["layouts"]], [2**n for n in range(13)])

    def test_unusual_sizes(self):
        """A batch of one row; one of all rows; no holdout; as many shards as rows of a batch."""
        for options in (("--batch-size", 1), ("--batch-size", 100000), ("--holdout", 0),
                        ("--batch-size", 16, "--shards", 16), ("--recipe", "fast")):
            with self.subTest(options=options):
                for link in self.bench("--predict", *options, ranks=2)["links"]:
                    self.check_link(link)


class Errors(BenchTest):
    def assert_refused(self, exit_code, mentions, *arguments, ranks=None):
        result = self.run_program("bench", *arguments, ranks=ranks)
        self.assert_one_error(result, exit_code, *mentions)
        self.assertEqual(result.stdout, "")
        self.assert_nothing_written()

    def test_usage(self):
        for seconds in ("0", "-1", "nan", "inf", "4000"):
            for ranks in (None, 2):
                self.assert_refused(USAGE, ["--seconds", seconds[:2]], Shared.data, f"--seconds={seconds}", ranks=ranks)
        self.assert_refused(USAGE, ["--seconds", "soon"], Shared.data, "--seconds=soon")
        self.assert_refused(USAGE, ["--resume"], Shared.data, "--resume", "run")
        self.assert_refused(USAGE, ["--output"], Shared.data, "--output", "run")
        self.assert_refused(USAGE, ["--dropout", "2"], Shared.data, "--dropout", 2, ranks=2)
        self.assert_refused(USAGE, ["--ranks-per-host", "--predict"], Shared.data, "--ranks-per-host", 2, ranks=2)
        self.assert_refused(USAGE, ["--predict", "--reduction mpi"], Shared.data, "--predict", "--reduction", "mpi")
        self.assert_refused(USAGE, ["--seconds 10 ", "--hang-timeout 1 "], Shared.data, "--predict", "--seconds", 10,
                            "--hang-timeout", 1, ranks=2)
        for number in ("0", "4097", "some"):
            self.assert_refused(USAGE, ["--ranks-per-host", number], Shared.data, "--predict",
                                f"--ranks-per-host={number}")
        self.assert_refused(USAGE, ["3 ranks", "2 shards", "--shards"], Shared.data, "--shards", 2, ranks=3)

    def test_data(self):
        for ranks in (None, 2):
            self.assert_refused(FILE_SYSTEM, ["nothing.h5", "No such file"], "nothing.h5", ranks=ranks)
            self.assert_refused(FILE_SYSTEM, ["mnist.h5"], ranks=ranks)
            self.assert_refused(BAD_DATA, [Shared.digits.parent, "HDF5"], self.text_file(), ranks=ranks)

    def test_data_lost_while_one_rank_measures_alone(self):
        """Rank 0 reads the data again, while the other waits for it: its failure ends both."""
        digits = self.folder / "large"
        digits.symlink_to(Shared.digits)
        data = pack(digits, "--size", "64x64", "--gzip", "1")  # more than HDF5 keeps in memory
        # With so many shards nobody else reads again.
        job = self.start("bench", data, "--predict", "--seconds", 4, "--hidden", "40,30", "--batch-size", 8,
                         "--shards", 8, ranks=2)
        time.sleep(1)
        os.truncate(data, 4096)
        result = job.wait()
        self.assertIn(result.returncode, (BAD_DATA, FILE_SYSTEM))
        self.assert_one_error(result, result.returncode, "large.h5")

    def text_file(self):
        path = Shared.folder / "notes.h5"
        path.write_text("not HDF5 at all\n", encoding="utf-8")
        return path


if __name__ == "__main__":
    main()
