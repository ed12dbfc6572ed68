"""What is shown while a job runs."""

import fcntl
import json
import os
import pty
import re
import struct
import termios

from support import Case, QUICK, TRANSLATE, items


class Progress(Case):

    def job(self, *args, status=0):
        return self.run_job(*TRANSLATE, "--workers", "1", "--batch-size", "5",
                            "--sim-latency", "base=60ms,sigma=0", *args,
                            status=status, stdin=items(150).encode())

    def on_terminal(self, columns, **env):
        """What a terminal of this width was sent by a job."""
        self.write("in.jsonl", items(150))
        return self.sent(columns, "stderr", "run", *TRANSLATE, "-i",
                         "in.jsonl", "-o", "out.jsonl", "--workers", "1",
                         "--batch-size", "5", "--sim-latency",
                         "base=40ms,sigma=0", "--no-journal",
                         env={"TERM": "xterm", **env})

    def sent(self, columns, stream, *args, **how):
        try:
            parent, child = pty.openpty()
        except OSError as error:
            self.skipTest(str(error))  # a bare root without /dev/pts
        fcntl.ioctl(child, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        process = self.start(*args, **{stream: child}, **how)
        os.close(child)
        sent = b""
        try:
            while chunk := os.read(parent, 4096):
                sent += chunk
        except OSError:
            pass  # how a terminal says that its last writer is gone
        os.close(parent)
        self.assertEqual(process.wait(timeout=20), 0)
        return sent.decode()

    def test_a_terminal_gets_a_bar_that_fits(self):
        for columns in (40, 80, 132):
            sent = self.on_terminal(columns)
            draws = re.findall(r"\r([^\r\n]*)\x1b\[K", sent)
            self.assertGreater(len(draws), 2)
            for draw in draws:
                self.assertLess(len(draw), columns)
            self.assertIn("100%", draws[-1])
            self.assertIn("150/150", draws[-1])

    def test_help_fits_the_terminal(self):
        for columns in (36, 50, 72, 100):
            text = self.sent(columns, "stdout", "help", "sim")
            lines = text.replace("\r", "").split("\n")
            long = [line for line in lines if len(line) > columns]
            # But for examples, and names that are longer.
            self.assertEqual([line for line in long if line.strip().count(" ")
                              > 1 and "asyncbatch sim" not in line], [])
            self.assertIn("--capacity N", text)

    def test_a_terminal_without_unicode_gets_ascii(self):
        sent = self.on_terminal(100, LC_ALL="C")
        self.assertTrue(sent.isascii())
        self.assertIn("#", sent)

    def test_a_terminal_with_unicode_gets_blocks(self):
        self.assertIn("█", self.on_terminal(100, LC_ALL="C.UTF-8"))

    def test_a_file_gets_no_control_characters(self):
        err = self.job().err
        self.assertNotIn("\r", err)
        self.assertNotIn("\x1b", err)

    def test_the_summary_stands_above_the_reason(self):
        lines = self.job().err.rstrip("\n").split("\n")
        self.assertEqual([line.split()[0] for line in lines[-6:-1]],
                         ["items", "calls", "tokens", "cost", "time"])
        self.assertIn("150 ok, 0 failed", lines[-6])
        self.assertTrue(lines[-1].startswith("asyncbatch: "))

    def test_json_is_one_object_a_line(self):
        lines = self.job("--progress", "json").err.splitlines()
        objects = [json.loads(line) for line in lines[:-1]]
        self.assertGreater(len(objects), 1)
        self.assertEqual(objects[-1]["processed_texts"], 150)
        self.assertEqual(objects[-1]["total_texts"], 150)

    def test_who_names_no_provider_is_told_who_answers(self):
        told = "no provider is named"
        self.assertIn(told, self.job().err.splitlines()[0])
        self.assertNotIn(told, self.job("-p", "sim").err)
        self.assertNotIn(told, self.job("--log-level", "error").err)
        served = self.simulator()
        self.assertNotIn(told, self.job("--base-url", served.url + "/v1").err)

    def test_none_says_only_the_reason(self):
        err = self.job("--progress", "none").err
        self.assertEqual(len(err.splitlines()), 1)

    def test_a_closed_standard_error_is_no_reason_to_fail(self):
        read, write = os.pipe()
        os.close(read)
        process = self.start("run", *TRANSLATE, *QUICK, stderr=write)
        os.close(write)
        out, _ = process.communicate(items(20).encode(), timeout=20)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(len(out.splitlines()), 20)
