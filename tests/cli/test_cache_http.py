"""Answers shared through HTTP: nginx with DAV as the place where they are, and
nginx as a cache before it."""

import http.server
import json
import os
import threading

from nginx_store import NginxCase
from support import QUICK, TRANSLATE, ids, items, json_lines


class MarkedStore:
    """As a CDN that knows surrogate keys: objects, and PURGE by their marks, for
    who has the token."""

    def __init__(self, case, token="sesame"):
        objects, self.purged = {}, []
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *unused):
                pass

            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Cache-Control", "max-age=600")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                found = objects.get(self.path)
                self.answer(200 if found else 404, found[0] if found else b"")

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                marks = self.headers["Surrogate-Key"].split()
                objects[self.path] = body, marks
                self.answer(201)

            def do_PURGE(self):
                if self.headers["Authorization"] != f"Bearer {token}":
                    self.answer(403)
                    return
                mark = self.headers["Surrogate-Key"]
                store.purged.append((self.path, mark))
                for path in [p for p, (_, marks) in objects.items()
                             if mark in marks]:
                    del objects[path]
                self.answer(200)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case.addCleanup(server.server_close)
        case.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}/answers"


class HttpCache(NginxCase):

    def job(self, *args, count=100, **how):
        done = self.run_job(*TRANSLATE, *QUICK, "--summary", "s.json", *args,
                            stdin=items(count).encode(), **how)
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(count))
        return answers, self.summary(), done.err

    def test_the_second_run_is_answered_over_http(self):
        self.serve()
        was, total, _ = self.job("--cache-url", self.origin)
        self.assertEqual(total["items_cached"], 0)
        self.assertEqual(self.requests("PUT"), ["201"] * 100)
        now, total, _ = self.job("--cache-url", self.origin + "/")
        self.assertEqual([a["output"] for a in now],
                         [a["output"] for a in was])
        self.assertEqual((total["calls"], total["items_cached"],
                          total["cost_usd"]), (0, 100, 0))

    def test_few_workers_share_no_less(self):
        """What goes to the cache and back takes no call's place, nor a call
        its."""
        self.serve()
        self.write("in.jsonl", items(100))
        for workers in ("1", "8"):
            for run, source in ("was", "api"), ("now", "cache"):
                name = f"{run}-{workers}.jsonl"
                self.run_job(*TRANSLATE, *QUICK, "-i", "in.jsonl", "-o", name,
                             "--cache-url", f"{self.origin}/{workers}",
                             "--cache-url-budget", "10s", "--workers", workers,
                             "--batch-size", "4", "--summary", "s.json")
                answers = json_lines(self.read(name))
                self.assertEqual({a["source"] for a in answers}, {source})
            self.assertEqual(self.summary()["calls"], 0)

    def test_a_cache_in_between_serves_what_it_has(self):
        self.serve()
        self.job("--cache-url", self.origin)
        before = len(self.requests("GET"))
        for _ in range(2):
            _, total, _ = self.job("--cache-url", self.edge)
            self.assertEqual(total["calls"], 0)
        self.assertEqual(len(self.requests("GET")) - before, 100)

    def test_a_flipped_bit_costs_one_call_and_no_wrong_answer(self):
        self.serve()
        was, _, _ = self.job("--cache-url", self.origin)
        folder = self.path("data/answers")
        name = os.path.join(folder, sorted(os.listdir(folder))[7])
        with open(name, "r+b") as f:
            f.seek(60)
            byte = f.read(1)[0]
            f.seek(60)
            f.write(bytes([byte ^ 16]))
        now, total, _ = self.job("--cache-url", self.origin)
        self.assertEqual([a["output"] for a in now],
                         [a["output"] for a in was])
        self.assertEqual((total["calls"], total["items_cached"]), (1, 99))

    def test_without_a_server_the_run_goes_on_and_says_so(self):
        self.serve()
        self.stop()
        _, total, err = self.job("--cache-url", self.origin)
        self.assertEqual(total["items_ok"], 100)
        self.assertIn("the HTTP cache cannot be used", err)

    def test_a_server_that_takes_nothing_is_only_read(self):
        self.serve(dav="")
        _, total, err = self.job("--cache-url", self.origin)
        self.assertEqual(total["items_ok"], 100)
        self.assertIn("takes no PUT and is only read", err)
        self.assertLess(len(self.requests("PUT")), 100)

    def test_what_is_too_large_there_is_not_shared_and_the_rest_is(self):
        self.serve(most="1k")
        long = json.dumps({"id": "long", "text": "word " * 300}) + "\n"
        done = self.run_job(*TRANSLATE, *QUICK, "--cache-url", self.origin,
                            "--batch-size", "1", "--workers", "1",
                            stdin=(long + items(10)).encode())
        self.assertEqual(done.err.count("refuses an answer for its size"), 1)
        self.assertIn("client_max_body_size", done.err)
        self.assertNotIn("is only read", done.err)
        self.assertEqual(sorted(self.requests("PUT")), ["201"] * 10 + ["413"])

    def ask_twice(self):
        """A run that asks for one item, and when it is answered again."""
        run = self.start("run", *TRANSLATE, *QUICK, "--cache-url", self.origin,
                         "--summary", "s.json", stderr=None)
        answers = []
        for name in ("a", "b"):
            line = json.dumps({"id": name, "text": "Open the door"}) + "\n"
            run.stdin.write(line.encode())
            answers.append(json.loads(run.stdout.readline()))
        run.stdin.close()
        self.assertEqual(run.wait(), 0)
        self.assertEqual(answers[0]["output"], answers[1]["output"])
        return [a["source"] for a in answers]

    def test_what_is_no_longer_fresh_is_checked_by_its_etag(self):
        self.serve(life="max-age=0")
        self.ask_twice()
        before = len(self.requests("GET"))
        self.assertEqual(self.ask_twice(), ["cache", "cache"])
        self.assertEqual(self.requests("GET")[before:], ["200", "304"])

    def test_stale_answers_serve_while_they_are_checked(self):
        self.serve(life="max-age=0, stale-while-revalidate=600")
        self.ask_twice()
        before = len(self.requests("GET"))
        self.assertEqual(self.ask_twice(), ["cache", "cache"])
        self.assertEqual(self.requests("GET")[before:], ["200", "304"])
        self.assertEqual(self.summary()["calls"], 0)

    def test_what_may_not_be_stored_is_read_each_time(self):
        self.serve(life="no-store")
        self.ask_twice()
        before = len(self.requests("GET"))
        self.assertEqual(self.ask_twice(), ["cache", "cache"])
        self.assertEqual(self.requests("GET")[before:], ["200", "200"])
        self.assertEqual(self.summary()["calls"], 0)

    def test_answers_are_purged_by_their_mark(self):
        store = MarkedStore(self)
        secret = {"ASYNCBATCH_CACHE_TOKEN": "sesame"}
        at = ["--cache-url", store.url]

        def purge(mark, status=0, env=secret):
            done = self.command("cache", "purge", "--surrogate-key", mark, *at,
                                env=env)
            self.assertEqual(done.returncode, status, done.err)
            return done

        def calls(*args):
            return self.job(*at, *args, count=20, env=secret)[1]["calls"]

        self.assertGreater(calls("--surrogate-key", "spring"), 0)
        self.assertEqual(calls(), 0)
        self.assertEqual(json.loads(purge("autumn").out),
                         {"purged": "autumn"})
        self.assertEqual(calls(), 0)
        purge("spring")
        self.assertGreater(calls(), 0)
        purge("asyncbatch")
        self.assertGreater(calls(), 0)
        self.assertEqual(store.purged, [
            ("/answers", mark) for mark in ("autumn", "spring", "asyncbatch")])
        self.assertIn("status 403", purge("spring", 4, {}).err)
        purge("sp\nring", 2)
        done = self.command("cache", "purge", "--surrogate-key", "spring")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--cache-url", done.err)
        done = self.command("cache", "purge", "--surrogate-key", "spring",
                            "--cache-url", "http://127.0.0.1:1/answers")
        self.assertEqual(done.returncode, 4)
        self.assertIn("not reached", done.err)

    def test_a_url_with_a_user_is_refused(self):
        done = self.run_job("--cache-url", "https://me:key@example.org",
                            status=2)
        self.assertNotIn("me:key", done.err)
