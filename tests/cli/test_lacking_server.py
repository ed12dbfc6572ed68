"""Servers that lack what OpenAI has: told once, never asked for again."""

import json

from bad_server import BadServer
from support import Case, TRANSLATE, ids, items, json_lines

COUNT, SIZE = 60, 10


class Lacking(Case):

    def run_against(self, refuse, *args):
        """A job on a server that refuses what `refuse` says, in its words;
        the refusals it had to make."""
        refusals = []

        def script(call):
            for name, status, lacks, body in refuse:
                if lacks(call.body):
                    refusals.append(name)
                    call.json(status, body)
                    return
            if call.body.get("stream"):
                call.stream(['{"items":['] + [
                    ("," if i else "") + piece for i, piece in enumerate(
                        self.text(a) for a in call.answers())] + ["]}"])
            else:
                call.good()

        server = BadServer(script)
        self.addCleanup(server.close)
        done = self.run_job(
            "-p", "openai", "-m", "gpt-4.1-mini", "--base-url", server.url,
            *TRANSLATE, "--batch-size", str(SIZE), "--workers", "1", *args,
            stdin=items(COUNT).encode(), env={"OPENAI_API_KEY": "sk-test"})
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(COUNT))
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        self.assertEqual({a["attempts"] for a in answers}, {1})
        return refusals

    @staticmethod
    def text(answer):
        return json.dumps(answer)

    @staticmethod
    def form(body):
        return body.get("response_format", {}).get("type")

    def test_llama_cpp_without_schemas(self):
        refusals = self.run_against([
            ("schema", 500, lambda b: self.form(b) == "json_schema",
             {"error": {"code": 500, "type": "server_error", "message":
                        'response_format type must be one of "text" or '
                        '"json_object", but got: json_schema'}})])
        self.assertEqual(refusals, ["schema"])

    def test_a_server_without_any_form(self):
        message = ("The response_format parameter is unsupported at the "
                   "moment. Leave it unset.")
        refusals = self.run_against([
            ("form", 400, lambda b: "response_format" in b,
             {"code": "Client specified an invalid argument",
              "error": message})])
        self.assertEqual(refusals, ["form", "form"])  # schema, then JSON mode

    def test_vllm_that_knows_old_names_only(self):
        def extra(name):
            return {"object": "error", "type": "BadRequestError",
                    "param": None, "code": 400, "message":
                    "[{'type': 'extra_forbidden', 'loc': ('body', "
                    f"'{name}'), 'msg': 'Extra inputs are not permitted'}}]"}

        refusals = self.run_against([
            (name, 400, lambda b, n=name: n in b, extra(name))
            for name in ("max_completion_tokens", "stream_options")],
            "--stream", "on")
        self.assertEqual(sorted(refusals),
                         ["max_completion_tokens", "stream_options"])

    def test_a_model_with_a_temperature_of_its_own(self):
        refusals = self.run_against([
            ("temperature", 400, lambda b: "temperature" in b,
             {"error": {"message": "Unsupported value: 'temperature' does not "
                        "support 0.2 with this model. Only the default (1) "
                        "value is supported.", "type":
                        "invalid_request_error", "param": "temperature",
                        "code": "unsupported_value"}})],
            "--temperature", "0.2")
        self.assertEqual(refusals, ["temperature"])
