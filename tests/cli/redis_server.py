"""A redis-server of our own, on a Unix socket in the folder of a test."""

import os
import shutil
import signal
import socket
import subprocess
import time
import unittest


class Redis:
    """Dies with the test, however that ends."""

    def __init__(self, case, *options):
        if not shutil.which("redis-server"):
            raise unittest.SkipTest("no redis-server is installed")
        self.case = case
        self.options = options
        self.socket = case.path("redis.sock")
        self.url = "unix://" + self.socket
        self.process = None
        self.start()
        case.addCleanup(self.kill)

    def start(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "redis-server", "--port", "0",
             "--unixsocket", self.socket, "--save", "", "--appendonly", "no",
             *self.options], cwd=self.case.dir, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not self.answers():
            self.case.assertLess(time.monotonic(), until)
            self.case.assertIsNone(self.process.poll())
            time.sleep(0.01)

    def answers(self):
        try:
            return self.say("PING")[:5] in (b"+PONG", b"-NOAU")
        except OSError:
            return False

    def say(self, *words):
        """The whole answer, if it comes in one piece."""
        words = [w if isinstance(w, bytes) else w.encode() for w in words]
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.socket)
            s.sendall(b"*%d\r\n" % len(words) + b"".join(
                b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
            return s.recv(1 << 20)

    def keys(self):
        lines = self.say("KEYS", "asyncbatch:1:*").split(b"\r\n")
        return [line for line in lines if line.startswith(b"asyncbatch:")]

    def get(self, key):
        head, _, rest = self.say("GET", key).partition(b"\r\n")
        return rest[:int(head[1:])]

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
