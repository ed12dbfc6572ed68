#!/usr/bin/env python3
"""What the cache must hold, each by one command.

    tests/bench/cache.py twice      all package descriptions, run twice
    tests/bench/cache.py redis      100,000 items while Redis is killed, hung
                                    or slowed, against a run that never had it
    tests/bench/cache_bench         (built) look-ups a second: memory, near
                                    texts, a warm Redis

Needs a release build in build/ (tools/build.sh release); `redis` needs
redis-server.  Figures are ratios within one run of this program.
"""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

import bench


def run(folder, name, *options):
    """One job; its summary and its output."""
    out = os.path.join(folder, name + ".out.csv")
    summary = os.path.join(folder, name + ".json")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([bench.COMMAND, "run", "--progress", "none",
                    "--target-lang", "fr", "--source-lang", "en", "-o", out,
                    "--summary", summary, *options], check=True,
                   stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(summary) as f:
        result = json.load(f)
    result["cpu_seconds"] = (after.ru_utime - before.ru_utime +
                             after.ru_stime - before.ru_stime)
    with open(out, "rb") as f:
        result["output"] = f.read()
    return result


def twice(folder):
    path = os.path.join(folder, "debian.csv")
    count = bench.write_descriptions(path)
    cache = os.path.join(folder, "answers.db")
    first, second = (run(folder, name, "-i", path, "--cache", cache)
                     for name in ("first", "second"))
    ratio = first["elapsed_seconds"] / second["elapsed_seconds"]
    print(f"{count} lines: {first['elapsed_seconds']:.1f} s and "
          f"{first['calls']} calls, then {second['elapsed_seconds']:.1f} s, "
          f"{second['calls']} calls, ${second['cost_usd']}, "
          f"${second['saved_usd']:.4f} saved: {ratio:.1f} times faster, "
          f"{second['cpu_seconds'] / count * 1e6:.1f} us of processor time a "
          "line; "
          f"{'the same' if first['output'] == second['output'] else 'OTHER'} "
          "output")
    if second["calls"] or second["cost_usd"] or ratio < 20 or \
            first["output"] != second["output"]:
        sys.exit("that is not what must hold")


class Redis:
    """A server with something wrong from the second second on."""

    def __init__(self, folder, trouble):
        self.socket = os.path.join(folder, "redis.sock")
        self.url = "unix://" + self.socket
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket,
             "--save", "", "--appendonly", "no"], cwd=folder,
            stdout=subprocess.DEVNULL)
        while not os.path.exists(self.socket):
            time.sleep(0.01)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.disturb, args=(trouble,))

    def disturb(self, trouble):
        if self.over.wait(2):
            return
        if trouble == "killed":
            self.process.kill()
        elif trouble == "hung":
            self.process.send_signal(signal.SIGSTOP)
        while trouble == "slowed" and not self.over.is_set():
            self.process.send_signal(signal.SIGSTOP)
            self.over.wait(0.05)
            self.process.send_signal(signal.SIGCONT)
            self.over.wait(0.01)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.thread.join()
        self.process.kill()
        self.process.wait()
        if os.path.exists(self.socket):
            os.unlink(self.socket)


def redis(folder, count=100000):
    path = os.path.join(folder, "in.csv")
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["id", "text"])
        out.writerows((f"k{i}", f"Open door number {i} of the house, please")
                      for i in range(count))
    # As long as such a job takes with a provider that takes its time.
    options = ["-i", path, "--sim-latency", "base=1s", "--batch-size", "64",
               "--workers", "64", "--no-journal"]
    bad = False
    without = run(folder, "without", *options)
    for trouble in ("none", "killed", "hung", "slowed"):
        with Redis(folder, trouble) as server:
            with_it = run(folder, "with", *options, "--redis", server.url)
        ratio = without["elapsed_seconds"] / with_it["elapsed_seconds"]
        same = with_it["output"] == without["output"]
        bad = bad or not same or (trouble != "none" and ratio < 0.9)
        print(f"{trouble}: {with_it['items_ok']} of {count} answered, "
              f"{'the same' if same else 'OTHER'} output, {ratio:.2f} of the "
              f"throughput without ({with_it['elapsed_seconds']:.1f} s, "
              f"{without['elapsed_seconds']:.1f} s)", flush=True)
    if bad:
        sys.exit("that is not what must hold")


def main():
    what = {"twice": twice, "redis": redis}
    if len(sys.argv) != 2 or sys.argv[1] not in what:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        what[sys.argv[1]](folder)


if __name__ == "__main__":
    main()
