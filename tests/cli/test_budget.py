"""Alerts of the budget, as they reach people."""

import http.server
import json
import threading

from support import Case, QUICK, TRANSLATE, items


class Listener(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted to it in `server.got`."""

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):  # pylint: disable=arguments-differ
        pass


class Budget(Case):

    def listen(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
        server.got = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        return server

    def test_alerts_reach_an_address_without_the_key(self):
        server = self.listen()
        self.write("key", "sk-not-for-others")
        done = self.run_job(
            *TRANSLATE, *QUICK, "--budget", "0.02", "--api-key",
            f"file:{self.path('key')}", "--budget-webhook",
            f"http://127.0.0.1:{server.server_port}/alert", "--summary",
            "s.json", stdin=items(900).encode(), status=3)
        self.assertEqual([body["percent"] for _, body in server.got],
                         [60, 80, 100])
        for headers, body in server.got:
            self.assertEqual(body["event"], "budget_alert")
            self.assertEqual(body["budget_usd"], 0.02)
            self.assertLessEqual(body["spent_usd"], 0.02)
            self.assertNotIn("Authorization", headers)
            self.assertNotIn("sk-not", str(headers) + str(body))
        self.assertIn("60 % reached", done.err)
        self.assertIn("100 % reached", done.err)

    def test_an_address_that_does_not_answer_stops_nothing(self):
        done = self.run_job(
            *TRANSLATE, *QUICK, "--budget", "0.02", "--budget-webhook",
            "http://127.0.0.1:9/alert", stdin=items(900).encode(), status=3)
        self.assertIn("alert was not taken", done.err)
