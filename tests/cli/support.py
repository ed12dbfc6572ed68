"""What the black-box tests share: running the command, reading its files, and
the simulator as a server.

ASYNCBATCH names the command under test.  Nothing here knows how it is built.
"""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

COMMAND = os.environ.get("ASYNCBATCH", "asyncbatch")

# The simulator, quick and the same each time.
QUICK = ["--sim-latency", "base=2ms", "--sim-seed", "7", "--seed", "7"]
TRANSLATE = ["--task", "translate", "--source-lang", "en", "--target-lang",
             "fr"]


def clean_environment(**extra):
    """The environment without anything that would change a run."""
    keep = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR",
            "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
    env = {name: os.environ[name] for name in keep if name in os.environ}
    env.update(extra)
    return env


def is_sanitized():
    """Whether the command under test carries a sanitizer, and its memory."""
    with open(shutil.which(COMMAND), "rb") as f:
        return b"__asan_init" in f.read()


class Simulator:
    """`asyncbatch sim`; whoever made it stops it."""

    def __init__(self, *options, listen="127.0.0.1:0"):
        self.options, self.address = options, listen
        self.start()

    def start(self):
        """Also again after stop(), at the same address."""
        for _ in range(50):
            self.process = subprocess.Popen(
                [COMMAND, "sim", "--listen", self.address, *self.options],
                stdout=subprocess.PIPE, text=True, env=clean_environment())
            line = self.process.stdout.readline()
            if line:
                break
            self.stop()  # somebody else has the port for a moment
            time.sleep(0.1)
        self.url = re.search(r"http://\S+", line).group(0)
        self.address = self.url.split("//")[1]
        self.port = int(self.address.rsplit(":", 1)[1])

    def stats(self):
        with urllib.request.urlopen(self.url + "/stats") as reply:
            return json.load(reply)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Case(unittest.TestCase):
    """A test with a directory of its own, in which the command runs."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.dir = holder.name

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read().decode()

    def summary(self):
        """What `--summary s.json` wrote."""
        return json.loads(self.read("s.json"))

    def lines(self, name):
        """How many lines a file has, or 0 without one."""
        return self.read(name).count("\n") \
            if os.path.exists(self.path(name)) else 0

    def wait_until(self, holds, process=None):
        """Looks every few milliseconds, for half a minute; `process` must be
        running all the while."""
        deadline = time.monotonic() + 30
        while not holds():
            if process:
                self.assertIsNone(process.poll(), "ended too soon")
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.005)

    def simulator(self, *options, **how):
        """A simulator that ends with the test."""
        simulator = Simulator(*options, **how)
        self.addCleanup(simulator.stop)
        return simulator

    def start(self, *args, env=None, **streams):
        """Starts the command; the caller ends it."""
        for name in ("stdin", "stdout", "stderr"):
            streams.setdefault(name, subprocess.PIPE)
        process = subprocess.Popen(
            [COMMAND, *args], cwd=self.dir, bufsize=0,
            env=clean_environment(**(env or {})), **streams)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def command(self, *args, stdin=b"", env=None, timeout=50):
        """Runs the command to its end; texts of both outputs, exit status."""
        done = subprocess.run(
            [COMMAND, *args], cwd=self.dir, input=stdin, capture_output=True,
            env=clean_environment(**(env or {})), timeout=timeout,
            check=False)
        done.out = done.stdout.decode()
        done.err = done.stderr.decode()
        return done

    def run_job(self, *args, status=0, **how):
        """`asyncbatch run`, which must end with this status and a reason."""
        done = self.command("run", *args, **how)
        self.assertEqual(done.returncode, status,
                         f"\n{done.err}\n{done.out[:2000]}")
        self.assert_reason(done.err)
        return done

    def assert_reason(self, err):
        """The last line on standard error is one sentence."""
        last = err.rstrip("\n").split("\n")[-1]
        self.assertTrue(err.endswith("\n"), repr(err))
        self.assertRegex(last, r"^asyncbatch: \S.{10,}$")

    def assert_explained(self, answers):
        """Each answer is either there or says why not."""
        for answer in answers:
            if answer["status"] == "ok":
                self.assertTrue(answer["output"], answer)
            else:
                self.assertEqual(answer["status"], "failed")
                self.assertTrue(answer["error"]["code"], answer)
                self.assertTrue(answer["error"]["message"], answer)
                self.assertIsInstance(answer["error"]["retryable"], bool)

    def assert_answered_in_order(self, answers, ids):
        self.assertEqual([answer["id"] for answer in answers], ids)
        self.assertEqual([answer["seq"] for answer in answers],
                         list(range(len(ids))))
        self.assert_explained(answers)


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def csv_rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def items(count):
    """JSON lines of `count` different short texts."""
    return "".join(
        json.dumps({"id": f"k{i}", "text": f"Open door number {i} please"}) +
        "\n" for i in range(count))


def ids(count):
    return [f"k{i}" for i in range(count)]


def strings_csv(count):
    """A table as a game keeps its strings, in another order of columns."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(["note", "string_id", "source_zh", "max_length_target"])
    for i in range(count):
        table.writerow([f'say "{i}", loudly', f"ui.{i}",
                        f"打开第{i}扇门⟦PH_{i}⟧", ""])
    return out.getvalue()
