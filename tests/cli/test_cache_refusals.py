"""What a provider refused a moment ago is not asked again at once."""

import json

from bad_server import BadServer
from support import Case, TRANSLATE


def filtered(call):
    if any("forbidden" in item["text"] for item in call.items):
        call.json(400, {"error": {"code": "content_filter",
                                  "message": "not this", "type": "invalid"}})
    else:
        call.good()


class Refusals(Case):

    def test_a_refusal_of_content_is_remembered_for_the_same_item(self):
        calls = []

        def script(call):
            calls.append(call.number)
            filtered(call)

        server = BadServer(script)
        self.addCleanup(server.close)
        run = self.start("run", *TRANSLATE, "--provider", "openai",
                         "--base-url", server.url, "--model", "m",
                         "--stream", "off", "--batch-wait", "1ms",
                         env={"OPENAI_API_KEY": "sk-test"}, stderr=None)
        answers, counts = [], []
        for name, text in (("a", "a forbidden text"),
                           ("b", "a forbidden text"), ("c", "a fine text")):
            line = json.dumps({"id": name, "text": text}) + "\n"
            run.stdin.write(line.encode())
            answers.append(json.loads(run.stdout.readline()))
            counts.append(len(calls))
        run.stdin.close()
        self.assertEqual(run.wait(), 1)
        self.assertEqual([a["status"] for a in answers],
                         ["failed", "failed", "ok"])
        self.assertEqual([a["error"]["code"] for a in answers[:2]],
                         ["content_filter"] * 2)
        self.assertEqual([a["source"] for a in answers],
                         ["api", "duplicate", "api"])
        self.assertEqual(counts[0], counts[1])
        self.assertEqual(counts[1] + 1, counts[2])
