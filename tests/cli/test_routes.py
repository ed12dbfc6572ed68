"""Several lanes for one job: two simulators, one of which goes away."""

import json
import os
import signal
import unittest
import urllib.request

from service import Service
from support import TRANSLATE, Case, ids, items, json_lines

COUNT = 400


class Routes(Case):

    def serve(self, *args):
        """A simulator; its process and the address of its API."""
        process = self.start("sim", "--listen", "127.0.0.1:0", *args)
        line = process.stdout.readline().decode()
        self.assertTrue(line.startswith("listening on "), line)
        return process, line.split()[-1] + "/v1"

    def run_by(self, routes, *args, count=COUNT, **how):
        done = self.run_job(
            "--routes", routes, *TRANSLATE, "--batch-size", "5", "--summary",
            "s.json", "--progress", "none", *args,
            stdin=items(count).encode(), **how)
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(count))
        return done, answers, json.loads(self.read("s.json"))

    @staticmethod
    def by_route(answers):
        names = [a.get("route") for a in answers if a["status"] == "ok"]
        return {name: names.count(name) for name in names}

    def test_weights_are_kept_and_each_answer_names_its_lane(self):
        _, a = self.serve("--sim-latency", "base=5ms")
        _, b = self.serve("--sim-latency", "base=5ms")
        _, answers, total = self.run_by(
            f"name=a,base_url={a},weight=3;name=b,base_url={b}")
        shares = self.by_route(answers)
        self.assertEqual(sum(shares.values()), COUNT)
        self.assertAlmostEqual(shares["a"] / COUNT, 0.75, delta=0.03)
        told = {r["route"]: r for r in total["routes"]}
        self.assertEqual({n: r["items"] for n, r in told.items()}, shares)
        self.assertAlmostEqual(sum(r["cost_usd"] for r in told.values()),
                               total["cost_usd"])

    def test_one_of_two_is_killed_midway(self):
        first, a = self.serve("--sim-latency", "base=40ms", "--sim-capacity",
                              "4")
        _, b = self.serve("--sim-latency", "base=40ms", "--sim-capacity", "4")
        self.write("in.jsonl", items(2 * COUNT))
        run = self.start(
            "run", "-i", "in.jsonl", "--routes",
            f"name=a,base_url={a};name=b,base_url={b}", *TRANSLATE,
            "--batch-size", "5", "--workers", "8", "--order", "completion",
            "--progress", "none", "--summary", "s.json")
        lines = [run.stdout.readline() for _ in range(COUNT // 2)]
        first.send_signal(signal.SIGKILL)
        lines += run.stdout.readlines()
        self.assertEqual(run.wait(50), 0, run.stderr.read().decode())
        answers = [json.loads(line) for line in lines]
        self.assertEqual(sorted(a["seq"] for a in answers),
                         list(range(2 * COUNT)))
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        shares = self.by_route(answers)
        self.assertGreater(shares["a"], 0)
        self.assertGreater(shares["b"], COUNT)

    def test_oddities_of_every_lane_are_told(self):
        """The price of a fallback may be unknown, its address unencrypted."""
        done = self.run_job(
            *TRANSLATE, "-p", "openai", "-m", "gpt-4.1-mini", "--fallback",
            "openai/new-one,base_url=http://192.0.2.1/v1", "--base-url",
            "https://127.0.0.1:9/v1", stdin=b"",
            env={"OPENAI_API_KEY": "sk-test"})
        for told in ("lane openai/new-one: the price of model new-one is not",
                     "lane openai/new-one: base_url is not encrypted"):
            self.assertEqual(done.err.count(told), 1, done.err)
        self.assertNotIn("lane openai/gpt-4.1-mini", done.err)

    def test_a_fallback_answers_when_the_first_is_not_there(self):
        dead, a = self.serve()
        dead.kill()
        dead.wait()
        _, b = self.serve("--sim-latency", "base=5ms")
        done, answers, total = self.run_by(
            f"name=a,base_url={a}", "--fallback", f"name=b,base_url={b}",
            "--cache", "cache.db", count=50)
        self.assertEqual(self.by_route(answers), {"b": 50})
        self.assertEqual(total["exit_status"], 0)
        # The first model is asked again when it is back.
        _, answers, total = self.run_by(f"name=b,base_url={b}", "--cache",
                                        "cache.db", count=50)
        self.assertEqual(total["items_cached"], 0)

    def test_a_resumed_run_may_have_other_lanes(self):
        first, a = self.serve("--sim-latency", "base=30ms", "--sim-capacity",
                              "2")
        _, b = self.serve("--sim-latency", "base=5ms")
        self.write("in.jsonl", items(COUNT))
        common = ["run", "-i", "in.jsonl", "-o", "out.jsonl", *TRANSLATE,
                  "--batch-size", "5", "--progress", "none"]
        run = self.start(*common, "--base-url", a)
        out = self.path("out.jsonl")
        while not os.path.exists(out) or os.path.getsize(out) < 5000:
            if run.poll() is not None:
                break
        run.send_signal(signal.SIGKILL)
        run.wait()
        first.kill()
        first.wait()
        done = self.command(*common, "--base-url", a, "--fallback",
                            f"name=b,base_url={b}", "--summary", "s.json")
        self.assertEqual(done.returncode, 0, done.err)
        answers = json_lines(self.read("out.jsonl"))
        self.assert_answered_in_order(answers, ids(COUNT))
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        self.assertGreater(json.loads(self.read("s.json"))
                           ["items_known_before"], 0)

    def test_an_output_written_anew_names_the_lanes_too(self):
        self.write("in.jsonl", items(60))
        job = ["--routes", "sim/sim-1;sim/sim-2", *TRANSLATE, "--batch-size",
               "5", "-i", "in.jsonl", "-o", "out.jsonl", "--progress", "none"]
        self.run_job(*job)
        first = self.read("out.jsonl")
        self.assertEqual(len(self.by_route(json_lines(first))), 2)
        os.remove(self.path("out.jsonl"))
        self.run_job(*job)
        self.assertEqual(self.read("out.jsonl"), first)

    def test_a_plan_tells_of_each_lane(self):
        self.write("in.jsonl", items(200))
        plan = self.command(
            "plan", "-i", "in.jsonl", "--plan-format", "json", "--target-lang", "fr",
            "--batch-size", "10", "--routes",
            "openai/gpt-4.1-mini,weight=3;openai/gpt-4.1-nano", "--fallback",
            "anthropic/claude-haiku-4-5")
        self.assertEqual(plan.returncode, 0, plan.err)
        told = json.loads(plan.out)
        items_by = [r["items"] for r in told["routes"]]
        self.assertEqual(items_by, [150, 50, 0])
        self.assertAlmostEqual(sum(r["cost_usd"] for r in told["routes"]),
                               told["cost_usd"])
        self.assertGreater(told["routes"][0]["cost_usd"],
                           6 * told["routes"][1]["cost_usd"])

    def test_batches_go_by_the_first_lane_and_their_rest_by_all(self):
        _, a = self.serve("--job-time", "300ms", "--batch-window", "900ms",
                          "--batch-expire-rate", "0.4", "--latency",
                          "base=5ms")
        _, b = self.serve("--latency", "base=5ms")
        _, answers, total = self.run_by(
            f"name=a,base_url={a};name=b,base_url={b}", "--native-batch",
            "on", count=200)
        self.assertEqual({x["status"] for x in answers}, {"ok"})
        shares = self.by_route(answers)
        self.assertGreater(shares["a"], shares["b"])
        self.assertGreater(shares["b"], 0)  # of what expired
        self.assertEqual(total["maybe_paid_twice_usd"], 0)
        for url, name in ((a, "a"), (b, "b")):
            with urllib.request.urlopen(url[:-2] + "stats") as reply:
                served = json.load(reply)
            self.assertEqual(served["items"], shares[name])  # none twice
            self.assertEqual(served["batch_lines"] > 0, name == "a")

    def test_another_lane_takes_over_when_the_batch_is_refused(self):
        _, b = self.serve("--latency", "base=5ms")
        no_batches = Service(self, lambda request: (
            404, {"error": {"message": "no such thing here"}}))
        _, answers, _ = self.run_by(
            f"name=a,base_url={no_batches.url}/v1;name=b,base_url={b}",
            "--native-batch", "on", count=50)
        self.assertEqual(self.by_route(answers), {"b": 50})

    def test_videos_go_by_one_lane_only(self):
        for option in ("--routes", "--fallback"):
            lanes = "sim/sim-video;openai/sora-2" if option == "--routes" \
                else "openai/sora-2"
            done = self.command(
                "run", option, lanes, "--task", "video", "-m", "sim-video",
                stdin=b'{"id":"1","prompt":"a pond"}\n',
                env={"OPENAI_API_KEY": "k"})
            self.assertEqual(done.returncode, 2, done.err)
            self.assertIn("videos and images go by one lane only", done.err)

    def test_each_lane_needs_its_key(self):
        done = self.command(
            "run", "--routes", "openai/gpt-4.1-mini;groq/x", "--target-lang",
            "fr", stdin=items(1).encode(), env={"OPENAI_API_KEY": "sk-x"})
        self.assertEqual(done.returncode, 4, done.err)
        self.assertIn("GROQ_API_KEY", done.err)


if __name__ == "__main__":
    unittest.main()
