"""What one run learns starts the next."""

import json
import os

from support import QUICK, TRANSLATE, Case, items


class State(Case):

    def calls(self, *args):
        done = self.command("run", "-i", "in.jsonl", "-o", "out.jsonl",
                            *TRANSLATE, "--sim-latency", "base=20ms",
                            "--summary", "s.json", *args)
        self.assertEqual(done.returncode, 0, done.err)
        return self.summary()["calls"]

    def test_the_next_run_knows_how_large_its_batches_may_be(self):
        self.write("in.jsonl", items(2000))
        first = self.calls("--state", "state")
        self.assertLess(self.calls("--state", "state"), 0.8 * first)
        mode = os.stat(os.path.join(self.dir, "state")).st_mode & 0o777
        self.assertEqual(mode, 0o600)

    def test_processes_do_not_lose_what_others_learned(self):
        self.write("in.jsonl", items(20))
        models = [f"model-{i}" for i in range(6)]
        running = [self.start("run", "-i", "in.jsonl", "-o", model, "-m",
                              model, *TRANSLATE, *QUICK, "--state", "state")
                   for model in models]
        for process in running:
            process.communicate()
            self.assertEqual(process.returncode, 0)
        known = self.read("state")
        for model in models:
            self.assertIn(f'{model}"', known)

    def test_without_a_file_nothing_is_kept(self):
        self.write("in.jsonl", items(20))
        self.calls()
        self.assertFalse([name for name in os.listdir(self.dir)
                          if not name.startswith(("in.", "out.", "s."))])

    def test_a_plan_reads_it_and_leaves_it_as_it_is(self):
        self.write("in.jsonl", items(2000))
        first = self.calls("--state", "state")
        before = self.read("state")
        done = self.command("plan", "-i", "in.jsonl", *TRANSLATE, "--state",
                            "state", "--plan-format", "json")
        self.assertLess(json.loads(done.out)["calls"], 0.8 * first)
        self.assertEqual(self.read("state"), before)
