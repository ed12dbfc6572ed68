"""Calls handed in as batches: each provider's shapes, over HTTP."""

import json

from batch_server import Anthropic, Gemini
from support import Case, QUICK, TRANSLATE, ids, items, json_lines

COUNT = 60


def every_fifth(key):
    return "expired" if int(key.split("-")[1]) % 5 == 0 else "ok"


class Forgetful(Anthropic):
    """Has worked off its first batch but lost the results."""

    def reply(self, method, path, body):
        if path.endswith("/msgbatch_0/results"):
            return 404, json.dumps({"type": "error", "error": {
                "type": "not_found_error", "message": "none"}}).encode()
        return super().reply(method, path, body)


class NativeBatch(Case):

    def run_batches(self, *args, **how):
        done = self.run_job(*TRANSLATE, "--batch-size", "5", "--native-batch",
                            "on", "--summary", "s.json", *args,
                            stdin=items(COUNT).encode(), **how)
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(COUNT))
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        return answers, self.summary()

    def test_the_simulator_by_files_and_batches(self):
        _, summary = self.run_batches(
            "-p", "sim", *QUICK, "--sim-job-time", "500ms")
        full = (summary["input_tokens"] * 0.4 +
                summary["output_tokens"] * 1.6) / 1e6
        self.assertAlmostEqual(summary["cost_usd"], full / 2, places=7)
        self.assertEqual(summary["calls"], COUNT // 5)

    def test_what_expires_is_asked_again(self):
        _, summary = self.run_batches(
            "-p", "sim", *QUICK, "--sim-job-time", "300ms",
            "--sim-batch-window", "900ms", "--sim-batch-expire-rate", "0.4")
        full = (summary["input_tokens"] * 0.4 +
                summary["output_tokens"] * 1.6) / 1e6
        self.assertLess(summary["cost_usd"], full)
        self.assertEqual(summary["maybe_paid_twice_usd"], 0)

    def test_anthropic(self):
        server = Anthropic(self, every_fifth)
        _, summary = self.run_batches(
            "-p", "anthropic", "-m", "claude-sonnet-4-5", "--base-url",
            server.url + "/v1", env={"ANTHROPIC_API_KEY": "sk-test"})
        self.assertEqual(server.billed, COUNT)  # nothing twice
        self.assertGreaterEqual(server.count("POST", "/batches"), 1)
        self.assertEqual(summary["maybe_paid_twice_usd"], 0)

    def test_gemini(self):
        server = Gemini(self, every_fifth)
        _, summary = self.run_batches(
            "-p", "gemini", "-m", "gemini-2.5-flash", "--base-url",
            server.url + "/v1beta", env={"GEMINI_API_KEY": "k"})
        self.assertEqual(server.billed, COUNT)
        self.assertGreaterEqual(server.count("POST", ":batchGenerate"), 1)
        self.assertEqual(summary["maybe_paid_twice_usd"], 0)

    def test_lines_that_fail_are_asked_again(self):
        failed = set()

        def fate(key):
            if key in failed or int(key.split("-")[1]) % 3:
                return "ok"
            failed.add(key)
            return "error"

        server = Anthropic(self, fate)
        answers, _ = self.run_batches(
            "-p", "anthropic", "-m", "claude-sonnet-4-5", "--base-url",
            server.url + "/v1", env={"ANTHROPIC_API_KEY": "sk-test"})
        self.assertEqual(server.billed, COUNT)
        self.assertEqual({a["attempts"] for a in answers}, {1, 2})

    def test_results_that_are_lost_may_have_been_paid_for(self):
        server = Forgetful(self)
        _, summary = self.run_batches(
            "-p", "anthropic", "-m", "claude-sonnet-4-5", "--base-url",
            server.url + "/v1", env={"ANTHROPIC_API_KEY": "sk-test"})
        self.assertEqual(server.billed, COUNT)
        self.assertGreater(summary["maybe_paid_twice_usd"], 0)

    def test_a_provider_without_batches_is_named(self):
        done = self.run_job(
            "-p", "groq", "-m", "x", *TRANSLATE, "--native-batch", "on",
            stdin=items(3).encode(), status=2, env={"GROQ_API_KEY": "k"})
        self.assertIn("native_batch", done.err)

    def plan(self, *args):
        done = self.command("plan", *TRANSLATE, "-p", "openai", "-m",
                            "gpt-4.1-mini", "--plan-format", "json", "-i",
                            self.path("in.jsonl"), *args)
        self.assertEqual(done.returncode, 0, done.err)
        return json.loads(done.out)

    def test_the_plan_chooses_it_when_the_deadline_allows(self):
        self.write("in.jsonl", items(200))
        now, later = self.plan(), self.plan("--deadline", "30h")
        self.assertEqual(now["kinds"][0]["calls_in_native_batches"], 0)
        self.assertTrue(now["kinds"][0]["ways"]["native_batch"]["offered"])
        self.assertEqual(later["kinds"][0]["calls_in_native_batches"],
                         later["calls"])
        self.assertLess(later["cost_usd"], now["cost_usd"])
        self.assertEqual(later["items"], 200)
