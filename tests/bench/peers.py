#!/usr/bin/env python3
"""asyncbatch and others that send many requests, side by side, against one
local server (nginx) on the other processor.

    tests/bench/peers.py [--in-flight 1,64,1000,10000] [--requests N]
                         [--scratch FOLDER] [--only NAME,...]
    tests/bench/peers.py start     from the start to the first request, beside curl
    tests/bench/peers.py packed    the Debian descriptions under 500 requests and
                                   200,000 tokens a minute
    tests/bench/peers.py memory    peak memory of 100,000 small requests

The first run installs the peers into the scratch folder (pip, npm); the project
needs none of them.  What is compared is the processor time of one request, that
of the start taken off (a run of one request): on a busy machine, too, a ratio
of two figures of one round means something.  `packed` reckons all descriptions
in virtual time and sends a thousand in real time, which is a minute's work for
whoever sends one in a request.  For ten million items see bench.py.  wrk reads no answers and writes
no results: it is the roof, not a peer.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import bench

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
PACKAGES = ["aiohttp", "openai", "litellm"]


# ---- what is compared -------------------------------------------------------

class Peers:

    def __init__(self, scratch, folder):
        self.scratch = scratch
        self.folder = folder
        self.python = os.path.join(scratch, "python", "bin", "python")
        self.body = os.path.join(folder, "body.json")
        with open(self.body, "w") as f:
            f.write(bench.write_requests(os.path.join(folder, "one.jsonl"), 1))

    def install(self):
        """What is missing of the peers."""
        log = os.path.join(self.scratch, "install.log")
        os.makedirs(self.scratch, exist_ok=True)
        with open(log, "w") as out:
            if not os.path.exists(self.python):
                subprocess.run([sys.executable, "-m", "venv",
                                os.path.join(self.scratch, "python")],
                               check=True, stdout=out)
            if subprocess.run([self.python, "-c", "import aiohttp, openai, litellm"],
                              capture_output=True).returncode:
                subprocess.run([self.python, "-m", "pip", "install", "-q",
                                *PACKAGES], check=True, stdout=out)
            if shutil.which("npm") and not os.path.exists(
                    os.path.join(self.scratch, "node_modules", "undici")):
                subprocess.run(["npm", "install", "--silent", "--prefix",
                                self.scratch, "undici@6"], check=True,
                               stdout=out)

    def requests(self, count):
        path = os.path.join(self.folder, f"in{count}.jsonl")
        if not os.path.exists(path):
            bench.write_requests(path, count)
        return path

    def script(self, name):
        return lambda url, count, n: [self.python, os.path.join(HERE, name),
                                      url, str(count), str(n), self.body]

    def asyncbatch(self, url, count, n):
        return [bench.COMMAND, "run", "--progress", "none", "--no-journal",
                "--task", "raw", "--reuse", "off", "-i", self.requests(count),
                "-o", os.path.join(self.folder, "out.jsonl"), "--base-url",
                url + "/v1", "-m", "sim-1", "--workers", str(n)]

    def bare(self, url, count, n):
        return [bench.BARE, url + "/v1/chat/completions", str(count), str(n),
                self.body]

    def curl(self, url, count, n):
        path = os.path.join(self.folder, f"curl{count}.conf")
        if not os.path.exists(path):
            with open(path, "w") as f:
                f.write(f'url = "{url}/v1/chat/completions"\n'
                        'output = "/dev/null"\n' * count)
        return ["curl", "-s", "-Z", "--parallel-max", str(min(n, 300)),
                "-H", "Content-Type: application/json",
                "--data", "@" + self.body, "-K", path]

    def undici(self, url, count, n):
        return ["node", os.path.join(HERE, "undici.mjs"), url, str(count),
                str(n), self.body]

    def all(self):
        """(name, command, how many requests at most in a run)"""
        return [("asyncbatch", self.asyncbatch, None),
                ("bare libcurl loop", self.bare, None),
                ("curl --parallel", self.curl, 5000),
                ("undici", self.undici, None),
                ("aiohttp (cookbook)", self.script("cookbook.py"), None),
                ("OpenAI SDK", self.script("openai_sdk.py"), 2000),
                ("LiteLLM Router", self.script("litellm_router.py"), 2000)]


# ---- measuring --------------------------------------------------------------

def timed(command, scratch):
    """Seconds on the clock and of the processor."""
    start = time.monotonic()
    process = subprocess.Popen([*bench.CLIENT, *command],
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE,
                               env={**os.environ, "PEERS": scratch})
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed:\n{err.decode()[-2000:]}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime


def measure(peers, make, url, count, n):
    """(requests a second, microseconds of processor for each)"""
    _, start_cpu = timed(make(url, 1, n), peers.scratch)
    wall, cpu = timed(make(url, count, n), peers.scratch)
    return count / wall, max(cpu - start_cpu, 1e-9) / (count - 1) * 1e6


def wrk(url, n, body):
    if not shutil.which("wrk"):
        return None
    out = subprocess.run(
        [*bench.CLIENT, "wrk", "-t1", f"-c{n}", "-d3s", "-s",
         os.path.join(HERE, "post.lua"), url + "/v1/chat/completions"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "BODY": body}).stdout
    rate = [line.split()[1] for line in out.splitlines() if "Requests/sec" in line]
    return float(rate[0]) if rate else None


def compare(peers, url, n, args):
    print(f"\n{n} in flight\n")
    print("| | requests/s | processor time each | beside asyncbatch |")
    print("|---|---|---|---|")
    ours = None
    for name, make, most in peers.all():
        if args.only and name.split()[0].lower() not in args.only:
            continue
        count = max(min(args.requests, most or args.requests), 2 * n)
        figures = [measure(peers, make, url, count, n)
                   for _ in range(args.rounds)]
        rate = statistics.median(f[0] for f in figures)
        cpu = statistics.median(f[1] for f in figures)
        ours = ours or cpu
        print(f"| {name} | {rate:.0f} | {cpu:.0f} us | {cpu / ours:.1f} |",
              flush=True)
    roof = wrk(url, n, peers.body)
    if roof:
        print(f"| wrk, the roof | {roof:.0f} | | |")


# ---- packed -----------------------------------------------------------------

REQUESTS_A_MINUTE, TOKENS_A_MINUTE = 500, 200000


def head(path, rows, to):
    with open(path) as f, open(to, "w") as out:
        out.writelines(line for line, _ in zip(f, range(rows + 1)))
    return to


def planned(path):
    """All of it in virtual time, packed and one by one."""
    out = subprocess.run(
        [bench.COMMAND, "plan", "-i", path, "--source-lang", "en",
         "--target-lang", "fr", "-p", "sim", "-m", "sim-1", "--rpm",
         str(REQUESTS_A_MINUTE), "--tpm", str(TOKENS_A_MINUTE)],
        capture_output=True, text=True, check=True).stdout
    print(out)


def served(url):
    with urllib.request.urlopen(url + "/stats") as reply:
        return json.load(reply)


def sent(peers, name, make):
    limits = ["--rpm", str(REQUESTS_A_MINUTE), "--tpm", str(TOKENS_A_MINUTE)]
    with bench.Simulator("--latency", "base=500ms,per_output_token=2ms",
                         *limits) as sim:
        wall, cpu = timed(make(sim.url), peers.scratch)
        stats = served(sim.url)
    tokens = stats["billed_input_tokens"] + stats["billed_output_tokens"]
    print(f"| {name} | {wall:.1f} s | {cpu:.2f} s | {stats['calls']} | "
          f"{tokens} | ${stats['billed_usd']:.4f} |", flush=True)
    return wall, cpu


def packed(peers, rows=1000):
    path = os.path.join(peers.folder, "debian.csv")
    count = bench.write_descriptions(path)
    print(f"all {count} descriptions, {REQUESTS_A_MINUTE} requests and "
          f"{TOKENS_A_MINUTE} tokens a minute, reckoned:\n")
    planned(path)
    table = head(path, rows, os.path.join(peers.folder, "some.csv"))

    def ours(url):
        return [bench.COMMAND, "run", "--progress", "none", "--no-journal",
                "-i", table, "-o", os.path.join(peers.folder, "out.csv"),
                "--source-lang", "en", "--target-lang", "fr", "--base-url",
                url + "/v1", "-m", "sim-1", "--rpm", str(REQUESTS_A_MINUTE),
                "--tpm", str(TOKENS_A_MINUTE)]

    def theirs(url):
        return [peers.python, os.path.join(HERE, "cookbook_translate.py"), url,
                table, str(REQUESTS_A_MINUTE), str(TOKENS_A_MINUTE)]

    print(f"the first {rows} of them, sent:\n")
    print("| | time | processor time | calls | tokens | cost |")
    print("|---|---|---|---|---|---|")
    mine = sent(peers, "asyncbatch, packed", ours)
    one_by_one = sent(peers, "aiohttp (cookbook), one by one", theirs)
    print(f"\none by one takes {one_by_one[0] / mine[0]:.1f} times the time, "
          f"{one_by_one[1] / mine[1]:.1f} times the processor time")


# ---- memory -----------------------------------------------------------------

def memory(peers, url, n=64, count=100000):
    """Peak of a process, its start included."""
    print(f"\n{count} requests, {n} in flight\n")
    print("| | peak memory |")
    print("|---|---|")
    for name, make, most in peers.all():
        if most:
            continue
        process = subprocess.Popen([*bench.CLIENT, *make(url, count, n)],
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL,
                                   env={**os.environ, "PEERS": peers.scratch})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{name} failed")
        print(f"| {name} | {usage.ru_maxrss / 1024:.0f} MiB |", flush=True)


# ---- the start --------------------------------------------------------------

class Door:
    """A listener that tells when the first byte of a request came."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def first_byte(self, command):
        """Milliseconds from the start of the command."""
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        connection, _ = self.socket.accept()
        connection.recv(1)
        took = (time.monotonic() - start) * 1000
        process.kill()
        process.wait()
        connection.close()
        return took


