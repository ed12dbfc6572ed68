"""Alerts of the budget, as they reach people."""

import json

from service import Service
from support import Case, QUICK, TRANSLATE, items


class Budget(Case):

    def test_alerts_reach_an_address_without_the_key(self):
        server = Service(self, lambda request: request.say(204))
        self.write("key", "sk-not-for-others")
        done = self.run_job(
            *TRANSLATE, *QUICK, "--budget", "0.02", "--api-key",
            f"file:{self.path('key')}", "--budget-webhook",
            server.url + "/alert", "--summary",
            "s.json", stdin=items(900).encode(), status=3)
        bodies = [json.loads(asked.body) for asked in server.asked]
        self.assertEqual([body["percent"] for body in bodies], [60, 80, 100])
        for body in bodies:
            self.assertEqual(body["event"], "budget_alert")
            self.assertEqual(body["budget_usd"], 0.02)
            self.assertLessEqual(body["spent_usd"], 0.02)
        self.assertEqual(server.keys(), [None] * 3)
        self.assertNotIn("sk-not", "".join(
            str(asked.headers) + str(asked.body) for asked in server.asked))
        self.assertIn("60 % reached", done.err)
        self.assertIn("100 % reached", done.err)

    def test_what_is_left_and_does_not_do_is_not_called_spent(self):
        """An answer without a limit may be as long as the model's longest."""
        done = self.run_job(
            "--task", "raw", *QUICK, "--budget", "0.02", "--summary",
            "s.json", stdin=b'{"id":1,"prompt":"Hello"}\n', status=3)
        self.assertEqual(self.summary()["calls"], 0)
        self.assertRegex(done.err, r"the budget of \$0.02 has \$0.02 "
                         r"left, and the next call may cost \$0\.026\d+; "
                         "raise --budget")

    def test_an_address_that_does_not_answer_stops_nothing(self):
        done = self.run_job(
            *TRANSLATE, *QUICK, "--budget", "0.02", "--budget-webhook",
            "http://127.0.0.1:9/alert", stdin=items(900).encode(), status=3)
        self.assertIn("alert was not taken", done.err)
