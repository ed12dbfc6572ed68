#!/usr/bin/env python3
"""Figures that the documentation quotes, each by one command.

    tests/bench/bench.py waves      small jobs against the latency of one call
    tests/bench/bench.py cost       requests a second beside a bare loop
    tests/bench/bench.py in-flight  processor time per request, 500 to 5,000
    tests/bench/bench.py memory     peak memory, 10,000 and 1,000,000 rows
    tests/bench/bench.py ten-million
                                    1,000,000 and 10,000,000 rows through pipes:
                                    time, processor time, peak memory
    tests/bench/bench.py journal    with a journal and without, 64 items a call;
                                    records a second; how long the loop waits
    tests/bench/bench.py debian     all package descriptions, packed

Needs a release build in build/ (tools/build.sh release).  `cost` needs nginx.
Client and server are pinned to a processor each.  Every figure is a ratio to a
yardstick of the same run, or a median with its extremes.
"""

import csv
import json
import os
import random
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from place import BUILD, COMMAND
BARE = os.path.join(BUILD, "tests", "bench", "bare_loop")
CLIENT, SERVER = ["taskset", "-c", "0"], ["taskset", "-c", "1"]


class Simulator:
    """`asyncbatch sim` on the other processor."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [*SERVER, COMMAND, "sim", "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.url = re.search(r"http://\S+", line).group(0)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()


class Nginx:
    """One worker that answers every POST with the same chat completion."""

    ANSWER = json.dumps({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
        "model": "sim-1",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {
            "role": "assistant", "content": "ok " * 20}}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 20,
                  "total_tokens": 60}})

    def __init__(self, folder):
        port = free_port()
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w") as f:
            f.write(f"""
                daemon off; worker_processes 1; pid {folder}/pid;
                error_log {folder}/error.log;
                events {{ worker_connections 16384; }}
                http {{
                    access_log off; keepalive_requests 1000000000;
                    default_type application/json;
                    server {{
                        listen 127.0.0.1:{port};
                        location / {{ return 200 '{self.ANSWER}'; }}
                    }}
                }}""")
        self.process = subprocess.Popen([*SERVER, "nginx", "-c", config])
        self.url = f"http://127.0.0.1:{port}"
        wait_for_port(port)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port):
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit("the server did not start")


def run(folder, *options, pin=CLIENT, journal=False):
    """One job; its summary, with processor seconds and peak memory added."""
    summary = os.path.join(folder, "summary.json")
    process = subprocess.Popen(
        [*pin, COMMAND, "run", "--progress", "none", "--summary", summary,
         *(() if journal else ("--no-journal",)), *options],
        stderr=subprocess.PIPE, text=True)
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the run failed:\n{err}")
    with open(summary) as f:
        result = json.load(f)
    result["cpu_seconds"] = usage.ru_utime + usage.ru_stime
    result["peak_kib"] = usage.ru_maxrss
    return result


def spread(values, digits=2):
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f} to {max(values):.{digits}f})")


# ---- small jobs -----------------------------------------------------------

WAVES = [("10-50 characters", 100, 10, 50, 124.92),
         ("50-200 characters", 100, 50, 200, 124.92),
         ("100-500 characters", 100, 100, 500, 124.92),
         ("10-100 characters, 200 rows", 200, 10, 100, 124.92)]


def write_waves(path, rows, least, most):
    rng = random.Random(rows * least)
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["string_id", "source_zh"])
        for i in range(rows):
            out.writerow([f"s{i}", "测" * rng.randint(least, most)])


def waves(folder):
    """A call takes 100 to 300 ms whatever its size; the slowest call of a run
    is the least time in which the run can end."""
    print("rows of one CJK character, defaults, calls of 100 to 300 ms")
    for latency in ("uniform=100ms-300ms", "base=200ms,sigma=0"):
        print(f"\nlatency {latency}")
        for name, rows, least, most, seed in WAVES:
            path = os.path.join(folder, "in.csv")
            write_waves(path, rows, least, most)
            ratios, rates = [], []
            for n in range(7):
                with Simulator("--latency", latency, "--seed",
                               str(n + 1)) as sim:
                    out = run(folder, "-i", path, "-o",
                              os.path.join(folder, "out.csv"),
                              "--source-lang", "zh", "--target-lang", "ru",
                              "--base-url", sim.url + "/v1", "-m", "sim-1")
                    one = longest_call(folder, sim.url)
                ratios.append(out["elapsed_seconds"] / one)
                rates.append(rows / out["elapsed_seconds"])
            print(f"  {name:30} {spread(rates, 0)} texts/s, was {seed} and "
                  f"184.90; {spread(ratios)} times the slowest call")


def longest_call(folder, url):
    """Seconds of the slowest call, as the simulator counted them."""
    del folder
    import urllib.request
    with urllib.request.urlopen(url + "/stats") as reply:
        return json.load(reply)["max_latency_ms"] / 1000


# ---- cost of one request --------------------------------------------------

def write_requests(path, count):
    """Each another request, all of one size; one of them."""
    with open(path, "w") as f:
        for i in range(count):
            body = {"model": "sim-1", "messages": [
                {"role": "system", "content": "Answer briefly."},
                {"role": "user", "content": f"{i:08}" + "x" * 192}]}
            f.write(json.dumps({"id": str(i), "body": body}) + "\n")
    return json.dumps(body)


def raw(folder, url, requests, workers, keeps=False):
    """`keeps`: as by default, with journal and known answers; without, as
    little as a bare loop does."""
    output = os.path.join(folder, "out.jsonl")
    for old in (output, output + ".journal"):
        if os.path.exists(old):
            os.remove(old)
    return run(folder, "-i", requests, "-o", output, "--task", "raw",
               *(() if keeps else ("--reuse", "off")), "--base-url",
               url + "/v1", "-m", "sim-1", "--workers", str(workers),
               journal=keeps)


def bare(url, count, workers, body):
    out = subprocess.run(
        [*CLIENT, BARE, url + "/v1/chat/completions", str(count), str(workers),
         body], capture_output=True, text=True, check=True).stdout
    numbers = re.findall(r"(?:req_per_s|cpu_us)=([\d.]+)", out)
    return float(numbers[0]), float(numbers[1])


def cost(folder, count=200000, rounds=5):
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed: tools/install-deps.sh --dev")
    requests = os.path.join(folder, "in.jsonl")
    body = os.path.join(folder, "body.json")
    with open(body, "w") as f:
        f.write(write_requests(requests, count))
    ratios, ours, theirs = {False: [], True: []}, {False: [], True: []}, []
    with Nginx(folder) as server:
        for _ in range(rounds):
            rate, cpu = bare(server.url, count, 64, body)
            theirs.append(cpu)
            print(f"  bare {rate:.0f}/s {cpu:.1f} us", end="")
            for keeps in (False, True):
                out = raw(folder, server.url, requests, 64, keeps)
                mine = count / out["elapsed_seconds"]
                ratios[keeps].append(mine / rate)
                ours[keeps].append(out["cpu_seconds"] / count * 1e6)
                print(f", {'by default' if keeps else 'asyncbatch'} "
                      f"{mine:.0f}/s {ours[keeps][-1]:.1f} us", end="")
            print(flush=True)
    print(f"{count} requests, 64 in flight: {spread(ratios[False])} of the "
          f"bare loop, {spread(ratios[True])} with journal and reuse; "
          f"processor time {spread(ours[False], 1)} us, "
          f"{spread(ours[True], 1)} us, bare {spread(theirs, 1)} us")


def in_flight(folder, rounds=3):
    """A server that takes a second for each answer."""
    figures = {}
    for workers, count in ((500, 10000), (5000, 50000)):
        requests = os.path.join(folder, f"in{workers}.jsonl")
        write_requests(requests, count)
        costs = []
        for _ in range(rounds):
            with Simulator("--latency", "base=1s,sigma=0") as sim:
                out = raw(folder, sim.url, requests, workers)
            costs.append(out["cpu_seconds"] / count * 1e6)
            print(f"  {workers} in flight: {costs[-1]:.1f} us, "
                  f"{count / out['elapsed_seconds']:.0f}/s, at most "
                  f"{out['concurrency_max']}", flush=True)
        figures[workers] = statistics.median(costs)
    print(f"5,000 in flight cost {figures[5000] / figures[500]:.2f} times the "
          "processor time per request of 500")


# ---- memory ---------------------------------------------------------------

def write_rows(path, count):
    with open(path, "w") as f:
        f.write("id,text\n")
        for i in range(count):
            f.write(f"row-{i * 2654435761 % 2**32:08x},Line {i} of the story "
                    "and what came of it.\n")


def memory(folder):
    peaks = {}
    for count in (10000, 1000000):
        path = os.path.join(folder, "rows.csv")
        write_rows(path, count)
        with Simulator("--latency", "base=20ms,per_output_token=0") as sim:
            out = run(folder, "-i", path, "-o",
                      os.path.join(folder, "out.csv"), "--target-lang", "fr",
                      "--source-lang", "en", "--base-url", sim.url + "/v1",
                      "-m", "sim-1")
        peaks[count] = out["peak_kib"] / 1024
        print(f"  {count} rows: {peaks[count]:.1f} MiB, "
              f"{out['items_per_sec']:.0f} rows/s, at most "
              f"{out['concurrency_max']} calls at once", flush=True)
    print(f"1,000,000 rows need {peaks[1000000] / peaks[10000]:.2f} times the "
          f"memory of 10,000: {peaks[1000000]:.1f} MiB")


# A stream that ends when it is told to, in a process of its own.
ROWS = """
import sys
out, count = sys.stdout, int(sys.argv[1])
out.write("id,text\\n")
for i in range(0, count, 1000):
    out.write("".join(
        f"row-{n * 2654435761 % 2**32:08x},Line {n} of the story and what came "
        "of it.\\n" for n in range(i, min(i + 1000, count))))
