"""SIGINT and SIGTERM, once and twice."""

import signal

from support import Case, TRANSLATE, ids, items, json_lines


class Signals(Case):

    def begin(self, *args):
        """A job that has answered something and has much left to do."""
        self.write("in.jsonl", items(2000))
        process = self.start("run", *TRANSLATE, "-i", "in.jsonl",
                             "--workers", "2", "--batch-size", "2",
                             "--summary", "s.json", *args)
        first = process.stdout.readline()
        return process, first

    def interrupted_once(self, number, *args):
        process, first = self.begin("--sim-latency", "base=100ms,sigma=0",
                                    *args)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        err = err.decode()
        self.assertEqual(process.returncode, 130, err)
        self.assert_reason(err)
        self.assertIn("again to exit now", err)
        # Without a journal the same command would pay for all again.
        self.assertIn("--journal FILE", err.splitlines()[-1])
        answers = json_lines((first + out).decode())
        self.assert_explained(answers)
        ok = [a["id"] for a in answers if a["status"] == "ok"]
        self.assertEqual(ok, ids(len(ok)))
        summary = self.summary()
        self.assertEqual(summary["exit_status"], 130)
        self.assertEqual(summary["items_ok"], len(ok))
        self.assertLess(len(ok), 2000)
        # What was paid for is delivered: whole calls of two.
        self.assertEqual(len(ok), 2 * (summary["calls"] -
                                       summary["calls_failed"]))

    def test_one_sigint_finishes_what_is_paid_for(self):
        self.interrupted_once(signal.SIGINT)

    def test_one_sigterm_finishes_what_is_paid_for(self):
        self.interrupted_once(signal.SIGTERM)

    def test_what_is_interrupted_is_no_first_failure(self):
        self.interrupted_once(signal.SIGINT, "--fail-fast")

    def test_two_signals_exit_at_once(self):
        process, _ = self.begin("--sim-latency", "base=500ms,sigma=0")
        process.send_signal(signal.SIGINT)
        while b"again to exit now" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assert_reason(err.decode())
        self.assertIn("--journal FILE", err.decode().splitlines()[-1])

    def test_a_signal_before_any_input_ends_the_job(self):
        process = self.start("run", *TRANSLATE, "--progress", "json")
        process.stderr.readline()  # the loop is running
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=20), 130)

    def test_a_sighup_reads_the_weights_again(self):
        self.write("asyncbatch.yaml", "class_shares: urgent=0.5\n"
                   "priority_weights: urgency=1\n")
        process, _ = self.begin("--sim-latency", "base=100ms,sigma=0",
                                "--priority-weights", "urgency=0.6")

        def hang_up_with(text):
            self.write("asyncbatch.yaml", text)
            process.send_signal(signal.SIGHUP)
            lines = [process.stderr.readline().decode()]
            while "class_targets" not in lines[-1] and \
                    "nothing" not in lines[-1]:
                lines.append(process.stderr.readline().decode())
            return "".join(line for line in lines if "read again" in line)

        told = hang_up_with("class_shares: urgent=0.3,normal=0.3,"
                            "background=0.4\npriority_weights: wait=1\n")
        self.assertIn("class_shares urgent=0.3,normal=0.3,background=0.4", told)
        self.assertNotIn("priority_weights", told)  # the command line's stay
        self.assertIn("nothing is changed", hang_up_with("class_shares: {\n"))
        told = hang_up_with("class_shares: slow=1\n")
        self.assertIn("class_shares", told)
        self.assertIn("slow", told)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err.decode())
