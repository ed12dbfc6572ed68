"""Where keys go and where they do not: media providers whose artefacts lie at
other hosts, behind redirects, and come in pieces."""

import json
import os

from service import Service
from support import Case, json_lines

FILM = bytes(range(256)) * 400
KEY = "sesame"


class MediaHosts(Case):

    def job(self, provider, url, *args, key="REPLICATE_API_TOKEN", secret=KEY,
            status=0):
        self.write("in.jsonl", json.dumps({"id": "film", "prompt": "a pond"}))
        self.run_job("-i", "in.jsonl", "-o", "out.jsonl", "-p", provider,
                     "--base-url", url, "-m", "owner/name", "--task", "video",
                     "--artefacts", "art", *args, env={key: secret},
                     status=status)
        return json_lines(self.read("out.jsonl"))[0]

    @staticmethod
    def times(request):
        """How often its path has been asked for by now."""
        return sum(asked.path == request.path
                   for asked in request.server.asked)

    def film(self, request, cut=None):
        start = 0
        if "Range" in request.headers:
            start = int(request.headers["Range"][6:-1])
        request.say(
            206 if start else 200, FILM[start:],
            {"Content-Type": "video/mp4", "ETag": '"f1"',
             "Content-Range":
                 f"bytes {start}-{len(FILM) - 1}/{len(FILM)}"}
            if start else {"Content-Type": "video/mp4", "ETag": '"f1"'},
            cut=cut)

    def cut_film(self, request):
        """Redirects to itself, and cuts the first try."""
        if request.path == "/old":
            request.say(302, b"", {"Location": "/film.mp4"})
        else:
            self.film(request, 50000 if self.times(request) == 1 else None)

    def test_a_key_goes_to_its_provider_only(self):
        far = Service(self, self.cut_film)

        def api(request):
            job = {"id": "p1", "status": "processing", "output": None,
                   "urls": {"get": near.url + "/v1/predictions/p1"}}
            if request.path == "/v1/predictions/p1":
                job.update(status="succeeded", output=far.url + "/old")
            return job

        near = Service(self, api)
        answer = self.job("replicate", near.url + "/v1")
        self.assertEqual(near.keys(), ["Bearer " + KEY] * len(near.asked))
        self.assertEqual(far.keys(), [None] * 4)
        self.assertEqual([asked.path for asked in far.asked],
                         ["/old", "/film.mp4"] * 2)
        self.assertEqual(far.asked[-1].headers["Range"], "bytes=50000-")
        self.assertEqual(far.asked[-1].headers["If-Range"], '"f1"')
        with open(self.path("art/film.mp4"), "rb") as f:
            self.assertEqual(f.read(), FILM)
        asset = answer["output"]["assets"][0]
        self.assertEqual((asset["path"], asset["bytes"], asset["checked"]),
                         ("art/film.mp4", len(FILM), "size"))
        self.assertEqual(near.asked[0][:2],
                         ("POST", "/v1/models/owner/name/predictions"))

    def test_a_redirect_from_the_provider_itself_takes_no_key_along(self):
        far = Service(self, self.film)

        def api(request):
            if request.path.endswith("/content"):
                request.say(307, b"", {"Location": far.url + "/film.mp4"})
                return None
            return {"id": "v1", "object": "video", "status": "completed"}

        near = Service(self, api)
        self.job("openai", near.url + "/v1", key="OPENAI_API_KEY")
        self.assertEqual(near.keys(), ["Bearer " + KEY] * len(near.asked))
        self.assertEqual(far.keys(), [None])

    def test_a_signature_goes_to_its_provider_only(self):
        far = Service(self, self.film)

        def api(request):
            done = {"task_id": "t1", "task_status": "succeed",
                    "task_result": {"videos": [{"url": far.url + "/f.mp4"}]}}
            return {"code": 0, "data": done if request.command == "GET"
                    else {"task_id": "t1", "task_status": "submitted"}}

        near = Service(self, api)
        self.job("kling", near.url, key="KLING_API_KEY", secret="me:" + KEY)
        self.assertTrue(all(key.startswith("Bearer ey")
                            for key in near.keys()))
        self.assertEqual(far.keys(), [None])

    def test_an_address_that_grew_old_is_asked_for_anew(self):
        def api(request):
            if request.path.startswith("/old"):
                request.say(403, b"expired")
                return None
            if request.path == "/new":
                self.film(request)
                return None
            if request.command == "POST":
                return {"id": "t1"}
            address = "/old" if self.times(request) == 1 else "/new"
            return {"id": "t1", "status": "SUCCEEDED",
                    "output": [near.url + address]}

        near = Service(self, api)
        answer = self.job("runway", near.url + "/v1",
                          key="RUNWAYML_API_SECRET")
        self.assertEqual(answer["output"]["assets"][0]["bytes"], len(FILM))
        self.assertEqual([asked.path for asked in near.asked],
                         ["/v1/text_to_video", "/v1/tasks/t1", "/old",
                          "/v1/tasks/t1", "/new"])
        self.assertRegex(answer["output"]["expires_at"], r"^\d{4}-\d\d-\d\dT")

    def test_a_result_that_stands_apart_is_fetched_there(self):
        def api(request):
            if request.command == "POST":
                at = near.url + "/owner/name/requests/r1"
                return {"status": "IN_QUEUE", "request_id": "r1",
                        "response_url": at, "status_url": at + "/status"}
            if request.path.endswith("/status"):
                return {"status": "COMPLETED"}
            if request.path.endswith("/r1"):
                return {"video": {"url": near.url + "/film.mp4"}}
            self.film(request)
            return None

        near = Service(self, api)
        self.job("fal", near.url, key="FAL_KEY")
        self.assertEqual(near.keys()[0], "Key " + KEY)
        with open(self.path("art/film.mp4"), "rb") as f:
            self.assertEqual(f.read(), FILM)

    def film_is_fetched(self, provider, key, api):
        near = Service(self, lambda request: self.film(request)
                       if request.path == "/film.mp4" else api(near, request))
        answer = self.job(provider, near.url, key=key)
        self.assertEqual(answer["output"]["assets"][0]["bytes"], len(FILM))
        return [asked.path for asked in near.asked]

    def test_luma_dreams_and_is_asked_after(self):
        def api(near, request):
            film = {"id": "g1", "state": "dreaming", "assets": None}
            if request.command == "POST":
                self.assertEqual(request.path, "/generations/video")
            elif self.times(request) > 1:
                film.update(state="completed",
                            assets={"video": near.url + "/film.mp4"})
            return film

        asked = self.film_is_fetched("luma", "LUMAAI_API_KEY", api)
        self.assertEqual(asked.count("/generations/g1"), 2)

    def test_veo_is_done_when_its_operation_is(self):
        def api(near, request):
            if request.command == "POST":
                self.assertEqual(request.path,
                                 "/models/owner/name:predictLongRunning")
                return {"name": "models/veo/operations/o1"}
            return {"name": "models/veo/operations/o1", "done": True,
                    "response": {"generateVideoResponse": {
                        "generatedSamples": [
                            {"video": {"uri": near.url + "/film.mp4"}}]}}}

        asked = self.film_is_fetched("veo", "GEMINI_API_KEY", api)
        self.assertIn("/models/veo/operations/o1", asked)

    def test_an_artefact_that_is_not_to_be_had_is_told_as_paid(self):
        def api(request):
            if request.path.endswith("/content"):
                request.say(404, b"gone")
                return None
            return {"id": "v1", "object": "video", "status": "completed"}

        near = Service(self, api)
        answer = self.job("openai", near.url + "/v1", key="OPENAI_API_KEY",
                          status=1)
        self.assertEqual(answer["error"]["code"], "artefact_not_fetched")
        self.assertIn("paid for", answer["error"]["message"])

    def test_a_job_that_is_fetched_by_the_next_run_is_paid_in_the_first(self):
        def api(request):
            if not request.path.endswith("/content"):
                return {"id": "v1", "object": "video", "status": "completed"}
            if mended:
                self.film(request)
            else:
                request.say(404, b"gone")
            return None

        near = Service(self, api)
        mended, costs = [], []
        for status in 1, 1, 0:
            answer = self.job("openai", near.url + "/v1", "-m", "sora-2",
                              "--summary", "s.json", key="OPENAI_API_KEY",
                              status=status)
            costs.append((self.summary()["cost_before_usd"],
                          self.summary()["cost_usd"], answer["cost_usd"]))
            mended += costs[1:]
        self.assertEqual([asked[0] for asked in near.asked].count("POST"), 1)
        self.assertEqual(costs, [(0, 0.4, 0.4)] + [(0.4, 0, 0.4)] * 2)

    def test_bytes_that_are_not_those_announced_are_not_kept(self):
        def api(request):
            if request.path.endswith("/content"):
                request.say(200, FILM, {"Repr-Digest": "sha-256=:" +
                                         "A" * 43 + "=:"})
                return None
            return {"id": "v1", "object": "video", "status": "completed"}

        near = Service(self, api)
        answer = self.job("openai", near.url + "/v1", key="OPENAI_API_KEY",
                          status=1)
        self.assertIn("digest", answer["error"]["message"])
        fetches = [asked for asked in near.asked
                   if asked.path.endswith("/content")]
        self.assertGreater(len(fetches), 1)

    def films_of(self, films, outputs):
        """A provider of these films, whose n-th job makes the n-th of these
        lists of them."""
        begun = []

        def api(request):
            if request.path in films:
                film, cut = films[request.path]
                start = int(request.headers["Range"][6:-1]) \
                    if "Range" in request.headers else 0
                cut = 0 if cut and start else cut
                request.say(206 if start else 200, film[start:], {
                    "Content-Type": "video/mp4", "Content-Range":
                    f"bytes {start}-{len(film) - 1}/{len(film)}"}
                    if start else {"Content-Type": "video/mp4"}, cut=cut)
                return None
            if request.command == "POST":
                begun.append(request)
                return {"id": f"t{len(begun)}"}
            number = int(request.path[-1])
            return {"id": f"t{number}", "status": "SUCCEEDED", "output": [
                near.url + path for path in outputs[number - 1]]}

        near = Service(self, api)
        return ["-i", "in.jsonl", "-o", "out.jsonl", "-p", "runway",
                "--base-url", near.url + "/v1", "-m", "gen4", "--task",
                "video", "--artefacts", "art", "--progress", "none"]

    def fetched(self):
        """The bytes of each artefact of each row."""
        rows = json_lines(self.read("out.jsonl"))
        return [[self.read(asset["path"]).encode()
                 for asset in row["output"]["assets"]] for row in rows]

    def test_no_two_artefacts_get_one_name(self):
        films = {f"/{name}": (name.encode() * 500, None) for name in "abc"}
        args = self.films_of(films, [["/a", "/b"], ["/c"]])
        self.write("in.jsonl", "".join(
            json.dumps({"id": name, "prompt": name}) + "\n"
            for name in ("film", "film-2")))
        self.run_job(*args, env={"RUNWAYML_API_SECRET": KEY})
        self.assertEqual(self.fetched(),
                         [[b"a" * 500, b"b" * 500], [b"c" * 500]])

    def test_a_part_of_another_job_is_not_gone_on_with(self):
        films = {"/old": (b"o" * 90000, 40000), "/new": (b"n" * 90000, None)}
        args = self.films_of(films, [["/old"], ["/new"]])
        key = {"RUNWAYML_API_SECRET": KEY}
        self.write("in.jsonl", json.dumps({"id": "film", "prompt": "a pond"}))
        process = self.start("run", *args, env=key)
        self.wait_until(lambda: os.path.isdir(self.path("art")) and sum(
            part.stat().st_size
            for part in os.scandir(self.path("art"))) >= 40000, process)
        process.kill()
        process.wait()
        os.remove(self.path("out.jsonl.journal"))
        self.run_job(*args, env=key)
        self.assertEqual(self.fetched(), [[b"n" * 90000]])
