"""Attacks promise 2: what was acknowledged is on disk and whole, and the resumed run ends in the same bits. Damages
checkpoints, resumes with other data and settings."""

import json
import os
import shutil

from program import (BAD_DATA, DONE, ENDLESS, FILE_SYSTEM, FOREVER, USAGE, ProgramTest, Shared, draw_digits, h5py, main,
                     newest_checkpoint, numpy, pack, read_manifest, read_metrics, sha256, warning_lines)

EPOCHS = 5
OPTIONS = ("--hidden", "48,32", *ENDLESS)


class Runs:
    """Made once: the undisturbed run, and one that has got as far as epoch 4."""

    undisturbed = None
    begun = None


def setUpModule():
    Shared.make()
    Runs.undisturbed = Shared.train("undisturbed", "--epochs", EPOCHS, *OPTIONS)
    Runs.begun = Shared.train("begun", "--epochs", EPOCHS - 1, *OPTIONS)


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def flip_one_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def empty(path):
    os.truncate(path, 0)


class CheckpointTest(ProgramTest):
    """Has a copy of the begun run in self.run_folder."""

    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"
        shutil.copytree(Runs.begun, self.run_folder)

    def checkpoints(self):
        """From old to new."""
        entries = read_manifest(self.run_folder)["checkpoints"]
        return [self.run_folder / "checkpoints" / entry["file"] for entry in entries]

    def try_to_resume(self, *options, ranks=None):
        return self.run_program("train", "--resume", "run", "--epochs", EPOCHS, *options, ranks=ranks)

    def assert_ends_undisturbed(self, result):
        self.assert_exit(result, DONE)
        self.assert_checkpoints_whole(self.run_folder)
        self.assert_same_run(self.run_folder, Runs.undisturbed)


class Damaged(CheckpointTest):
    def test_newest_damaged_the_one_before_is_used(self):
        for damage, ranks in ((truncate, None), (flip_one_bit, 2), (empty, None), (os.remove, 3)):
            with self.subTest(damage=damage.__name__):
                shutil.rmtree(self.run_folder)
                shutil.copytree(Runs.begun, self.run_folder)
                newest = self.checkpoints()[-1]
                damage(newest)
                result = self.try_to_resume(ranks=ranks)
                warnings = [line for line in result.stderr.splitlines() if line.startswith("mnist-dist: warning")]
                self.assertEqual(len(warnings), 1, result.stderr)
                self.assertIn(newest.name, warnings[0])
                self.assertIn("resumed in epoch 4 ", result.stdout)
                self.assert_ends_undisturbed(result)

    def test_two_damaged_the_third_is_used(self):
        truncate(self.checkpoints()[-1])
        flip_one_bit(self.checkpoints()[-2])
        result = self.try_to_resume()
        self.assertIn("resumed in epoch 3 ", result.stdout)
        self.assert_ends_undisturbed(result)

    def test_all_damaged(self):
        for path in self.checkpoints():
            flip_one_bit(path)
        model = sha256(self.run_folder / "model.h5")
        for ranks in (None, 2):
            self.assert_one_error(self.try_to_resume(ranks=ranks), BAD_DATA, self.run_folder.name + "/checkpoints")
        self.assertEqual(sha256(self.run_folder / "model.h5"), model)

    def test_one_byte_too_many(self):
        with open(self.checkpoints()[-1], "ab") as checkpoint:
            checkpoint.write(b"\0")
        self.assertIn("resumed in epoch 4 ", self.try_to_resume().stdout)

    def test_info_reads_what_resume_would_read(self):
        flip_one_bit(self.checkpoints()[-1])
        self.assertIn("done        3 epochs", self.succeed("info", "run"))


