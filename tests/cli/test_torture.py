"""The n-th write, sync, send or socket of a run fails, for every n, over real
HTTP and a real disk; then the same command is run again.

ASB_TORTURE_STEP=1 tries every n; without it some, as in an ordinary test run.
"""

import errno
import json
import os

from support import COMMAND, Case, TRANSLATE, ids, items, json_lines

STEP = int(os.environ.get("ASB_TORTURE_STEP", "13"))
SHIM = os.path.join(os.path.dirname(COMMAND), "..", "tests", "libasb_shim.so")
ROWS = 24


class Torture(Case):

    def setUp(self):
        super().setUp()
        if not os.path.exists(SHIM):
            self.skipTest("no shim beside the command")
        self.write("in.jsonl", items(ROWS))
        self.url = self.simulator("--latency", "base=1ms").url + "/v1"

    def job(self, **env):
        if env:
            env["LD_PRELOAD"] = os.path.abspath(SHIM)
            env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
        return self.command(
            "run", *TRANSLATE, "--base-url", self.url, "-i", "in.jsonl", "-o",
            "out.jsonl", "--cache", "answers.db", "--batch-size", "4",
            "--workers", "3", env=env)

    def clean(self):
        for name in os.listdir(self.dir):
            if name != "in.jsonl":
                os.remove(self.path(name))

    def assert_complete(self, what):
        answers = json_lines(self.read("out.jsonl"))
        self.assertEqual([a["id"] for a in answers], ids(ROWS), what)
        self.assertEqual({a["status"] for a in answers}, {"ok"}, what)

    def assert_no_row_twice(self, what):
        """Whole lines only, each of the next row."""
        if not os.path.exists(self.path("out.jsonl")):
            return
        lines = self.read("out.jsonl").split("\n")[:-1]
        got = [json.loads(line)["id"] for line in lines]
        self.assertEqual(got, ids(ROWS)[:len(got)], what)

    def count(self, call):
        """How many of these calls a run makes of which none fails."""
        self.job(ASB_FAIL_CALL=call, ASB_FAIL_COUNT=self.path("count"))
        return int(self.read("count"))

    def fail_each(self, call, number):
        most = self.count(call)
        self.assertGreater(most, 0)
        for n in range(1, most + 1, STEP):
            what = f"{call} {n} fails with {errno.errorcode[number]}"
            self.clean()
            done = self.job(ASB_FAIL_CALL=call, ASB_FAIL_AT=str(n),
                            ASB_FAIL_ERRNO=str(number))
            self.assertIn(done.returncode, (0, 1, 2, 4, 130),
                          f"{what}\n{done.err}")
            self.assert_reason(done.err)
            self.assert_no_row_twice(what)
            again = self.job()
            self.assertEqual(again.returncode, 0, f"{what}\n{again.err}")
            self.assert_complete(what)

    def test_any_write_may_fail(self):
        self.fail_each("write", errno.ENOSPC)

    def test_any_sync_may_fail(self):
        self.fail_each("sync", errno.EIO)

    def test_any_send_may_fail(self):
        self.fail_each("send", errno.EPIPE)

    def test_any_socket_may_fail(self):
        self.fail_each("socket", errno.EMFILE)
