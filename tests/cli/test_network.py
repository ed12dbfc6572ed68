"""Between the command and the provider: HTTP/2, names, proxies, threads.

What speaks HTTP/2 is nghttpx, in front of the simulator.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
import unittest

from support import Case, ids, items, json_lines

TRANSLATE = ["--task", "translate", "--source-lang", "en", "--target-lang",
             "fr", "--progress", "none", "-m", "sim-1", "--no-journal"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def names_of_this_machine():
    """(name, address) of the hosts file, if there is one, that one can listen
    at."""
    if not os.path.exists("/etc/hosts"):
        return
    with open("/etc/hosts") as f:
        lines = [line.split("#")[0].split() for line in f]
    for address, *names in filter(None, lines):
        for name in names:
            with socket.socket() as s:
                try:
                    s.bind((address, 0))
                except OSError:
                    continue
            if "localhost" not in name and "ip6" not in name:
                yield name, address


class Served(Case):
    """Jobs at a simulator of their own."""

    def most_threads(self, *args, count=40, env=None):
        """Runs a job; the most entries of /proc/PID/task at any moment."""
        self.write("in.jsonl", items(count))
        process = self.start("run", *TRANSLATE, "-i", "in.jsonl", "-o",
                             "out.jsonl", *args, env=env)
        most = 0
        while process.poll() is None:
            try:
                most = max(most, len(os.listdir(f"/proc/{process.pid}/task")))
            except FileNotFoundError:
                break
            time.sleep(0.002)
        self.assertEqual(process.wait(), 0, process.stderr.read())
        self.assert_answered_in_order(json_lines(self.read("out.jsonl")),
                                      ids(count))
        return most


class Http2(Served):

    def front(self, *args, sim=()):
        """nghttpx with a certificate of its own before a simulator; the URL."""
        if not shutil.which("nghttpx") or not shutil.which("openssl"):
            if os.environ.get("LINT_STRICT"):
                self.fail("nghttpx or openssl is not installed")
            raise unittest.SkipTest("nghttpx or openssl is not installed")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", self.path("key.pem"), "-out", self.path("cert.pem")],
            check=True, capture_output=True)
        back = self.simulator("--latency", "base=5ms", *sim).port
        port = free_port()
        process = subprocess.Popen(
            ["nghttpx", "--conf=/dev/null", "--single-process", "--workers=1",
             f"--frontend=127.0.0.1,{port}", f"--backend=127.0.0.1,{back}",
             f"--accesslog-file={self.path('access')}",
             "--accesslog-format=$alpn $remote_port $status",
             f"--errorlog-file={self.path('errors')}",
             *args, self.path("key.pem"), self.path("cert.pem")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_until(lambda: accepts(port), process)
        return f"https://localhost:{port}/v1"

    def job(self, url, *args, count=200, seen=True):
        """Each row in a call of its own; what the server saw of each."""
        self.write("in.jsonl", items(count))
        self.run_job(*TRANSLATE, "-i", "in.jsonl", "-o", "out.jsonl",
                     "--base-url", url, "--ca-file", "cert.pem",
                     "--batch-size", "1", "--workers", "16", "--reuse", "off",
                     "--summary", "s.json", *args)
        self.assert_answered_in_order(json_lines(self.read("out.jsonl")),
                                      ids(count))
        log = self.read("access") if seen else ""
        return [line.split() for line in log.splitlines()]

    def test_calls_share_a_connection(self):
        seen = self.job(self.front(), "--http2")
        self.assertEqual({alpn for alpn, _, _ in seen}, {"h2"})
        self.assertLess(len({port for _, port, _ in seen}), 3)
        self.assertGreaterEqual(len(seen), 200)

    def test_it_is_a_choice(self):
        seen = self.job(self.front())
        self.assertEqual({alpn for alpn, _, _ in seen}, {"http/1.1"})
        self.assertGreater(len({port for _, port, _ in seen}), 1)

    def test_a_server_that_has_it_not_is_spoken_to_as_it_can(self):
        seen = self.job(self.front("--npn-list=http/1.1"), "--http2")
        self.assertEqual({alpn for alpn, _, _ in seen}, {"http/1.1"})

    def test_a_plain_address_is_spoken_to_as_ever(self):
        self.front()
        self.job(self.simulator().url + "/v1", "--http2", seen=False)

    def test_errors_are_heard(self):
        seen = self.job(self.front(sim=("--error-rate", "0.1", "--seed",
                                        "3")), "--http2")
        self.assertEqual({alpn for alpn, _, _ in seen}, {"h2"})
        self.assertGreater(len(seen), 200)
        self.assertTrue({status for _, _, status in seen} - {"200"})

    def test_a_server_that_says_goodbye_costs_no_row(self):
        seen = self.job(self.front("--frontend-max-requests=30"), "--http2")
        self.assertGreater(len({port for _, port, _ in seen}), 4)
        self.assertEqual(self.summary()["items_ok"],
                         200)

    def test_there_is_one_thread(self):
        self.assertEqual(self.most_threads(
            "--http2", "--ca-file", "cert.pem", "--base-url", self.front()), 1)


class Names(Served):

    def test_localhost_takes_no_thread(self):
        port = self.simulator("--latency", "base=50ms").port
        self.assertEqual(self.most_threads(
            "--base-url", f"http://localhost:{port}/v1", "--batch-size",
            "4"), 1)

    def test_a_name_of_the_hosts_file_takes_no_thread(self):
        found = next(names_of_this_machine(), None)
        if not found:
            raise unittest.SkipTest("the hosts file names nobody here")
        port = self.simulator("--latency", "base=50ms",
                              listen=f"{found[1]}:0").port
        self.assertEqual(self.most_threads(
            "--base-url", f"http://{found[0]}:{port}/v1", "--batch-size",
            "4"), 1)


class Socks(threading.Thread):
    """A SOCKS5 proxy that leads everything to one port here and remembers the
    names it was asked for."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.to, self.names = port, []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    @staticmethod
    def take(client, count):
        data = b""
        while len(data) < count:
            more = client.recv(count - len(data))
            if not more:
                raise OSError("closed")
            data += more
        return data

    def serve(self, client):
        try:
            self.take(client, self.take(client, 2)[1])
            client.sendall(b"\5\0")
            kind = self.take(client, 4)[3]
            if kind == 3:
                self.names.append(self.take(client, self.take(client, 1)[0]))
            else:
                self.names.append(self.take(client, 4 if kind == 1 else 16))
            self.take(client, 2)
            server = socket.create_connection(("127.0.0.1", self.to))
            client.sendall(b"\5\0\0\1\x7f\0\0\1\0\0")
            threading.Thread(target=self.pump, args=(server, client),
                             daemon=True).start()
            self.pump(client, server)
        except OSError:
            client.close()

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Proxies(Served):

    def through(self, host, scheme="socks5"):
        """A job for api.example through a SOCKS proxy at `host`; its names."""
        proxy = Socks(self.simulator("--latency", "base=20ms").port)
        self.addCleanup(proxy.server.close)
        self.assertEqual(self.most_threads(
            "--base-url", "http://api.example/v1", "--batch-size", "10",
            "--proxy", f"{scheme}://{host}:{proxy.port}"), 1)
        return set(proxy.names)

    def test_a_socks_proxy_resolves_the_name(self):
        self.assertEqual(self.through("127.0.0.1"), {b"api.example"})

    def test_a_socks_proxy_may_have_a_name(self):
        name, address = next(names_of_this_machine(), ("localhost", ""))
        if not address.startswith("127."):
            name = "localhost"
        self.assertEqual(self.through(name), {b"api.example"})

    def test_the_environment_may_name_a_socks_proxy(self):
        proxy = Socks(self.simulator().port)
        self.addCleanup(proxy.server.close)
        self.assertEqual(self.most_threads(
            "--base-url", "http://api.example/v1",
            env={"http_proxy": f"socks5h://127.0.0.1:{proxy.port}"}), 1)
        self.assertEqual(set(proxy.names), {b"api.example"})

    def test_one_that_is_not_there_is_told_and_told_once(self):
        self.write("in.jsonl", items(3))
        done = self.run_job(*TRANSLATE, "-i", "in.jsonl", "-o", "out.jsonl",
                            "--base-url", "http://api.example/v1", "--proxy",
                            "http://127.0.0.1:9", status=4)
        self.assertEqual(
            done.err.count("by way of proxy http://127.0.0.1:9"), 1, done.err)
