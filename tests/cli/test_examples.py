"""The example clients of the stream, each as its users run it."""

import os
import shutil
import subprocess
import unittest

from support import COMMAND, Case, clean_environment

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "tools",
                      "examples", "stream")


def works(*command):
    return (shutil.which(command[0]) is not None and
            subprocess.run(command, capture_output=True).returncode == 0)


class Examples(Case):

    def interpreter(self, candidates, probe):
        """The first that can run the example.  Where everything is to be
        there, in CI, its absence is a failure."""
        for name in candidates:
            if works(name, *probe):
                return name
        missing = f"none of {', '.join(candidates)} runs {probe[-1]}"
        if os.environ.get("LINT_STRICT"):
            self.fail(missing)
        raise unittest.SkipTest(missing)

    def translates_lines(self, *client):
        lines = [f"Line number {i} of the story" for i in range(600)]
        lines[300] = ""  # nothing to translate: answered as a failure
        done = subprocess.run(
            [*client, "--target-lang", "fr", "--progress", "none",
             "--sim-latency", "base=1ms,per_output_token=0ms,sigma=0",
             "--seed", "7"],
            input="".join(line + "\n" for line in lines).encode(),
            capture_output=True, cwd=self.dir, timeout=50, check=False,
            env=clean_environment(ASYNCBATCH=COMMAND))
        err = done.stderr.decode()
        self.assertEqual(done.returncode, 1, err)
        answers = [line.split("\t")
                   for line in done.stdout.decode().splitlines()]
        self.assertEqual([int(a[0]) for a in answers],
                         [i for i in range(600) if i != 300])
        self.assertEqual(len({a[1] for a in answers}), 599)
        self.assertIn("300\t", err)
        self.assertRegex(err, r"so far: \d+ of 600")

    def test_python(self):
        python = self.interpreter(["python3", "/usr/bin/python3"],
                                  ["-c", "import msgpack"])
        self.translates_lines(python, os.path.join(FOLDER, "translate.py"))

    def test_node(self):
        node = self.interpreter(["node"], ["--version"])
        self.translates_lines(node, os.path.join(FOLDER, "translate.mjs"))

    def test_ruby(self):
        ruby = self.interpreter(["ruby"], ["-e", "require 'msgpack'"])
        self.translates_lines(ruby, os.path.join(FOLDER, "translate.rb"))