class Manifest(CheckpointTest):
    def rewrite(self, change):
        manifest = read_manifest(self.run_folder)
        change(manifest)
        self.manifest_path().write_text(json.dumps(manifest), encoding="utf-8")

    def manifest_path(self):
        return self.run_folder / "checkpoints" / "manifest.json"

    def assert_found_by_their_own_hash(self, *mentions, ranks=None):
        """There is one warning, and the run goes on from the newest checkpoint."""
        result = self.try_to_resume(ranks=ranks)
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        for mention in ("manifest.json", *mentions):
            self.assertIn(mention, warning_lines(result)[0])
        self.assertIn("resumed in epoch 5 ", result.stdout)
        self.assert_ends_undisturbed(result)
        self.assertEqual([entry["epoch"] for entry in read_manifest(self.run_folder)["checkpoints"]], [3, 4, 5])
        self.assertEqual(warning_lines(self.try_to_resume()), [])

    def begin_again(self):
        shutil.rmtree(self.run_folder)
        shutil.copytree(Runs.begun, self.run_folder)

    def test_damaged(self):
        whole = self.manifest_path().read_text(encoding="utf-8")
        names_nothing = '{"format": "mnist-dist checkpoint manifest", "checkpoints": []}'
        for text in ("", "{", whole[: len(whole) // 2], "[]", '{"format": "another"}', names_nothing, "\0" * 300):
            with self.subTest(text=text[:20]):
                self.begin_again()
                self.manifest_path().write_text(text, encoding="utf-8")
                self.assert_found_by_their_own_hash("is damaged", ranks=2 if text == "" else None)

    def test_missing(self):
        self.manifest_path().unlink()
        self.assertIn("done        4 epochs", self.succeed("info", "run"))
        self.assert_found_by_their_own_hash("is missing")

    def test_that_lacks_a_field(self):
        for field in ("file", "sha256", "bytes", "epoch", "step"):
            with self.subTest(field=field):
                self.begin_again()
                self.rewrite(lambda manifest: manifest["checkpoints"][-1].pop(field))
                self.assert_found_by_their_own_hash(field)

    def test_damaged_with_the_newest_checkpoint(self):
        for damage in (truncate, flip_one_bit, empty):
            with self.subTest(damage=damage.__name__):
                self.begin_again()
                newest = self.checkpoints()[-1]
                damage(newest)
                truncate(self.manifest_path())
                result = self.try_to_resume()
                self.assertEqual(len(warning_lines(result)), 2, result.stderr)
                self.assertIn(newest.name, warning_lines(result)[1])
                self.assertIn("resumed in epoch 4 ", result.stdout)
                self.assert_ends_undisturbed(result)

    def test_lost_with_all_checkpoints(self):
        for path in self.checkpoints():
            flip_one_bit(path)
        for lose in (truncate, os.remove):
            lose(self.manifest_path())
            self.assert_one_error(self.try_to_resume(), BAD_DATA, "manifest.json", "no checkpoint beside it is whole")

    def test_that_names_a_file_elsewhere(self):
        """A manifest is data, and must not make the program open files of somebody else's choice."""
        shutil.copy(self.checkpoints()[0], self.folder / "elsewhere.h5")
        for name in ("../../elsewhere.h5", str(self.folder / "elsewhere.h5"), "x/../../../elsewhere.h5"):
            with self.subTest(name=name):
                self.begin_again()
                self.rewrite(lambda manifest: manifest["checkpoints"][-1].update(file=name))
                self.assert_found_by_their_own_hash("outside its folder")

    def test_with_another_hash(self):
        """A whole checkpoint under a wrong hash is not loaded."""
        self.rewrite(lambda manifest: manifest["checkpoints"][-1].update(sha256="0" * 64))
        self.assertIn("resumed in epoch 4 ", self.try_to_resume().stdout)


    def test_that_names_no_whole_one(self):
        for change in ({"sha256": "0" * 64}, {"bytes": 1}, {"file": "step-000000001.h5"}):
            with self.subTest(change=change):
                self.begin_again()
                self.rewrite(lambda manifest: [entry.update(change) for entry in manifest["checkpoints"]])
                result = self.try_to_resume()
                self.assertRegex(warning_lines(result)[-1], "none of the 3 checkpoints that .*manifest.json names is whole")
                self.assertIn("resumed in epoch 5 ", result.stdout)
                self.assert_same_run(self.run_folder, Runs.undisturbed)


class LostInPart(CheckpointTest):
    def test_checkpoints(self):
        """A run that had some does not begin anew, and lose its model."""
        model = sha256(self.run_folder / "model.h5")
        shutil.rmtree(self.run_folder / "checkpoints")
        for ranks in (None, 2):
            self.assert_one_error(self.try_to_resume(ranks=ranks), BAD_DATA, "run has lost its checkpoints, and 4 epochs")
        self.assertEqual(sha256(self.run_folder / "model.h5"), model)
        for file in self.run_folder.glob("metrics.*"):
            file.unlink()
        self.assert_ends_undisturbed(self.try_to_resume())

    def test_configuration(self):
        """The way out that is named leads out."""
        (self.run_folder / "config.toml").unlink()
        result = self.try_to_resume()
        self.assert_one_error(result, FILE_SYSTEM, "run has lost its config.toml", "mnist-dist info")
        _, settings = self.succeed("info", self.checkpoints()[-1]).split("\nsettings\n")
        (self.run_folder / "config.toml").write_text(settings, encoding="utf-8")
        self.assert_ends_undisturbed(self.try_to_resume())


class AnotherRuns(CheckpointTest):
    """A whole checkpoint of another run, and a later one, is laid among the run's own."""

    def lay(self, run, name=None):
        newest = newest_checkpoint(run)
        target = self.run_folder / "checkpoints" / (name or newest.name)
        shutil.copy(newest, target)
        return target

    def other_seed(self):
        return self.train("other-seed", "--epochs", EPOCHS, "--seed", 1, *OPTIONS)

    def lose_manifest(self):
        (self.run_folder / "checkpoints" / "manifest.json").unlink()

    def assert_passed_over(self, foreign, *mentions):
        """The run's own checkpoints count, and the line says why that one does not."""
        self.lose_manifest()
        self.assertIn("done        4 epochs", self.succeed("info", "run"))
        result = self.try_to_resume(ranks=2)
        lines = warning_lines(result)
        self.assertEqual(len(lines), 2, result.stderr)
        for mention in (foreign.name, "is passed over", *mentions):
            self.assertIn(mention, lines[1])
        self.assertIn("resumed in epoch 5 ", result.stdout)
        self.assert_ends_undisturbed(result)

    def test_where_the_manifest_is_whole(self):
        other = self.other_seed()
        self.lay(other)
        result = self.try_to_resume()
        self.assertEqual(warning_lines(result), [])
        self.assertIn("resumed in epoch 5 ", result.stdout)
        self.assert_ends_undisturbed(result)

    def test_in_the_place_of_its_own(self):
        foreign = self.lay(self.other_seed(), self.checkpoints()[-1].name)
        result = self.try_to_resume()
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        self.assertIn(foreign.name, warning_lines(result)[0])
        self.assertIn("resumed in epoch 4 ", result.stdout)
        self.assert_ends_undisturbed(result)

    def test_of_other_settings(self):
        self.assert_passed_over(self.lay(self.other_seed()), "seed is 1, but 0 in run/config.toml")

    def test_of_other_data(self):
        other = pack(draw_digits(self.folder / "other", 1200, 300, "--seed", "2"))
        foreign = self.lay(self.train("other-data", "--epochs", EPOCHS, *OPTIONS, data=other))
        self.assert_passed_over(foreign, "content_sha256", "run/model.h5")

    def test_without_any_of_its_own(self):
        for path in self.checkpoints():
            path.unlink()
        foreign = self.lay(self.other_seed())
        self.lose_manifest()
        result = self.try_to_resume()
        self.assert_one_error(result, BAD_DATA, "manifest.json", "of this run")
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        self.assertIn(foreign.name, warning_lines(result)[0])


class OtherInputs(CheckpointTest):
    def test_other_data(self):
        other = pack(draw_digits(self.folder / "other", 1200, 300, "--seed", "2"))
        for ranks in (None, 3):
            self.assert_one_error(self.try_to_resume("--data", other, ranks=ranks), BAD_DATA, other)
        self.assert_ends_undisturbed(self.try_to_resume())

    def test_the_same_data_elsewhere(self):
        moved = self.folder / "moved.h5"
        shutil.copy(Shared.data, moved)
        result = self.try_to_resume("--data", moved)
        self.assert_ends_undisturbed(result)

    def test_other_settings(self):
        for flag, value in (("--learning-rate", "0.01"), ("--seed", "1"), ("--shards", "4"), ("--hidden", "10"),
                            ("--batch-size", "10"), ("--dropout", "0"), ("--holdout", "0")):
            with self.subTest(flag=flag):
                result = self.try_to_resume(flag, value, ranks=2 if flag == "--seed" else None)
                self.assert_one_error(result, USAGE, flag)

    def test_another_exchange(self):
        self.assert_ends_undisturbed(self.try_to_resume("--exchange", "activations", ranks=2))

    def test_an_end_in_the_past(self):
        """It would leave a run that its own settings do not give."""
        run = self.train("ended", "--learning-rate", 0, "--hidden", 20, "--window", 4, "--min-change", 0,
                         "--epochs", 50)
        before = (run / "config.toml").read_bytes()
        for option in (("--window", 3), ("--epochs", 4), ("--min-change", 1000)):
            self.assert_one_error(self.run_program("train", "--resume", run, *option), USAGE,
                                  "would have ended the run after epoch ", "and 5 are done", option[0])
        self.assertEqual((run / "config.toml").read_bytes(), before)

    def test_latest_stays_where_a_resume_is_refused(self):
        other = pack(draw_digits(self.folder / "other", 1200, 300, "--seed", "2"))
        first = self.train("first", "--epochs", 1, "--hidden", 20)
        second = self.train("second", "--epochs", 1, "--hidden", 20)
        result = self.run_program("train", "--resume", first, "--epochs", 2, "--data", other)
        self.assert_one_error(result, BAD_DATA, other)
        self.assertNotIn("epoch ", result.stdout)
        self.assertEqual((self.folder / "runs" / "latest").resolve(), second.resolve())

    def test_conditions_to_stop_may_change(self):
        """A run that one of them ended goes on where it is given anew, and ends as if it had begun so."""
        begun, long_run = ("--learning-rate", 0, "--hidden", 20), ("--window", 5, "--min-change", 0, "--epochs", 50)
        undisturbed = self.train("undisturbed", *begun, *long_run)
        self.assertEqual(len(read_metrics(undisturbed)), 6)
        for name, option, epochs in (("window", ("--window", 2, "--min-change", 0), 3),
                                     ("min-change", ("--min-change", 1000), 3)):
            with self.subTest(name):
                run = self.train(f"by-{name}", *begun, *option)
                self.assertEqual(len(read_metrics(run)), epochs)
                self.resume(run, *long_run, ranks=2)
                self.assert_same_run(run, undisturbed)
                self.assertIn("window = 5\n", (run / "config.toml").read_text(encoding="utf-8"))

    def test_another_build_or_arithmetic(self):
        """They may give other bits, so the run goes on with a warning, from one rank."""
        for attribute in ("build", "arithmetic"):
            with self.subTest(attribute=attribute):
                shutil.rmtree(self.run_folder)
                shutil.copytree(Runs.begun, self.run_folder)
                newest = self.checkpoints()[-1]
                with h5py.File(newest, "r+") as checkpoint:
                    checkpoint.attrs[attribute] = numpy.bytes_(b"an older one")
                manifest = read_manifest(self.run_folder)
                manifest["checkpoints"][-1].update(sha256=sha256(newest), bytes=newest.stat().st_size)
                (newest.parent / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
                result = self.try_to_resume(ranks=2)
                self.assertEqual(result.stderr.count("mnist-dist: warning: the run was started by "), 1, result.stderr)
                self.assertIn("an older one", result.stderr)
                self.assert_ends_undisturbed(result)

    def test_another_folder_or_configuration(self):
        for option in (("-o", "elsewhere"), ("--config", "run/config.toml")):
            self.assert_one_error(self.try_to_resume(*option), USAGE, "--resume")
        self.assertFalse((self.folder / "elsewhere").exists())

    def test_no_run(self):
        for name in ("nothing", "run/model.h5", "run/checkpoints"):
            result = self.run_program("train", "--resume", name, ranks=2)
            self.assert_one_error(result, FILE_SYSTEM, name, "config.toml")

    def test_longer_run_is_remembered(self):
        """A run that was given more epochs and was then interrupted goes on to the new end."""
        for options in (("--epochs", FOREVER), ()):
            job = self.start("train", "--resume", "run", *options)
            self.wait_for_epoch(job, self.run_folder, len(read_metrics(self.run_folder)) + 1)
            job.kill()
        self.assertIn(f"epochs = {FOREVER}\n", (self.run_folder / "config.toml").read_text(encoding="utf-8"))


class Kept(CheckpointTest):
    def test_at_most_three_and_no_leftovers(self):
        # What a process that was killed while it wrote may leave.
        for leftover in (self.run_folder / ".model.h5.partial",
                         self.run_folder / "checkpoints" / f".{self.checkpoints()[-1].name}.partial"):
            leftover.write_bytes(b"half")
        self.assert_exit(self.run_program("train", "--resume", "run", "--epochs", 9), DONE)
        names = sorted(path.name for path in (self.run_folder / "checkpoints").glob("*.h5"))
        self.assertEqual(names, [path.name for path in self.checkpoints()])
        self.assertEqual(len(names), 3)
        self.assertEqual([entry["epoch"] for entry in read_manifest(self.run_folder)["checkpoints"]], [7, 8, 9])
        self.assertFalse((self.run_folder / ".model.h5.partial").exists())

    def test_every_second_epoch_and_the_last(self):
        run = self.train("second", "--epochs", 5, "--checkpoint-every", 2, *OPTIONS)
        self.assertEqual([entry["epoch"] for entry in read_manifest(run)["checkpoints"]], [2, 4, 5])
        self.assert_same_run(run, Runs.undisturbed)

    def test_nothing_depends_on_the_number_of_ranks(self):
        """But for the times that it holds, a checkpoint has the same content whoever writes it."""
        contents = []
        for ranks in (None, 3):
            run = self.train(f"of-{ranks}", "--epochs", 2, *OPTIONS, ranks=ranks)
            with h5py.File(newest_checkpoint(run)) as checkpoint:
                contents.append({name: checkpoint[name][()].tobytes()
                                 for name in ("parameters", "first_moment", "second_moment", "best_parameters",
                                              "shard_losses", "history/loss", "history/score")})
        self.assertEqual(contents[0], contents[1])


if __name__ == "__main__":
    main()
