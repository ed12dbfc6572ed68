#!/usr/bin/env python3
"""A run that goes on for a long time, in real time: what it holds must not grow.

    tests/bench/soak.py [MINUTES]      10 without an argument

Texts, a few of them repeated, go into `asyncbatch run`, with a journal, a cache
file and hints from near texts; `asyncbatch sim` answers over HTTP, fails, drops
and cuts.  Memory, open files and threads are looked at twice a second.  What is
bounded (queues, blocks kept for the next items, caches, pages of SQLite, ids
seen) fills up first, so the first texts come as fast as they are taken, the
others at a steady pace.  In the last third the line through the memory must not
rise by more than a hundredth and descriptors must not become more; threads must
be one, and each text be answered once, in order.

Needs a release build in build/ (tools/build.sh release).  The day in virtual
time is tests/sim/soak.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

import bench

PACE = 400  # texts a second
BURST = 40000  # before that, without a pause
# Small, so that they are reached soon.
BOUNDS = ["--near-memory", "1MiB", "--cache-memory", "1MiB", "--workers", "8"]
WORDS = ("door window river stone garden light winter paper bridge silver "
         "music engine market forest candle letter").split()


def feed(pipe, until, sent):
    """First as many as it takes at once, then PACE a second.  Some of each
    hundred texts are one of the last ones again."""
    rng = random.Random(1)
    begin, recent = time.monotonic(), []
    while time.monotonic() < until:
        if rng.random() < 0.05 and recent:
            text = rng.choice(recent)
        else:
            text = " ".join(rng.choices(WORDS, k=8)) + f" {sent[0]}."
            recent = recent[-99:] + [text]
        pipe.write(json.dumps({"id": str(sent[0]), "text": text}) + "\n")
        sent[0] += 1
        if sent[0] <= BURST:
            begin = time.monotonic()
        elif sent[0] % 20 == 0:
            pipe.flush()
            ahead = (sent[0] - BURST) / PACE - (time.monotonic() - begin)
            time.sleep(max(ahead, 0))
    pipe.close()


def look(pid):
    """Kilobytes of its own memory, descriptors, threads."""
    fields = {}
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            name, value = line.split(":", 1)
            fields[name] = value.split()
    return (int(fields["RssAnon"][0]), len(os.listdir(f"/proc/{pid}/fd")),
            int(fields["Threads"][0]))


def slope(points):
    """Of the line through (x, y), by least squares."""
    n = len(points)
    mx = sum(x for x, _ in points) / n
    my = sum(y for _, y in points) / n
    return sum((x - mx) * (y - my) for x, y in points) / \
        sum((x - mx) ** 2 for x, _ in points)


def check_output(path, sent):
    with open(path) as f:
        for i, line in enumerate(f):
            if json.loads(line)["id"] != str(i):
                sys.exit(f"line {i} is of another text")
    if i + 1 != sent:
        sys.exit(f"{sent} texts, {i + 1} lines")


def soak(folder, minutes, url):
    out = os.path.join(folder, "out.jsonl")
    sent, looks = [0], []
    begin = time.monotonic()
    process = subprocess.Popen(
        [bench.COMMAND, "run", "--task", "translate", "--source-lang", "en",
         "--target-lang", "fr", "--base-url", url, "-m", "sim-1", "--progress",
         "none", "-i", "-", "--input-format", "jsonl", "-o", out, "--cache",
         os.path.join(folder, "cache.db"), "--reuse", "hint", *BOUNDS],
        stdin=subprocess.PIPE, text=True)
    feeder = threading.Thread(target=feed, args=(
        process.stdin, begin + 60 * minutes, sent))
    feeder.start()
    while feeder.is_alive() and process.poll() is None:
        looks.append((time.monotonic() - begin, look(process.pid)))
        time.sleep(0.5)
    feeder.join()
    status = process.wait()
    if status not in (0, 1):
        sys.exit(f"the run ended with {status}")
    check_output(out, sent[0])
    return sent[0], looks


def judge(sent, looks):
    end = looks[-1][0]
    late = [(t, l) for t, l in looks if t > end * 2 / 3]
    held = [l[0] for _, l in looks]
    rise = slope([(t, l[0]) for t, l in late]) * (end - late[0][0])
    files = [max(l[1] for t, l in looks if (t > end * 2 / 3) == is_late)
             for is_late in (False, True)]
    threads = max(l[2] for _, l in looks)
    quarters = ", ".join(str(held[len(held) * i // 4 - 1])
                         for i in range(1, 5))
    print(f"{sent} texts in {end / 60:.1f} minutes, all answered once and in "
          f"order; {quarters} kB held after each quarter, {rise:+.0f} kB in "
          f"the last third by its line; at most {files[0]}, then {files[1]} "
          f"descriptors; {threads} thread")
    if rise > held[-1] / 100 or files[1] > files[0] + 2 or threads != 1:
        sys.exit("that is not what must hold")


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    # On no disk of their own, files would count as memory.
    with tempfile.TemporaryDirectory() as folder, bench.Simulator(
            "--latency", "base=200ms", "--error-rate", "0.01",
            "--drop-item-rate", "0.01", "--disconnect-rate", "0.01",
            "--garbage-rate", "0.01") as sim:
        judge(*soak(folder, minutes, sim.url + "/v1"))


if __name__ == "__main__":
    main()
