"""A redis-server of our own, on a Unix socket in the folder of a test."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import unittest


class Refusing:
    """Says yes to every command but GET and SET, which get an error."""

    def __init__(self, case, error):
        self.error = error
        self.commands = 0
        path = case.path("refusing.sock")
        self.url = "unix://" + path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        case.addCleanup(self.listener.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,),
                             daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                words = []
                for _ in range(int(line[1:])):
                    size = int(lines.readline()[1:])
                    words.append(lines.read(size + 2)[:-2])
                refused = words[0] in (b"GET", b"SET")
                self.commands += refused
                connection.sendall(b"-" + self.error + b"\r\n" if refused
                                   else b"+OK\r\n")


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
        self.case.wait_until(self.answers, self.process)

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
