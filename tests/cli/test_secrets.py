"""Keys go to the provider, in the header that needs them, and nowhere else."""

import os
import threading

from service import Service
from support import Case, TRANSLATE, items

KEY = "sk-live-0123456789abcdef"


class Secrets(Case):

    def job(self, url, **how):
        return self.command(
            "run", *TRANSLATE, "-p", "openai", "-m", "gpt-4.1-mini",
            "--base-url", url + "/v1", "-i", "in.jsonl", "-o", "out.jsonl",
            "--cache", "answers.db", "--metrics", "metrics.jsonl",
            "--summary", "summary.json", "--log-level", "debug",
            env={"OPENAI_API_KEY": KEY}, **how)

    def assert_nowhere(self, done):
        self.assertNotIn(KEY, done.out + done.err)
        for folder, _, names in os.walk(self.dir):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    self.assertFalse(KEY.encode() in f.read(), name)

    def begin_anew(self):
        for name in ("out.jsonl", "out.jsonl.journal", "answers.db"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))

    def test_a_redirect_takes_no_key_elsewhere(self):
        self.write("in.jsonl", items(3))
        for status in (301, 302, 303, 307, 308):
            other = Service(self, lambda h: {})
            first = Service(self, lambda h, s=status, u=other.url: h.say(
                s, b"", {"Location": u + "/v1/chat/completions"}))
            done = self.job(first.url, timeout=50)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(other.asked, [], status)
            self.assertEqual(set(first.keys()), {f"Bearer {KEY}"})
            self.assert_nowhere(done)
            self.begin_anew()

    def test_a_server_that_repeats_the_key_is_not_quoted(self):
        self.write("in.jsonl", items(3))
        for status in (400, 401, 403, 404, 500):
            echo = Service(self, lambda h, s=status: h.say(
                s, b'{"error":{"message":"Incorrect API key provided: ' +
                h.headers["Authorization"].encode() + b'","code":"x"}}',
                {"Content-Type": "application/json",
                 "X-Request-Id": h.headers["Authorization"]}))
            done = self.job(echo.url, timeout=50)
            self.assertNotEqual(done.returncode, 0)
            self.assertGreater(len(echo.asked), 0)
            self.assert_nowhere(done)
            self.begin_anew()

    def test_the_process_list_does_not_tell(self):
        asked = threading.Event()
        let_go = threading.Event()

        def answer(handler):
            asked.set()
            let_go.wait(30)
            handler.say(401, b"{}")

        slow = Service(self, answer)
        self.addCleanup(let_go.set)
        self.write("in.jsonl", items(1))
        process = self.start(
            "run", *TRANSLATE, "-p", "openai", "-m", "gpt-4.1-mini",
            "--base-url", slow.url + "/v1", "-i", "in.jsonl", "-o", "out.jsonl",
            env={"OPENAI_API_KEY": KEY})
        self.assertTrue(asked.wait(30))
        for name in ("cmdline", "comm"):
            with open(f"/proc/{process.pid}/{name}", "rb") as f:
                self.assertNotIn(KEY.encode(), f.read())
        let_go.set()
        process.wait(30)
