"""Keys go to the provider, in the header that needs them, and nowhere else."""

import http.server
import os
import threading

from support import Case, TRANSLATE, items

KEY = "sk-live-0123456789abcdef"


class Provider(http.server.BaseHTTPRequestHandler):
    """Does what its server's `answer` says; remembers whom it met."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.met.append(self.headers.get("Authorization"))
        self.server.answer(self)

    do_GET = do_POST

    def say(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Secrets(Case):

    def listen(self, answer):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        server.met = []
        server.answer = answer
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        server.url = f"http://127.0.0.1:{server.server_port}/v1"
        return server

    def job(self, url, **how):
        return self.command(
            "run", *TRANSLATE, "-p", "openai", "-m", "gpt-4.1-mini",
            "--base-url", url, "-i", "in.jsonl", "-o", "out.jsonl",
            "--cache", "answers.db", "--metrics", "metrics.jsonl",
            "--summary", "summary.json", "--log-level", "debug",
            env={"OPENAI_API_KEY": KEY}, **how)

    def assert_nowhere(self, done):
        self.assertNotIn(KEY, done.out + done.err)
        for folder, _, names in os.walk(self.dir):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    self.assertFalse(KEY.encode() in f.read(), name)

    def test_a_redirect_takes_no_key_elsewhere(self):
        self.write("in.jsonl", items(3))
        for status in (301, 302, 303, 307, 308):
            other = self.listen(lambda h: h.say(200, {}, b"{}"))
            first = self.listen(lambda h, s=status, u=other.url: h.say(
                s, {"Location": u + "/chat/completions"}, b""))
            done = self.job(first.url, timeout=50)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(other.met, [], status)
            self.assertGreater(len(first.met), 0)
            self.assertEqual(set(first.met), {f"Bearer {KEY}"})
            self.assert_nowhere(done)
            for name in ("out.jsonl", "out.jsonl.journal", "answers.db"):
                if os.path.exists(self.path(name)):
                    os.remove(self.path(name))

    def test_a_server_that_repeats_the_key_is_not_quoted(self):
        self.write("in.jsonl", items(3))
        for status in (400, 401, 403, 404, 500):
            echo = self.listen(lambda h, s=status: h.say(
                s, {"Content-Type": "application/json",
                    "X-Request-Id": h.headers["Authorization"]},
                b'{"error":{"message":"Incorrect API key provided: ' +
                h.headers["Authorization"].encode() + b'","code":"x"}}'))
            done = self.job(echo.url, timeout=50)
            self.assertNotEqual(done.returncode, 0)
            self.assertGreater(len(echo.met), 0)
            self.assert_nowhere(done)
            for name in ("out.jsonl", "out.jsonl.journal", "answers.db"):
                if os.path.exists(self.path(name)):
                    os.remove(self.path(name))

    def test_the_process_list_does_not_tell(self):
        asked = threading.Event()
        let_go = threading.Event()

        def answer(handler):
            asked.set()
            let_go.wait(30)
            handler.say(401, {}, b"{}")

        slow = self.listen(answer)
        self.addCleanup(let_go.set)
        self.write("in.jsonl", items(1))
        process = self.start(
            "run", *TRANSLATE, "-p", "openai", "-m", "gpt-4.1-mini",
            "--base-url", slow.url, "-i", "in.jsonl", "-o", "out.jsonl",
            env={"OPENAI_API_KEY": KEY})
        self.assertTrue(asked.wait(30))
        for name in ("cmdline", "comm"):
            with open(f"/proc/{process.pid}/{name}", "rb") as f:
                self.assertNotIn(KEY.encode(), f.read())
        let_go.set()
        process.wait(30)
