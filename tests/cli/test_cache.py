"""Answers that are kept: --cache across runs, and the command that looks in."""

import json
import os
import sqlite3
import subprocess

from support import (Case, QUICK, TRANSLATE, csv_rows, ids, items,
                     json_lines, strings_csv)


class Cache(Case):

    def run_twice(self, *args, second=(), **how):
        """The same job twice; the answers and the summary of each."""
        runs = []
        for more in ((), second):
            done = self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                                "--summary", "s.json", *args, *more, **how)
            runs.append((json_lines(done.out), self.summary()))
        return runs

    def test_the_second_run_makes_no_call_and_costs_nothing(self):
        (was, _), (now, total) = self.run_twice(stdin=items(300).encode())
        self.assert_answered_in_order(now, ids(300))
        self.assertEqual([a["output"] for a in now],
                         [a["output"] for a in was])
        self.assertEqual({a["source"] for a in now}, {"cache"})
        self.assertEqual({a["cost_usd"] for a in now}, {0})
        self.assertTrue(all(a["saved_usd"] > 0 for a in now))
        self.assertEqual((total["calls"], total["items_cached"],
                          total["cost_usd"], total["reuse_ratio"]),
                         (0, 300, 0, 1))
        self.assertGreater(total["saved_usd"], 0)
        self.assertGreater(total["items_per_sec"], 0)

    def test_a_table_twice_is_the_same_table(self):
        self.write("in.csv", strings_csv(80))
        for out in ("a.csv", "b.csv"):
            self.run_job("-i", "in.csv", "-o", out, "--target-lang", "ru",
                         "--cache", "c.db", "--summary", "s.json", *QUICK)
        self.assertEqual(self.read("a.csv"), self.read("b.csv"))
        self.assertEqual(self.summary()["calls"], 0)
        self.assertEqual(len(csv_rows(self.read("b.csv"))), 80)

    def test_bodies_of_a_batch_file_come_back_whole(self):
        line = json.dumps({"custom_id": "a", "method": "POST",
                           "url": "/v1/chat/completions", "body": {
                               "model": "sim-1", "messages": [
                                   {"role": "user", "content": "Hello"}]}})
        runs = [json_lines(self.run_job(*QUICK, "--cache", "c.db",
                                        stdin=line.encode()).out)[0]
                for _ in range(2)]
        self.assertEqual(runs[0]["response"]["body"],
                         runs[1]["response"]["body"])
        self.assertEqual(runs[1]["response"]["status_code"], 200)

    def test_a_former_table_warms_the_cache(self):
        self.write("in.csv", strings_csv(80))
        options = ["--target-lang", "ru", *QUICK]
        self.run_job("-i", "in.csv", "-o", "former.csv", *options)
        former = self.read("former.csv").splitlines(keepends=True)
        self.write("former.csv", "".join(former[:61]))
        done = self.command("cache", "warm", "--cache", "c.db", "-i",
                            "former.csv", *options)
        self.assertEqual((done.returncode, done.err), (0, ""))
        self.assertEqual(json.loads(done.out), {"rows": 60, "kept": 60})
        self.run_job("-i", "in.csv", "-o", "now.csv", "--cache", "c.db",
                     "--summary", "s.json", *options)
        total = self.summary()
        self.assertEqual(total["items_cached"], 60)
        self.assertEqual(self.read("now.csv").splitlines()[:61],
                         [line.rstrip("\r\n") for line in former[:61]])
        self.run_job("-i", "in.csv", "-o", "more.csv", "--cache", "c.db",
                     "--summary", "s.json", "--target-lang", "de", *QUICK)
        self.assertEqual(self.summary()["items_cached"], 0)

    def test_lines_that_bring_their_answer_warm_the_cache(self):
        options = [*TRANSLATE, *QUICK]
        rows = json_lines(items(40))
        former = json_lines(self.run_job(
            *options, stdin=items(40).encode()).out)
        for row, answer in zip(rows[:30], former):
            row["output"] = answer["output"]
        self.write("former.jsonl", "".join(
            json.dumps(row) + "\n" for row in rows))
        done = self.command("cache", "warm", "--cache", "c.db", "-i",
                            "former.jsonl", *options)
        self.assertEqual((done.returncode, done.err), (0, ""))
        self.assertEqual(json.loads(done.out), {"rows": 40, "kept": 30})
        now = self.run_job(*options, "--cache", "c.db", "--summary", "s.json",
                           stdin=items(40).encode())
        total = self.summary()
        self.assertEqual(total["items_cached"], 30)
        file = total["cache_tiers"]["file"]
        self.assertEqual((file["asked"], file["found"], file["hit_ratio"]),
                         (40, 30, 0.75))
        self.assertEqual(file["saved_usd"], total["saved_usd"])
        self.assertEqual([a["output"] for a in json_lines(now.out)],
                         [a["output"] for a in former])
        # Elsewhere such a member means nothing: the text is asked.
        asked = json_lines(self.run_job(
            *options, stdin=json.dumps(rows[0]).encode()).out)
        self.assertEqual(asked[0]["source"], "api")

    def test_only_good_answers_warm_the_cache(self):
        self.write("former.csv", "id,text,target_text,asb_status\n"
                   "1,Open {name} now,Ouvre {name},ok\n"
                   "2,Close {name} now,Ferme tout,ok\n"
                   "3,Go home,,failed\n")
        done = self.command("cache", "warm", "--cache", "c.db", "-i",
                            "former.csv", "--target-lang", "fr")
        self.assertEqual(json.loads(done.out), {"rows": 3, "kept": 1})

    def test_warming_needs_a_file(self):
        done = self.command("cache", "warm", "-i", "former.csv",
                            "--target-lang", "fr")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--cache", done.err)

    def test_only_what_is_new_is_asked(self):
        self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                     stdin=items(50).encode())
        done = self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                            stdin=items(60).encode())
        self.assertEqual([a["source"] for a in json_lines(done.out)],
                         ["cache"] * 50 + ["api"] * 10)

    def test_another_language_is_another_question(self):
        _, (_, total) = self.run_twice(stdin=items(20).encode(),
                                       second=("--target-lang", "de"))
        self.assertEqual(total["items_cached"], 0)

    def test_no_cache_asks_again_and_beats_the_file(self):
        self.write("asyncbatch.yaml", "cache: c.db\n")
        cached = []
        for more in ((), ("--no-cache",), ()):
            self.run_job(*TRANSLATE, *QUICK, *more, "--summary", "s.json",
                         stdin=items(20).encode())
            cached.append(self.summary()["items_cached"])
        self.assertEqual(cached, [0, 0, 20])

    def test_the_command_line_beats_no_cache_in_the_file(self):
        self.write("asyncbatch.yaml", "no_cache: true\ncache: other.db\n")
        self.run_job(*TRANSLATE, *QUICK, stdin=items(3).encode())
        self.assertFalse(os.path.exists(self.path("other.db")))
        self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                     stdin=items(3).encode())
        self.assertTrue(os.path.exists(self.path("c.db")))

    def test_an_expired_answer_is_asked_again(self):
        self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                     stdin=items(20).encode())
        with sqlite3.connect(self.path("c.db")) as db:
            db.execute("UPDATE answer SET expires = 1000")
        self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db", "--summary",
                     "s.json", stdin=items(20).encode())
        total = self.summary()
        self.assertEqual((total["items_cached"], total["items_ok"]), (0, 20))

    def test_a_damaged_answer_costs_a_call(self):
        self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                     stdin=items(20).encode())
        with sqlite3.connect(self.path("c.db")) as db:
            key, record = db.execute(
                "SELECT key, record FROM answer").fetchone()
            record = record[:-1] + bytes([record[-1] ^ 1])
            db.execute("UPDATE answer SET record = ? WHERE key = ?",
                       (record, key))
        done = self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                            stdin=items(20).encode())
        sources = [a["source"] for a in json_lines(done.out)]
        self.assertEqual((sources.count("api"), sources.count("cache")),
                         (1, 19))

    def test_two_runs_at_once_share_one_file(self):
        self.write("in.jsonl", items(400))
        jobs = [self.start("run", *TRANSLATE, *QUICK, "--cache", "c.db", "-i",
                           "in.jsonl", "-o", f"out{i}.jsonl")
                for i in range(2)]
        for i, job in enumerate(jobs):
            _, err = job.communicate(timeout=50)
            self.assertEqual(job.returncode, 0, err)
            self.assert_answered_in_order(
                json_lines(self.read(f"out{i}.jsonl")), ids(400))

    def test_a_new_file_that_another_is_making_is_waited_for(self):
        other = sqlite3.connect(self.path("c.db"), isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.write("in.jsonl", items(3))
        job = self.start("run", *TRANSLATE, *QUICK, "--cache", "c.db", "-i",
                         "in.jsonl")
        with self.assertRaises(subprocess.TimeoutExpired):
            job.wait(timeout=0.5)
        other.execute("COMMIT")
        _, err = job.communicate(timeout=50)
        self.assertEqual(job.returncode, 0, err)

    def test_a_run_that_is_killed_leaves_a_good_file(self):
        self.write("in.jsonl", items(2000))
        job = self.start("run", *TRANSLATE, "--sim-latency",
                         "base=100ms,sigma=0.5", "--batch-size", "5",
                         "--workers", "4", "--cache", "c.db", "--order",
                         "completion", "-i", "in.jsonl")
        seen = b""
        while seen.count(b"\n") < 100:
            seen += os.read(job.stdout.fileno(), 4096)
        job.kill()
        job.wait()
        self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db", "--summary",
                     "s.json", "-i", "in.jsonl", "-o", "out.jsonl")
        total = self.summary()
        self.assertEqual(total["items_ok"], 2000)
        self.assertGreater(total["items_cached"], 20)

    def test_the_file_is_for_its_owner_only(self):
        self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                     stdin=items(2).encode())
        self.assertEqual(os.stat(self.path("c.db")).st_mode & 0o777, 0o600)

    def test_a_file_that_is_no_cache_is_refused_before_anything_is_sent(self):
        self.write("c.db", "somebody's letters\n" * 100)
        done = self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db", status=2,
                            stdin=items(2).encode())
        self.assertIn("c.db", done.err)
        self.assertEqual(done.out, "")
        self.assertEqual(self.read("c.db"), "somebody's letters\n" * 100)

    def test_identical_items_are_asked_once(self):
        lines = "".join(json.dumps({"id": str(i), "text": "Open the door"}) +
                        "\n" for i in range(500))
        done = self.run_job(*TRANSLATE, *QUICK, "--summary", "s.json",
                            stdin=lines.encode())
        answers = json_lines(done.out)
        self.assertEqual(len({a["output"] for a in answers}), 1)
        sources = [a["source"] for a in answers]
        self.assertEqual((sources.count("api"), sources.count("duplicate")),
                         (1, 499))
        total = self.summary()
        self.assertEqual((total["calls"], total["items_duplicate"]), (1, 499))

    def test_the_command_counts_shows_and_purges(self):
        self.run_job(*TRANSLATE, *QUICK, "--cache", "c.db",
                     stdin=items(30).encode())

        def cache(*args, status=0):
            done = self.command("cache", *args, "--cache", "c.db")
            self.assertEqual(done.returncode, status, done.err)
            return json_lines(done.out)

        self.assertEqual(cache("stats")[0]["answers"], 30)
        everything = cache("export")
        self.assertEqual(len(everything), 30)
        one = everything[7]
        self.assertEqual(cache("get", one["key"]), [one])
        self.assertEqual(cache("get", "nothing", status=1), [])
        self.assertEqual(cache("purge"), [{"deleted": 0}])
        self.assertEqual(cache("purge", "--all"), [{"deleted": 30}])
        self.assertEqual(cache("export"), [])
        cache("paint", status=2)
        done = self.command("cache", "stats", "--cache", "not-there.db")
        self.assertEqual(done.returncode, 2)
        self.assertFalse(os.path.exists(self.path("not-there.db")))