"""


def piped(folder, url, count):
    """Rows through a pipe in, answers through a pipe out, all in order."""
    summary = os.path.join(folder, "summary.json")
    rows = subprocess.Popen([*SERVER, sys.executable, "-c", ROWS, str(count)],
                            stdout=subprocess.PIPE)
    start = time.monotonic()
    process = subprocess.Popen(
        [*CLIENT, COMMAND, "run", "--progress", "none", "--summary", summary,
         "-i", "-", "--input-format", "csv", "-o", "-", "--output-format",
         "jsonl", "--source-lang", "en", "--target-lang", "fr", "--base-url",
         url + "/v1", "-m", "sim-1", "--batch-size", "100", "--workers", "32"],
        stdin=rows.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    rows.stdout.close()
    came = 0
    for line in process.stdout:
        if came % 1000 == 0 and json.loads(line)["seq"] != came:
            sys.exit(f"answer {came} is out of order: {line}")
        came += 1
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - start
    rows.wait()
    if process.returncode or came != count:
        sys.exit(f"{came} answers: {process.stderr.read().decode()}")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ten_million(folder):
    figures = {}
    with Simulator("--latency", "base=1ms,per_output_token=0,sigma=0") as sim:
        for count in (1000000, 10000000):
            took, cpu, peak = figures[count] = piped(folder, sim.url, count)
            print(f"  {count} rows: {took:.1f} s, {cpu:.1f} s of processor "
                  f"time, {peak:.1f} MiB at most", flush=True)
    one, ten = figures[1000000], figures[10000000]
    print(f"10,000,000 rows take {ten[0] / one[0]:.2f} times the time of "
          f"1,000,000, {ten[1] / one[1]:.2f} times its processor time; peak "
          f"memory {ten[2]:.1f} MiB")


# ---- the journal ----------------------------------------------------------

def with_journal(folder, name, count, rounds, *options):
    """Both ways in turn, so that a busy machine is busy for both."""
    path = os.path.join(folder, "rows.csv")
    output = os.path.join(folder, "out.csv")
    write_rows(path, count)
    ratios, costs = [], []
    with Simulator("--latency", "base=200ms,per_output_token=0") as sim:
        for _ in range(rounds):
            out = {}
            for journal in (False, True):
                for old in (output, output + ".journal"):
                    if os.path.exists(old):
                        os.remove(old)
                out[journal] = run(folder, "-i", path, "-o", output,
                                   "--target-lang", "fr", "--source-lang",
                                   "en", "--base-url", sim.url + "/v1", "-m",
                                   "sim-1", *options, journal=journal)
            ratios.append(out[False]["elapsed_seconds"] /
                          out[True]["elapsed_seconds"])
            costs.append((out[True]["cpu_seconds"] -
                          out[False]["cpu_seconds"]) / count * 1e6)
            print(f"  {name}: {out[False]['items_per_sec']:.0f} rows/s, "
                  f"{out[True]['items_per_sec']:.0f} with a journal",
                  flush=True)
    print(f"{name}: {spread(ratios)} of the throughput without; the journal "
          f"costs {spread(costs, 1)} us of processor time a row, "
          f"{os.path.getsize(output + '.journal') / count:.0f} bytes")


def journal(folder):
    subprocess.run([*CLIENT, os.path.join(BUILD, "tests", "bench",
                                          "journal_bench"), folder],
                   check=True)
    with_journal(folder, "64 items a call", 200000, 5, "--batch-size", "64",
                 "--workers", "64")
    with_journal(folder, "one item a call", 20000, 5, "--batch-size", "1",
                 "--workers", "64")


# ---- real lines -----------------------------------------------------------

def write_descriptions(path):
    """One line for each package; the texts are freed on return, as a child's
    peak memory counts from its parent's."""
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True,
                          check=True).stdout.decode("utf-8", "replace")
    count = 0
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["id", "text"])
        for package in text.split("\n\n"):
            name = re.search(r"^Package: (.+)$", package, re.MULTILINE)
            line = re.search(r"^Description(?:-en)?: (.+)$", package,
                             re.MULTILINE)
            if name and line:
                out.writerow([f"{count}-{name.group(1)}", line.group(1)])
                count += 1
    return count


def debian(folder):
    path = os.path.join(folder, "debian.csv")
    count = write_descriptions(path)
    with Simulator() as sim:
        out = run(folder, "-i", path, "-o", os.path.join(folder, "out.csv"),
                  "--target-lang", "fr", "--source-lang", "en", "--base-url",
                  sim.url + "/v1", "-m", "sim-1")
        rows = sum(1 for _ in open(os.path.join(folder, "out.csv")))
    print(f"{count} lines: {out['items_ok']} answered, "
          f"{out['items_failed']} failed, {rows - 1} rows out, "
          f"{out['calls']} calls of {out['batch_items_mean']} items, "
          f"{out['retried_items']} asked again, ${out['cost_usd']:.4f}, "
          f"{out['elapsed_seconds']:.1f} s, {out['items_per_sec']:.0f} a "
          "second")


def main():
    what = {"waves": waves, "cost": cost, "in-flight": in_flight,
            "memory": memory, "ten-million": ten_million, "journal": journal, "debian": debian}
    if len(sys.argv) != 2 or sys.argv[1] not in what:
        sys.exit(__doc__)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        what[sys.argv[1]](folder)


if __name__ == "__main__":
    main()
