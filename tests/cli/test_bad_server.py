"""Providers that misbehave: every item is answered once, in order, or says
why not; nothing hangs, nothing is lost, nobody else's answer is taken."""

import json
import time
from email.utils import formatdate

from bad_server import BadServer
from support import Case, TRANSLATE, ids, items, json_lines

COUNT = 40
KEY = "sk-test-1234567890"


class BadProvider(Case):

    def job(self, script, *args, statuses=(0, 1), count=COUNT, data=None):
        """Runs a job against a script; its answers, checked."""
        server = BadServer(script)
        self.addCleanup(server.close)
        self.server = server
        began = time.monotonic()
        done = self.command(
            "run", *TRANSLATE, "--provider", "openai", "--base-url",
            server.url, "--model", "gpt-4.1-mini", "--stream", "off",
            "--batch-size", "5", "--workers", "4", "--seed", "11",
            "--summary", "s.json", *args,
            stdin=(data or items(count)).encode(),
            env={"OPENAI_API_KEY": KEY})
        self.seconds = time.monotonic() - began
        self.done = done
        self.assertEqual(server.problems, [])
        self.assertIn(done.returncode, statuses, done.err)
        self.assert_reason(done.err)
        self.assertNotIn(KEY, done.out + done.err)
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(count))
        summary = self.summary()
        ok = sum(a["status"] == "ok" for a in answers)
        self.assertEqual((summary["items_ok"], summary["items_failed"]),
                         (ok, count - ok))
        for i, answer in enumerate(answers):
            if answer["status"] == "ok":
                self.assertIn(f"number {i} ", answer["output"])
        return answers

    def all_ok(self, script, *args, **how):
        answers = self.job(script, *args, statuses=(0,), **how)
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        return answers

    def none_ok(self, script, *args, statuses=(1,), **how):
        answers = self.job(script, *args, statuses=statuses, **how)
        self.assertEqual({a["status"] for a in answers}, {"failed"})
        return answers

    @staticmethod
    def each_third(worse):
        """A script that does `worse` to calls 0, 3, 6, ..., but to no item
        twice: a call that may have been paid is sent again only once."""
        harmed = set()

        def script(call):
            texts = {item["text"] for item in call.items}
            if call.number % 3 == 0 and not texts & harmed:
                harmed.update(texts)
                worse(call)
            else:
                call.good()
        return script

    def test_a_server_that_drops_kept_connections_loses_no_item(self):
        """What was lost on one of them is not asked again on another."""
        seen = set()

        def script(call):
            used = call.sock in seen
            seen.add(call.sock)  # which keeps it from being another's address
            if used:
                call.hang_up()
            else:
                call.good()
        answers = self.all_ok(script, "--batch-size", "1", count=16)
        self.assertGreater(max(a["attempts"] for a in answers), 1)

    @staticmethod
    def at_first(worse):
        def script(call):
            if call.number == 0:
                worse(call)
            else:
                call.good()
        return script

    # -- the yardstick

    def test_a_good_provider_is_no_trouble(self):
        self.all_ok(lambda call: call.good())
        self.assertEqual(self.server.calls, COUNT // 5)

    def test_a_good_stream_is_no_trouble(self):
        def script(call):
            assert call.body["stream"] is True
            text = json.dumps({"items": call.answers()})
            call.stream([text[i:i + 7] for i in range(0, len(text), 7)])
        self.all_ok(script, "--stream", "on")

    # -- silence and closed connections

    def test_a_hung_call_is_given_up_and_sent_again(self):
        self.all_ok(self.at_first(lambda call: call.wait()),
                    "--first-byte-timeout", "300ms")

    def test_a_provider_that_never_answers_is_explained(self):
        self.none_ok(lambda call: call.wait(), "--first-byte-timeout",
                     "100ms", "--max-attempts", "2", statuses=(1, 4))

    def test_a_stalled_answer_is_given_up(self):
        def stall(call):
            call.head(200, {"Content-Length": 5000,
                            "Content-Type": "application/json"})
            call.send(b'{"choices":[')
            call.wait()
        self.all_ok(self.at_first(stall), "--stall-timeout", "300ms")

    def test_answers_cut_short_are_asked_for_again(self):
        def cut(call):
            call.head(200, {"Content-Length": 5000,
                            "Content-Type": "application/json"})
            call.send(b'{"choices":[{"message":{"content":"')
            call.hang_up()
        self.all_ok(self.each_third(cut))

    def test_connections_closed_without_a_word_are_tried_again(self):
        self.all_ok(self.each_third(lambda call: call.hang_up()))

    def test_a_stream_cut_short_keeps_its_whole_items(self):
        def script(call):
            text = json.dumps({"items": call.answers()})
            whole = len(json.dumps({"items": call.answers()[:2]}))
            if len(call.items) == 5:
                call.stream([text[:whole + 10]], end=False)
            else:
                call.stream([text])
        self.all_ok(script, "--stream", "on")
        # Two of five are kept, three go again.
        self.assertEqual(self.summary()["retried_items"],
                         COUNT // 5 * 3)

    # -- answers that are not what was asked for

    def test_garbage_is_asked_for_again(self):
        self.all_ok(self.each_third(
            lambda call: call.reply(200, b"\x00\xff<<<")))

    def test_prose_instead_of_json_is_asked_for_again(self):
        self.all_ok(self.each_third(
            lambda call: call.content("Sorry, I would rather not.")))

    def test_nothing_but_garbage_is_explained(self):
        self.none_ok(lambda call: call.reply(200, b"garbage"),
                     "--max-attempts", "2")

    def test_json_between_words_is_understood(self):
        def fenced(call):
            call.content("Here you are:\n```json\n" +
                         json.dumps({"items": call.answers()}) + "\n```\n")
        self.all_ok(fenced)

    def test_the_order_of_an_answer_does_not_matter(self):
        def backwards(call):
            call.content(json.dumps({"items": call.answers()[::-1]}))
        self.all_ok(backwards)

    def test_ids_that_were_not_asked_for_answer_nothing(self):
        def strange(call):
            answers = call.answers()
            for i, answer in enumerate(answers):
                answer["id"] = f"made-up-{i}"
            call.content(json.dumps({"items": answers}))
        self.none_ok(strange, "--max-attempts", "2")

    def test_two_different_answers_are_no_answer(self):
        def twice(call):
            answers = call.answers()
            again = dict(answers[0], output="Fr something else number 0 ")
            call.content(json.dumps({"items": answers + [again]}))
        answers = self.all_ok(self.each_third(twice))
        self.assertNotIn("something else", json.dumps(answers))

    def test_too_many_items_do_no_harm(self):
        def more(call):
            extra = [{"id": "zz", "output": "Fr nobody asked"}] * 3
            call.content(json.dumps({"items": call.answers() + extra}))
        answers = self.all_ok(more)
        self.assertNotIn("nobody asked", json.dumps(answers))

    def test_too_few_items_are_completed(self):
        def fewer(call):
            answers = call.answers()
            keep = answers if len(answers) == 1 else answers[:-1]
            call.content(json.dumps({"items": keep}))
        self.all_ok(fewer)
        # Only what is missing goes again.
        self.assertLessEqual(self.server.calls, 2 * COUNT // 5 + 2)

    def test_outputs_of_another_type_are_no_answer(self):
        def typed(call):
            answers = call.answers()
            for answer, value in zip(answers, (None, [], {}, True,
                                             {"text": "Fr"})):
                answer["output"] = value
            call.content(json.dumps({"items": answers}))
        self.all_ok(self.each_third(typed))

    def test_an_answer_at_the_output_limit_keeps_its_whole_items(self):
        def script(call):
            text = json.dumps({"items": call.answers()})
            if len(call.items) > 1:
                call.content(text[:len(text) * 2 // 3], finish="length")
            else:
                call.content(text)
        self.all_ok(script, "--max-attempts", "20")

    def test_deep_nesting_is_survived(self):
        deep = b'{"choices":' + b"[" * 100000
        self.all_ok(self.at_first(lambda call: call.reply(200, deep)))

    def test_text_that_is_no_unicode_is_survived(self):
        def broken(call):
            body = json.dumps(call.completion("X")).encode()
            text = json.dumps(json.dumps({"items": call.answers()}))
            text = text.replace("Fr ", "Fr \\\\ud800 \\\\u0000 ")
            call.reply(200, body.replace(b'"X"', text.encode()))
        self.job(self.each_third(broken))

    def test_a_bill_that_makes_no_sense_is_survived(self):
        def script(call):
            usages = ({"prompt_tokens": -5, "completion_tokens": "many"},
                      {"prompt_tokens": 10**30}, None, "free")
            call.content(json.dumps({"items": call.answers()}),
                         usage=usages[call.number % 4])
        self.all_ok(script)

    # -- answers without end

    def test_an_endless_body_is_cut_off(self):
        def endless(call):
            call.head(200, {"Content-Type": "application/json"})
            while True:
                call.send(b" " * 65536)
        self.all_ok(self.at_first(endless), "--max-answer-bytes", "256KiB")

    def test_an_endless_header_is_cut_off(self):
        def endless(call):
            call.send(b"HTTP/1.1 200 OK\r\n")
            while True:
                call.send(b"X-Much: " + b"x" * 4000 + b"\r\n")
        self.all_ok(self.at_first(endless))

    def test_an_endless_error_is_cut_off(self):
        def endless(call):
            call.head(500, {"Content-Type": "text/html"})
            while True:
                call.send(b"<p>" * 20000)
        self.all_ok(self.at_first(endless), "--max-answer-bytes", "256KiB")

    def test_a_response_that_is_no_http_is_tried_again(self):
        def other(call):
            call.send(b"SSH-2.0-OpenSSH_9.2\r\n")
            call.hang_up()
        self.all_ok(self.each_third(other))

    # -- errors in proper form

    def test_every_shape_of_retry_after_is_kept(self):
        shapes = [{"retry_after": "1"}, {"retry_after": "0"},
                  {"retry_after": "0.2"}, {"retry_after": "soon"},
                  {"retry_after": "-4"}, {"retry_after": ""},
                  {"retry_after_ms": "150"}, {},
                  {"retry_after": formatdate(time.time() + 1, usegmt=True)},
                  {"retry_after": formatdate(0, usegmt=True)},
                  {"x_ratelimit_reset_requests": "150ms",
                   "x_ratelimit_remaining_requests": "0"}]
        for shape in shapes:
            with self.subTest(shape=shape):
                self.all_ok(self.at_first(lambda call: call.error(
                    429, "rate_limit_exceeded", **shape)), count=10)
                self.assertEqual(self.summary()["calls_429"],
                                 1)
                if shape.get("retry_after") == "1":
                    self.assertGreater(self.seconds, 0.9)

    def test_a_retry_after_of_a_year_is_not_waited_for(self):
        self.job(lambda call: call.error(429, "rate_limit_exceeded",
                                         retry_after="31536000"),
                 "--max-attempts", "2", statuses=(1, 3, 4), count=10)

    def test_an_empty_account_exits_3(self):
        self.none_ok(lambda call: call.error(
            429, "insufficient_quota", "You exceeded your current quota."),
            statuses=(3,))
        self.assertLess(self.server.calls, 10)

    def test_a_refused_key_exits_4(self):
        self.none_ok(lambda call: call.error(
            401, "invalid_api_key", f"Incorrect API key provided: {KEY}"),
            statuses=(4,))
        self.assertLess(self.server.calls, 10)

    def test_a_model_that_does_not_exist_exits_4(self):
        self.none_ok(lambda call: call.error(
            404, "model_not_found", "The model does not exist"),
            statuses=(4,))
        self.assertLess(self.server.calls, 10)
        self.assertIn("--model", self.done.err.splitlines()[-1])

    def test_server_errors_in_html_are_tried_again(self):
        self.all_ok(self.each_third(lambda call: call.reply(
            500, b"<html><h1>Oops</h1>", kind="text/html")))

    def test_nothing_but_server_errors_is_explained(self):
        self.none_ok(lambda call: call.reply(
            502, b"<html>Bad gateway", kind="text/html"),
            "--max-attempts", "2", statuses=(1, 4))

    def test_a_redirect_is_not_followed(self):
        self.none_ok(lambda call: call.reply(
            302, b"", Location="http://127.0.0.1:1/elsewhere"),
            "--max-attempts", "2", statuses=(1, 4))

    def test_one_poisonous_item_fails_alone(self):
        def script(call):
            if any("number 13 " in item["text"] for item in call.items):
                call.error(400, "invalid_prompt", "This content is refused.")
            else:
                call.good()
        answers = self.job(script, statuses=(1,))
        failed = [a for a in answers if a["status"] == "failed"]
        self.assertEqual([a["id"] for a in failed], ["k13"])
        self.assertIn("This content is refused.",
                      failed[0]["error"]["message"])

    def test_filtered_content_fails_alone(self):
        def script(call):
            if any("number 13 " in item["text"] for item in call.items):
                call.content("", finish="content_filter")
            else:
                call.good()
        answers = self.job(script, statuses=(1,))
        self.assertEqual([a["id"] for a in answers
                          if a["status"] == "failed"], ["k13"])

    def test_a_feature_the_server_lacks_is_left_out(self):
        def script(call):
            if "response_format" in call.body:
                call.error(400, "unsupported_parameter",
                           "Unknown parameter: 'response_format'.")
            else:
                call.good()
        self.all_ok(script)
