"""Runs that are killed at random moments and started again, over real HTTP.

A round is one job: killed a few times, then run to its end.  What must hold is
checked here; how often, and on what, is the caller's choice.
"""

import json
import os
import random
import re
import signal
import subprocess
import urllib.request

from support import COMMAND, TRANSLATE, clean_environment, csv_rows, strings_csv


class Simulator:
    """`asyncbatch sim`; the caller ends it."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [COMMAND, "sim", "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, text=True, env=clean_environment())
        line = self.process.stdout.readline()
        self.url = re.search(r"http://\S+", line).group(0)

    def stats(self):
        with urllib.request.urlopen(self.url + "/stats") as reply:
            return json.load(reply)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Killing:
    """Jobs of `rows` rows in calls of `batch`, `workers` at once."""

    def __init__(self, folder, seed, rows=300, batch=5, workers=4):
        self.folder, self.rows = folder, rows
        self.batch, self.workers = batch, workers
        self.random = random.Random(seed)
        self.sim = Simulator("--latency", "base=5ms,sigma=0.5")
        self.needed = -(-rows // batch)
        self.path = os.path.join(folder, "in.csv")
        with open(self.path, "w", newline="", encoding="utf-8") as f:
            f.write(strings_csv(rows))
        self.kills = self.extra = self.resumed = 0
        self.expected = self.uninterrupted()

    def arguments(self, output, *more):
        return [COMMAND, "run", *TRANSLATE, "-i", self.path, "-o", output,
                "--base-url", self.sim.url + "/v1", "-m", "sim-1",
                "--batch-size", str(self.batch), "--workers",
                str(self.workers), "--progress", "none", *more]

    def to_the_end(self, output, *more):
        return subprocess.run(self.arguments(output, *more),
                              capture_output=True, timeout=60, check=False,
                              env=clean_environment())

    def uninterrupted(self):
        output = os.path.join(self.folder, "whole.csv")
        done = self.to_the_end(output, "--no-journal")
        assert done.returncode == 0, done.stderr
        with open(output, "rb") as f:
            return f.read()

    def killed(self, output, seconds, *more):
        """True when the run was still going on then."""
        process = subprocess.Popen(
            self.arguments(output, *more), stderr=subprocess.DEVNULL,
            env=clean_environment())
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    def round(self, name, *more, most_kills=4, seconds=0.25):
        """One job; how often it was killed.  Raises when something is lost,
        repeated, or paid for without need."""
        output = os.path.join(self.folder, name)
        before = self.sim.stats()["calls"]
        kills = sum(self.killed(output, self.random.uniform(0.005, seconds),
                                *more)
                    for _ in range(self.random.randint(1, most_kills)))
        done = self.to_the_end(output, *more)
        assert done.returncode == 0, done.stderr
        extra = self.sim.stats()["calls"] - before - self.needed
        self.check(output, "completion" in more)
        # Batches that lost some of their rows to the journal are asked in
        # other company, so a kill may leave a part batch for each in flight.
        assert extra <= kills * self.workers, (extra, kills)
        self.kills += kills
        self.extra += max(extra, 0)
        os.remove(output)
        os.remove(output + ".journal")
        return kills

    def check(self, output, any_order):
        with open(output, "rb") as f:
            found = f.read()
        if not any_order:
            assert found == self.expected, "other bytes than in one go"
            return
        wanted = csv_rows(self.expected.decode())
        rows = csv_rows(found.decode())
        key = lambda row: row["string_id"]
        assert sorted(rows, key=key) == sorted(wanted, key=key), \
            "lost or repeated rows"

    def close(self):
        self.sim.close()
