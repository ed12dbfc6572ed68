"""Runs that are killed at random moments and started again, over real HTTP.

A round is one job: killed a few times, then run to its end.  What must hold is
checked here; how often, and on what, is the caller's choice.
"""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from support import (COMMAND, Simulator, TRANSLATE, clean_environment,
                     csv_rows, strings_csv)


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
        self.kills = self.extra = self.cut_off = 0
        started = time.monotonic()
        self.expected = self.uninterrupted()
        self.seconds = time.monotonic() - started

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

    def killed(self, output, *more):
        """True when the run was still going on at a random moment."""
        process = subprocess.Popen(
            self.arguments(output, *more), stderr=subprocess.DEVNULL,
            env=clean_environment())
        try:
            process.wait(self.random.uniform(0, self.seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    @staticmethod
    def count(output, table):
        """The rows of a table of its journal: `call` holds the calls that are
        with the provider, `part` what they have answered so far."""
        return Killing.ask(output, f"SELECT count(*) FROM {table}")

    @staticmethod
    def ask(output, query):
        """A number out of its journal.  Reads a copy: to open a journal is to
        mend it."""
        journal = output + ".journal"
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("", "-wal"):
                if os.path.exists(journal + suffix):
                    shutil.copy(journal + suffix, folder + "/j" + suffix)
            copy = sqlite3.connect(folder + "/j")
            try:
                return copy.execute(query).fetchone()[0]
            except sqlite3.Error:
                return 0  # before it had tables, or copied in between
            finally:
                copy.close()

    def round(self, name, *more, most_kills=4):
        """One job, killed a few times.  Raises when something is lost,
        repeated, or paid for without need."""
        output = os.path.join(self.folder, name)
        before = self.sim.stats()["calls"]
        kills = cut_off = 0
        for _ in range(self.random.randint(1, most_kills)):
            if self.killed(output, *more):
                kills += 1
                cut_off += self.count(output, "call")
        done = self.to_the_end(output, *more)
        assert done.returncode == 0, done.stderr
        extra = self.sim.stats()["calls"] - before - self.needed
        self.check(output, "completion" in more)
        assert extra <= cut_off <= kills * self.workers, \
            (extra, cut_off, kills)
        self.kills += kills
        self.cut_off += cut_off
        self.extra += max(extra, 0)
        os.remove(output)
        os.remove(output + ".journal")

    def rounds(self, kills, *more):
        """As many jobs as it takes for so many kills."""
        jobs = 0
        while self.kills < kills:
            self.round(f"{jobs}.csv", *more)
            jobs += 1
        return jobs

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
        self.sim.stop()
