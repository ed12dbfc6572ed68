"""Keys go to the provider, in the header that needs them, and nowhere else."""

import json
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

    def test_who_is_refused_is_told_where_the_key_came_from(self):
        self.write("key", KEY)
        refuses = Service(self, lambda h: h.say(401, b"{}"))
        for args, remedy in (
                (["-p", "openai"], "set OPENAI_API_KEY"),
                (["-p", "openai", "--api-key", "env:MINE"], "set MINE"),
                (["-p", "openai", "--api-key", "file:key"],
                 "put a good key into key"),
                (["-p", "ollama"], "say where its key is with --api-key")):
            done = self.run_job(
                "--base-url", refuses.url + "/v1", "-m", "gpt-4.1-mini", *args,
                env={"OPENAI_API_KEY": KEY, "MINE": KEY}, status=4,
                stdin=items(1).encode())
            self.assertIn(remedy, done.err.splitlines()[-1])

    def test_a_server_that_repeats_the_texts_is_not_quoted(self):
        texts = [f"zanzibar {i}: ouvrez la porte d\u2019\u00e9t\u00e9"
                 for i in range(6)]
        self.write("in.jsonl", "".join(
            json.dumps({"id": str(i), "text": text}, ensure_ascii=False) + "\n"
            for i, text in enumerate(texts)))
        for status in (400, 404, 500):
            echo = Service(self, lambda h, s=status: h.say_json(s, {
                "error": {"code": "x", "message": "Not liked: " + " | ".join(
                    t for t in texts if t.encode() in h.asked.body)}}))
            done = self.job(echo.url, timeout=50)
            self.assertNotEqual(done.returncode, 0)
            for name in ("out.jsonl", "out.jsonl.journal", "metrics.jsonl",
                         "summary.json"):
                with open(self.path(name), "rb") as f:
                    self.assertNotIn(b"zanzibar", f.read(), name)
            self.assertNotIn("zanzibar", done.out + done.err)
            self.assertIn("Not liked", self.read("out.jsonl") + done.err)
            self.begin_anew()

    def test_a_key_of_whatever_form_is_not_quoted(self):
        self.write("in.jsonl", json.dumps({"id": "1", "prompt": "a pond"}))
        key = "r8_Qy-odd+key/7f3a"
        echo = Service(self, lambda h: {
            "id": "p1", "status": "failed", "error": "no: " +
            h.headers["Authorization"]})
        done = self.command(
            "run", "-i", "in.jsonl", "-o", "out.jsonl", "-p", "replicate",
            "--base-url", echo.url, "-m", "owner/name", "--task", "video",
            env={"REPLICATE_API_TOKEN": key})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no: ", self.read("out.jsonl"))
        self.assertNotIn("odd+key", self.read("out.jsonl") + done.err)

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
