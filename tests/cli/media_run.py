"""Media jobs at a simulator that is killed midway and started again, over real
HTTP: every state right, every artefact there and whole, the bill the same.

How many jobs, and how long they take, is the caller's choice.
"""

import collections
import hashlib
import http.client
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

from support import COMMAND, Simulator, clean_environment

STYLES = [None, {"mood": "calm"}, {"mood": "wild", "seed": 3}]
SIZES = ["1280x720", "720x1280", "1024x1792"]


def requests(count):
    """Content requests as a pipeline of videos writes them."""
    rows = []
    for i in range(count):
        row = {"id": f"clip-{i}", "content_type": "video",
               "prompt": f"scene {i}: a lighthouse in weather number {i}",
               "engine": "sim-video", "resolution": SIZES[i % 3],
               "duration": [4.0, 8.0, 12.0][i // 3 % 3],
               "priority": 1 + i % 3, "metadata": {"sheet": i // 10}}
        if STYLES[i % 3]:
            row["style_params"] = STYLES[i % 3]
        rows.append(row)
    return rows


def call(url, body=None, method=None):
    """Status and JSON of one request."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class VideoSimulator(Simulator):
    """Keeps its videos in a file, and so beyond its own end."""

    def __init__(self, state, *options):
        self.state = state
        super().__init__("--state", state, *options)

    def videos(self):
        """What it made, by id."""
        with open(self.state, encoding="utf-8") as f:
            return {v["id"]: v for v in map(json.loads, f)}


class MediaRun:
    """`count` jobs; `wait` seconds after the start the simulator is killed, and
    `down` seconds later started again."""

    def __init__(self, folder, count, job_time, failure=0.05, refusal=0.05,
                 more=()):
        self.folder, self.count = folder, count
        self.rates = ["--job-failure-rate", str(failure),
                      "--job-refusal-rate", str(refusal), "--seed", "11"]
        self.sim = VideoSimulator(
            self.path("videos.jsonl"), "--job-time", job_time,
            "--artefact-size", "100000", "--disconnect-rate", "0.1",
            *self.rates)
        self.rows = requests(count)
        with open(self.path("in.jsonl"), "w", encoding="utf-8") as f:
            f.writelines(json.dumps(row) + "\n" for row in self.rows)
        self.more = list(more)

    def path(self, name):
        return os.path.join(self.folder, name)

    def begin(self):
        return subprocess.Popen(
            [COMMAND, "run", "-i", self.path("in.jsonl"), "-o",
             self.path("out.jsonl"), "--task", "video", "-p", "sim",
             "--base-url", self.sim.url + "/v1", "-m", "sim-video",
             "--artefacts", self.path("artefacts"), "--summary",
             self.path("summary.json"), "--progress", "none", *self.more],
            stderr=subprocess.PIPE, text=True, env=clean_environment())

    def restart_provider(self, wait, down):
        time.sleep(wait)
        self.sim.stop()
        time.sleep(down)
        self.sim.start()

    def expected(self):
        """What becomes of each prompt, as a simulator of the same rates and
        seed says that takes no time."""
        oracle = VideoSimulator(os.devnull, "--job-time", "1ms", *self.rates)
        states = {}
        for row in self.rows:
            status, video = call(oracle.url + "/v1/videos",
                                 {"prompt": row["prompt"],
                                  "model": row["engine"]})
            if status == 200:
                time.sleep(0.002)
                _, video = call(f"{oracle.url}/v1/videos/{video['id']}")
            code = (video.get("error") or {}).get("code")
            states[row["id"]] = {
                None: "ok", "moderation_blocked": "content_filter",
                "generation_failed": "job_failed"}[code]
        oracle.stop()
        return states

    def artefact(self, video):
        url = f"{self.sim.url}/v1/videos/{video}/content"
        body = b""
        while True:  # the simulator cuts some of them off
            request = urllib.request.Request(
                url, headers={"Range": f"bytes={len(body)}-"})
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    whole = len(body) + int(reply.headers["Content-Length"])
                    body += reply.read()
            except http.client.IncompleteRead as error:
                body += error.partial
            if len(body) == whole:
                return body

    def check_asset(self, answer, wanted):
        (asset,) = answer["output"]["assets"]
        with open(asset["path"], "rb") as f:
            found = f.read()
        assert found == wanted, f"{asset['path']} is not what was made"
        assert asset["bytes"] == len(found), asset
        assert asset["sha256"] == hashlib.sha256(found).hexdigest(), asset
        assert asset["checked"] == "sha256", asset
        assert answer["output"]["expires_at"].endswith("Z"), answer

    def check(self):
        """Counts of states, after everything was compared."""
        with open(self.path("out.jsonl"), encoding="utf-8") as f:
            answers = [json.loads(line) for line in f]
        with open(self.path("summary.json"), encoding="utf-8") as f:
            summary = json.load(f)
        expected, videos = self.expected(), self.sim.videos()
        assert [a["id"] for a in answers] == [r["id"] for r in self.rows]
        used, cost = set(), 0
        for answer, row in zip(answers, self.rows):
            state = ("ok" if answer["status"] == "ok"
                     else answer["error"]["code"])
            assert state == expected[row["id"]], (answer, expected[row["id"]])
            cost += round(answer["cost_usd"] * 1e9)
            if state != "ok":
                assert answer["cost_usd"] == 0, answer
                continue
            job = answer["output"]["job"]
            assert job not in used and videos[job]["fate"] == "good", answer
            assert videos[job]["seconds"] == row["duration"], answer
            used.add(job)
            self.check_asset(answer, self.artefact(job))
        good = {v for v in videos if videos[v]["fate"] == "good"}
        assert used == good, "a video was made that no row has"
        billed = round(self.sim.stats()["billed_usd"] * 1e9)
        total = summary["cost_usd"] + summary["cost_before_usd"]
        assert billed == cost == round(total * 1e9), (billed, cost, summary)
        left = [n for n in os.listdir(self.path("artefacts"))
                if n.endswith(".part")]
        assert not left, left
        return collections.Counter(expected.values()), billed / 1e9, summary

    def close(self):
        self.sim.stop()
