"""Plans, and how near they are to what happens."""

import base64
import json
import os
import struct

from support import Case, TRANSLATE, items

DATA = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "data")

SLOW = ["--sim-latency", "base=150ms,per_output_token=1ms,sigma=0.3"]


class Plan(Case):

    def plan(self, *args, status=0, **how):
        done = self.command("plan", *args, **how)
        self.assertEqual(done.returncode, status, f"\n{done.err}{done.out}")
        return done

    def compare(self, *args, count=1500):
        """The forecast of a job against its summary, but for the time, which is
        compared in virtual time: tests/engine/test_plan_runs.c."""
        self.write("in.jsonl", items(count))
        common = ["-i", "in.jsonl", *TRANSLATE, *SLOW, *args]
        done = self.plan(*common, "--plan-format", "json")
        told = json.loads(done.out)
        self.command("run", *common, "-o", "out.jsonl", "--summary", "s.json")
        was = self.summary()
        self.assertAlmostEqual(told["items_ok"], was["items_ok"],
                               delta=0.01 * count)
        self.assertAlmostEqual(told["cost_usd"], was["cost_usd"],
                               delta=0.05 * was["cost_usd"])
        return told

    def test_a_forecast_holds_with_adaptive_concurrency(self):
        self.compare()

    def test_a_forecast_holds_with_few_workers(self):
        told = self.compare("--workers", "4", count=800)
        self.assertEqual(told["pace_limit"], "concurrency")

    def test_a_forecast_holds_under_a_rate_limit(self):
        told = self.compare("--rpm", "240", "--batch-size", "10", count=600)
        self.assertEqual(told["binding_limit"], "rate limit")

    def test_a_forecast_holds_with_faults(self):
        self.compare("--sim-drop-item-rate", "0.05", "--sim-error-rate", "0.02")

    def test_nothing_is_written_and_no_key_needed(self):
        self.write("in.jsonl", items(30))
        done = self.plan("-i", "in.jsonl", "-o", "out.jsonl", "-p", "openai",
                         "-m", "gpt-4.1-mini", *TRANSLATE, "--metrics",
                         "m.jsonl", "--summary", "s.json")
        for word in ("batches", "calls", "tokens", "cost", "time",
                     "nothing was sent", "process_as_batch"):
            self.assertIn(word, done.out)
        self.assertIn("name a --deadline", done.out)
        self.assertEqual(os.listdir(self.dir), ["in.jsonl"])

    def test_an_item_keeps_the_class_it_names(self):
        rows = [{"text": "One", "priority": "normal"}, {"text": "Two"},
                {"text": "Three", "priority": 3}]
        done = self.plan(*TRANSLATE, "--plan-format=json", "--priority",
                         "urgent", stdin="".join(
                             json.dumps(row) + "\n" for row in rows).encode())
        self.assertEqual(sorted(kind["class"] for kind in
                                json.loads(done.out)["kinds"]),
                         ["background", "normal", "urgent"])

    def test_standard_input_is_planned_too(self):
        done = self.plan(*TRANSLATE, "--plan-format=json",
                         stdin=items(40).encode())
        self.assertEqual(json.loads(done.out)["items_ok"], 40)

    def test_what_is_wrong_is_said_in_one_sentence(self):
        done = self.plan("--plan-format", "xml", status=2)
        self.assertIn("table or json", done.err)
        done = self.plan("-i", "none.jsonl", status=2)
        self.assertIn("none.jsonl", done.err)
        self.assertEqual(done.out, "")

    def test_other_dialects_are_planned_as_well(self):
        self.write("in.jsonl", items(30))
        for provider, model in (("anthropic", "claude-sonnet-4-5"),
                                ("gemini", "gemini-2.5-flash")):
            done = self.plan("-i", "in.jsonl", "-p", provider, "-m", model,
                             *TRANSLATE, "--plan-format", "json")
            plan = json.loads(done.out)
            self.assertEqual((plan["items_ok"], plan["items_failed"]),
                             (30, 0))

    def test_a_vocabulary_counts_instead_of_the_estimate(self):
        self.write("in.jsonl", items(60))
        self.write("wrong.tiktoken", "no vocabulary\n")
        common = ["-i", "in.jsonl", "-p", "openai", "-m", "gpt-4.1-mini",
                  *TRANSLATE, "--plan-format", "json"]
        small = os.path.join(DATA, "small.tiktoken")
        counted = self.command("plan", *common, "--tokenizer", small)
        if "without PCRE2" in counted.err:
            self.skipTest("built without PCRE2")
        estimated = json.loads(self.plan(*common).out)
        # It has few tokens, so that texts have many.
        self.assertGreater(json.loads(counted.out)["input_tokens"],
                           1.2 * estimated["input_tokens"])
        done = self.plan(*common, "--tokenizer", "wrong.tiktoken", status=2)
        self.assertIn("tokenizer: line 1", done.err)
        done = self.command("run", "-i", "in.jsonl", "-o", "out.jsonl",
                            *TRANSLATE, "--tokenizer", small)
        self.assertEqual(done.returncode, 0, done.err)

    def test_the_end_of_a_job_tells_how_near_its_plan_came(self):
        self.write("in.jsonl", items(300))
        common = ["-i", "in.jsonl", "-o", "out.jsonl", *TRANSLATE, *SLOW]
        plan = self.plan(*common, "--plan-format", "json").out
        self.write("plan.json", plan)
        told = json.loads(plan)
        again = [*common, "--forecast", "plan.json", "--summary", "s.json"]
        done = self.command("run", *again)
        self.assertIn(f"; the plan said {told['calls']} calls, it took ",
                      done.err)
        was = self.summary()
        off = was["forecast"]
        for name in ("calls", "cost_usd", "elapsed_seconds"):
            self.assertEqual(off[name], told[name])
        self.assertAlmostEqual(off["cost_off"],
                               was["cost_usd"] / told["cost_usd"] - 1, places=2)
        self.assertAlmostEqual(off["cost_off"], 0, delta=0.05)
        self.assertAlmostEqual(
            off["elapsed_off"],
            was["elapsed_seconds"] / told["elapsed_seconds"] - 1, places=2)
        # A second run has nothing to do, which says nothing of the plan.
        done = self.command("run", *again)
        self.assertEqual(done.returncode, 0, done.err)
        self.assertNotIn("the plan said", done.err)
        self.assertNotIn("cost_off", self.summary()["forecast"])

    def test_a_forecast_that_is_no_plan_is_refused_at_once(self):
        self.write("in.jsonl", items(3))
        self.write("plan.json", '{"calls": 1}')
        done = self.command("run", "-i", "in.jsonl", "-o", "out.jsonl",
                            *TRANSLATE, "--forecast", "plan.json")
        self.assertEqual(done.returncode, 2)
        self.assertIn("is no plan", done.err)
        self.assertFalse(os.path.exists(os.path.join(self.dir, "out.jsonl")))

    def test_a_picture_counts_by_its_size_and_not_by_its_bytes(self):
        png = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" +
                               struct.pack(">II", 640, 480) +
                               bytes(200000)).decode()
        self.write("in.jsonl", "".join(json.dumps({
            "id": str(i), "messages": [{"role": "user", "content": [
                {"type": "text", "text": f"What is on picture {i}?"},
                {"type": "image_url", "image_url": {
                    "url": "data:image/png;base64," + png}}]}]}) + "\n"
            for i in range(3)))
        for model, picture in (("gpt-4o", 425), ("gpt-4.1-mini", 486)):
            plan = json.loads(self.plan("-i", "in.jsonl", "-p", "openai", "-m",
                                        model, "--plan-format", "json").out)
            self.assertEqual(plan["items_ok"], 3)
            self.assertLess(abs(plan["input_tokens"] / 3 - picture), 40)
            self.assertLess(plan["cost_worst_usd"], 1)
