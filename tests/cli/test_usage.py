"""Help, version, and command lines that are wrong."""

from support import Case

COMMANDS = ("run", "plan", "sim", "config", "cache", "models")


class Usage(Case):

    def refused(self, *args, **how):
        done = self.command(*args, **how)
        self.assertEqual(done.returncode, 2, done.err)
        self.assertEqual(done.out, "")
        self.assert_reason(done.err)
        return done.err

    def test_version_is_one_line(self):
        done = self.command("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.out, r"\Aasyncbatch \d+\.\d+\.\d+\n\Z")

    def test_help_lists_the_commands(self):
        for args in (["--help"], ["help"], ["-h"]):
            done = self.command(*args)
            self.assertEqual(done.returncode, 0)
            for name in COMMANDS:
                self.assertRegex(done.out, rf"(?m)^  {name} ")

    def test_help_of_a_command_is_the_same_both_ways(self):
        for name in COMMANDS:
            asked = self.command("help", name)
            option = self.command(name, "--help")
            self.assertEqual(asked.returncode, 0)
            self.assertEqual(asked.out, option.out)
            self.assertIn(f"Usage: asyncbatch {name}", asked.out)

    def test_help_names_the_options_of_run(self):
        text = self.command("run", "--help").out
        for option in ("-i, --input", "-o, --output", "-c, --config",
                       "-p, --provider", "-m, --model", "--input-format",
                       "--base-url", "--task", "--target-lang", "--workers",
                       "--batch-size", "--budget", "--deadline", "--order",
                       "--metrics", "--summary", "--progress", "--fail-fast",
                       "--strict", "--sim-latency"):
            self.assertRegex(text, rf"(?m)^ +{option}\b")

    def test_help_fits_eighty_columns(self):
        for name in COMMANDS:
            for line in self.command("help", name).out.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_help_of_sim_has_only_its_options(self):
        text = self.command("sim", "--help").out
        for option in ("--listen", "--latency", "--rpm", "--tpm",
                       "--capacity", "--error-rate", "--drop-item-rate",
                       "--truncate-rate", "--garbage-rate",
                       "--disconnect-rate", "--seed"):
            self.assertRegex(text, rf"(?m)^ +{option} ")
        self.assertNotIn("--budget", text)

    def test_no_command_is_refused(self):
        err = self.refused()
        for name in COMMANDS:
            self.assertIn(name, err)

    def test_an_unknown_command_is_refused(self):
        self.assertIn("frobnicate", self.refused("frobnicate"))
        self.assertIn("frobnicate", self.refused("help", "frobnicate"))

    def test_an_unknown_option_names_the_nearest(self):
        err = self.refused("run", "--batch-sise", "3")
        self.assertIn("--batch-sise", err)
        self.assertIn("did you mean --batch-size?", err.splitlines()[-1])
        self.assertIn("asyncbatch run --help", err.splitlines()[-1])
        self.assertIn("did you mean --sim-rpm?", self.refused("sim", "--rmp"))

    def test_an_unknown_letter_is_refused(self):
        self.assertIn("-Z", self.refused("run", "-Z"))

    def test_a_missing_value_is_refused(self):
        self.assertIn("--input", self.refused("run", "--input"))
        self.assertIn("-i", self.refused("run", "-i"))

    def test_a_value_out_of_range_is_refused(self):
        self.assertIn("--workers", self.refused("run", "--workers", "-3"))
        self.assertIn("--workers", self.refused("run", "--workers=many"))
        self.assertIn("--progress", self.refused("run", "--progress", "loud"))

    def test_a_switch_takes_no_words(self):
        self.assertIn("--help", self.refused("run", "--help=yes"))
        self.assertIn("maybe", self.refused("run", "--fail-fast=maybe"))

    def test_a_stray_argument_is_refused(self):
        self.assertIn("input.csv", self.refused("run", "input.csv"))
        self.assertIn("--input", self.refused("run", "--", "--input"))

    def test_sim_refuses_options_of_run(self):
        self.assertIn("--budget", self.refused("sim", "--budget", "1"))

    def test_a_missing_input_is_refused(self):
        err = self.refused("run", "-i", "nowhere.jsonl", "--target-lang", "fr")
        self.assertIn("nowhere.jsonl", err)

    def test_a_full_output_is_reported(self):
        with open("/dev/full", "wb") as full:
            process = self.start("--version", stdout=full)
            _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 2)
        self.assertIn(b"standard output", err)
