"""Whole jobs on the embedded simulator."""

import json
import os
import unicodedata

from support import (Case, QUICK, TRANSLATE, csv_rows, ids, items,
                     json_lines, strings_csv)

METRICS = {"timestamp", "elapsed_seconds", "total_texts", "processed_texts",
           "failed_texts", "total_tokens", "texts_per_sec", "tokens_per_sec",
           "avg_latency_ms", "batch_count", "failed_batch_count",
           "eta_seconds", "in_flight", "concurrency_limit", "rate_limited",
           "cost_usd", "saved_usd", "cache_hits"}
SUMMARY = {"items_total", "items_ok", "items_failed", "items_cached",
           "items_duplicate", "items_near", "calls", "calls_failed",
           "calls_429", "retried_items", "input_tokens", "output_tokens",
           "cost_usd", "saved_usd", "maybe_paid_twice_usd",
           "elapsed_seconds", "items_per_sec", "batch_items_mean",
           "concurrency_max", "exit_status"}


class Run(Case):

    def test_a_pipe_of_json_lines_is_answered_in_order(self):
        done = self.run_job(*TRANSLATE, *QUICK, stdin=items(120).encode())
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(120))
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        self.assertEqual({a["source"] for a in answers}, {"api"})
        self.assertIn("number 17", self.plain(answers[17]["output"]))

    @staticmethod
    def plain(text):
        """The simulator's accents taken off."""
        return "".join(c for c in unicodedata.normalize("NFD", text)
                       if not unicodedata.combining(c))

    def test_the_simulator_reads_every_script(self):
        self.write("in.jsonl", "".join(
            json.dumps({"text": text}) + "\n" for text in
            ("Открыть дверь", "Άνοιξε την πόρτα", "افتح الباب", "打开门",
             "दरवाज़ा खोलो", "เปิดประตู")))
        for source in ([], ["--source-lang", "ru"]):
            self.run_job("-i", "in.jsonl", "--task", "translate", *source,
                         "--target-lang", "en", *QUICK)

    def test_a_deadline_may_be_a_time(self):
        rows = [{"text": f"Open door {when}", "deadline": when} for when in
                ("2099-01-31T18:00:00Z", "9999-12-31T23:59:59.999999",
                 "2001-01-31T18:00:00+01:00", "1h")]
        self.write("in.jsonl",
                   "".join(json.dumps(row) + "\n" for row in rows))
        done = self.run_job(*TRANSLATE, *QUICK, "-i", "in.jsonl", status=1)
        answers = json_lines(done.out)
        self.assertEqual([a["status"] for a in answers],
                         ["ok", "ok", "failed", "ok"])
        self.assertEqual((answers[2]["error"]["code"], answers[2]["attempts"]),
                         ("deadline_exceeded", 0))

    def test_every_answer_says_what_it_cost(self):
        done = self.run_job(*TRANSLATE, *QUICK, "--summary", "s.json",
                            stdin=items(60).encode())
        answers = json_lines(done.out)
        total = self.summary()
        for answer in answers:
            self.assertGreaterEqual(answer["attempts"], 1)
            self.assertGreater(answer["usage"]["input_tokens"], 0)
            self.assertGreater(answer["usage"]["output_tokens"], 0)
        for side in ("input_tokens", "output_tokens"):
            self.assertEqual(sum(a["usage"][side] for a in answers),
                             total[side])
        self.assertAlmostEqual(sum(a["cost_usd"] for a in answers),
                               total["cost_usd"], delta=60e-9)

    def test_a_table_keeps_its_columns_and_rows(self):
        self.write("in.csv", strings_csv(70))
        self.run_job("-i", "in.csv", "-o", "out.csv", "--task", "translate",
                     "--source-lang", "zh", "--target-lang", "ru", *QUICK)
        before = csv_rows(self.read("in.csv"))
        after = csv_rows(self.read("out.csv"))
        self.assertEqual(list(after[0]),
                         list(before[0]) + ["target_text", "asb_status",
                                            "asb_error"])
        for was, now in zip(before, after, strict=True):
            self.assertEqual({k: now[k] for k in was}, was)
            self.assertEqual((now["asb_status"], now["asb_error"]),
                             ("ok", ""))
            self.assertIn(f"⟦PH_{was['string_id'][3:]}⟧", now["target_text"])

    def test_a_file_to_standard_output_and_back(self):
        self.write("in.jsonl", items(30))
        done = self.run_job(*TRANSLATE, *QUICK, "-i", "in.jsonl", "-o", "-")
        self.assert_answered_in_order(json_lines(done.out), ids(30))
        done = self.run_job(*TRANSLATE, *QUICK, "-i", "-", "-o", "out.jsonl",
                            stdin=items(30).encode())
        self.assertEqual(done.out, "")
        self.assert_answered_in_order(json_lines(self.read("out.jsonl")),
                                      ids(30))

    def test_standard_input_may_be_a_file(self):
        with open(self.write("in.jsonl", items(3000)), "rb") as f:
            process = self.start("run", *TRANSLATE, *QUICK, stdin=f)
            out, err = process.communicate(timeout=40)
        self.assertEqual(process.returncode, 0, err)
        self.assert_answered_in_order(json_lines(out.decode()), ids(3000))

    def test_one_format_becomes_another(self):
        self.write("in.csv", "id,text\na,One door\nb,Two doors\n")
        done = self.run_job(*TRANSLATE, *QUICK, "-i", "in.csv")
        self.assert_answered_in_order(json_lines(done.out), ["a", "b"])
        done = self.run_job(*TRANSLATE, *QUICK, "--output-format", "csv",
                            stdin=items(2).encode())
        rows = csv_rows(done.out)
        self.assertEqual([row["asb_status"] for row in rows], ["ok", "ok"])

    def test_any_end_of_line_and_a_mark_are_read(self):
        self.write("in.csv", b"\xef\xbb\xbfid,text\r\n1,\"Two\nlines\"\r\n"
                             b"2,Last one")
        self.run_job(*TRANSLATE, *QUICK, "-i", "in.csv", "-o", "out.csv")
        rows = csv_rows(self.read("out.csv").lstrip("\ufeff"))
        self.assertEqual([row["text"] for row in rows],
                         ["Two\nlines", "Last one"])
        self.assertEqual([row["asb_status"] for row in rows], ["ok", "ok"])

    def test_an_empty_input_is_a_finished_job(self):
        done = self.run_job(*TRANSLATE, *QUICK, "--summary", "s.json")
        self.assertEqual(done.out, "")
        self.assertIn("the input has no items", done.err)
        summary = self.summary()
        self.assertEqual((summary["items_total"], summary["calls"]), (0, 0))

    def test_completion_order_has_the_same_answers(self):
        done = self.run_job(*TRANSLATE, "--order", "completion", "--workers",
                            "8", "--batch-size", "3", "--sim-latency",
                            "base=20ms,sigma=0.8", stdin=items(90).encode())
        answers = json_lines(done.out)
        self.assertEqual(sorted(a["seq"] for a in answers), list(range(90)))
        self.assertEqual({a["id"]: a["seq"] for a in answers},
                         {name: i for i, name in enumerate(ids(90))})

    def test_a_fixed_batch_size_is_kept(self):
        self.run_job(*TRANSLATE, *QUICK, "--batch_size", "7", "--summary",
                     "s.json", stdin=items(70).encode())
        summary = self.summary()
        self.assertEqual(summary["calls"], 10)
        self.assertEqual(summary["batch_items_mean"], 7)

    def test_workers_bound_the_calls_in_flight(self):
        self.run_job(*TRANSLATE, "--workers", "3", "--batch-size", "2",
                     "--sim-latency", "base=10ms", "--summary", "s.json",
                     stdin=items(60).encode())
        self.assertEqual(self.summary()["concurrency_max"],
                         3)

    def test_items_that_are_left_out_are_asked_for_again(self):
        done = self.run_job(*TRANSLATE, *QUICK, "--sim-drop-item-rate", "0.2",
                            "--batch-size", "10", "--max-attempts", "20",
                            "--summary", "s.json", stdin=items(80).encode())
        self.assert_answered_in_order(json_lines(done.out), ids(80))
        summary = self.summary()
        self.assertGreater(summary["retried_items"], 0)
        self.assertEqual(summary["items_ok"], 80)

    def test_some_failed_items_exit_1(self):
        done = self.run_job(*TRANSLATE, *QUICK, "--sim-drop-item-rate", "0.5",
                            "--batch-size", "10", "--max-attempts", "1",
                            "--summary", "s.json", status=1,
                            stdin=items(80).encode())
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(80))
        failed = [a for a in answers if a["status"] == "failed"]
        summary = self.summary()
        self.assertEqual(summary["items_failed"], len(failed))
        self.assertEqual(summary["exit_status"], 1)
        self.assertTrue(0 < len(failed) < 80)

    def test_faults_of_every_kind_lose_nothing(self):
        done = self.command(
            "run", *TRANSLATE, "--seed", "3", "--workers", "8",
            "--batch-size", "8", "--sim-latency", "base=2ms",
            "--sim-error-rate", "0.1", "--sim-drop-item-rate", "0.05",
            "--sim-truncate-rate", "0.05", "--sim-garbage-rate", "0.05",
            "--sim-disconnect-rate", "0.05", stdin=items(200).encode())
        self.assertIn(done.returncode, (0, 1), done.err)
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(200))
        self.assertEqual(done.returncode,
                         int(any(a["status"] == "failed" for a in answers)))

    def test_a_rate_limit_is_kept_and_costs_no_items(self):
        done = self.run_job(*TRANSLATE, *QUICK, "--sim-rpm", "600",
                            "--batch-size", "1", "--summary", "s.json",
                            stdin=items(80).encode())
        self.assert_answered_in_order(json_lines(done.out), ids(80))
        total = self.summary()
        self.assertEqual((total["items_ok"], total["calls_429"]), (80, 0))
        self.assertGreater(total["elapsed_seconds"], 1)

    def test_a_bad_line_fails_alone_with_its_number(self):
        lines = items(5).splitlines()
        lines[2] = '{"id":"k2","text":'
        done = self.run_job(*TRANSLATE, *QUICK, status=1,
                            stdin=("\n".join(lines) + "\n").encode())
        answers = json_lines(done.out)
        self.assertEqual([a["status"] for a in answers],
                         ["ok", "ok", "failed", "ok", "ok"])
        self.assertIn("3", answers[2]["error"]["message"])

    def test_a_body_for_nobody_fails_alone(self):
        def lines(*urls):
            return "".join(json.dumps({
                "custom_id": f"k{i}", "method": "POST", "url": url,
                "body": {"model": "m", "messages": [
                    {"role": "user", "content": f"Door {i}"}]}}) + "\n"
                for i, url in enumerate(urls)).encode()

        good, bad = "/v1/chat/completions", "/v1/nowhere"
        done = self.run_job(*QUICK, status=1,
                            stdin=lines(bad, *[good] * 40))
        self.assertEqual([a["response"]["status_code"]
                          for a in json_lines(done.out)], [404] + [200] * 40)
        # All of them: then it is the address that is wrong.
        done = self.run_job(*QUICK, "--summary", "s.json", status=4,
                            stdin=lines(*[bad] * 200))
        self.assertLess(self.summary()["calls"], 60)

    def test_bytes_that_are_no_text_fail_alone(self):
        data = items(3).encode().replace(b"number 1", b"number \xff\xfe")
        done = self.run_job(*TRANSLATE, *QUICK, status=1, stdin=data)
        self.assertEqual([a["status"] for a in json_lines(done.out)],
                         ["ok", "failed", "ok"])

    def test_a_line_without_text_is_not_paid_for(self):
        self.write("in.jsonl", '{"id":"a"}\n{"id":"b","text":" "}\n')
        for task in ("translate", "prompt", "raw"):
            done = self.run_job("-i", "in.jsonl", "--task", task, *QUICK,
                                "--target-lang", "ru", "--summary", "s.json",
                                status=1)
            for line, answer in enumerate(json_lines(done.out), 1):
                self.assertEqual(answer["error"]["code"], "no_text")
                self.assertIn(f"line {line}:", answer["error"]["message"])
            self.assertEqual(self.summary()["calls"], 0)

    def test_a_template_needs_no_text(self):
        self.write("in.jsonl", '{"id":"a","name":"Bo"}\n')
        self.write("task.txt", "Say {{name}}.\n")
        done = self.run_job("-i", "in.jsonl", "--task", "prompt", *QUICK,
                            "--instructions", "task.txt")
        self.assertEqual(self.plain(json_lines(done.out)[0]["output"]),
                         "Say Bo.")

    def test_strict_sends_nothing_for_a_bad_line(self):
        self.write("in.jsonl", items(5) + "not json\n")
        done = self.run_job(*TRANSLATE, *QUICK, "--strict", "-i", "in.jsonl",
                            "--summary", "s.json", status=2)
        self.assertEqual(done.out, "")
        self.assertIn("line 6", done.err)
        self.assertIn("nothing was sent", done.err)
        self.assertFalse(os.path.exists(self.path("s.json")))

    def test_strict_is_content_with_good_lines(self):
        self.write("in.jsonl", items(5))
        done = self.run_job(*TRANSLATE, *QUICK, "--strict", "-i", "in.jsonl")
        self.assert_answered_in_order(json_lines(done.out), ids(5))

    def test_fail_fast_stops_at_the_first_failure(self):
        done = self.run_job(*TRANSLATE, *QUICK, "--fail-fast", "--workers",
                            "1", "--batch-size", "2", "--max-attempts", "1",
                            "--sim-drop-item-rate", "1", "--summary",
                            "s.json", status=1, stdin=items(200).encode())
        self.assertLess(self.summary()["calls"], 20)
        self.assert_explained(json_lines(done.out))

    def test_an_end_of_all_is_no_first_failure(self):
        for status, args in ((3, ["--budget", "0.000001"]),
                             (4, ["-p", "openai", "-m", "gpt-4.1-mini",
                                  "--base-url", "http://127.0.0.1:9/v1"])):
            done = self.run_job(*TRANSLATE, *QUICK, "--fail-fast", *args,
                                status=status, stdin=items(50).encode(),
                                env={"OPENAI_API_KEY": "k"})
            self.assertNotIn("--fail-fast", done.err)

    def test_a_repeated_id_names_both_lines(self):
        data = items(4) + '{"id":"k1","text":"Once more"}\n'
        done = self.run_job(*TRANSLATE, *QUICK, status=1, stdin=data.encode())
        *others, again = json_lines(done.out)
        self.assertEqual([a["status"] for a in others], ["ok"] * 4)
        self.assertEqual(again["error"]["code"], "repeated_id")
        self.assertRegex(again["error"]["message"], r"^line 5: .* line 2 ")

    def test_a_budget_stops_the_job(self):
        done = self.run_job(*TRANSLATE, *QUICK, "--budget", "0.000001",
                            "--summary", "s.json", status=3,
                            stdin=items(50).encode())
        summary = self.summary()
        self.assertLessEqual(summary["cost_usd"], 0.000001)
        self.assertEqual(summary["exit_status"], 3)
        # Nothing is spent: it says what is wanted for the first call.
        self.assertRegex(done.err.splitlines()[-1],
                         r"budget of \$0\.000001 has \$0\.000001 left, and "
                         r"the next call may cost \$0\.00\d+; raise")

    def test_a_provider_that_is_not_there_exits_4(self):
        done = self.run_job(*TRANSLATE, "--provider", "openai", "--model",
                            "gpt-4.1-mini", "--base-url",
                            "http://127.0.0.1:1/v1", "--summary", "s.json",
                            status=4, stdin=items(5).encode(),
                            env={"OPENAI_API_KEY": "sk-test"})
        self.assertIn("127.0.0.1", done.err.splitlines()[-1])
        self.assertNotIn("sk-test", done.out + done.err)
        self.assertEqual(self.summary()["items_ok"], 0)

    def test_a_missing_key_sends_nothing(self):
        done = self.run_job(*TRANSLATE, "--provider", "openai", "--model",
                            "gpt-4.1-mini", status=4, stdin=items(2).encode())
        self.assertEqual(done.out, "")
        self.assertIn("OPENAI_API_KEY", done.err)

    def test_the_metrics_file_has_every_field(self):
        self.run_job(*TRANSLATE, "--metrics", "m.jsonl", "--metrics-interval",
                     "50ms", "--workers", "1", "--batch-size", "5",
                     "--sim-latency", "base=50ms", stdin=items(40).encode())
        lines = json_lines(self.read("m.jsonl"))
        self.assertGreater(len(lines), 2)
        for line in lines:
            self.assertEqual(METRICS - set(line), set())
        last = lines[-1]
        self.assertEqual((last["processed_texts"], last["failed_texts"]),
                         (40, 0))
        self.assertEqual(last["total_texts"], 40)
        self.assertEqual(last["in_flight"], 0)
        self.assertEqual(last["batch_count"], 8)
        elapsed = [line["elapsed_seconds"] for line in lines]
        self.assertEqual(elapsed, sorted(elapsed))

    def test_the_summary_file_has_every_field(self):
        done = self.run_job(*TRANSLATE, *QUICK, "--summary", "s.json",
                            stdin=items(25).encode())
        summary = self.summary()
        self.assertEqual(SUMMARY - set(summary), set())
        self.assertEqual((summary["items_total"], summary["items_ok"],
                          summary["items_failed"], summary["exit_status"]),
                         (25, 25, 0, 0))
        self.assertEqual(len(done.out.splitlines()), 25)

    def test_a_refused_run_leaves_all_as_it_was(self):
        self.write("in.jsonl", items(3))
        self.write("out.jsonl", "of before\n")
        args = [*TRANSLATE, *QUICK, "-i", "in.jsonl", "-o", "out.jsonl"]
        for option in ("metrics", "summary"):
            done = self.run_job(*args, f"--{option}", "in.jsonl/x",
                                status=2)
            self.assertIn(f"{option} in.jsonl/x: cannot be written", done.err)
        for output in ("nowhere/out.jsonl", "./in.jsonl", "."):
            done = self.run_job(*args, "-o", output, status=2)
            self.assertIn(f"output {output}: ", done.err)
        for option in ("metrics", "summary"):
            for path in (self.path("in.jsonl"), "./out.jsonl"):
                done = self.run_job(*args, f"--{option}", path, status=2)
                self.assertIn("is the same file as", done.err)
        for option in ("metrics", "summary", "state"):
            done = self.run_job(*args, f"--{option}", "./out.jsonl.journal",
                                status=2)
            self.assertIn("is the same file as", done.err)
        self.write("asyncbatch.yaml", "batch_size: 7\n")
        done = self.run_job(*args, "--summary", "./asyncbatch.yaml", status=2)
        self.assertIn("is the same file as config asyncbatch.yaml", done.err)
        self.assertEqual(self.read("asyncbatch.yaml"), "batch_size: 7\n")
        os.unlink(self.path("asyncbatch.yaml"))
        done = self.run_job(*args, "--metrics", "new", "--summary", "./new",
                            status=2)
        self.assertIn("metrics new: is the same file as summary", done.err)
        with open(self.path("in.jsonl"), "rb") as stdin:
            process = self.start("run", *TRANSLATE, "-o", "in.jsonl",
                                 stdin=stdin)
            _, err = process.communicate(timeout=20)
        self.assertIn(b"is the same file as the input", err)
        self.assertEqual(self.read("in.jsonl"), items(3))
        self.assertEqual(self.read("out.jsonl"), "of before\n")
        self.assertEqual(sorted(os.listdir(self.dir)),
                         ["in.jsonl", "out.jsonl"])

    def test_folders_of_reports_are_made(self):
        self.run_job(*TRANSLATE, *QUICK, "--metrics", "reports/today/m.jsonl",
                     "--summary", "./sums/s.json", stdin=items(3).encode())
        self.assertEqual(json.loads(self.read("sums/s.json"))["items_ok"], 3)
        self.assertEqual(
            json_lines(self.read("reports/today/m.jsonl"))[-1]
            ["processed_texts"], 3)

    def test_a_closed_output_ends_the_job_in_good_order(self):
        process = self.start("run", *TRANSLATE, "--batch-size", "5",
                             "--sim-latency", "base=5ms", "--summary",
                             "s.json")
        process.stdin.write(items(400).encode())
        process.stdin.close()
        process.stdin = None
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=40)
        self.assertGreaterEqual(process.returncode, 0, "ended by a signal")
        self.assertNotEqual(process.returncode, 0)
        self.assert_reason(err.decode())
        self.assertIn("exit_status", self.summary())

    def test_a_slow_input_is_answered_while_it_is_open(self):
        process = self.start("run", *TRANSLATE, *QUICK, "--batch-wait",
                             "20ms")
        for i in range(3):
            process.stdin.write(items(3).splitlines(True)[i].encode())
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            self.assertEqual((answer["id"], answer["status"]),
                             (f"k{i}", "ok"))
        out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (0, b""), err)

    def test_a_slow_reader_loses_nothing(self):
        self.write("in.jsonl", items(3000))
        process = self.start("run", *TRANSLATE, *QUICK, "-i", "in.jsonl",
                             "--max-memory", "64KiB", "--max-item-bytes",
                             "4KiB", "--progress", "none")
        lines = [process.stdout.readline()]
        while chunk := process.stdout.read(977):
            lines.append(chunk)
        process.wait(timeout=30)
        self.assertEqual(process.returncode, 0)
        answers = json_lines(b"".join(lines).decode())
        self.assert_answered_in_order(answers, ids(3000))

    def test_there_is_one_thread(self):
        process = self.start("run", *TRANSLATE, *QUICK)
        process.stdin.write(items(1).encode())
        process.stdin.flush()
        process.stdout.readline()
        self.assertEqual(os.listdir(f"/proc/{process.pid}/task"),
                         [str(process.pid)])
        process.communicate(timeout=20)
