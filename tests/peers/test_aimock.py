"""The same job through each shape that aimock speaks, with its chaos on."""

import json
import os
import subprocess
import urllib.parse

from peers import HERE, PeerCase, Server, fetched, home

# Of ten calls: one 500, one malformed body, one 429, one cut.
CHAOS = {"dropRate": 0.1, "malformedRate": 0.1, "rateLimitRate": 0.1,
         "disconnectRate": 0.1}
MOST_CUT = 40  # of 500, with luck as bad as it gets; 5 on average
TEXTS = [f"Open door number {i} please, {{name}}" for i in range(500)]
KEYS = {name: "mock" for name in (
    "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY",
    "AZURE_OPENAI_API_KEY")}
# aimock's headers always tell of 60 calls a minute with none left: what they
# say is obeyed, so the limit is set here to keep the test short.
QUICK = ["--rpm", "100000", "--tpm", "1000000000", "--max-attempts", "9",
         "--batch-size", "10"]


OLLAMA = """
providers:
    own:
        dialect: json
        path: /api/generate
        body: '{"model": "{model}", "prompt": "", "stream": false}'
        texts: /prompt
        one_text: true
        answers: /response
        error: /error
        free: true
"""


class Aimock(PeerCase):

    def setUp(self):
        super().setUp()
        self.home = os.path.join(home(), "aimock")
        fetched(os.path.join(self.home, "node_modules"), "npm", "install",
                "--silent", "--no-audit", "--no-fund", "--prefix", self.home,
                "@copilotkit/aimock@1.43.0")

    def serve(self, chaos):
        return Server(self, ["node", os.path.join(HERE, "aimock.mjs")],
                      env=dict(os.environ, AIMOCK=self.home,
                               CHAOS=json.dumps(chaos)))

    def through(self, provider, model, base, *args):
        server = self.serve(CHAOS)
        answers, total = self.job(
            TEXTS, "-p", provider, "-m", model, "--base-url",
            server.url + base, "--target-lang", "fr", *QUICK, *args, env=KEYS)
        server.end()
        served = json.loads(server.last)
        failed = [a for a in answers if a["status"] != "ok"]
        for answer, text in zip(answers, TEXTS, strict=True):
            if answer["status"] == "ok":
                self.assertEqual(answer["output"], f"« {text} »")
        print(f"{provider} {' '.join(args)}: {len(failed)} failed with "
              f"{sorted({a['error']['code'] for a in failed})}; calls "
              f"{total['calls']}, served {served['status']}, "
              f"{total['elapsed_seconds']:.1f} s")
        # A call that is cut may have been paid for: of a hundred items one is
        # cut off twice, and then is not asked again.
        self.assertLessEqual({a["error"]["code"] for a in failed},
                             {"no_answer", "answer_cut"})
        self.assertLessEqual(len(failed), MOST_CUT)
        self.assertEqual(served["calls"], total["calls"])

    def test_openai(self):
        self.through("openai", "gpt-4.1-mini", "/v1")

    def test_openai_single(self):
        self.through("openai", "gpt-4.1-mini", "/v1", "--batch-size", "1")

    def test_openai_streamed(self):
        self.through("openai", "gpt-4.1-mini", "/v1", "--stream", "on")

    def test_openai_responses(self):
        self.through("openai_responses", "gpt-4.1-mini", "/v1")

    def test_openai_responses_streamed(self):
        self.through("openai_responses", "gpt-4.1-mini", "/v1", "--stream",
                     "on")

    def test_azure_deployments(self):
        self.through("azure_deployments", "gpt-4.1-mini", "")

    def test_azure(self):
        self.through("azure", "gpt-4.1-mini", "/openai/v1")

    def test_ollama(self):
        self.through("ollama", "llama3.2", "/v1")

    def test_ollama_by_configuration(self):
        """Its own API, one prompt in a call, as any JSON API."""
        self.write("own.yaml", OLLAMA)
        self.through("own", "llama3.2", "", "-c", "own.yaml",
                     "--batch-size", "1")

    def test_anthropic(self):
        self.through("anthropic", "claude-haiku-4-5", "/v1")

    def test_anthropic_without_a_tool(self):
        self.through("anthropic", "claude-haiku-4-5", "/v1", "--structured",
                     "off")

    def test_anthropic_streamed(self):
        self.through("anthropic", "claude-haiku-4-5", "/v1", "--stream", "on")

    def test_gemini(self):
        self.through("gemini", "gemini-2.5-flash", "/v1beta")

    def test_gemini_streamed(self):
        self.through("gemini", "gemini-2.5-flash", "/v1beta", "--stream", "on")

    def test_batches(self):
        """Files and batches; what it writes into each line is one text."""
        server = self.serve(CHAOS)
        answers, total = self.job(
            TEXTS, "-p", "openai", "-m", "gpt-4.1-mini", "--base-url",
            server.url + "/v1", "--task", "raw", "--native-batch", "on",
            "--max-attempts", "9", env=KEYS)
        good = [a for a in answers if a["status"] == "ok"]
        print(f"batches: {len(TEXTS) - len(good)} failed; "
              f"{total['calls']} lines, {total['elapsed_seconds']:.1f} s")
        self.assertEqual({a["output"] for a in good},
                         {"Mock batch completion"})
        self.assertEqual(len(good), len(TEXTS))
        self.assertEqual(total["calls"], len(TEXTS))  # no line twice

    def test_videos_of_veo(self):
        """Each job's film is that of its prompt.  A submission that was cut is
        not repeated: it may have been paid for."""
        server, texts = self.serve(CHAOS), TEXTS[:60]
        answers, total = self.job(
            texts, "-p", "veo", "-m", "veo-3.1-fast-generate-preview",
            "--base-url", server.url + "/v1beta", "--task", "video",
            "--job-pace", "5ms", "--jobs-max", "100", "--max-attempts", "9",
            env=KEYS)
        failed = [a for a in answers if a["status"] != "ok"]
        for answer, text in zip(answers, texts, strict=True):
            if answer["status"] == "ok":
                url, = (asset["url"] for asset in answer["output"]["assets"])
                self.assertEqual(urllib.parse.unquote(url),
                                 f"https://example.invalid/{text}.mp4")
        print(f"veo: {len(failed)} failed with "
              f"{sorted({a['error']['code'] for a in failed})}; "
              f"{total['calls']} submissions, "
              f"{total['elapsed_seconds']:.1f} s")
        self.assertLessEqual({a["error"]["code"] for a in failed},
                             {"outcome_unknown"})
        self.assertLess(len(failed), 30)

    def test_moderation(self):
        """It judges all texts of a call as one: one text in a call."""
        server = self.serve(CHAOS)
        answers, _ = self.job(
            TEXTS, "-p", "openai", "-m", "omni-moderation-latest",
            "--base-url", server.url + "/v1", "--task", "moderate", *QUICK,
            "--batch-size", "1", env=KEYS)
        good = [a for a in answers if a["status"] == "ok"]
        print(f"moderation: {len(TEXTS) - len(good)} failed")
        self.assertGreaterEqual(len(good), len(TEXTS) - MOST_CUT)
        self.assertEqual({a["output"]["flagged"] for a in good}, {False})

    def test_embeddings(self):
        server = self.serve(CHAOS)
        vectors = {}
        for size in ("1", "20"):
            args = QUICK[:-1] + [size]
            answers, total = self.job(
                TEXTS, "-p", "openai", "-m", "text-embedding-3-small",
                "--base-url", server.url + "/v1", "--task", "embed",
                "--no-journal", *args, env=KEYS)
            good = [a for a in answers if a["status"] == "ok"]
            print(f"embeddings, {size} in a call: {len(TEXTS) - len(good)} "
                  f"failed; calls {total['calls']}")
            self.assertGreaterEqual(len(good), len(TEXTS) - MOST_CUT)
            for a in good:
                self.assertGreater(len(a["output"]), 100)
                self.assertEqual(vectors.setdefault(a["id"], a["output"]),
                                 a["output"])
        self.assertGreater(len({str(v) for v in vectors.values()}), 400)
