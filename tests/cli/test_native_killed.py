"""Batches at the provider outlive the process that made them, over HTTP."""

import json
import os
import signal
import sqlite3
import urllib.request

from batch_server import Anthropic
from killing import Killing
from support import Case, TRANSLATE, ids, items, json_lines

COUNT = 60


class NativeKilled(Case):

    def setUp(self):
        super().setUp()
        self.sim = self.simulator("--latency", "base=2ms", "--job-time",
                                  "1500ms")
        self.write("in.jsonl", items(COUNT))

    def arguments(self, *more):
        return ["run", *TRANSLATE, "-i", "in.jsonl", "-o", "out.jsonl",
                "--base-url", self.sim.url + "/v1", "-m", "sim-1",
                "--batch-size", "5", "--native-batch", "on", "--progress",
                "none", "--summary", "s.json", *more]

    def batches(self):
        with urllib.request.urlopen(self.sim.url +
                                    "/v1/batches?limit=100") as reply:
            return json.load(reply)["data"]

    def rows_of(self, table):
        return Killing.count(self.path("out.jsonl"), table)

    def kill_when(self, holds, *more, **how):
        process = self.start(*self.arguments(*more), **how)
        self.wait_until(holds, process)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def go_on(self, *more):
        done = self.command(*self.arguments(*more))
        self.assertEqual(done.returncode, 0, done.err)
        answers = json_lines(self.read("out.jsonl"))
        self.assert_answered_in_order(answers, ids(COUNT))
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        return answers, self.summary()

    def assert_paid_once(self, answers, summary):
        self.assertEqual(len(self.batches()), 1)
        stats = self.sim.stats()
        self.assertEqual(stats["items"], COUNT)
        self.assertAlmostEqual(stats["billed_usd"],
                               sum(a["cost_usd"] for a in answers), places=7)
        self.assertAlmostEqual(summary["cost_usd"], stats["billed_usd"],
                               places=7)
        self.assertEqual(summary["maybe_paid_twice_usd"], 0)
        self.assertEqual((self.rows_of("call"), self.rows_of("job")), (0, 0))

    def has_id(self):
        return bool(self.batches()) and self.in_journal(
            "SELECT count(*) FROM job WHERE length(id) > 0")

    def in_journal(self, query):
        return Killing.ask(self.path("out.jsonl"), query)

    def test_a_batch_is_gone_on_with(self):
        self.kill_when(self.has_id)
        self.assertEqual(self.in_journal("SELECT count(*) FROM call"), 12)
        self.assert_paid_once(*self.go_on())

    def test_also_without_the_option(self):
        self.kill_when(self.has_id)
        self.assert_paid_once(*self.go_on("--native-batch", "off"))

    def test_also_when_it_is_over(self):
        self.kill_when(self.has_id)
        self.wait_until(
            lambda: self.batches()[0]["status"] == "completed")
        self.assert_paid_once(*self.go_on())

    def test_without_an_id_it_is_found_by_its_name(self):
        self.kill_when(self.has_id)
        with sqlite3.connect(self.path("out.jsonl.journal")) as journal:
            journal.execute("UPDATE job SET id = x''")
        journal.close()
        self.assert_paid_once(*self.go_on())

    def post(self, path, body, content_type):
        request = urllib.request.Request(self.sim.url + "/v1/" + path, body,
                                         {"Content-Type": content_type})
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def add_batches_of_others(self, count):
        line = json.dumps({"custom_id": "a", "method": "POST",
                           "url": "/v1/embeddings", "body": {
                               "model": "sim-embed", "input": "x"}})
        part = "--b\r\nContent-Disposition: form-data; name="
        form = (f'{part}"purpose"\r\n\r\nbatch\r\n{part}"file"; filename="x"'
                f"\r\n\r\n{line}\n\r\n--b--\r\n")
        file = self.post("files", form.encode(),
                         "multipart/form-data; boundary=b")
        for _ in range(count):
            self.post("batches", json.dumps({
                "input_file_id": file["id"], "endpoint": "/v1/embeddings",
                "completion_window": "24h"}).encode(), "application/json")

    def test_also_behind_hundreds_of_later_ones(self):
        self.kill_when(self.has_id)
        ours = self.batches()[0]["id"]
        with sqlite3.connect(self.path("out.jsonl.journal")) as journal:
            journal.execute("UPDATE job SET id = x''")
        journal.close()
        self.add_batches_of_others(230)
        answers, summary = self.go_on()
        self.assertNotIn(ours, [b["id"] for b in self.batches()])
        self.assertEqual(summary["maybe_paid_twice_usd"], 0)
        self.assertEqual(summary["calls"], COUNT // 5)
        self.assertEqual([b["id"] for b in self.batches()
                          if b.get("metadata")], [])  # none was made anew
        self.assertAlmostEqual(summary["cost_usd"],
                               sum(a["cost_usd"] for a in answers), places=7)

    def test_what_was_never_created_is_asked_again(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        os.write(writer, items(COUNT).encode())
        self.kill_when(lambda: self.rows_of("call") == 12, "-i", "-",
                       stdin=reader)
        os.close(reader)
        self.assertEqual(self.batches(), [])
        done = self.command(*self.arguments("-i", "-"),
                            stdin=items(COUNT).encode())
        self.assertEqual(done.returncode, 0, done.err)
        answers = json_lines(self.read("out.jsonl"))
        self.assert_answered_in_order(answers, ids(COUNT))
        self.assert_paid_once(answers, self.summary())

    def test_an_interrupt_cancels_the_batch_at_the_provider(self):
        self.sim = self.simulator("--latency", "base=2ms", "--job-time",
                                  "20s")
        process = self.start(*self.arguments())
        self.wait_until(self.has_id, process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(50), 130)
        self.assertEqual([b["status"] for b in self.batches()], ["cancelled"])
        self.assertEqual(self.sim.stats()["items"], 0)
        self.go_on("--native-batch", "off")
        self.assertEqual(self.sim.stats()["items"], COUNT)

    def test_rows_that_are_gone_cost_nothing_more(self):
        self.kill_when(self.has_id)
        self.write("in.jsonl", items(COUNT).split("\n", 30)[-1])
        done = self.command(*self.arguments("--on-change", "reuse"))
        self.assertEqual(done.returncode, 0, done.err)
        self.assertGreater(self.summary()["maybe_paid_twice_usd"], 0)

    def test_a_refused_key_leaves_the_batch_to_the_next_run(self):
        server = Anthropic(self)
        key = {"ANTHROPIC_API_KEY": "k"}
        its = ["-p", "anthropic", "-m", "claude-sonnet-4-5", "--base-url",
               server.url + "/v1"]
        self.kill_when(
            lambda: server.batches and self.in_journal(
                "SELECT count(*) FROM job WHERE length(id) > 0"),
            *its, env=key)
        server.locked = True
        done = self.command(*self.arguments(*its), env=key)
        self.assertEqual(done.returncode, 4, done.err)
        self.assertIn("msgbatch_0", done.err)
        self.assertEqual(self.summary()["maybe_paid_twice_usd"], 0)
        self.assertEqual(self.summary()["items_unfinished"], COUNT)
        server.locked = False
        done = self.command(*self.arguments(*its), env=key)
        self.assertEqual(done.returncode, 0, done.err)
        self.assert_answered_in_order(json_lines(self.read("out.jsonl")),
                                      ids(COUNT))
        self.assertEqual(list(server.batches), ["msgbatch_0"])
        self.assertEqual(server.billed, COUNT)
        self.assertEqual(self.summary()["maybe_paid_twice_usd"], 0)
