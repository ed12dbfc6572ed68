"""The journal: the same command again goes on where the last one ended."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import tempfile
import threading

from bad_server import BadServer
from journaled import Journaled
from killing import Killing
from support import QUICK, TRANSLATE, csv_rows, ids, items, json_lines

class Resume(Journaled):

    def interrupted(self, *args, number=signal.SIGINT, rows=10):
        """A job that was ended after some rows; its exit status."""
        process = self.begun(*args, rows=rows)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
        return process.returncode, err.decode()

    # ---- kills

    def kill(self, kills, *args, **how):
        killing = Killing(self.dir, seed=kills, **how)
        self.addCleanup(killing.close)
        killing.rounds(kills, *args)

    def test_killed_runs_lose_nothing_and_pay_nothing_twice(self):
        self.kill(12)

    def test_killed_runs_in_order_of_completion_lose_nothing(self):
        self.kill(8, "--order", "completion")

    def test_killed_runs_in_parts_of_batches_lose_nothing(self):
        self.kill(6, rows=101, batch=7, workers=2)

    def test_places_beyond_the_mark_are_forgotten(self):
        """A crash after which answers were durable and the output was not:
        their places in it are given to others, and that run is killed, too."""
        args = [*TRANSLATE, *QUICK, "--order", "completion", "-o",
                "out.jsonl", "--progress", "none"]
        text = items(100)
        self.run_job(*args, stdin=text.encode())
        lines = self.read("out.jsonl").splitlines(keepends=True)[::-1]
        with open(self.path("out.jsonl"), "r+") as f:
            f.write("".join(lines))
        journal = sqlite3.connect(self.path("out.jsonl.journal"))
        journal.execute("UPDATE answer SET place = 99 - place")
        journal.execute("UPDATE state SET finished = 0, rows = 10, bytes = ?",
                        (sum(len(line.encode()) for line in lines[:10]),))
        journal.commit()
        journal.close()
        process = self.start("run", *args)
        rows = text.splitlines(keepends=True)
        written = {a["seq"] for a in json_lines("".join(lines[:10]))}
        for i in range(0, 60, 20):
            process.stdin.write("".join(rows[i:i + 20]).encode())
            written.update(range(i, i + 20))
            self.wait_until(
                lambda: self.lines("out.jsonl") == len(written), process)
        process.kill()
        process.wait()
        self.run_job(*args, stdin=text.encode())
        answers = json_lines(self.read("out.jsonl"))
        self.assertEqual(sorted(a["seq"] for a in answers), list(range(100)))

    # ---- stops

    def test_an_interrupted_run_goes_on(self):
        status, err = self.interrupted()
        self.assertEqual(status, 130, err)
        self.assertIn("the same command again to ask for the rest", err)
        part = self.read("out.jsonl")
        answers = json_lines(part)
        self.assertLess(len(answers), 100)
        # What was not answered is not in the output: it is asked later.
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        first = self.summary()
        self.assertEqual(first["items_failed"], 0)
        self.job()
        whole = self.read("out.jsonl")
        self.assertTrue(whole.startswith(part))
        self.assert_complete()
        self.assertEqual(first["items_ok"] + self.summary()["items_total"] -
                         self.summary()["items_known_before"], 100)

    def test_rows_that_were_known_have_no_rate(self):
        """Of a stopped run the rest, and then nothing at all."""
        self.interrupted(rows=40)
        self.job()
        summary = self.summary()
        new = 100 - summary["items_known_before"]
        self.assertLess(new, 100)
        self.assertLessEqual(summary["items_per_sec"] *
                             (summary["elapsed_seconds"] - 0.001), new)
        last = self.job("--progress", "json").err.splitlines()[-2]
        self.assertEqual(json.loads(last)["texts_per_sec"], 0)
        self.assertEqual(self.summary()["items_per_sec"], 0)

    def test_a_run_stopped_by_its_budget_goes_on_with_more(self):
        self.job("--batch-size", "5", "--workers", "1", "--budget", "0.01",
                 status=3)
        stopped = self.summary()
        answers = json_lines(self.read("out.jsonl"))
        self.assertGreater(len(answers), 0)
        self.assertLess(len(answers), 100)
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        # The earlier spending counts: nothing more is to be had for it.
        self.job("--batch-size", "5", "--workers", "1", "--budget", "0.01",
                 status=3)
        self.assertEqual(self.summary()["calls"], 0)
        self.job("--budget", "5")
        self.assert_complete()
        self.assertEqual(self.summary()["cost_before_usd"],
                         stopped["cost_usd"])
        self.assertEqual(self.summary()["items_known_before"], len(answers))

    def test_a_run_without_a_provider_goes_on_when_there_is_one(self):
        done = self.job("--base-url", "http://127.0.0.1:9/v1",
                        "--connect-timeout", "1s", status=4)
        self.assertIn("cannot be reached", done.err)
        self.assertEqual(self.read("out.jsonl"), "")
        self.job()
        self.assert_complete()

    def test_without_a_journal_each_row_is_written(self):
        done = self.job("--no-journal", "--batch-size", "5", "--workers", "1",
                        "--budget", "0.01", status=3)
        self.assertIn("without --journal FILE it asks for all", done.err)
        answers = json_lines(self.read("out.jsonl"))
        self.assert_answered_in_order(answers, ids(100))
        self.assertFalse(os.path.exists(self.path("out.jsonl.journal")))

    # ---- finished runs

    def test_a_finished_run_is_not_paid_for_again(self):
        self.job()
        before = self.read("out.jsonl")
        done = self.job()
        self.assertIn("nothing was sent", done.err)
        self.assertEqual(self.read("out.jsonl"), before)
        self.assertEqual(self.summary()["calls"], 0)
        self.assertEqual(self.summary()["items_ok"], 100)
        self.assertEqual(self.summary()["items_known_before"], 100)

    def test_failed_rows_are_asked_again_and_only_those(self):
        self.job("--sim-drop-item-rate", "0.5", "--max-attempts", "1",
                 status=1)
        failed = [a for a in json_lines(self.read("out.jsonl"))
                  if a["status"] == "failed"]
        ok = [a for a in json_lines(self.read("out.jsonl"))
              if a["status"] == "ok"]
        self.assertGreater(len(failed), 5)
        self.job()
        self.assert_complete()
        self.assertEqual(self.summary()["items_known_before"], len(ok))
        now = {a["id"]: a for a in json_lines(self.read("out.jsonl"))}
        for answer in ok:
            self.assertEqual(now[answer["id"]], answer)

    def test_what_failed_for_good_is_not_asked_again(self):
        self.write("in.jsonl", items(3) + "no json\n")
        self.job(status=1)
        before = self.read("out.jsonl")
        done = self.job(status=1)
        self.assertIn("1 of 4", done.err)
        self.assertEqual(self.summary()["calls"], 0)
        self.assertEqual(self.read("out.jsonl"), before)

    def test_who_may_succeed_at_another_try_is_told_so(self):
        self.write("in.jsonl", items(20) + "no json\n")
        done = self.job("--sim-drop-item-rate", "0.5", "--max-attempts", "1",
                        status=1)
        answers = json_lines(self.read("out.jsonl"))
        retryable = [a for a in answers if a["status"] == "failed" and
                     a["error"]["retryable"]]
        self.assertGreater(len(retryable), 1)
        self.assertRegex(done.err, "run the same command again to ask .* "
                         f"{len(retryable)}\n")
        done = self.job(status=1)
        self.assertRegex(done.err, r"1 of 21 items failed \(the first: line "
                         r"21: malformed .*reason of each\n")

    # ---- runs that came to nothing

    def test_a_run_that_answered_nothing_binds_nobody(self):
        """Nor does the journal of a table whose column was misspelt."""
        self.write("in.csv", "id,words\n1,Open the door\n2,Close it\n")
        for column, status in (("word", 2), ("words", 0)):
            self.run_job(*TRANSLATE, *QUICK, "-i", "in.csv", "-o", "out.csv",
                         "--text-column", column, status=status)
        rows = csv_rows(self.read("out.csv"))
        self.assertEqual([row["asb_status"] for row in rows], ["ok", "ok"])

    def test_another_provider_takes_over_what_none_has_answered(self):
        self.job("--base-url", "http://127.0.0.1:9/v1", "-m", "one",
                 "--connect-timeout", "1s", status=4)
        self.job("-m", "two")
        self.assert_complete()
        done = self.job("-m", "three", status=2)
        self.assertIn('model (was "two", is "three")', done.err)
        self.assert_complete()

    def test_what_may_have_been_paid_for_binds(self):
        slow = self.simulator("--latency", "base=60s")
        process = self.start("run", *TRANSLATE, "-i", "in.jsonl", "-o",
                             "out.jsonl", "--base-url", slow.url + "/v1")
        self.wait_until(lambda: slow.stats()["in_flight"] > 0, process)
        process.kill()
        process.wait()
        done = self.job("-m", "another", status=2)
        self.assertIn("is of another run", done.err)

    # ---- the output

    def test_a_lost_output_is_written_again_for_nothing(self):
        self.job()
        before = self.read("out.jsonl")
        os.remove(self.path("out.jsonl"))
        done = self.job()
        self.assertIn("written again", done.err)
        self.assertEqual(self.read("out.jsonl"), before)
        self.assertEqual(self.summary()["calls"], 0)

    def test_a_shortened_output_is_written_again(self):
        self.job()
        before = self.read("out.jsonl")
        os.truncate(self.path("out.jsonl"), 1000)
        self.job()
        self.assertEqual(self.read("out.jsonl"), before)
        self.assertEqual(self.summary()["calls"], 0)

    def test_what_a_crash_left_half_written_is_cut_off(self):
        self.interrupted(number=signal.SIGKILL)
        with open(self.path("out.jsonl"), "ab") as f:
            f.write(b'{"id":"k99","half a li' * 10000)
        self.job()
        self.assert_complete()

    def test_standard_output_gets_every_row_each_time(self):
        first = self.job("--journal", "j", output="-")
        again = self.job("--checkpoint", "j", output="-")
        self.assertEqual(again.out, first.out)
        self.assertEqual(self.summary()["calls"], 0)
        self.assert_answered_in_order(json_lines(again.out), ids(100))

    def test_standard_output_has_no_journal_unless_named(self):
        self.job(output="-")
        self.assertEqual([f for f in os.listdir(self.dir) if "journal" in f],
                         [])

    def test_a_full_output_loses_no_answer(self):
        done = self.job("--journal", "j", output="/dev/full", status=130)
        self.assertIn("No space left", done.err)
        self.assertGreater(self.summary()["calls"], 0)
        self.job("--journal", "j")
        self.assert_complete()
        self.assertEqual(self.summary()["items_known_before"], 100)

    # ---- what changed

    def test_another_prompt_is_refused_and_explained(self):
        self.write("rules.md", "Be brief.\n")
        self.job("--instructions", "rules.md")
        before = self.read("out.jsonl")
        self.write("rules.md", "Be kind.\n")
        done = self.job("--instructions", "rules.md", status=2)
        self.assertIn("changed: the instructions.", done.err)
        self.assertEqual(self.read("out.jsonl"), before)
        done = self.run_job("--task", "translate", "--source-lang", "en",
                            "--target-lang", "de", *QUICK, "-i", "in.jsonl",
                            "-o", "out.jsonl", status=2)
        self.assertIn('target_lang (was "fr", is "de")', done.err)
        self.job("--instructions", "rules.md", "--on-change", "restart")
        self.assertGreater(self.summary()["calls"], 0)
        self.assertTrue(os.path.exists(self.path("out.jsonl.journal.old")))

    def assert_all_asked(self, *args):
        self.job(*args)
        self.assert_complete()
        self.assertEqual(self.summary()["items_known_before"], 0)
        self.assertTrue(os.path.exists(self.path("out.jsonl.journal.old")))

    def test_of_another_prompt_nothing_is_reused(self):
        self.job()
        self.write("rules.md", "Be brief.\n")
        self.assert_all_asked("--instructions", "rules.md",
                              "--on-change", "reuse")

    def test_a_restart_asks_for_what_did_not_change_too(self):
        self.job()
        self.write("in.jsonl", items(100).replace("number 3 ", "number 4 "))
        self.assert_all_asked("--on-change", "restart")

    def test_another_input_is_refused(self):
        self.interrupted(number=signal.SIGKILL)
        before = self.read("out.jsonl")
        self.write("in.jsonl", items(100).replace("number 3 ", "number 4 "))
        done = self.job(status=2)
        self.assertIn("the input", done.err)
        self.assertEqual(self.read("out.jsonl"), before)

    def test_of_another_input_only_what_changed_is_asked(self):
        self.job()
        was = {a["id"]: a["output"] for a in
               json_lines(self.read("out.jsonl"))}
        lines = items(100).splitlines(keepends=True)
        lines[40] = '{"id":"k40","text":"Close door number 40 please"}\n'
        lines.insert(20, '{"id":"new","text":"A new one"}\n')
        del lines[70]  # k69
        self.write("in.jsonl", "".join(lines))
        self.job("--on-change", "reuse")
        answers = json_lines(self.read("out.jsonl"))
        wanted = ids(100)
        wanted.insert(20, "new")
        wanted.remove("k69")
        self.assert_answered_in_order(answers, wanted)
        self.assertEqual(self.summary()["items_known_before"], 98)
        for answer in answers:
            if answer["id"] in ("new", "k40"):
                self.assertNotEqual(answer["output"],
                                    was.get(answer["id"]))
            else:
                self.assertEqual(answer["output"], was[answer["id"]])

    def test_more_calls_at_once_are_no_change(self):
        self.interrupted(number=signal.SIGKILL)
        self.job("--workers", "9", "--batch-size", "20")
        self.assert_complete()

    def pipe(self, text, *args, status=0):
        return self.run_job(*TRANSLATE, *QUICK, "-o", "out.jsonl", *args,
                            "--summary", "s.json", stdin=text.encode(),
                            status=status)

    def test_a_pipe_is_compared_row_by_row(self):
        self.pipe(items(50))
        before = self.read("out.jsonl")
        self.pipe(items(50))
        self.assertEqual(self.summary()["calls"], 0)
        self.assertEqual(self.read("out.jsonl"), before)
        self.pipe(items(60))  # the same and more
        self.assertEqual(self.summary()["items_known_before"], 50)
        self.assert_complete(count=60)
        done = self.pipe(items(60).replace("number 7 ", "number 8 "), status=2)
        self.assertIn("row 8 of the input", done.err)
        done = self.pipe(items(30), status=2)
        self.assertIn("fewer rows", done.err)

    # ---- more answers than memory

    def many_before_the_first(self, name, text, *args):
        """The first row is answered last, after five times the memory."""
        self.write(name, text)
        others = threading.Semaphore(0)
        starved = []

        def script(call):
            if "First" in call.items[0]["text"]:
                starved.extend(not others.acquire(timeout=20)
                               for _ in range(400) if not any(starved))
            call.good()
            others.release()

        server = BadServer(script)
        self.addCleanup(server.close)
        self.run_job(*TRANSLATE, "-i", name, "-o", "o" + name[2:],
                     "--base-url", server.url, "-m", "m", "--batch-size", "1",
                     "--workers", "4", "--max-memory", "256KiB",
                     "--call-timeout", "50s", "--first-byte-timeout", "50s",
                     "--max-item-bytes", "64KiB", "--stream", "off", *args)
        self.assertEqual(server.problems, [])
        self.assertFalse(any(starved), "the rest did not go on")

    @staticmethod
    def long_text(i):
        return ("First" if i == 0 else f"Line {i}") + " of the story. " * 200

    def test_answers_beyond_memory_wait_in_the_journal(self):
        self.many_before_the_first("in.jsonl", "".join(
            json.dumps({"id": i, "text": self.long_text(i)}) + "\n"
            for i in range(401)))
        answers = json_lines(self.read("o.jsonl"))
        self.assertEqual([a["seq"] for a in answers], list(range(401)))
        for i, answer in enumerate(answers):
            self.assertEqual(answer["output"], "Fr " + self.long_text(i))
            self.assertEqual(answer["id"], i)

    def test_columns_of_answers_beyond_memory_are_kept(self):
        rows = "".join(f'k{i},"note, {i}",{self.long_text(i)}\n'
                       for i in range(401))
        self.many_before_the_first("in.csv", "id,note,text\n" + rows,
                                   "--max-memory", "2MiB")
        found = csv_rows(self.read("o.csv"))
        self.assertEqual([row["id"] for row in found],
                         [f"k{i}" for i in range(401)])
        for i, row in enumerate(found):
            self.assertEqual(row["note"], f"note, {i}")
            self.assertEqual(row["target_text"], "Fr " + self.long_text(i))

    def test_what_an_earlier_run_asked_is_a_duplicate_now(self):
        texts = items(50)
        again = texts.replace('"k', '"again')
        for order in ("input", "completion"):
            for name in ("out.jsonl", "out.jsonl.journal"):
                if os.path.exists(self.path(name)):
                    os.remove(self.path(name))
            self.pipe(texts, "--order", order)
            self.pipe(texts + again, "--order", order)
            total = self.summary()
            self.assertEqual((total["calls"], total["items_known_before"],
                              total["items_duplicate"]), (0, 50, 50))
        answers = json_lines(self.read("out.jsonl"))
        self.assertEqual(len(answers), 100)

    # ---- doubt

    def in_doubt(self, *args):
        """Killed while two calls of two rows were with the provider."""
        self.interrupted("--sim-latency", "base=300ms,sigma=0",
                         number=signal.SIGKILL, rows=4)
        return self.job(*args, status=1 if "fail" in args else 0)

    def test_calls_in_doubt_are_counted_and_asked_again(self):
        self.in_doubt()
        self.assert_complete()
        self.assertGreater(self.summary()["maybe_paid_twice_usd"], 0)

    def test_calls_in_doubt_fail_where_that_is_the_policy(self):
        self.in_doubt("--in-doubt", "fail")
        answers = json_lines(self.read("out.jsonl"))
        doubtful = [a for a in answers if a["status"] == "failed"]
        self.assertIn(len(doubtful), (2, 4))
        self.assertEqual({a["error"]["code"] for a in doubtful}, {"in_doubt"})
        self.assertEqual(self.summary()["maybe_paid_twice_usd"], 0)
        self.job("--in-doubt", "fail", status=1)  # stays so
        self.assertEqual(self.summary()["calls"], 0)
        self.job()
        self.assert_complete()
        self.assertEqual(self.summary()["items_known_before"],
                         100 - len(doubtful))

    def test_doubt_is_asked_about_where_that_is_the_policy(self):
        self.interrupted("--sim-latency", "base=300ms,sigma=0",
                         number=signal.SIGKILL, rows=4)
        before = self.read("out.jsonl")
        done = self.job("--in-doubt", "ask", status=2)
        self.assertRegex(done.err, r"[12] calls with [24] items")
        self.assertIn("--in-doubt retry", done.err)
        self.assertEqual(self.read("out.jsonl"), before)
        self.job()
        self.assert_complete()
        self.job("--in-doubt", "ask")  # nothing is in doubt any more

    def test_what_a_cut_off_reply_had_answered_is_not_asked_again(self):
        """Killed in the middle of one long reply."""
        sim = self.simulator("--latency",
                             "base=20ms,per_output_token=2ms,sigma=0")
        args = ["-i", "in.jsonl", "-o", "out.jsonl", "--base-url",
                sim.url + "/v1", "-m", "sim-1", "--batch-size", "100",
                "--workers", "1", "--stream", "on"]
        process = self.start("run", *TRANSLATE, *args, "--progress", "none")
        self.wait_until(lambda: Killing.count(self.path("out.jsonl"),
                                              "part") >= 10, process)
        process.kill()
        process.wait()
        parts = Killing.count(self.path("out.jsonl"), "part")
        self.assertEqual(self.read("out.jsonl"), "")
        self.run_job(*TRANSLATE, *args, "--summary", "s.json")
        self.assert_complete()
        self.assertEqual(self.summary()["items_known_before"], parts)
        self.assertEqual(sim.stats()["items"], 100 + 100 - parts)
        self.assertGreater(self.summary()["maybe_paid_twice_usd"], 0)

    # ---- the file

    def test_a_second_process_is_refused(self):
        process = self.begun("--sim-latency", "base=300ms,sigma=0", rows=4)
        done = self.job(status=2)
        self.assertIn("another run is at work", done.err)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), 130)
        self.job()
        self.assert_complete()

    def test_a_journal_is_private_and_holds_no_key_and_no_input(self):
        self.write("in.jsonl", '{"id":"a","text":"Ultramarine"}\n')
        self.write("key", "sk-very-secret-key\n")
        self.job("--api-key", "file:key")
        path = self.path("out.jsonl.journal")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, "rb") as f:
            content = f.read()
        self.assertNotIn(b"very-secret", content)
        self.assertNotIn(b"Ultramarine", content)
        check = sqlite3.connect(path)
        self.assertEqual(check.execute("PRAGMA integrity_check").fetchone(),
                         ("ok",))
        check.close()

    def test_another_file_is_not_taken_for_a_journal(self):
        self.write("notes.txt", "my notes, a line or two of them\n" * 100)
        done = self.job("--journal", "notes.txt", status=2)
        self.assertIn("no journal", done.err)
        self.assertIn("my notes", self.read("notes.txt"))
        other = sqlite3.connect(self.path("mine.db"))
        other.execute("CREATE TABLE mine (x)")
        other.commit()
        other.close()
        self.assertIn("no journal", self.job("--journal", "mine.db",
                                             status=2).err)

    def test_a_place_where_none_can_be_made_is_explained(self):
        done = self.job("--journal", "no/such/folder/j", status=2)
        self.assertIn("--no-journal", done.err)
        self.assertFalse(os.path.exists(self.path("out.jsonl")))

    def test_a_full_disk_under_the_journal_ends_in_good_order(self):
        disk = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, disk, True)
        if os.system(f"mount -t tmpfs -o size=96k none {disk} 2>/dev/null"):
            self.skipTest("only root can make a small disk")
        self.addCleanup(os.system, f"umount -l {disk}")
        self.write("in.jsonl", items(2000))
        journal = os.path.join(disk, "j")
        done = self.job("--journal", journal, status=130)
        self.assertIn("full", done.err)
        part = json_lines(self.read("out.jsonl"))
        self.assert_answered_in_order(part, ids(len(part)))
        self.assertEqual(os.system(f"mount -o remount,size=64m {disk}"), 0)
        self.job("--journal", journal)
        self.assert_complete(count=2000)

    def test_a_table_goes_on_under_its_one_header(self):
        self.write("in.csv", "id,text\n" + "".join(
            f"k{i},Open door {i}\n" for i in range(60)))
        sim = self.simulator("--latency", "base=20ms,sigma=0")
        args = ["-i", "in.csv", "-o", "out.csv", "--base-url",
                sim.url + "/v1", "-m", "sim-1", "--batch-size", "2"]
        process = self.start("run", *TRANSLATE, *args, "--workers", "2")
        self.wait_until(lambda: self.lines("out.csv") >= 5, process)
        process.kill()
        process.wait()
        self.run_job(*TRANSLATE, *args)
        rows = csv_rows(self.read("out.csv"))
        self.assertEqual([row["id"] for row in rows], ids(60))
        self.assertEqual({row["asb_status"] for row in rows}, {"ok"})
