"""Providers that take requests in bulk: Anthropic's and Gemini's shapes.

A batch is worked off between its first and its second poll; what `fate` says
of a line is "ok", "expired" or "error".
"""

import json

from service import Service


def packed(text):
    return json.loads(text[text.rfind('{"items"'):])["items"]


def translated(text):
    return {"items": [{"id": i["id"], "output": "Fr " + i["text"]}
                      for i in packed(text)]}


class BatchServer(Service):
    """Counts what it was asked and what it has billed."""

    locked = False  # no key is good enough

    def __init__(self, case, fate=lambda key: "ok"):
        self.fate = fate
        self.batches = {}
        self.billed = 0  # lines and direct calls, by their number of items
        super().__init__(case, self.serve_batches)

    def serve_batches(self, request):
        method, path, _, body = request.asked
        if self.locked:
            request.say_json(401, {"type": "error", "error": {
                "type": "authentication_error", "message": "invalid key"}})
            return
        status, answer = self.reply(method, path, json.loads(body or b"null"))
        request.say(status, answer, {"Content-Type": "application/json"})

    def good(self, value):
        return 200, json.dumps(value).encode()

    def bill(self, text):
        self.billed += len(packed(text))

    def count(self, method, part):
        return sum(asked.method == method and part in asked.path
                   for asked in self.asked)


class Anthropic(BatchServer):
    """/v1/messages and /v1/messages/batches."""

    def message(self, body):
        content = body["messages"][-1]["content"]
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        self.bill(content)
        return {"type": "message", "role": "assistant",
                "stop_reason": "tool_use",
                "content": [{"type": "tool_use", "name": "answer",
                             "input": translated(content)}],
                "usage": {"input_tokens": 100, "output_tokens": 50}}

    def result(self, line):
        fate = self.fate(line["custom_id"])
        if fate == "ok":
            return {"type": "succeeded",
                    "message": self.message(line["params"])}
        if fate == "error":
            return {"type": "errored", "error": {
                "type": "error", "error": {"type": "overloaded_error",
                                           "message": "Overloaded"}}}
        return {"type": fate}

    def reply(self, method, path, body):
        parts = path.split("/")[2:]  # without "" and "v1"
        if method == "POST" and parts == ["messages"]:
            return self.good(self.message(body))
        if method == "POST" and parts == ["messages", "batches"]:
            name = f"msgbatch_{len(self.batches)}"
            self.batches[name] = {"lines": body["requests"], "polls": 0}
            return self.good(self.view(name))
        name = parts[2]
        if parts[3:] == ["results"]:
            lines = [{"custom_id": line["custom_id"],
                      "result": self.result(line)}
                     for line in reversed(self.batches[name]["lines"])]
            return 200, "\n".join(json.dumps(l) for l in lines).encode()
        self.batches[name]["polls"] += 1
        return self.good(self.view(name))

    def view(self, name):
        over = self.batches[name]["polls"] >= 2
        return {"id": name, "type": "message_batch",
                "processing_status": "ended" if over else "in_progress",
                "results_url": "http://elsewhere.invalid/" if over else None}


class Gemini(BatchServer):
    """/v1beta/models/M:generateContent and :batchGenerateContent."""

    def content(self, body):
        text = body["contents"][-1]["parts"][-1]["text"]
        self.bill(text)
        return {"candidates": [{"finishReason": "STOP", "content": {
                    "parts": [{"text": json.dumps(translated(text))}]}}],
                "usageMetadata": {"promptTokenCount": 100,
                                  "candidatesTokenCount": 50}}

    def result(self, line):
        fate = self.fate(line["metadata"]["key"])
        if fate == "ok":
            return {**line, "request": None,
                    "response": self.content(line["request"])}
        code = 4 if fate == "expired" else 14
        return {"metadata": line["metadata"],
                "error": {"code": code, "message": "no"}}

    def reply(self, method, path, body):
        if path.endswith(":generateContent"):
            return self.good(self.content(body))
        if path.endswith(":batchGenerateContent"):
            name = f"batches/{len(self.batches)}"
            lines = body["batch"]["input_config"]["requests"]["requests"]
            self.batches[name] = {"lines": lines, "polls": 0}
            return self.good(self.view(name))
        name = path[len("/v1beta/"):]
        self.batches[name]["polls"] += 1
        return self.good(self.view(name))

    def view(self, name):
        batch = self.batches[name]
        over = batch["polls"] >= 2
        view = {"name": name, "metadata": {
            "state": "BATCH_STATE_" + ("SUCCEEDED" if over else "RUNNING")}}
        if over:
            # The same each time it is asked for.
            if "results" not in batch:
                batch["results"] = [self.result(line)
                                    for line in batch["lines"]]
            view["response"] = {
                "inlinedResponses": {"inlinedResponses": batch["results"]}}
        return view
