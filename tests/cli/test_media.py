"""Video jobs as users run them, against the simulator's video API."""

import json
import os
import signal
import time

from killing import Killing
from media_run import MediaRun
from support import Case, json_lines

SIM = ["-p", "sim", "--task", "video", "-m", "sim-video", "--job-pace", "1ms"]


class Media(Case):

    def run_of(self, *args, **how):
        run = MediaRun(self.dir, *args, **how)
        self.addCleanup(run.close)
        return run

    def finish(self, process, status):
        _, err = process.communicate(timeout=50)
        self.assertEqual(process.returncode, status, err)
        self.assert_reason(err)
        return err

    def answers(self):
        return json_lines(self.read("out.jsonl"))

    def job(self, rows, *args, status=0):
        self.write("in.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        self.run_job("-i", "in.jsonl", "-o", "out.jsonl", *SIM, *args,
                     status=status)
        return self.answers()

    def test_a_provider_restarted_midway_loses_and_doubles_nothing(self):
        run = self.run_of(40, "500ms..3s", failure=0.1, refusal=0.1,
                          more=["--job-pace", "40ms"])
        process = run.begin()
        run.restart_provider(1.2, 0.5)
        self.finish(process, 1)
        states, billed, _ = run.check()
        self.assertEqual(sum(states.values()), 40)
        self.assertEqual(len(states), 3, states)
        self.assertGreater(billed, 0)

    def test_a_killed_run_goes_on_with_its_jobs(self):
        run = self.run_of(20, "1s..3s", failure=0, refusal=0,
                          more=["--job-pace", "10ms"])
        process = run.begin()
        self.wait_until(lambda: len(run.sim.videos()) == 20, process)
        time.sleep(0.5)  # the last ids become durable
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        self.finish(run.begin(), 0)
        states, _, summary = run.check()
        self.assertEqual(states, {"ok": 20})
        self.assertLess(summary["calls"], 20)
        self.assertEqual(len(run.sim.videos()), 20)

    def test_a_job_that_another_input_makes_anew_is_counted(self):
        sim = self.simulator("--job-time", "2s")
        rows = [json.dumps({"id": str(i), "prompt": f"pond {i}",
                            "duration": 4}) + "\n" for i in range(2)]
        args = ["-i", "in.jsonl", "-o", "out.jsonl", *SIM, "--base-url",
                sim.url + "/v1", "--summary", "s.json", "--progress", "none"]
        self.write("in.jsonl", rows[0])
        process = self.start("run", *args)
        self.wait_until(lambda: Killing.ask(
            self.path("out.jsonl"),
            "SELECT count(*) FROM job WHERE length(id) > 0"), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.write("in.jsonl", "".join(rows))
        self.run_job(*args, "--on-change", "reuse")
        self.assertEqual(len(self.answers()), 2)
        self.assertEqual(self.summary()["maybe_paid_twice_usd"], 0.4)

    def test_without_a_folder_addresses_are_told(self):
        answers = self.job([{"id": "1", "prompt": "a pond", "duration": 4}],
                           "--sim-job-time", "10ms")
        output = answers[0]["output"]
        self.assertRegex(output["assets"][0]["url"],
                         r"^http://127\.0\.0\.1:\d+/v1/videos/video_\w+/content$")
        self.assertEqual(list(output["assets"][0]), ["url"])
        self.assertEqual(answers[0]["cost_usd"], 0.4)

    def test_the_same_request_is_made_and_paid_for_once(self):
        rows = [{"id": str(i), "content_type": "video", "prompt": "a pond",
                 "metadata": {"row": i}} for i in range(3)]
        answers = self.job(rows, "--sim-job-time", "10ms")
        self.assertEqual([a["source"] for a in answers],
                         ["api", "duplicate", "duplicate"])
        self.assertEqual(len({a["output"]["job"] for a in answers}), 1)
        self.assertEqual(sum(a["cost_usd"] for a in answers), 0.4)

    def test_a_budget_stops_before_it_is_passed(self):
        rows = [{"id": str(i), "prompt": f"pond {i}", "duration": 4}
                for i in range(5)]
        self.write("in.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        self.run_job("-i", "in.jsonl", "-o", "out.jsonl", *SIM, "--budget",
                     "0.9", "--no-journal", "--sim-job-time", "10ms", status=3)
        self.assertEqual([a["status"] for a in self.answers()],
                         ["ok", "ok", "failed", "failed", "failed"])

    def test_a_request_that_cannot_be_is_explained_and_free(self):
        rows = [{"id": "size", "prompt": "x", "resolution": "wide"},
                {"id": "long", "prompt": "x", "duration": "for ever"},
                {"id": "kind", "prompt": "x", "content_type": "smell"},
                {"id": "image", "prompt": "x", "content_type": "image"},
                {"id": "bare", "duration": 4},
                {"id": "seed", "prompt": "x",
                 "reference_images": ["http://h/i.png"]}]
        answers = self.job(rows, status=1)
        self.assert_explained(answers)
        self.assertEqual([a["error"]["code"] for a in answers],
                         ["invalid_field"] * 3 +
                         ["unsupported", "invalid_field", "unsupported"])
        self.assertEqual({a["cost_usd"] for a in answers}, {0})

    def test_a_table_works_as_well(self):
        self.write("in.csv", "id,prompt,engine,resolution,duration\n"
                             "1,a pond,sim-video,1280x720,8\n"
                             "2,a lake,,,\n")
        self.run_job("-i", "in.csv", "-o", "out.csv", *SIM, "--artefacts",
                     "art", "--text-column", "prompt", "--sim-job-time",
                     "10ms")
        self.assertEqual(sorted(os.listdir(self.path("art"))),
                         ["1.mp4", "2.mp4"])

    def test_a_provider_without_videos_is_refused(self):
        done = self.command("run", "--task", "video", "-p", "anthropic", "-m",
                            "m", stdin=b"", env={"ANTHROPIC_API_KEY": "k"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot do task video", done.err)
        done = self.command("run", "--task", "translate", "--target-lang",
                            "fr", "-p", "luma", "-m", "ray-2", stdin=b"",
                            env={"LUMAAI_API_KEY": "k"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot do task translate", done.err)
