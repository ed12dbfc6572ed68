"""The stream: msgpack in, msgpack out, for as long as the input is open."""

import io
import os
import resource
import select
import threading

from packed import Reader, pack
from support import Case, TRANSLATE, is_sanitized

STREAM = ["run", "--input-format", "msgpack", "--output-format", "msgpack",
          *TRANSLATE, "--progress", "none", "--sim-latency",
          "base=1ms,per_output_token=0ms,sigma=0", "--seed", "7"]
# Nothing but a flush, a full batch or the end closes a batch.
PATIENT = ["--batch-wait", "1h"]


def item(name, text="Open the door please"):
    return {"id": name, "text": f"{text} {name}"}


class Stream(Case):

    def open(self, *args):
        process = self.start(*STREAM, *args)
        self.answers = Reader(io.BufferedReader(process.stdout))
        return process

    @staticmethod
    def send(process, *values):
        data = b"".join(v if isinstance(v, bytes) else pack(v)
                        for v in values)
        while data:
            data = data[os.write(process.stdin.fileno(), data):]

    def close(self, process, status=0):
        """Ends the input; what was still owed."""
        process.stdin.close()
        rest = list(self.answers)
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=20), status, err)
        process.stdin = None
        return rest

    def test_a_slow_trickle_is_answered_while_the_input_is_open(self):
        process = self.open()
        for i in range(3):
            self.send(process, item(f"k{i}"))
            answer = self.answers.read()
            self.assertEqual((answer["id"], answer["seq"], answer["status"]),
                             (f"k{i}", i, "ok"))
            self.assertTrue(answer["output"])
        self.assertEqual(self.close(process), [])

    def test_flush_sends_what_waits_for_company(self):
        process = self.open(*PATIENT)
        self.send(process, item("a"), item("b"), {"op": "flush"})
        self.assertEqual([self.answers.read()["id"] for _ in range(2)],
                         ["a", "b"])
        self.send(process, item("c"))
        rest = self.close(process)
        self.assertEqual([a["id"] for a in rest], ["c"])

    def test_a_cancelled_item_is_answered_and_never_sent(self):
        process = self.open(*PATIENT, "--summary", "s.json")
        self.send(process, item("a"), item(7), item("c"),
                  {"op": "cancel", "id": 7}, {"op": "flush"})
        got = [self.answers.read() for _ in range(3)]
        self.assertEqual([a["id"] for a in got], ["a", 7, "c"])
        self.assertEqual([a["status"] for a in got], ["ok", "failed", "ok"])
        self.assertEqual(got[1]["error"]["code"], "cancelled")
        self.assertEqual(got[1]["attempts"], 0)
        self.assertEqual(got[1]["cost_usd"], 0)
        self.assertEqual(self.close(process, status=1), [])

    def test_a_cancel_that_comes_too_late_changes_nothing(self):
        process = self.open()
        self.send(process, item("a"))
        self.assertEqual(self.answers.read()["status"], "ok")
        self.send(process, {"op": "cancel", "id": "a"},
                  {"op": "cancel", "id": "never seen"}, item("b"))
        self.assertEqual(self.answers.read()["id"], "b")
        self.assertEqual(self.close(process), [])

    def test_stats_are_answered_at_once(self):
        process = self.open(*PATIENT)
        self.send(process, item("a"), {"op": "stats", "id": "now"})
        stats = self.answers.read()
        self.assertEqual((stats["op"], stats["id"]), ("stats", "now"))
        self.assertEqual(stats["total_texts"], 1)
        self.assertEqual(stats["processed_texts"], 0)
        self.send(process, {"op": "flush"})
        self.assertEqual(self.answers.read()["id"], "a")
        self.send(process, {"op": "stats"})
        stats = self.answers.read()
        self.assertNotIn("id", stats)
        self.assertEqual(stats["processed_texts"], 1)
        self.assertEqual(stats["batch_count"], 1)
        self.assertGreater(stats["total_tokens"], 0)
        self.assertGreater(stats["texts_per_sec"], 0)
        self.assertGreater(stats["tokens_per_sec"], 0)
        self.assertEqual(self.close(process), [])

    def test_who_goes_first_is_changed_while_it_runs(self):
        process = self.open(*PATIENT)
        self.send(process, {"op": "set", "id": 1, "option": "class_shares",
                            "value": "urgent=0.8,background=0.05"})
        self.assertEqual(self.answers.read(),
                         {"op": "set", "id": 1, "ok": True})
        for option, value in (("priority_weights", "speed=1"),
                              ("class_targets", "urgent=never"),
                              ("budget", "3"), ("no-such", "x")):
            self.send(process, {"op": "set", "option": option,
                                "value": value})
            answer = self.answers.read()
            self.assertEqual((answer["op"], answer["ok"]), ("set", False))
            self.assertTrue(answer["error"])
        self.send(process, item("a"), {"op": "flush"})
        self.assertEqual(self.answers.read()["id"], "a")
        self.assertEqual(self.close(process), [])

    def test_what_is_wrong_is_answered_and_the_stream_goes_on(self):
        process = self.open("--max-item-bytes", "4096")
        wrong = [
            (pack({"id": "big", "text": "x" * 100_000}), "too_large"),
            (pack([1, 2, 3]), "malformed"),
            (b"\xc1\xc1\xc1", "malformed"),  # no msgpack at all
            (pack({"id": "bytes", "text": b"\xff\xfe"}), "malformed"),
            (pack({"id": "empty", "text": " "}), "no_text"),
            (pack({"id": "what", "op": "dance"}), "invalid_field"),
            (pack({"op": "cancel"}), "invalid_field"),
            (pack({"op": "set", "option": "class_shares"}), "invalid_field"),
        ]
        for i, (data, code) in enumerate(wrong):
            self.send(process, data)
            self.assertEqual(self.answers.read()["error"]["code"], code, data)
            self.send(process, item(f"k{i}"))
            answer = self.answers.read()
            self.assertEqual((answer["id"], answer["status"]),
                             (f"k{i}", "ok"), data)
        self.assertEqual(self.close(process, status=1), [])

    def test_a_stream_that_breaks_off_says_so(self):
        process = self.open()
        self.send(process, item("a"), pack(item("b"))[:-3])
        rest = self.close(process, status=1)
        self.assertEqual([a["status"] for a in rest], ["ok", "failed"])
        self.assertEqual(rest[1]["error"]["code"], "malformed")

    def test_answers_may_come_as_they_are_ready(self):
        process = self.open(*PATIENT, "--order", "completion")
        self.send(process, item("a"), {"id": "b", "text": ""})
        self.assertEqual(self.answers.read()["id"], "b")
        self.assertEqual([a["id"] for a in self.close(process, status=1)],
                         ["a"])

    def stuff(self, process, data):
        """Writes until nothing more is taken; how many bytes were."""
        stdin = process.stdin.fileno()
        sent = 0
        os.set_blocking(stdin, False)
        while sent < len(data) and select.select([], [stdin], [], 1)[1]:
            try:
                sent += os.write(stdin, data[sent:sent + 8192])
            except BlockingIOError:
                pass
        os.set_blocking(stdin, True)
        return sent

    def test_who_does_not_read_is_not_read_from(self):
        """The pipes fill up, the rest waits in the client, memory stays."""
        total = 20_000
        process = self.open("--max-memory", "1MiB")
        data = b"".join(pack(item(i, "Open the door " * 20))
                        for i in range(total))
        sent = self.stuff(process, data)
        self.assertLess(sent, len(data), "all was taken, nothing read")
        writer = threading.Thread(target=self.send,
                                  args=(process, data[sent:]))
        writer.start()
        for i in range(total):
            answer = self.answers.read()
            self.assertEqual((answer["id"], answer["status"]), (i, "ok"))
        writer.join()
        self.assertEqual(self.close(process), [])
        if not is_sanitized():
            most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            self.assertLess(most, 48 * 1024)
