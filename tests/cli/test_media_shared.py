"""Films that one machine has paid for, and another gets from where they are
shared: nginx with DAV keeps them by the hash of their bytes."""

import hashlib
import json
import os

from media_run import VideoSimulator
from nginx_store import NginxCase
from service import Service
from support import json_lines

ROWS = [{"id": f"film-{i}", "prompt": f"scene {i}", "duration": 4}
        for i in range(5)]


class MediaShared(NginxCase):

    def setUp(self):
        super().setUp()
        self.sim = VideoSimulator(self.path("videos.jsonl"), "--job-time",
                                  "10ms", "--artefact-size", "100000")
        self.addCleanup(self.sim.stop)
        self.write("in.jsonl", "".join(json.dumps(r) + "\n" for r in ROWS))

    def machine(self, name, *args, url=None, status=0, **how):
        """A run with nothing but what is shared; its answers, and films."""
        done = self.run_job(
            "-i", "in.jsonl", "-o", name + ".jsonl", "-p", "sim",
            "--base-url", self.sim.url + "/v1", "-m", "sim-video", "--task",
            "video", "--job-pace", "1ms", "--artefacts", name, "--cache-url",
            url or self.origin, "--no-journal", "--summary", "s.json", *args,
            status=status, **how)
        self.err = done.err
        answers = json_lines(self.read(name + ".jsonl"))
        films = []
        for answer in answers:
            for asset in answer["output"]["assets"]:
                with open(self.path(asset["path"]), "rb") as f:
                    films.append(f.read())
                self.assertEqual(asset["sha256"],
                                 hashlib.sha256(films[-1]).hexdigest())
        self.assertEqual([n for n in os.listdir(self.path(name))
                          if n.endswith(".part")], [])
        return answers, films

    def shared(self):
        """The artefacts that are there, by their names."""
        folder = self.path("data/answers")
        return {n: os.path.join(folder, n) for n in os.listdir(folder)
                if n.startswith("sha256-")}

    def made(self):
        return len(self.sim.videos())

    def test_another_machine_gets_them_without_a_job(self):
        self.serve()
        was, films = self.machine("one")
        self.assertEqual(sorted(self.shared()), sorted(
            f"sha256-{hashlib.sha256(f).hexdigest()}.mp4" for f in films))
        now, again = self.machine("two", url=self.edge)
        self.assertEqual(again, films)
        self.assertEqual(self.made(), 5)
        self.assertEqual({a["source"] for a in now}, {"cache"})
        self.assertEqual([a["output"]["assets"][0]["path"] for a in now],
                         [f"two/film-{i}.mp4" for i in range(5)])
        self.assertEqual([a["output"]["job"] for a in now],
                         [a["output"]["job"] for a in was])
        total = self.summary()
        self.assertEqual((total["calls"], total["cost_usd"],
                          total["saved_usd"]), (0, 0, 2))
        self.assertEqual(total["cache_tiers"]["http"]["found"], 5)

    def test_no_path_of_a_machine_is_told_to_others(self):
        self.serve()
        self.machine("one")
        folder = self.path("data/answers")
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                self.assertNotIn(b"one/film", f.read())

    def test_what_is_damaged_or_gone_is_made_anew(self):
        self.serve()
        _, films = self.machine("one")
        damaged, gone = sorted(self.shared().values())[:2]
        with open(damaged, "r+b") as f:
            f.seek(5000)
            f.write(b"\0\1\2\3")
        os.unlink(gone)
        _, again = self.machine("two")
        self.assertEqual(self.made(), 7)
        self.assertEqual(sum(f in films for f in again), 3)
        self.machine("three")
        self.assertEqual(self.made(), 7)

    def test_answers_in_a_file_refer_to_them_as_well(self):
        self.serve()
        _, films = self.machine("one", "--cache", "answers.db")
        for name in os.listdir(self.path("data/answers")):
            if not name.startswith("sha256-"):
                os.unlink(self.path("data/answers/" + name))
        _, again = self.machine("two", "--cache", "answers.db")
        self.assertEqual(again, films)
        self.assertEqual(self.made(), 5)
        self.assertEqual(self.summary()["cache_tiers"]["file"]["found"], 5)

    def test_a_server_that_takes_or_has_none_is_done_without(self):
        self.serve(dav="")
        self.machine("one")
        self.assertIn("takes no artefacts (status 405)", self.err)
        self.stop()
        self.machine("two")
        self.assertEqual(self.made(), 10)

    def test_what_is_too_large_there_is_offered_once_and_said(self):
        self.serve(most="50k")
        self.machine("one")
        self.assertEqual(
            self.err.count("takes no artefact of 100000 bytes (status 413)"), 1)
        self.assertIn("client_max_body_size", self.err)
        self.assertEqual(self.requests("PUT"), ["413"])

    def test_its_token_goes_there_and_the_key_does_not(self):
        kept = {}

        def store(request):
            if request.command == "PUT":
                kept[request.path] = request.asked.body
                request.say(201, b"")
            elif request.path == "/moved":
                request.say(200, film[0])
            elif request.path.startswith("/answers/sha256-"):
                request.say(302, b"", {"Location": other.url + "/moved"})
            else:
                body = kept.get(request.path)
                request.say(200 if body else 404, body or b"")

        film = []
        place, other = Service(self, store), Service(self, store)
        how = {"url": place.url + "/answers",
               "env": {"ASYNCBATCH_CACHE_TOKEN": "open", "SIM_API_KEY": "k"}}
        rows = json.dumps(ROWS[0]) + "\n"
        self.write("in.jsonl", rows)
        _, film = self.machine("one", **how)
        _, again = self.machine("two", **how)
        self.assertEqual(again, film)
        self.assertEqual(self.made(), 1)
        self.assertEqual(set(place.keys()), {"Bearer open"})
        self.assertEqual(other.keys(), [None])
