"""`mnist-dist report`: what it writes and where, and what it says when it cannot. tests/browser opens the page."""

import json
import re
import shutil

from program import (BAD_DATA, DONE, ENDLESS, FILE_SYSTEM, USAGE, ProgramTest, Shared, draw_digits, main, pack,
                     warning_lines)

MOST_BYTES = 2_000_000


class Trained:
    """Made once."""

    run = None


def setUpModule():
    Shared.make()
    Trained.run = Shared.train("runs/trained", "--epochs", 3, "--hidden", "20", *ENDLESS)


def data_of(page):
    """What the page shows."""
    block = re.search(r'<script type="application/json" id="report-data">(.*?)</script>',
                      page.read_text(encoding="utf-8"), re.DOTALL)
    return json.loads(block[1])


class Report(ProgramTest):
    def copy_run(self):
        return shutil.copytree(Trained.run, self.folder / "run")

    def test_lies_in_the_run_and_tells_what_evaluate_tells(self):
        run = self.copy_run()
        before = set(run.iterdir())
        self.assertEqual(self.succeed("report", run), f"report   {run}/report.html\n")
        self.assertEqual(set(run.iterdir()) - before, {run / "report.html"})
        page = data_of(run / "report.html")
        self.succeed("evaluate", Shared.data, "--model", run)
        exact = json.loads((run / "report.json").read_text(encoding="utf-8"))["exact accuracy"]
        self.assertEqual(page["runs"][0]["test"], {
            "correct": exact["correct"], "total": exact["total"], "accuracy": exact["accuracy"],
            "low": exact["interval 95%"][0], "high": exact["interval 95%"][1]})
        self.assertEqual(len(page["runs"][0]["curves"]["loss"]), 3)

    def test_needs_nothing_beside_it(self):
        page = self.folder / "elsewhere.html"
        self.succeed("report", Trained.run, "-o", page)
        self.assertLess(page.stat().st_size, MOST_BYTES)
        text = page.read_text(encoding="utf-8")
        self.assertIn("Chart.js v3", text)
        self.assertNotRegex(text, r"<(script|img|iframe)[^>]* src=|<link[^>]*stylesheet|@import|url\((?!data:|\")")
        self.assertIn("default-src 'none'", text)

    def test_the_same_run_gives_the_same_page(self):
        pages = [self.folder / name for name in ("one.html", "two.html")]
        for page in pages:
            self.succeed("report", Trained.run, "-o", page)
        self.assertEqual(*(page.read_bytes() for page in pages))

    def test_several_runs(self):
        other = self.train("other", "--epochs", 2, "--hidden", "30", *ENDLESS)
        self.succeed("report", Trained.run, other, "-o", "both.html")
        runs = data_of(self.folder / "both.html")["runs"]
        self.assertEqual([run["name"] for run in runs], [str(Trained.run), str(other)])
        self.assertEqual([run["epochs"] for run in runs], [3, 2])

    def test_moved_data(self):
        run = self.copy_run()
        config = run / "config.toml"
        config.write_text(config.read_text(encoding="utf-8").replace(str(Shared.data), "moved.h5"), encoding="utf-8")
        results = [self.run_program(*words) for words in (("report", run), ("evaluate", "-m", run))]
        for result in results:
            self.assert_one_error(result, FILE_SYSTEM, "moved.h5", run, "--data")
        self.assertEqual(*(result.stderr for result in results))
        self.succeed("report", run, "--data", Shared.data)
        self.succeed("evaluate", "-m", run, "--data", Shared.data)

    def test_data_packed_anew(self):
        data = shutil.copy(Shared.data, self.folder / "data.h5")
        run = self.train("run", "--epochs", 1, "--hidden", "20", *ENDLESS, data=data)
        self.assertEqual(self.run_program("report", run).stderr, "")
        shutil.copy(pack(draw_digits(self.folder / "other", 200, 50)), data)
        result = self.run_program("report", run)
        self.assert_exit(result, DONE)
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        self.assertIn("data.h5 was packed anew after ", result.stderr)
        self.assertEqual(result.stderr, self.run_program("evaluate", "-m", run).stderr)
        self.assertEqual(self.run_program("report", run, "--data", data).stderr, "")  # whoever names the data knows

    def test_edited_settings(self):
        run = self.copy_run()
        config = run / "config.toml"
        text = config.read_text(encoding="utf-8")
        for name, value in (("batch-size", "0"), ("schedule", '"zz"'), ("shards", "0"), ("optimizer", '"zz"')):
            edited = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
            self.assertNotEqual(edited, text)
            config.write_text(edited, encoding="utf-8")
            self.assert_one_error(self.run_program("report", run), USAGE, name)

    def test_no_epoch_yet(self):
        run = self.copy_run()
        for name in ("metrics.jsonl", "metrics.csv", "model.h5"):
            (run / name).unlink()
        self.assert_one_error(self.run_program("report", run), FILE_SYSTEM, run, "no epoch done yet")

    def test_what_is_no_run_or_damaged(self):
        self.assert_one_error(self.run_program("report"), FILE_SYSTEM, "runs/latest")
        self.assert_one_error(self.run_program("report", "nothing"), FILE_SYSTEM, "nothing", "config.toml")
        run = self.copy_run()
        metrics = run / "metrics.jsonl"
        metrics.write_text(metrics.read_text(encoding="utf-8")[:-9], encoding="utf-8")
        self.assert_one_error(self.run_program("report", run), BAD_DATA, metrics, "line 3")
        shutil.copy(Trained.run / "metrics.jsonl", metrics)
        (run / "model.h5").unlink()
        self.assert_one_error(self.run_program("report", run), FILE_SYSTEM, "model.h5")
        self.assertFalse((run / "report.html").exists())

    def test_data_that_do_not_fit(self):
        self.assert_one_error(self.run_program("report", Trained.run, "--data", pack(draw_digits(
            self.folder / "untested", 50, 0))), BAD_DATA, "untested.h5", "no test images")
        self.assert_one_error(self.run_program("report", Trained.run, "--data", pack(draw_digits(
            self.folder / "small", 50, 20, "--size", "20"))), BAD_DATA, "small.h5", "20x20")

    def test_a_page_that_cannot_be_written(self):
        self.assert_one_error(self.run_program("report", Trained.run, "-o", "no/folder.html"), FILE_SYSTEM, "no")


if __name__ == "__main__":
    main()
