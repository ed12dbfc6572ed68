"""Servers that lack what OpenAI has: told once, never asked for again."""

import json

from bad_server import BadServer
from support import Case, TRANSLATE, ids, items, json_lines

COUNT, SIZE = 60, 10


class Lacking(Case):

    def run_against(self, refuse, *args, workers=1):
        """A job on a server that refuses what `refuse` says, in its words;
        the refusals it had to make.  The bodies of the others are kept."""
        refusals, self.taken = [], []

        def script(call):
            for name, status, lacks, body in refuse:
                if lacks(call.body):
                    refusals.append(name)
                    call.json(status, body)
                    return
            self.taken.append(call.body)
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
            *TRANSLATE, "--batch-size", str(SIZE), "--workers", str(workers),
            *args,
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

    NO_SCHEMA = [
        ("schema", 500, lambda b: Lacking.form(b) == "json_schema",
         {"error": {"code": 500, "type": "server_error", "message":
                    'response_format type must be one of "text" or '
                    '"json_object", but got: json_schema'}})]

    def test_llama_cpp_without_schemas(self):
        self.assertEqual(self.run_against(self.NO_SCHEMA), ["schema"])
        self.assertEqual({self.form(b) for b in self.taken}, {"json_object"})

    def test_calls_that_were_on_their_way_teach_no_more(self):
        refusals = self.run_against(self.NO_SCHEMA, workers=6)
        self.assertLessEqual(len(refusals), 6)
        self.assertEqual({self.form(b) for b in self.taken}, {"json_object"})

    def test_what_it_lacks_is_remembered_in_the_state_file(self):
        state = ["--state", self.path("state"), "--no-journal"]
        self.assertEqual(self.run_against(self.NO_SCHEMA, *state), ["schema"])
        self.assertEqual(self.run_against(self.NO_SCHEMA, *state), [])
        self.assertEqual({self.form(b) for b in self.taken}, {"json_object"})
        # Who asks for it by name gets it tried.
        self.assertEqual(self.run_against(
            self.NO_SCHEMA, *state, "--structured", "schema"), ["schema"])

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

    def test_a_limit_that_has_no_name_there_is_not_sent(self):
        def unknown(name):
            return {"error": {"message": f"Unrecognized request argument "
                              f"supplied: {name}", "param": None,
                              "type": "invalid_request_error"}}

        names = ("max_completion_tokens", "max_tokens")
        refusals = self.run_against([
            (name, 400, lambda b, n=name: n in b, unknown(name))
            for name in names])
        self.assertEqual(refusals, list(names))

    def test_gemma_without_a_system_role(self):
        refusals = self.run_against([
            ("system", 400, lambda b: b["messages"][0]["role"] == "system",
             {"object": "error", "message": "System role not supported",
              "type": "BadRequestError", "param": None, "code": 400})])
        self.assertEqual(refusals, ["system"])
        for body in self.taken:
            message, = body["messages"]
            self.assertIn("ranslat", message["content"].split("{")[0])
