"""Real programs of others to run a job against.

Each is fetched with its own ecosystem's client into ASB_PEERS, which is kept
from run to run, or else into a temporary directory.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, "cli"))

from support import COMMAND, Case, json_lines  # noqa: E402,F401

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "data")


def home():
    """Where fetched programs live."""
    path = os.environ.get("ASB_PEERS")
    if not path:
        holder = tempfile.TemporaryDirectory()
        unittest.addModuleCleanup(holder.cleanup)
        path = holder.name
    os.makedirs(path, exist_ok=True)
    return path


def fetched(path, *command):
    """Runs the command that makes `path`, unless it is there."""
    if not os.path.exists(path):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process with an address, ended with the test."""

    def __init__(self, case, command, url=None, ready="", **how):
        self.log = open(case.path(f"server-{id(self)}.log"), "w+b")
        self.process = subprocess.Popen(command, stdout=self.log,
                                        stderr=subprocess.STDOUT, **how)
        case.addCleanup(self.end)
        self.url = url or self.wait(self.said)
        if url:
            self.wait(lambda: self.answers(url + ready))

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.log.closed:
            self.log.seek(0)
            self.last = self.log.read().decode().rstrip().split("\n")[-1]
            self.log.close()

    def wait(self, ask, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            found = ask()
            if found:
                return found
            time.sleep(0.1)
        self.log.seek(0)
        raise RuntimeError("no server: " + self.log.read().decode()[-2000:])

    def said(self):
        self.log.flush()
        with open(self.log.name, "rb") as f:
            for line in f.read().decode().splitlines():
                if line.startswith("listening on "):
                    return line.split()[-1]
        return None

    @staticmethod
    def answers(url):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except OSError as error:
            return getattr(error, "code", None) is not None


class PeerCase(Case):

    def job(self, texts, *args, env=None, timeout=600):
        """A job over these texts; its answers and its summary."""
        self.write("in.jsonl", "".join(
            json.dumps({"id": f"k{i}", "text": text}) + "\n"
            for i, text in enumerate(texts)))
        done = self.command("run", "-i", "in.jsonl", "-o", "out.jsonl",
                            "--summary", "s.json", "--progress", "none",
                            *args, env=env, timeout=timeout)
        self.assertIn(done.returncode, (0, 1), done.err)
        answers = json_lines(self.read("out.jsonl"))
        self.assert_answered_in_order(answers,
                                      [f"k{i}" for i in range(len(texts))])
        return answers, json.loads(self.read("s.json"))
