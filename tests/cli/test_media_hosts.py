"""Where keys go and where they do not: media providers whose artefacts lie at
other hosts, behind redirects, and come in pieces."""

import http.server
import json
import threading

from support import Case, json_lines

FILM = bytes(range(256)) * 400
KEY = "sesame"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self):
        host = self.server
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        host.seen.append((self.command, self.path, dict(self.headers), body))
        reply = host.reply(self, self.command, self.path,
                           len([s for s in host.seen if s[1] == self.path]))
        if isinstance(reply, (dict, list)):
            self.send(200, json.dumps(reply).encode(),
                      {"Content-Type": "application/json"})

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def send(self, status, body=b"", headers=None, cut=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True


class Host(http.server.ThreadingHTTPServer):
    """A server that remembers what it was asked; `reply` answers."""
    daemon_threads = True

    def __init__(self, reply):
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply, self.seen = reply, []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever,
                         kwargs={"poll_interval": 0.02}, daemon=True).start()

    def keys(self):
        return [headers.get("Authorization") for _, _, headers, _ in self.seen]


class MediaHosts(Case):

    def host(self, reply):
        host = Host(reply)
        self.addCleanup(host.server_close)
        self.addCleanup(host.shutdown)
        return host

    def job(self, provider, url, *args, key="REPLICATE_API_TOKEN", status=0):
        self.write("in.jsonl", json.dumps({"id": "film", "prompt": "a pond"}))
        self.run_job("-i", "in.jsonl", "-o", "out.jsonl", "-p", provider,
                     "--base-url", url, "-m", "owner/name", "--task", "video",
                     "--artefacts", "art", *args, env={key: KEY},
                     status=status)
        return json_lines(self.read("out.jsonl"))[0]

    def film(self, handler, path, times):
        """Cuts the first try, and redirects to itself before."""
        if path == "/old":
            handler.send(302, b"", {"Location": "/film.mp4"})
            return
        start = 0
        if "Range" in handler.headers:
            start = int(handler.headers["Range"][6:-1])
        handler.send(
            206 if start else 200, FILM[start:],
            {"Content-Type": "video/mp4", "ETag": '"f1"',
             "Content-Range":
                 f"bytes {start}-{len(FILM) - 1}/{len(FILM)}"}
            if start else {"Content-Type": "video/mp4", "ETag": '"f1"'},
            cut=50000 if times == 1 else None)

    def test_a_key_goes_to_its_provider_only(self):
        far = self.host(lambda h, method, path, n: self.film(h, path, n))

        def api(handler, method, path, times):
            job = {"id": "p1", "status": "processing", "output": None,
                   "urls": {"get": near.url + "/v1/predictions/p1"}}
            if path == "/v1/predictions/p1":
                job.update(status="succeeded", output=far.url + "/old")
            return job

        near = self.host(api)
        answer = self.job("replicate", near.url + "/v1")
        self.assertEqual(near.keys(), ["Bearer " + KEY] * len(near.seen))
        self.assertEqual(far.keys(), [None] * 4)
        self.assertEqual([s[1] for s in far.seen],
                         ["/old", "/film.mp4"] * 2)
        self.assertEqual(far.seen[-1][2]["Range"], "bytes=50000-")
        self.assertEqual(far.seen[-1][2]["If-Range"], '"f1"')
        with open(self.path("art/film.mp4"), "rb") as f:
            self.assertEqual(f.read(), FILM)
        asset = answer["output"]["assets"][0]
        self.assertEqual((asset["path"], asset["bytes"], asset["checked"]),
                         ("art/film.mp4", len(FILM), "size"))
        self.assertEqual(near.seen[0][:2],
                         ("POST", "/v1/models/owner/name/predictions"))

    def test_a_redirect_from_the_provider_itself_takes_no_key_along(self):
        far = self.host(lambda h, method, path, n: self.film(h, path, 2))

        def api(handler, method, path, times):
            if path.endswith("/content"):
                handler.send(307, b"", {"Location": far.url + "/film.mp4"})
                return None
            return {"id": "v1", "object": "video", "status": "completed"}

        near = self.host(api)
        self.job("openai", near.url + "/v1", key="OPENAI_API_KEY")
        self.assertEqual(near.keys(), ["Bearer " + KEY] * len(near.seen))
        self.assertEqual(far.keys(), [None])

    def test_an_address_that_grew_old_is_asked_for_anew(self):
        def api(handler, method, path, times):
            if path.startswith("/old"):
                handler.send(403, b"expired")
                return None
            if path == "/new":
                self.film(handler, path, 2)
                return None
            if method == "POST":
                return {"id": "t1"}
            address = "/old" if times == 1 else "/new"
            return {"id": "t1", "status": "SUCCEEDED",
                    "output": [near.url + address]}

        near = self.host(api)
        answer = self.job("runway", near.url + "/v1",
                          key="RUNWAYML_API_SECRET")
        self.assertEqual(answer["output"]["assets"][0]["bytes"], len(FILM))
        self.assertEqual([s[1] for s in near.seen],
                         ["/v1/text_to_video", "/v1/tasks/t1", "/old",
                          "/v1/tasks/t1", "/new"])
        self.assertRegex(answer["output"]["expires_at"], r"^\d{4}-\d\d-\d\dT")

    def test_a_result_that_stands_apart_is_fetched_there(self):
        def api(handler, method, path, times):
            if method == "POST":
                at = near.url + "/owner/name/requests/r1"
                return {"status": "IN_QUEUE", "request_id": "r1",
                        "response_url": at, "status_url": at + "/status"}
            if path.endswith("/status"):
                return {"status": "COMPLETED"}
            if path.endswith("/r1"):
                return {"video": {"url": near.url + "/film.mp4"}}
            self.film(handler, path, 2)
            return None

        near = self.host(api)
        self.job("fal", near.url, key="FAL_KEY")
        self.assertEqual(near.keys()[0], "Key " + KEY)
        with open(self.path("art/film.mp4"), "rb") as f:
            self.assertEqual(f.read(), FILM)

    def test_an_artefact_that_is_not_to_be_had_is_told_as_paid(self):
        def api(handler, method, path, times):
            if path.endswith("/content"):
                handler.send(404, b"gone")
                return None
            return {"id": "v1", "object": "video", "status": "completed"}

        near = self.host(api)
        answer = self.job("openai", near.url + "/v1", key="OPENAI_API_KEY",
                          status=1)
        self.assertEqual(answer["error"]["code"], "artefact_not_fetched")
        self.assertIn("paid for", answer["error"]["message"])

    def test_bytes_that_are_not_those_announced_are_not_kept(self):
        def api(handler, method, path, times):
            if path.endswith("/content"):
                handler.send(200, FILM, {"Repr-Digest": "sha-256=:" +
                                         "A" * 43 + "=:"})
                return None
            return {"id": "v1", "object": "video", "status": "completed"}

        near = self.host(api)
        answer = self.job("openai", near.url + "/v1", key="OPENAI_API_KEY",
                          status=1)
        self.assertIn("digest", answer["error"]["message"])
        fetches = [s for s in near.seen if s[1].endswith("/content")]
        self.assertGreater(len(fetches), 1)
