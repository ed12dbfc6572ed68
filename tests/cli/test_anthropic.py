"""Anthropic's Messages API over HTTP: what is marked for its prompt cache, what
is billed of it, and how its trouble is taken."""

import json

from batch_server import Anthropic
from support import Case, TRANSLATE, ids, items, json_lines

# claude-haiku-4-5, dollars per million tokens.
INPUT, CACHED, WRITE, OUTPUT = 1.00, 0.10, 1.25, 5.00
PREFIX, REST, ANSWER = 2000, 100, 50  # tokens of each call


class Server(Anthropic):
    """Bills what is marked as its documentation says: the first call writes
    it into the cache, later ones read it."""

    def __init__(self, case, fates=()):
        self.bodies, self.fates = [], list(fates)
        super().__init__(case)

    def reply(self, method, path, body):
        if self.fates:
            fate = self.fates.pop(0)
            if fate:
                return fate
        return super().reply(method, path, body)

    def message(self, body):
        marked = [part for part in body.get("system", [])
                  if "cache_control" in part]
        written = any(self.bodies)
        self.bodies.append(bool(marked))
        usage = {"input_tokens": REST, "output_tokens": ANSWER,
                 "cache_creation_input_tokens": 0,
                 "cache_read_input_tokens": 0}
        if not marked:
            usage["input_tokens"] += PREFIX
        elif written:
            usage["cache_read_input_tokens"] = PREFIX
        else:
            usage["cache_creation_input_tokens"] = PREFIX
        return {**super().message(body), "usage": usage}


class Messages(Case):

    def run_against(self, server, count, *args):
        self.write("guide.md", "Be terse and kind. " * 300)
        done = self.run_job(
            *TRANSLATE, "-p", "anthropic", "-m", "claude-haiku-4-5",
            "--base-url", server.url + "/v1", "--style", "guide.md",
            "--batch-size", "5", "--workers", "1", "--summary", "s.json",
            *args, stdin=items(count).encode(),
            env={"ANTHROPIC_API_KEY": "sk-ant-test"})
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(count))
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        return self.summary()

    def test_what_comes_again_is_marked_and_billed_as_cached(self):
        server = Server(self)
        total = self.run_against(server, 50)
        self.assertEqual(server.bodies, [True] * 10)
        self.assertEqual(total["cached_input_tokens"], 9 * PREFIX)
        self.assertEqual(total["input_tokens"], 10 * (PREFIX + REST))
        self.assertAlmostEqual(total["cost_usd"], (
            10 * (REST * INPUT + ANSWER * OUTPUT) + PREFIX * WRITE +
            9 * PREFIX * CACHED) / 1e6, places=7)

    def test_a_single_call_does_not_pay_for_a_place_in_the_cache(self):
        server = Server(self)
        total = self.run_against(server, 4)
        self.assertEqual(server.bodies, [False])
        self.assertAlmostEqual(total["cost_usd"], (
            (PREFIX + REST) * INPUT + ANSWER * OUTPUT) / 1e6, places=7)

    def test_the_key_and_the_version_are_headers_of_their_own(self):
        server = Server(self)
        self.run_against(server, 5)
        headers = server.asked[0].headers
        self.assertEqual(headers["x-api-key"], "sk-ant-test")
        self.assertEqual(headers["anthropic-version"], "2023-06-01")
        self.assertIsNone(headers["Authorization"])

    def test_overload_and_short_limits_are_waited_out(self):
        def error(status, kind):
            return status, json.dumps({"type": "error", "error": {
                "type": kind, "message": "later"}}).encode()

        server = Server(self, [None, error(529, "overloaded_error"),
                               error(429, "rate_limit_error"),
                               error(500, "api_error")])
        total = self.run_against(server, 25)
        self.assertEqual(total["calls_failed"], 3)
        self.assertEqual(total["calls_429"], 1)
        self.assertEqual(len(server.bodies), 5)  # each answered once

    def test_a_spending_cap_ends_the_run_at_once(self):
        body = {"type": "error", "error": {
            "type": "rate_limit_error", "message": "capped",
            "details": {"error_code": "enforced_spend_limit_reached"}}}
        server = Server(self, [(429, json.dumps(body).encode())] * 50)
        done = self.command(
            "run", *TRANSLATE, "-p", "anthropic", "-m", "claude-haiku-4-5",
            "--base-url", server.url + "/v1", "--batch-size", "5",
            "--workers", "1", stdin=items(50).encode(), env={"ANTHROPIC_API_KEY": "k"})
        self.assertNotIn(done.returncode, (0, 1), done.err)
        self.assertIn("capped", done.err)
        self.assertEqual(len(server.asked), 1)
