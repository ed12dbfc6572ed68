"""What goes wrong on a machine ends in good order, with one sentence that says
what to do, and the same command goes on: nothing is lost or paid for twice.

Signals and what the journal itself does: test_signals.py, test_resume.py; a
network that is gone and clocks that jump: tests/engine/test_disturbances.c.
"""

import os
import resource
import tempfile

from journaled import Journaled, SLOW
from support import QUICK, TRANSLATE, ids, items, json_lines

class Disturbed(Journaled):

    rows = 200

    def small_disk(self, size):
        disk = tempfile.mkdtemp(dir=self.dir)
        if os.system(f"mount -t tmpfs -o size={size} none {disk} "
                     "2>/dev/null"):
            self.skipTest("only root can make a disk")
        self.addCleanup(os.system, f"umount -l {disk}")
        return disk

    def remount(self, disk, options):
        self.assertEqual(os.system(f"mount -o remount,{options} {disk}"), 0)

    # ---- the output

    def test_a_deleted_output_stops_the_job_and_comes_back(self):
        process = self.begun()
        os.remove(self.path("out.jsonl"))
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)
        self.assertIn("the output was deleted", err.decode())
        self.assert_reason(err.decode())
        self.job()
        self.assert_complete()
        self.assertGreaterEqual(self.summary()["items_known_before"], 10)

    def test_a_deleted_output_is_told_without_a_journal_too(self):
        process = self.begun("--no-journal")
        os.remove(self.path("out.jsonl"))
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)
        self.assertIn("run the same command again", err.decode())

    # ---- the journal

    def test_a_deleted_journal_is_put_back_and_resumed(self):
        for names in (["out.jsonl.journal", "out.jsonl.journal-wal"],
                      ["out.jsonl.journal"], ["out.jsonl.journal-wal"]):
            process = self.begun()
            for name in names:
                os.remove(self.path(name))
            self.assertIn("was deleted while it was in use; it is written "
                          "anew", process.stderr.readline().decode())
            process.kill()
            process.communicate()
            mode = os.stat(self.path("out.jsonl.journal")).st_mode
            self.assertEqual(mode & 0o777, 0o600)
            self.job()
            self.assert_complete()
            self.assertGreaterEqual(self.summary()["items_known_before"], 10)
            os.remove(self.path("out.jsonl"))
            os.remove(self.path("out.jsonl.journal"))

    def test_a_journal_that_another_file_replaced_ends_the_job(self):
        process = self.begun()
        other = self.write("other", "something else")
        os.replace(other, self.path("out.jsonl.journal"))
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)
        self.assertIn("another file is in its place", err.decode())
        self.assert_reason(err.decode())
        self.assertEqual(self.read("out.jsonl.journal"), "something else")
        self.assertGreaterEqual(self.read("out.jsonl").count("\n"), 10)

    def test_a_full_disk_under_the_output_can_be_mended(self):
        disk = self.small_disk("16k")
        output = os.path.join(disk, "out.jsonl")
        done = self.job("--journal", "j", output=output, status=130)
        self.assertIn("No space left", done.err)
        self.assertIn("run the same command again", done.err)
        paid = self.summary()["calls"]
        self.assertGreater(paid, 0)
        self.remount(disk, "size=16m")
        self.job("--journal", "j", output=output)
        self.assertGreater(self.summary()["items_known_before"], 0)
        self.assert_complete(output)

    def limited(self, size, *args):
        """A run whose files cannot be larger, which ends for that."""
        process = self.start(
            "run", *args, "-i", "in.jsonl", "-o", "out.jsonl",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                  (size, size)))
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("run the same command again", err.decode())
        self.assert_reason(err.decode())

    def test_a_limit_on_the_size_of_files_is_a_full_disk(self):
        self.write("in.jsonl", items(800))
        self.limited(65536, *TRANSLATE, *QUICK)
        self.job()
        self.assert_complete(count=800)

    def test_what_runs_at_the_provider_does_not_wait_for_a_full_disk(self):
        for way in (["--task", "video", "-m", "sim-video", "--job-pace",
                     "1ms", "--sim-job-time", "100ms"],
                    [*TRANSLATE, "--native-batch", "on", "--batch-size", "1",
                     "--sim-job-time", "300ms"]):
            self.write("in.jsonl", items(20))
            for name in ("out.jsonl", "out.jsonl.journal"):
                if os.path.exists(self.path(name)):
                    os.remove(self.path(name))
            self.limited(65536, *QUICK, *way)
            self.run_job(*QUICK, *way, "-i", "in.jsonl", "-o", "out.jsonl")
            self.assert_complete(count=20)

    def test_a_closed_pipe_loses_no_answer(self):
        process = self.start("run", *TRANSLATE, *SLOW, "-i", "in.jsonl",
                             "--journal", "j", "--summary", "s.json")
        self.assertTrue(process.stdout.readline())
        process.stdout.close()
        process.stdout = None
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=30), 130, err)
        self.assertIn("closed", err)
        self.assert_reason(err)
        known = self.summary()["items_ok"]
        self.assertGreater(known, 0)
        done = self.job("--journal", "j", output="-")
        self.assert_answered_in_order(json_lines(done.out), ids(200))
        self.assertEqual(self.summary()["items_known_before"], known)

    # ---- a disk that cannot be written

    def test_a_read_only_disk_sends_nothing(self):
        disk = self.small_disk("16m")
        output = os.path.join(disk, "out.jsonl")
        self.job("--budget", "0.005", "--batch-size", "5", "--workers", "1",
                 output=output, status=3)
        before = self.read(output)
        self.remount(disk, "ro")
        for name in (output, os.path.join(disk, "new.jsonl")):
            done = self.job(output=name, status=2)
            self.assertRegex(done.err, "writ|Read-only")
            done = self.job("--no-journal", output=name, status=2)
            self.assertIn("Read-only", done.err)
        self.assertEqual(self.read(output), before)
        self.remount(disk, "rw")
        self.job(output=output)
        self.assert_complete(output)

    def test_a_full_disk_under_all_of_it_can_be_mended(self):
        disk = self.small_disk("128k")
        output = os.path.join(disk, "out.jsonl")
        done = self.job("--cache", os.path.join(disk, "c.db"), output=output,
                        status=130)
        self.assertIn("run the same command again", done.err)
        self.remount(disk, "size=64m")
        self.job("--cache", os.path.join(disk, "c.db"), output=output)
        self.assert_complete(output)
