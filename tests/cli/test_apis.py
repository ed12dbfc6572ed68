"""APIs that are described by configuration alone, and lists of texts."""

import json
import os
import urllib.parse

from service import Service
from support import Case, QUICK, ids, items, json_lines

APIS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir,
                    "data", "apis")
TEXTS = [json.loads(line)["text"] for line in items(120).splitlines()]


class Apis(Case):

    def translate(self, api, service, *args, status=0, env=None):
        done = self.run_job(
            "-c", os.path.join(APIS, api), "--base-url", service.url,
            "--source-lang", "en", "--target-lang", "es", "--summary",
            "s.json", *args, stdin=items(120).encode(), env=env,
            status=status)
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(120))
        return answers, self.summary()

    def test_libretranslate_takes_lists(self):
        def answer(request):
            asked = json.loads(request.asked.body)
            self.assertEqual({k: asked[k] for k in ("source", "target",
                                                    "format")},
                             {"source": "en", "target": "es",
                              "format": "text"})
            return {"translatedText": [f"es {t}" for t in asked["q"]]}

        service = Service(self, answer)
        answers, total = self.translate("libretranslate.yaml", service)
        self.assertEqual([a["output"] for a in answers],
                         [f"es {t}" for t in TEXTS])
        self.assertEqual({asked.path for asked in service.asked},
                         {"/translate"})
        self.assertEqual(total["calls"], 3)
        self.assertEqual(total["cost_usd"], 0)

    def test_deepl_bills_by_the_character(self):
        def answer(request):
            self.assertEqual(request.asked.headers["Authorization"],
                             "DeepL-Auth-Key k-123:fx")
            asked = json.loads(request.asked.body)
            self.assertEqual(asked["target_lang"], "es")
            self.assertLessEqual(len(asked["text"]), 50)
            return {"translations": [
                {"detected_source_language": "EN", "text": f"es {t}",
                 "billed_characters": len(t)} for t in asked["text"]]}

        service = Service(self, answer)
        answers, total = self.translate(
            "deepl.yaml", service, env={"DEEPL_API_KEY": "k-123:fx"})
        self.assertEqual([a["output"] for a in answers],
                         [f"es {t}" for t in TEXTS])
        characters = sum(map(len, TEXTS))
        self.assertEqual(total["input_tokens"], characters)
        self.assertAlmostEqual(total["cost_usd"], characters * 25e-6, 7)

    def test_apertium_takes_one_text_in_a_form(self):
        def answer(request):
            form = urllib.parse.parse_qs(request.asked.body.decode(),
                                         strict_parsing=True)
            self.assertEqual(form["langpair"], ["en|es"])
            return {"responseData": {"translatedText":
                                          "es " + form["q"][0]},
                         "responseDetails": None, "responseStatus": 200}

        service = Service(self, answer)
        answers, total = self.translate("apertium.yaml", service)
        self.assertEqual([a["output"] for a in answers],
                         [f"es {t}" for t in TEXTS])
        self.assertEqual(total["calls"], 120)

    def test_a_list_with_a_hole_gives_no_one_anothers_answer(self):
        """Whoever answers fewer texts than asked is asked again."""
        def answer(request):
            texts = json.loads(request.asked.body)["q"]
            if len(texts) > 1 and len(service.asked) % 2:
                texts = texts[1:]
            return {"translatedText": [f"es {t}" for t in texts]}

        service = Service(self, answer)
        answers, total = self.translate("libretranslate.yaml", service)
        self.assertEqual([a["output"] for a in answers],
                         [f"es {t}" for t in TEXTS])

    def test_a_refusal_is_told_in_the_services_words(self):
        service = Service(self, lambda *_: (400, {
            "error": "es is not supported"}))
        answers, _ = self.translate("libretranslate.yaml", service, status=1)
        self.assertIn("es is not supported",
                      answers[0]["error"]["message"])

    def test_an_empty_purse_stops_the_run(self):
        service = Service(self, lambda *_: (456, {
            "message": "Quota Exceeded"}))
        self.translate("deepl.yaml", service, "--workers", "1", status=3,
                       env={"DEEPL_API_KEY": "k"})
        self.assertEqual(len(service.asked), 1)

    def test_a_wrong_description_is_told_before_anything_is_sent(self):
        self.write("bad.yaml", "provider: mine\nproviders:\n  mine:\n"
                               "    dialect: json\n"
                               "    base_url: http://127.0.0.1:9\n"
                               "    body: '{\"a\": 1}'\n    texts: /q\n"
                               "    answers: /r\n    free: true\n")
        done = self.command("run", "-c", "bad.yaml", "--target-lang", "es",
                            stdin=items(1).encode())
        self.assertEqual((done.returncode, done.out), (2, ""))
        self.assertIn('the body has nothing at "/q"', done.err)

    def test_a_plan_says_that_it_cannot(self):
        self.write("in.jsonl", items(3))
        done = self.command("plan", "-c", os.path.join(APIS, "deepl.yaml"),
                            "--target-lang", "es", "-i", "in.jsonl",
                            env={"DEEPL_API_KEY": "k"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be simulated", done.err)


class Embeddings(Case):

    def embed(self, *args):
        done = self.run_job("--task", "embed", "-m", "sim-embed", *QUICK,
                            "--summary", "s.json", *args,
                            stdin=items(300).encode())
        answers = json_lines(done.out)
        self.assert_answered_in_order(answers, ids(300))
        return answers, self.summary()

    def test_a_text_has_the_same_vector_alone_and_in_a_list(self):
        together, total = self.embed()
        self.assertEqual(total["calls"], 1)
        apart, total = self.embed("--batch-size", "7")
        self.assertEqual(total["calls"], 43)
        self.assertEqual([a["output"] for a in together],
                         [a["output"] for a in apart])
        self.assertEqual(len({str(a["output"]) for a in together}), 300)
        for answer in together:
            self.assertEqual(len(answer["output"]), 8)
            self.assertTrue(all(isinstance(x, float)
                                for x in answer["output"]))

    def test_every_vector_says_what_it_cost(self):
        answers, total = self.embed()
        self.assertEqual(sum(a["usage"]["input_tokens"] for a in answers),
                         total["input_tokens"])
        self.assertAlmostEqual(sum(a["cost_usd"] for a in answers),
                               total["cost_usd"], delta=300e-9)
        self.assertGreater(total["cost_usd"], 0)

    def test_their_length_can_be_chosen(self):
        answers, _ = self.embed("--dimensions", "3")
        self.assertEqual({len(a["output"]) for a in answers}, {3})