def start(peers, rounds=21):
    with Door() as door:
        ours = peers.asyncbatch(door.url, 1, 64)
        curl = ["curl", "-s", "--data", "@" + peers.body,
                door.url + "/v1/chat/completions"]
        figures = [(door.first_byte(ours), door.first_byte(curl))
                   for _ in range(rounds)]
    more = statistics.median(a - b for a, b in figures)
    print(f"start to first byte of the first request: asyncbatch "
          f"{bench.spread([a for a, _ in figures], 1)} ms, curl "
          f"{bench.spread([b for _, b in figures], 1)} ms, median difference "
          f"{more:.1f} ms")
    return more


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", nargs="?", choices=["all", "start", "packed",
                                                     "memory"],
                        default="all")
    parser.add_argument("--in-flight", default="1,64,1000,10000")
    parser.add_argument("--requests", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--scratch", default=os.path.join(
        tempfile.gettempdir(), "asyncbatch-peers"))
    parser.add_argument("--only", default="",
                        help="first words of names, with commas")
    args = parser.parse_args()
    args.only = [word.lower() for word in args.only.split(",") if word]
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(args.scratch, folder)
        if args.what != "start":
            peers.install()
        if args.what in ("all", "memory"):
            with bench.Nginx(folder) as server:
                if args.what == "all":
                    for n in map(int, args.in_flight.split(",")):
                        compare(peers, server.url, n, args)
                memory(peers, server.url)
        if args.what in ("all", "packed"):
            packed(peers)
        if args.what in ("all", "start"):
            start(peers)


if __name__ == "__main__":
    main()
